internal import HandfastCrypto
internal import HandfastEncoding

/// A claim that a holder may disclose: a salt, the name unless it is an array's element, and the value.
/// - Source: RFC 9901 §4.2
struct SDJWTDisclosure: Hashable {
    /// Size of the salts that are issued here, in bytes.
    static let saltCount = 16

    /// The base64url text, over which the digest goes.
    let text: String
    /// The name; nil for an array's element.
    let name: String?
    let value: CBORValue

    /// Reads the disclosure of this number.
    init(decoding text: Substring, index: Int) throws(CredentialError) {
        let part = CredentialError.Part.disclosure(index)
        let bytes: [UInt8]
        do { bytes = try Base64URL.decode(text) } catch { throw .text(error, in: part) }
        let content: CBORValue
        do { content = try JSON.decode(bytes, maximumSize: bytes.count) } catch { throw .json(error, in: part) }
        guard case .array(let items) = content, case .text? = items.first else { throw .malformed(part) }
        switch items.count {
        case 2: name = nil
        case 3:
            guard case .text(let text) = items[1] else { throw .malformed(part) }
            guard !SDJWTName.isReserved(text) else { throw .reservedName(in: part) }
            name = text
        default: throw .malformed(part)
        }
        value = items[items.count - 1]
        self.text = String(text)
    }

    /// A new disclosure.
    init(
        name: String?, value: CBORValue, using generator: inout some RandomNumberGenerator
    ) throws(CredentialError) {
        var items = [CBORValue.text(Base64URL.encode(generator.bytes(Self.saltCount)))]
        if let name { items.append(.text(name)) }
        items.append(value)
        do { text = Base64URL.encode(try JSON.encode(.array(items))) } catch { throw .json(error, in: .credential) }
        self.name = name
        self.value = value
    }
}
