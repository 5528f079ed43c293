extension [UInt8] {
    /// The bytes, borrowed.
    @inlinable
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }

    /// The bytes, to be overwritten in place.
    @inlinable
    public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            var elements = mutableSpan
            let buffer = unsafe elements.withUnsafeMutableBytes { unsafe $0 }
            return unsafe _overrideLifetime(MutableRawSpan(_unsafeBytes: buffer), mutating: &self)
        }
    }

    /// Copies the bytes of a span.
    public init(_ bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
