/// Conversions between `Double` and the 16-bit interchange format.
///
/// `Float16` would do this, but Swift does not have it on every platform.
///
/// - Source: RFC 8949 appendix D; IEEE 754 §3.4.
enum HalfPrecision {
    /// The only encoding of not-a-number.
    static let notANumber: UInt16 = 0x7E00

    /// The value of 16 bits in the interchange format.
    static func value(of bits: UInt16) -> Double {
        let sign: FloatingPointSign = bits & 0x8000 == 0 ? .plus : .minus
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Double(bits & 0x3FF)
        switch exponent {
        case 0: return Double(sign: sign, exponent: -24, significand: fraction)
        case 31: return fraction == 0 ? (sign == .plus ? .infinity : -.infinity) : .nan
        default: return Double(sign: sign, exponent: exponent - 25, significand: 1024 + fraction)
        }
    }

    /// The 16 bits that hold `value` without loss, or nil.
    static func bits(exactly value: Double) -> UInt16? {
        if value.isNaN { return notANumber }
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        if value.isInfinite { return sign | 0x7C00 }
        let subnormal = value.magnitude * 0x1p24
        if subnormal < 1024 {
            return subnormal == subnormal.rounded(.towardZero) ? sign | UInt16(subnormal) : nil
        }
        guard value.exponent <= 15, value.significandBitPattern & (1 << 42 - 1) == 0 else { return nil }
        return sign | UInt16(value.exponent + 15) << 10 | UInt16(value.significandBitPattern >> 42)
    }
}
