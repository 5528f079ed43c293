package import HandfastCrypto

/// The two keys under which a vault's rows are sealed and found.
///
/// Rows are found by a keyed digest of their true key, so that the plaintext columns of the file tell a thief nothing
/// that also stands on a wire, at a relay or in another vault.
///
/// - Source: Spec/08 §8.2
package final class VaultSeal: Sendable {
    private static let nameLabel = Label("vault name")

    private let dataKey: StorageKey
    private let nameKey: SecretBytes

    /// Takes over the secret of a vault: data key (32 bytes) ‖ name key (32 bytes).
    package init(secret: RawSpan) throws(CryptoError) {
        guard secret.byteCount == 64 else {
            throw .wrongLength(of: "vault secret", expected: 64, actual: secret.byteCount)
        }
        dataKey = try StorageKey(copying: secret.extracting(0..<32))
        nameKey = SecretBytes(copying: secret.extracting(32..<64))
    }

    /// The 16 bytes under which a row is found.
    package func name(_ key: [UInt8], in table: StaticString) -> [UInt8] {
        var hash = LabelledHash(Self.nameLabel, key: nameKey)
        hash.absorb(Self.bytes(of: table))
        hash.absorb(key)
        return [UInt8](hash.digest().array.prefix(16))
    }

    /// A key of 32 bytes of this vault for another use.
    func derivedKey(_ label: Label, _ context: [UInt8]) -> SecretBytes {
        var hash = LabelledHash(label, key: nameKey)
        hash.absorb(context)
        return hash.secret()
    }

    /// Seals a row's payload to its place.
    package func seal(_ plaintext: [UInt8], at place: borrowing RowPlace) -> [UInt8] {
        var random = SecureRandom()
        return dataKey.seal(plaintext.bytes, authenticating: place.associatedData.bytes, using: &random)
    }

    /// What seals the rows of one transaction.
    package func rows() -> RowSealer {
        var random = SecureRandom()
        return RowSealer(dataKey.sealer(using: &random))
    }

    /// Opens a row's payload, if it was sealed to this place.
    ///
    /// - Throws: ``StoreError/corrupted(_:)`` naming table and row
    package func open(_ sealed: [UInt8], at place: borrowing RowPlace) throws(StoreError) -> [UInt8] {
        do {
            return try dataKey.open(sealed.bytes, authenticating: place.associatedData.bytes)
        } catch {
            throw .corrupted(place.text)
        }
    }

    fileprivate static func bytes(of text: StaticString) -> [UInt8] {
        text.withUTF8Buffer { unsafe [UInt8]($0) }
    }
}

/// Where a sealed payload stands: table ‖ row ‖ version, the associated data of its seal.
package struct RowPlace {
    package let table: StaticString
    package let version: Int64
    private let name: [UInt8]
    private let number: UInt64?
    private let secondNumber: UInt64?

    /// A row found by a name and up to two numbers; without any of them, the only row of its table.
    package init(
        _ table: StaticString, name: [UInt8] = [], number: UInt64? = nil, _ secondNumber: UInt64? = nil, version: Int64
    ) {
        self.table = table
        self.name = name
        self.number = number
        self.secondNumber = secondNumber
        self.version = version
    }

    var associatedData: [UInt8] {
        var data = [UInt8]()
        writeAssociatedData(to: &data)
        return data
    }

    /// Appends the associated data; every row that a message writes does so.
    func writeAssociatedData(to data: inout [UInt8]) {
        data.append(UInt8(truncatingIfNeeded: table.utf8CodeUnitCount))
        table.withUTF8Buffer { unsafe data.append(contentsOf: $0) }
        data.append(UInt8(truncatingIfNeeded: name.count + (number == nil ? 0 : 8) + (secondNumber == nil ? 0 : 8)))
        data.append(contentsOf: name)
        if let number { data.append(bigEndian: number) }
        if let secondNumber { data.append(bigEndian: secondNumber) }
        data.append(bigEndian: UInt64(bitPattern: version))
    }

    private var row: [UInt8] {
        var row = name
        if let number { row.append(bigEndian: number) }
        if let secondNumber { row.append(bigEndian: secondNumber) }
        return row
    }

    /// Table and row, for a person.
    package var text: String {
        let digits = row.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        return "table \(table), row \(digits.isEmpty ? "1" : digits), version \(version)"
    }
}

extension [UInt8] {
    mutating func append(bigEndian number: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }
}
