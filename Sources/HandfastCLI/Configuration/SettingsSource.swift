internal import Foundation
internal import HandfastNode

/// Where settings come from: the configuration file, if there is one, and the environment.
struct SettingsSource {
    /// The configuration file; `nil` when none was named and the vault's folder holds none.
    let path: String?
    private let text: Data

    /// Finds and reads the file.
    ///
    /// - Throws: ``Failure`` when a file that was named cannot be read.
    init(_ options: GlobalOptions) throws {
        let named = options.config ?? Environment["HANDFAST_CONFIG"]
        let vault = Paths.absolute(options.vault ?? Environment["HANDFAST_VAULT"] ?? Paths.defaultVault)
        let path = Paths.absolute(named ?? Self.usualPath(in: vault))
        do {
            text = try Data(contentsOf: URL(fileURLWithPath: path))
            self.path = path
        } catch {
            guard named == nil, !FileManager.default.fileExists(atPath: path) else {
                throw Failure(
                    .badData, "the configuration file \(path) cannot be read",
                    hint: "check the path and that you may read it")
            }
            text = Data()
            self.path = nil
        }
    }

    /// Where a vault's own configuration is.
    static func usualPath(in vault: String) -> String { "\(vault)/config.json" }

    /// Everything that is wrong.
    ///
    /// - Parameter ofOurVariablesOnly: leaves out variables that mean nothing, which may belong to another program.
    func check(ofOurVariablesOnly: Bool) throws -> SettingsCheck {
        var check = SettingsCheck()
        if let path { check.checkFile(text, path: path) }
        var variables = ProcessInfo.processInfo.environment
        if ofOurVariablesOnly {
            let known = SettingsKey.allCases.map(\.variable)
            variables = variables.filter { known.contains($0.key) }
        }
        check.checkEnvironment(variables)
        return check
    }
}
