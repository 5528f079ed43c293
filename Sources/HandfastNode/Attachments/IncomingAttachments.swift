internal import Handfast
internal import HandfastStore

/// The attachments that are being received: each file is verified chunk by chunk as it comes, and written as it came.
///
/// Nothing here is durable yet. What a crash takes away shows when the file is read again, and is asked for again.
///
/// - Source: Spec/09 §9.4
actor IncomingAttachments {
    /// What is to be done after a chunk.
    enum Step: Hashable, Sendable {
        /// Nothing.
        case rest
        /// Say that everything below `from` is here and that chunks below `until` are wanted.
        case want(round: UInt32, from: UInt64, until: UInt64)
        /// All chunks are here.
        case complete
        /// The peer sends something else than it signed.
        case fail(String)
        /// The file cannot be written: a person has to see to it.
        case pause(String)
    }

    private final class Transfer {
        let attachment: AttachmentMessage
        let file: AttachmentFile
        var opener: AttachmentOpener?
        var next: UInt64
        var round: UInt32
        var until: UInt64
        /// When the last chunk came, or was asked for again.
        var lastProgress = ContinuousClock.now
        var lastChunk = ContinuousClock.now
        var patience = IncomingAttachments.firstPatience

        init(
            _ attachment: AttachmentMessage, _ file: AttachmentFile, _ opener: consuming AttachmentOpener,
            round: UInt32,
            until: UInt64
        ) {
            self.attachment = attachment
            self.file = file
            next = opener.next
            self.opener = consume opener
            self.round = round
            self.until = until
        }

        var isComplete: Bool { next == attachment.chunkCount }

        /// Asks from where it stands, in a new round: what is on its way is not counted on any more.
        func startRound() -> Step {
            round &+= 1
            until = min(attachment.chunkCount, next + IncomingAttachments.ahead)
            return .want(round: round, from: next, until: until)
        }
    }

    /// The chunks that are asked for ahead: 2 MiB, so that a text behind them waits for no more than that.
    private static let ahead: UInt64 = 32
    /// How long nothing may come before it is asked for again; it doubles each time.
    private static let firstPatience = Duration.seconds(20)
    private static let longestPatience = Duration.seconds(86_400)

    private let folder: AttachmentFolder
    private var transfers: [TransferKey: Transfer] = [:]
    private var content: [UInt8] = []

    init(_ folder: AttachmentFolder) {
        self.folder = folder
    }

    /// The bytes of a file that are here, while it is being received.
    func progress(of key: TransferKey) -> UInt64? {
        transfers[key].map { min($0.attachment.contentSize, $0.next * UInt64($0.attachment.chunkSize)) }
    }

    /// Whether chunks of it are taken.
    func isOpen(_ key: TransferKey) -> Bool { transfers[key] != nil }

    // MARK: Beginning

    /// Opens what is here, verified from its first byte, and says how to go on.
    ///
    /// - Parameters:
    ///   - round: that of the latest want; 0 before the first.
    ///   - until: what it asked for.
    /// - Throws: ``NodeError/file(path:reason:)``
    func open(
        _ key: TransferKey, _ attachment: AttachmentMessage, round: UInt32, until: UInt64
    ) async throws(NodeError) -> Step {
        if let transfer = transfers[key] { return transfer.isComplete ? .complete : .rest }
        if AttachmentFile.exists(folder.received(key, attachment)) { return .complete }
        let file = try AttachmentFile(folder.partial(key, attachment), for: .continuing)
        var opener = AttachmentOpener(attachment)
        var scratch: [UInt8] = []
        while !opener.isComplete {
            let size = attachment.sealedSize(ofChunk: opener.next)
            let sealed = try file.read(size, at: attachment.offset(ofChunk: opener.next))
            do {
                try opener.open(sealed.bytes, into: &scratch)
            } catch {
                break
            }
            // A large file takes a while: others have their turn in between.
            if opener.next % 64 == 0 { await Task.yield() }
        }
        try file.truncate(to: min(attachment.offset(ofChunk: opener.next), attachment.sealedSize))
        let transfer = Transfer(attachment, file, opener, round: round, until: until)
        transfers[key] = transfer
        if transfer.isComplete { return .complete }
        // What was asked for before may be on its way: a little patience, and nothing travels twice.
        guard round > 0, until > transfer.next else { return transfer.startRound() }
        transfer.patience = .seconds(2)
        return .rest
    }

    // MARK: Chunks

    /// Takes a chunk if it is the next one.
    func take(_ key: TransferKey, round: UInt32, number: UInt64, _ sealed: [UInt8]) -> Step {
        guard let transfer = transfers[key] else { return .rest }
        guard number == transfer.next, !transfer.isComplete else {
            if transfer.isComplete { return .complete }
            // Chunks of this round come in order, so one was lost; those of an earlier round are of no use.
            return number > transfer.next && round == transfer.round ? transfer.startRound() : .rest
        }
        do {
            try transfer.opener?.open(sealed.bytes, into: &content)
        } catch {
            transfers[key] = nil
            return .fail(error.description)
        }
        do {
            try transfer.file.write(sealed, at: transfer.attachment.offset(ofChunk: number))
        } catch {
            transfers[key] = nil
            return .pause(error.description)
        }
        transfer.next += 1
        transfer.lastProgress = .now
        transfer.lastChunk = .now
        transfer.patience = Self.firstPatience
        if transfer.isComplete { return .complete }
        guard transfer.until < transfer.attachment.chunkCount, transfer.until <= transfer.next + Self.ahead / 2 else {
            return .rest
        }
        transfer.until = min(transfer.attachment.chunkCount, transfer.next + Self.ahead)
        return .want(round: transfer.round, from: transfer.next, until: transfer.until)
    }

    /// Asks again, because what was on its way is lost.
    func again(_ key: TransferKey) -> Step {
        guard let transfer = transfers[key] else { return .rest }
        return transfer.isComplete ? .complete : transfer.startRound()
    }

    /// What to do for those that have not moved for a while.
    func stalled() -> [(key: TransferKey, step: Step)] {
        let now = ContinuousClock.now
        return transfers.filter { $0.value.lastProgress.duration(to: now) >= $0.value.patience }.map { key, transfer in
            transfer.lastProgress = now
            transfer.patience = min(max(transfer.patience * 2, Self.firstPatience), Self.longestPatience)
            return (key, transfer.isComplete ? .complete : transfer.startRound())
        }
    }

    /// When the next will not have moved for a while; nil if there is none.
    var nextStall: ContinuousClock.Instant? {
        transfers.values.map { $0.lastProgress + $0.patience }.min()
    }

    /// When the last chunk came of each that is not complete.
    var lastChunks: [TransferKey: ContinuousClock.Instant] {
        transfers.filter { !$0.value.isComplete }.mapValues(\.lastChunk)
    }

    // MARK: Ending

    /// Takes no more of an attachment whose chunks are all here, and compares them with what was signed.
    ///
    /// - Returns: Its file, which is still to be made durable, or why it is not what was signed; nil when it is not open.
    func close(_ key: TransferKey) -> (file: AttachmentFile, fault: String?)? {
        guard let transfer = transfers[key], transfer.isComplete else { return nil }
        transfers[key] = nil
        guard let opener = transfer.opener.take() else { return nil }
        do {
            try opener.finish()
        } catch {
            return (transfer.file, error.description)
        }
        return (transfer.file, nil)
    }

    /// Takes no more of it.
    func forget(_ key: TransferKey) {
        transfers[key] = nil
    }
}
