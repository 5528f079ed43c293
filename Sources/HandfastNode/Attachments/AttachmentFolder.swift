internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The folder in which a vault's attachments lie, each in one file of sealed chunks as they travel.
///
/// Its files need no other seal: their keys are in the bodies of records, which the vault seals. Their names tell
/// nothing either, and nothing that a peer chose is ever part of a path.
///
/// - Source: Spec/09 §9.5
final class AttachmentFolder: Sendable {
    /// What a file is, by the end of its name.
    private enum Ending: String, CaseIterable {
        /// Received as a whole, and verified.
        case received = ""
        /// On its way in.
        case partial = ".part"
        /// To be sent, or on its way out.
        case outgoing = ".out"
        /// Being sealed.
        case draft = ".new"
    }

    /// The folder's path.
    let path: String
    /// What the attachments that are being received will take, in bytes.
    private let reserved = Mutex<[TransferKey: UInt64]>([:])
    /// Outgoing files that no row of the vault names yet.
    private let drafts = Mutex<Set<String>>([])

    /// Makes the folder with mode 0700 where it is missing.
    ///
    /// - Throws: ``NodeError/store(_:)``
    init(path: String) throws(NodeError) {
        self.path = path
        do {
            try VaultFolder(path: path).create()
        } catch {
            throw .store(error)
        }
    }

    // MARK: Names

    /// Where an attachment of the peer lies once it is whole.
    func received(_ key: TransferKey, _ attachment: AttachmentMessage) -> String {
        incoming(key, attachment, .received)
    }

    /// Where an attachment of the peer lies until it is whole.
    func partial(_ key: TransferKey, _ attachment: AttachmentMessage) -> String { incoming(key, attachment, .partial) }

    /// Where an own attachment lies until the peer has it.
    func outgoing(_ attachment: AttachmentMessage) -> String {
        file(Digest.of(.attachmentFile, attachment.key.array), .outgoing)
    }

    private func incoming(_ key: TransferKey, _ attachment: AttachmentMessage, _ ending: Ending) -> String {
        let number = (0..<8).map { UInt8(truncatingIfNeeded: key.sequence >> (8 * $0)) }
        return file(
            Digest.of(
                .attachmentFile, attachment.key.array, key.relationship.digest.array, [key.direction.rawValue], number),
            ending)
    }

    private func file(_ digest: Digest, _ ending: Ending) -> String {
        "\(path)/\(Base32.encode(Array(digest.array.prefix(20))))\(ending.rawValue)"
    }

    // MARK: Drafts

    /// A name for a file that is being sealed. It is kept as a draft until ``forget(_:)``.
    func newDraft() -> String {
        var random = SecureRandom()
        let draft = "\(path)/\(Base32.encode(random.bytes(20)))\(Ending.draft.rawValue)"
        drafts.withLock { _ = $0.insert(draft) }
        return draft
    }

    /// Gives a sealed file its name, durably. It is kept as a draft until ``forget(_:)``, too.
    func settle(_ draft: String, as attachment: AttachmentMessage) throws(NodeError) -> String {
        let path = outgoing(attachment)
        drafts.withLock {
            $0.insert(path)
            $0.remove(draft)
        }
        try AttachmentFile.rename(draft, to: path)
        return path
    }

    /// The vault names this file now, or it is removed.
    func forget(_ draft: String) {
        drafts.withLock { _ = $0.remove(draft) }
    }

    // MARK: Room

    /// The bytes that all files take, once those that are being received are whole.
    func usedBytes() -> UInt64 {
        let coming = reserved.withLock { $0.values.reduce(0, +) }
        return names().filter { !$0.hasSuffix(Ending.partial.rawValue) }.reduce(coming) { sum, name in
            var status = stat()
            return unsafe stat("\(path)/\(name)", &status) == 0 ? sum + UInt64(status.st_size) : sum
        }
    }

    /// Counts a file that will be received.
    func reserve(_ size: UInt64, for key: TransferKey) {
        reserved.withLock { $0[key] = size }
    }

    /// The file is here, or will not be received.
    func release(_ key: TransferKey) {
        reserved.withLock { $0[key] = nil }
    }

    /// Removes what no open transfer needs: files whose transfer ended, or never began, when the process did.
    func sweep(keeping paths: Set<String>) {
        let drafts = drafts.withLock { $0 }
        for name in names() {
            let path = "\(path)/\(name)"
            let isPassing = [Ending.partial, .outgoing, .draft].contains { name.hasSuffix($0.rawValue) }
            if isPassing, !paths.contains(path), !drafts.contains(path) { AttachmentFile.remove(path) }
        }
    }

    private func names() -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { _ = unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}

extension Label {
    /// The names of attachments' files in the vault's folder.
    ///
    /// - Source: Spec/09 §9.5
    static let attachmentFile = Label("attach file")
}
