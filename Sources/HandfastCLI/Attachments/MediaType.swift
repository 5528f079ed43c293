/// The media types of common files, by the ending of their names.
enum MediaType {
    private static let types = [
        "csv": "text/csv", "gif": "image/gif", "gz": "application/gzip", "html": "text/html", "jpeg": "image/jpeg",
        "jpg": "image/jpeg", "json": "application/json", "md": "text/markdown", "mp3": "audio/mpeg",
        "mp4": "video/mp4", "pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml", "txt": "text/plain",
        "webp": "image/webp", "xml": "application/xml", "zip": "application/zip",
    ]

    /// The type of a file of this name, or `nil`.
    static func of(_ name: String) -> String? {
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
        return types[name[name.index(after: dot)...].lowercased()]
    }
}
