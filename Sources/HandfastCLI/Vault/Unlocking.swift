internal import Foundation
internal import HandfastCrypto
internal import HandfastNode
internal import HandfastStore

/// Finds what opens a vault: a key file, a file with a passphrase, the environment, or the person at the terminal.
enum Unlocking {
    /// The variable with a vault's passphrase.
    static let variable = "HANDFAST_PASSPHRASE"
    /// The longest passphrase, in bytes.
    private static let maximumByteCount = 1_024

    /// The key file of a vault whose owner names none.
    static func usualKeyFile(of folder: VaultFolder) -> String { folder.file(named: "vault.key") }

    /// What opens a vault that exists.
    static func unlock(_ settings: Settings) throws -> VaultUnlock {
        if let path = settings.text(.keyFile) { return .keyFile(path: Paths.absolute(path)) }
        if let passphrase = try givenPassphrase(settings) { return .passphrase(passphrase) }
        let usual = usualKeyFile(of: settings.folder)
        if FileManager.default.fileExists(atPath: usual) { return .keyFile(path: usual) }
        guard let passphrase = try Terminal.readPassphrase("Passphrase of \(settings.folder.path): ") else {
            throw Failure(
                .notPermitted,
                "the vault at \(settings.folder.path) needs a passphrase, and there is no terminal to ask at",
                hint: "set HANDFAST_PASSPHRASE_FILE to a file that holds it")
        }
        return .passphrase(passphrase)
    }

    /// What a new vault is to be opened with: a passphrase where one is given or asked for, else a key file.
    static func protection(_ settings: Settings, wantsPassphrase: Bool) throws -> VaultProtection {
        let isGiven = settings.text(.passphraseFile) != nil || Environment[variable] != nil
        if wantsPassphrase || isGiven, settings.text(.keyFile) == nil {
            var random = SecureRandom()
            return .passphrase(try newPassphrase(settings), .vault(using: &random))
        }
        guard !wantsPassphrase else {
            throw Failure(.usage, "a vault has a passphrase or a key file", hint: "give one of them")
        }
        return .newKeyFile(
            path: settings.text(.keyFile).map { Paths.absolute($0) } ?? usualKeyFile(of: settings.folder))
    }

    /// The passphrase for a new vault; asked for twice where a person types it.
    static func newPassphrase(_ settings: Settings) throws -> [UInt8] {
        try givenPassphrase(settings)
            ?? newPassphrase("New passphrase: ", hint: "set HANDFAST_PASSPHRASE_FILE to a file that holds it")
    }

    /// A new passphrase, asked for twice.
    ///
    /// - Parameter hint: what to do where there is no terminal.
    static func newPassphrase(_ prompt: String, hint: String) throws -> [UInt8] {
        guard let first = try Terminal.readPassphrase(prompt) else {
            throw Failure(.usage, "there is no terminal to ask for a passphrase", hint: hint)
        }
        guard !first.isEmpty else {
            throw Failure(.usage, "the passphrase is empty", hint: "choose one; six random words are a good one")
        }
        guard try Terminal.readPassphrase("The same again: ") == first else {
            throw Failure(.usage, "the two passphrases differ", hint: "nothing was made; try again")
        }
        return first
    }

    private static func givenPassphrase(_ settings: Settings) throws -> [UInt8]? {
        try givenPassphrase(file: settings.text(.passphraseFile), variable: variable)
    }

    /// The passphrase in a file or, where none is named, in the environment.
    static func givenPassphrase(file: String?, variable: String) throws -> [UInt8]? {
        if let path = file {
            guard let handle = FileHandle(forReadingAtPath: Paths.absolute(path)),
                let data = try? handle.read(upToCount: maximumByteCount + 2)
            else {
                throw Failure(
                    .notPermitted, "the passphrase file \(path) cannot be read", hint: "check the path and its mode")
            }
            var bytes = Array(data)
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            guard !bytes.isEmpty, bytes.count <= maximumByteCount else {
                throw Failure(
                    .notPermitted, "the passphrase file \(path) is empty or too long",
                    hint: "it holds one line of at most \(maximumByteCount) bytes")
            }
            return bytes
        }
        return Environment[variable].flatMap { $0.isEmpty ? nil : Array($0.utf8) }
    }
}
