internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// The beginning of a backup: who may open it.
///
/// - Source: Spec/08 §8.6
struct BackupHeader {
    /// "HFBK" and the version.
    static let magic: [UInt8] = [0x48, 0x46, 0x42, 0x4B, 0x01]
    /// The longest header, in bytes.
    static let maximumByteCount = 1_024

    private static let place = Array("handfast backup".utf8)

    let id: FixedBytes<16>
    let parameters: PassphraseParameters
    /// The backup's key, sealed under the passphrase's.
    let byPassphrase: [UInt8]
    /// The same, sealed under a key that the vault makes for this backup, so that a node adds to it unasked.
    let byVault: [UInt8]
    /// The whole header as it stands in the file.
    let bytes: [UInt8]

    /// Draws the key of a new backup.
    static func make(
        passphrase: [UInt8], _ parameters: PassphraseParameters, vault: VaultSeal
    ) throws -> (BackupHeader, BackupKey) {
        var random = SecureRandom()
        let secret = SecretBytes(random: StorageKey.count, using: &random)
        let id = FixedBytes<16>(random: &random)
        let data = associatedData(id, parameters)
        let byPassphrase = try parameters.deriveKey(from: passphrase.bytes)
            .seal(secret.bytes, authenticating: data.bytes, using: &random)
        let byVault = try vault.backupKey(id).seal(secret.bytes, authenticating: data.bytes, using: &random)
        let header = BackupHeader(id: id, parameters: parameters, byPassphrase: byPassphrase, byVault: byVault)
        return (header, BackupKey(secret.copy()))
    }

    private init(id: FixedBytes<16>, parameters: PassphraseParameters, byPassphrase: [UInt8], byVault: [UInt8]) {
        self.id = id
        self.parameters = parameters
        self.byPassphrase = byPassphrase
        self.byVault = byVault
        var writer = CBORWriter()
        writer.writeArrayHeader(6)
        writer.writeBytes(id.array)
        writer.writeUnsigned(UInt64(parameters.memory))
        writer.writeUnsigned(UInt64(parameters.passes))
        writer.writeBytes(parameters.salt.array)
        writer.writeBytes(byPassphrase)
        writer.writeBytes(byVault)
        let length = writer.bytes.count
        bytes = Self.magic + [UInt8(length >> 8), UInt8(length & 0xFF)] + writer.bytes
    }

    /// Reads what stands between the length and the first part.
    init(decoding content: [UInt8]) throws(BackupFault) {
        do {
            var reader = CBORReader(content.bytes, limits: CBORLimits(size: Self.maximumByteCount))
            try reader.readArrayHeader(count: 6)
            let id = try FixedBytes<16>(reader.readBytes(count: 16))
            let memory = Int(try reader.readUnsigned(maximum: UInt64(Int32.max)))
            let passes = Int(try reader.readUnsigned(maximum: UInt64(Int32.max)))
            // Its bounds are checked before the memory is asked for: a damaged file must not choose it.
            let parameters = try PassphraseParameters(
                memory: memory, passes: passes, salt: FixedBytes(reader.readBytes(count: 16)))
            let sealed = StorageKey.count + StorageKey.overhead
            let byPassphrase = try reader.readByteArray(maximum: sealed)
            let byVault = try reader.readByteArray(maximum: sealed)
            try reader.finish()
            guard byPassphrase.count == sealed, byVault.count == sealed else {
                throw BackupFault.damaged(offset: UInt64(Self.magic.count))
            }
            self.init(id: id, parameters: parameters, byPassphrase: byPassphrase, byVault: byVault)
        } catch {
            throw .damaged(offset: UInt64(Self.magic.count))
        }
    }

    /// Opens the key by the passphrase.
    func open(passphrase: [UInt8]) throws -> BackupKey {
        try open(byPassphrase, with: parameters.deriveKey(from: passphrase.bytes))
            ?? { throw BackupFault.wrongPassphrase }()
    }

    /// Opens the key as the vault that made the backup.
    func open(vault: VaultSeal) throws -> BackupKey {
        try open(byVault, with: vault.backupKey(id)) ?? { throw BackupFault.anotherVault }()
    }

    private func open(_ sealed: [UInt8], with key: borrowing StorageKey) -> BackupKey? {
        let data = Self.associatedData(id, parameters)
        guard var secret = try? key.open(sealed.bytes, authenticating: data.bytes) else { return nil }
        defer { secret.wipe() }
        return BackupKey(SecretBytes(copying: secret.bytes))
    }

    private static func associatedData(_ id: FixedBytes<16>, _ parameters: PassphraseParameters) -> [UInt8] {
        var data = place + id.array
        data.append(bigEndian: UInt64(parameters.memory))
        data.append(bigEndian: UInt64(parameters.passes))
        return data + parameters.salt.array
    }
}

/// The key under which the parts of one backup are sealed.
final class BackupKey: Sendable {
    private static let label = Label("backup part")

    private let secret: SecretBytes

    init(_ secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// The key of a part that follows everything with this digest: no part can be moved, left out or replaced.
    func partKey(after before: Digest, number: UInt64) throws(CryptoError) -> SecretStreamKey {
        var hash = LabelledHash(Self.label, key: secret)
        hash.absorb(number)
        hash.absorb(before.array)
        let key = hash.secret()
        return try SecretStreamKey(copying: key.bytes)
    }
}

extension VaultSeal {
    /// The key by which this vault opens a backup that it made.
    func backupKey(_ id: FixedBytes<16>) throws(CryptoError) -> StorageKey {
        let secret = derivedKey(Label("backup key"), id.array)
        return try StorageKey(copying: secret.bytes)
    }
}
