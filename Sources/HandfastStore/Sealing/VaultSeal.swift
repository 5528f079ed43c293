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
    package let row: [UInt8]
    package let version: Int64

    /// A row found by name.
    package init(_ table: StaticString, name: [UInt8], version: Int64) {
        self.table = table
        row = name
        self.version = version
    }

    /// A row found by numbers.
    package init(_ table: StaticString, name: [UInt8] = [], numbers: UInt64..., version: Int64) {
        self.table = table
        row = numbers.reduce(into: name) { row, number in row.append(bigEndian: number) }
        self.version = version
    }

    var associatedData: [UInt8] {
        let name = VaultSeal.bytes(of: table)
        var data = [UInt8]()
        data.reserveCapacity(name.count + row.count + 10)
        data.append(UInt8(truncatingIfNeeded: name.count))
        data += name
        data.append(UInt8(truncatingIfNeeded: row.count))
        data += row
        data.append(bigEndian: UInt64(bitPattern: version))
        return data
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
