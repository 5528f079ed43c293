internal import Foundation
internal import HandfastCrypto

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The file of a backup: a header and parts, each appended as a whole.
///
/// A part's length is written last, when everything else of it is on the disk: what a crash leaves behind counts as
/// nothing.
///
/// - Source: Spec/08 §8.6
final class BackupFile {
    /// Plaintext bytes of every chunk but the last of a part.
    static let chunkCount = 65_536
    private static let chainLabel = Label("backup file")

    let header: BackupHeader
    private let handle: FileHandle
    private let key: BackupKey
    /// Where the next part stands, and its number.
    private(set) var offset: UInt64
    private(set) var partCount: UInt64 = 0
    /// What stands for everything before it.
    private var chain: Digest
    /// The bytes of the first part.
    private(set) var firstPartCount: UInt64 = 0

    // MARK: Opening

    /// Opens a file, alone if it is to be written.
    init(path: String, writing: Bool, unlocking: (BackupHeader) throws -> BackupKey) throws {
        let handle = writing ? FileHandle(forUpdatingAtPath: path) : FileHandle(forReadingAtPath: path)
        guard let handle else { throw BackupFault.file(SystemError.text(errno)) }
        if writing, flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) != 0 { throw BackupFault.busy }
        let magic = BackupHeader.magic
        let start = try Self.read(handle, count: magic.count + 2)
        guard start.prefix(4) == magic.prefix(4) else { throw BackupFault.notABackup }
        guard start.count == magic.count + 2 else { throw BackupFault.unfinished }
        guard start[4] == magic[4] else { throw BackupFault.newerVersion }
        let length = Int(start[5]) << 8 | Int(start[6])
        guard length <= BackupHeader.maximumByteCount else { throw BackupFault.damaged(offset: 5) }
        let content = try Self.read(handle, count: length)
        guard content.count == length else { throw BackupFault.unfinished }
        header = try BackupHeader(decoding: content)
        self.handle = handle
        key = try unlocking(header)
        offset = UInt64(header.bytes.count)
        chain = Self.chain(header)
    }

    /// Makes a file, which must not exist, with a header that is opened already.
    init(making path: String, header: BackupHeader, key: BackupKey) throws {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupFault.file(SystemError.text(errno)) }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        self.header = header
        self.key = key
        chain = Self.chain(header)
        offset = UInt64(header.bytes.count)
        try handle.write(contentsOf: Data(header.bytes))
    }

    /// The key of the parts, for a file that takes this one's place.
    var openedKey: BackupKey { key }

    private static func chain(_ header: BackupHeader) -> Digest {
        var hash = LabelledHash(chainLabel)
        hash.absorb(header.bytes)
        return hash.digest()
    }

    private func advance(_ lastChunk: [UInt8], to end: UInt64) {
        var hash = LabelledHash(Self.chainLabel)
        hash.absorb(chain.array)
        hash.absorb(lastChunk)
        chain = hash.digest()
        if partCount == 0 { firstPartCount = end - offset }
        partCount += 1
        offset = end
    }

    private static func read(_ handle: FileHandle, count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = try handle.read(upToCount: count - bytes.count), !more.isEmpty {
            bytes += more
        }
        return bytes
    }

    // MARK: Reading

    /// Goes back to the first part.
    func rewind() {
        offset = UInt64(header.bytes.count)
        chain = Self.chain(header)
        partCount = 0
        reading = nil
    }

    /// The part that is being read.
    private struct Reading: ~Copyable {
        var opener: SecretStreamOpener
        /// Sealed bytes that are left.
        var left: UInt64
        /// Where the part ends.
        let end: UInt64
        /// What was opened and not given.
        var opened: [UInt8] = []
        var next = 0
        var lastChunk: [UInt8] = []
    }

    private var reading: Reading?
    /// Whether something unfinished follows the last part.
    private(set) var hasUnfinishedEnd = false

    /// The next item of the parts; nil after the last.
    ///
    /// - Throws: ``BackupFault/damaged(offset:)``
    func next() throws -> BackupItem? {
        while true {
            if reading == nil, try !beginPart() { return nil }
            guard var part = reading.take() else { return nil }
            if let item = try Self.takeItem(&part, offset) {
                reading = consume part
                return item
            }
            if part.left > 0 {
                try openChunk(&part)
                reading = consume part
            } else {
                guard part.next == part.opened.count else { throw BackupFault.damaged(offset: offset) }
                advance(part.lastChunk, to: part.end)
            }
        }
    }

    private func beginPart() throws -> Bool {
        let end = try handle.seekToEnd()
        guard offset < end else { return false }
        try handle.seek(toOffset: offset)
        let prefix = try Self.read(handle, count: 8)
        let length = prefix.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard prefix.count == 8, length > 0, length <= end - offset - 8 else {
            hasUnfinishedEnd = true
            return false
        }
        guard length >= UInt64(SecretStreamSealer.headerCount + SecretStreamSealer.overhead) else {
            throw BackupFault.damaged(offset: offset)
        }
        let streamHeader = try FixedBytes<24>(copying: Self.read(handle, count: SecretStreamSealer.headerCount))
        reading = Reading(
            opener: SecretStreamOpener(try key.partKey(after: chain, number: partCount), header: streamHeader),
            left: length - UInt64(SecretStreamSealer.headerCount), end: offset + 8 + length)
        return true
    }

    private func openChunk(_ part: inout Reading) throws {
        let damaged = BackupFault.damaged(offset: offset)
        let count = min(part.left, UInt64(Self.chunkCount + SecretStreamSealer.overhead))
        let sealed = try Self.read(handle, count: Int(count))
        guard sealed.count == Int(count), sealed.count >= SecretStreamSealer.overhead else { throw damaged }
        part.left -= count
        var chunk = [UInt8](repeating: 0, count: sealed.count - SecretStreamSealer.overhead)
        var output = chunk.mutableBytes
        guard let tag = try? part.opener.open(sealed.bytes, into: &output), (tag == .final) == (part.left == 0) else {
            throw damaged
        }
        part.opened.removeFirst(part.next)
        part.next = 0
        part.opened += chunk
        part.lastChunk = sealed
    }

    private static func takeItem(_ part: inout Reading, _ offset: UInt64) throws -> BackupItem? {
        let start = part.next
        guard part.opened.count - start >= 4 else { return nil }
        let count = part.opened[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        guard count <= BackupItem.maximumByteCount else { throw BackupFault.damaged(offset: offset) }
        guard part.opened.count - start - 4 >= count else { return nil }
        part.next = start + 4 + count
        do {
            return try BackupItem(decoding: Array(part.opened[start + 4..<part.next]))
        } catch {
            throw BackupFault.damaged(offset: offset)
        }
    }

    // MARK: Writing

    /// Appends a part, durably, in place of whatever unfinished stands there.
    ///
    /// - Parameter fill: gives the items one after the other.
    func appendPart(_ fill: ((BackupItem) throws -> Void) throws -> Void) throws {
        try handle.truncate(atOffset: offset)
        try handle.seek(toOffset: offset)
        var random = SecureRandom()
        let streamHeader = FixedBytes<24>(random: &random)
        try handle.write(contentsOf: Data([UInt8](repeating: 0, count: 8) + streamHeader.array))
        var sealer = SecretStreamSealer(try key.partKey(after: chain, number: partCount), header: streamHeader)
        var waiting: [UInt8] = []
        func seal(_ count: Int, _ tag: SecretStreamTag) throws -> [UInt8] {
            let chunk = Array(waiting.prefix(count))
            waiting.removeFirst(count)
            var sealed = [UInt8](repeating: 0, count: count + SecretStreamSealer.overhead)
            var output = sealed.mutableBytes
            try sealer.seal(chunk.bytes, tag, into: &output)
            try handle.write(contentsOf: Data(sealed))
            return sealed
        }
        try fill { item in
            let bytes = item.encoded()
            guard bytes.count <= BackupItem.maximumByteCount else {
                throw BackupFault.file("a row of \(bytes.count) bytes is too long for it")
            }
            for shift in stride(from: 24, through: 0, by: -8) {
                waiting.append(UInt8(truncatingIfNeeded: bytes.count >> shift))
            }
            waiting += bytes
            while waiting.count > Self.chunkCount { _ = try seal(Self.chunkCount, .message) }
        }
        let last = try seal(waiting.count, .final)
        let end = try handle.offset()
        try handle.synchronize()
        var length: [UInt8] = []
        length.append(bigEndian: end - offset - 8)
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data(length))
        try handle.synchronize()
        advance(last, to: end)
    }
}
