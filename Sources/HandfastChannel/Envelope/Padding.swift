/// Padmé: sizes are rounded up so that only the logarithm and a few leading bits of a size show, at most 12 % longer.
///
/// - Source: Spec/04 §4.6; Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
///   PURBs", 2019
enum Padding {
    /// No padded size is below this, in bytes.
    static let minimumByteCount = 256

    /// The padded size of `byteCount` bytes.
    static func paddedByteCount(of byteCount: Int) -> Int {
        let size = max(byteCount, minimumByteCount)
        let exponent = Int.bitWidth - 1 - size.leadingZeroBitCount
        let leadingBits = Int.bitWidth - exponent.leadingZeroBitCount
        let mask = (1 << (exponent - leadingBits)) - 1
        return (size + mask) & ~mask
    }
}
