import CMemcheck
import HandfastCrypto

/// Random bytes that memcheck watches.
func hidden(_ count: Int) -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    hide(bytes)
    return bytes
}

/// Watches these bytes from now on.
func hide(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe memcheck_hide($0.baseAddress, $0.count) }
}

/// Ends the watch over a result that the other side, or the caller, learns anyway.
func show<Value: BitwiseCopyable>(_ value: Value) -> Value {
    unsafe withUnsafeBytes(of: value) { unsafe memcheck_show($0.baseAddress, $0.count) }
    return value
}
