internal import HandfastNode

/// Finds the passphrase of a backup, which is none of a vault's.
enum BackupPassphrase {
    /// The variable that holds it.
    static let variable = "HANDFAST_BACKUP_PASSPHRASE"

    private static let hint = "give --backup-passphrase-file, or set \(variable)"

    /// One for a new backup; asked for twice where a person types it.
    static func new(file: String?) throws -> [UInt8] {
        try Unlocking.givenPassphrase(file: file, variable: variable)
            ?? Unlocking.newPassphrase("New passphrase of the backup: ", hint: hint)
    }

    /// That of a backup that exists.
    static func known(file: String?) throws -> [UInt8] {
        if let passphrase = try Unlocking.givenPassphrase(file: file, variable: variable) { return passphrase }
        guard let passphrase = try Terminal.readPassphrase("Passphrase of the backup: ") else {
            throw Failure(
                .notPermitted, "the backup needs its passphrase, and there is no terminal to ask at", hint: hint)
        }
        return passphrase
    }
}
