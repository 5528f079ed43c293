/// The domain separation tag of one use of ristretto255: `HANDFAST-V1-` and the name.
///
/// No two uses share a tag, so that a point or scalar of one cannot stand for one of another.
/// - Source: RFC 9380 §3.1; Spec/11 §11.2
public struct RistrettoTag: Hashable, Sendable {
    /// The tag, 13...255 bytes.
    public let bytes: [UInt8]

    /// A tag from a literal of 1...64 ASCII characters; any other literal is a mistake of the program and traps.
    public init(_ name: StaticString) {
        precondition(name.isASCII && (1...64).contains(name.utf8CodeUnitCount), "A tag has 1 to 64 ASCII characters")
        var bytes = [UInt8]("HANDFAST-V1-".utf8)
        for index in 0..<name.utf8CodeUnitCount { bytes.append(unsafe name.utf8Start[index]) }
        self.bytes = bytes
    }
}
