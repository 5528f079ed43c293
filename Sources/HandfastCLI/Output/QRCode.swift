internal import CQREncode
internal import HandfastNode

/// A QR code, as modules that are dark or light.
struct QRCode {
    /// The number of modules on a side, without the quiet zone.
    let width: Int
    /// What the code holds, for those who cannot see it.
    let name: String
    private let dark: [Bool]

    /// The light border that scanners need, in modules.
    /// - Source: ISO/IEC 18004 §5.3.8
    static let quietZone = 4

    /// The most bytes that a code holds: version 40 at the lowest level of error correction.
    /// - Source: ISO/IEC 18004 §7.4.10
    static let maximumSize = 2_953

    /// Encodes a text in the smallest code with the lowest level of error correction: a screen has no dirt on it, and
    /// a smaller code fits more terminals.
    ///
    /// - Parameter name: what the text is, such as "an invitation".
    /// - Throws: ``Failure`` for a text that is too long.
    init(_ text: String, of name: String) throws {
        var bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumSize else {
            throw Failure(
                .cannotCreate,
                "\(name) has \(bytes.count) bytes here, and a QR code holds \(Self.maximumSize) at most",
                hint: "hand over the file instead, or make it smaller")
        }
        bytes.append(0)
        let code = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
                unsafe QRcode_encodeString8bit(characters.baseAddress, 0, QR_ECLEVEL_L)
            }
        }
        guard let code = unsafe code else { throw Failure(.failed, "\(name) does not fit into a QR code") }
        defer { unsafe QRcode_free(code) }
        let width = Int(unsafe code.pointee.width)
        self.width = width
        self.name = name
        // The lowest bit of each byte says whether the module is dark.
        dark = unsafe UnsafeBufferPointer(start: code.pointee.data, count: width * width).map { $0 & 1 == 1 }
    }

    /// Whether a module is dark; those outside the code are the quiet zone.
    func isDark(_ x: Int, _ y: Int) -> Bool {
        (0..<width).contains(x) && (0..<width).contains(y) && dark[y * width + x]
    }
}
