internal import Crypto
internal import FoundationEssentials

extension SecretBytes {
    /// Takes over a secret of swift-crypto, which wipes its own copy.
    init(copying secret: some ContiguousBytes) {
        let count = unsafe secret.withUnsafeBytes { $0.count }
        self.init(count: count)
        unsafe secret.withUnsafeBytes {
            unsafe pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(pointer), byteCount: count)
        }
    }
}

extension Data {
    init(_ bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe Data($0) }
    }
}

extension RawSpan {
    /// The byte at an offset that the caller has checked.
    func unsafeByte(at offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}
