internal import Foundation

/// Paths as the shell's user means them.
enum Paths {
    /// The vault of a person who names none.
    static var defaultVault: String { data + "/handfast" }
    /// The folder of a relay whose owner names none.
    static var defaultRelay: String { data + "/handfast-relay" }

    private static var data: String {
        if let data = Environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data }
        return FileManager.default.homeDirectoryForCurrentUser.path + "/.local/share"
    }

    /// The path from the root, `~` replaced.
    static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: NSString(string: path).expandingTildeInPath).standardizedFileURL.path
    }
}
