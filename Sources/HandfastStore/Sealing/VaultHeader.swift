package import HandfastCrypto

/// How a vault's keys are wrapped. It stands in the vault in plain, under a digest of its own, so that a wrong
/// passphrase is told apart from a damaged file.
///
/// - Source: Spec/08 §8.2
package struct VaultHeader {
    /// How the wrapping key is made.
    package enum Method: Equatable {
        case passphrase(PassphraseParameters)
        case keyFile
    }

    private static let label = Label("vault header")
    private static let place = RowPlace("vault", version: 1)

    package let method: Method
    /// Data key ‖ name key, sealed under the wrapping key.
    package let wrapped: [UInt8]
    /// `H("vault header", …)` over everything above.
    package let digest: [UInt8]

    /// Reads a stored header.
    ///
    /// - Throws: ``StoreError/corrupted(_:)`` when the digest does not fit
    package init(method: Method, wrapped: [UInt8], digest: [UInt8]) throws(StoreError) {
        self.method = method
        self.wrapped = wrapped
        self.digest = digest
        guard digest == Self.digest(method, wrapped) else { throw .corrupted("the header in table vault") }
    }

    private init(method: Method, wrapped: [UInt8]) {
        self.method = method
        self.wrapped = wrapped
        digest = Self.digest(method, wrapped)
    }

    /// The columns that make a header, in table vault.
    package static let columns = "method, memory, passes, salt, wrapped, digest"

    /// Reads a row with the columns of ``columns``.
    package init(_ row: some EngineRow) throws(StoreError) {
        let method: Method
        switch try row.number(0, of: "vault") {
        case 1:
            // Checked before the memory is asked for: a damaged row must not choose it.
            guard
                let salt = try? FixedBytes<16>(copying: row.bytes(3, of: "vault")),
                let parameters = try? PassphraseParameters(
                    memory: Int(row.number(1, of: "vault")), passes: Int(row.number(2, of: "vault")), salt: salt)
            else { throw .corrupted("the header in table vault") }
            method = .passphrase(parameters)
        case 2: method = .keyFile
        default: throw .corrupted("the header in table vault")
        }
        try self.init(method: method, wrapped: row.bytes(4, of: "vault"), digest: row.bytes(5, of: "vault"))
    }

    /// The number of the method in its column.
    package var methodNumber: Int64 { parameters == nil ? 2 : 1 }

    /// What a passphrase is stretched by; nil with a key file.
    package var parameters: PassphraseParameters? {
        switch method {
        case .passphrase(let parameters): parameters
        case .keyFile: nil
        }
    }

    /// Draws the keys of a new vault and wraps them.
    package static func make(_ protection: VaultProtection) throws(StoreError) -> (VaultHeader, VaultSeal) {
        var random = SecureRandom()
        do {
            let method: Method
            let key: StorageKey
            switch protection {
            case .passphrase(let passphrase, let parameters):
                method = .passphrase(parameters)
                key = try parameters.deriveKey(from: passphrase.bytes)
            case .newKeyFile(let path):
                method = .keyFile
                key = try KeyFile.make(at: path, using: &random)
            }
            let secret = SecretBytes(random: 64, using: &random)
            let wrapped = key.seal(secret.bytes, authenticating: place.associatedData.bytes, using: &random)
            return (VaultHeader(method: method, wrapped: wrapped), try VaultSeal(secret: secret.bytes))
        } catch let error as CryptoError {
            throw .keys(error.description)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .keys("\(error)")
        }
    }

    /// Unwraps the keys.
    ///
    /// - Throws: ``StoreError/wrongPassphrase`` when what is given does not open this vault
    package func open(_ unlock: VaultUnlock) throws(StoreError) -> VaultSeal {
        do {
            let key: StorageKey
            switch (unlock, method) {
            case (.passphrase(let passphrase), .passphrase(let parameters)):
                key = try parameters.deriveKey(from: passphrase.bytes)
            case (.keyFile(let path), .keyFile):
                key = try KeyFile.load(at: path)
            default:
                throw StoreError.wrongPassphrase
            }
            guard
                var secret = try? key.open(wrapped.bytes, authenticating: Self.place.associatedData.bytes)
            else { throw StoreError.wrongPassphrase }
            defer { secret.wipe() }
            return try VaultSeal(secret: secret.bytes)
        } catch let error as CryptoError {
            throw .keys(error.description)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .keys("\(error)")
        }
    }

    private static func digest(_ method: Method, _ wrapped: [UInt8]) -> [UInt8] {
        var hash = LabelledHash(label)
        switch method {
        case .passphrase(let parameters):
            hash.absorb(UInt64(1))
            hash.absorb(UInt64(parameters.memory))
            hash.absorb(UInt64(parameters.passes))
            hash.absorb(parameters.salt.bytes)
        case .keyFile:
            hash.absorb(UInt64(2))
        }
        hash.absorb(wrapped)
        return hash.digest().array
    }
}

extension [UInt8] {
    /// Overwrites every byte before the memory is given back.
    mutating func wipe() {
        for index in indices { self[index] = 0 }
    }
}
