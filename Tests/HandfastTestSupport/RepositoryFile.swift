public import Foundation

/// Files of the repository that tests read.
public enum RepositoryFile {
    /// The repository's folder, found from where this file was compiled.
    public static let root: URL = {
        var folder = URL(filePath: #filePath, directoryHint: .notDirectory).deletingLastPathComponent()
        while folder.path != "/" {
            if FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) { return folder }
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    /// The contents of a file, by its path from the repository's folder.
    public static func contents(_ path: String) throws -> Data {
        try Data(contentsOf: root.appending(path: path))
    }

    /// The values of a JSON file, by its path from the repository's folder.
    public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from path: String) throws -> Value {
        try JSONDecoder().decode(type, from: contents(path))
    }
}
