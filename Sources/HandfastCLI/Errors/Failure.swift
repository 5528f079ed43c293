internal import Handfast
internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastLink
internal import HandfastNode
internal import HandfastRelay
internal import HandfastStore

/// What went wrong and what to do next, as the person or the script at the command line gets it.
struct Failure: Error {
    /// What kind of failure; it fixes the exit code.
    let kind: CommandFailure.Kind
    /// What went wrong, in one sentence without its full stop.
    let message: String
    /// What to do next; empty when there is nothing.
    let hint: String

    init(_ kind: CommandFailure.Kind, _ message: String, hint: String = "") {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    /// Splits a text of one or two sentences into what went wrong and what to do.
    init(_ kind: CommandFailure.Kind, text: String) {
        let separators = [". ", "; "]
        let ends = separators.compactMap { text.firstRange(of: $0) }
        guard let end = ends.min(by: { $0.lowerBound < $1.lowerBound }) else {
            self.init(kind, Self.clause(text))
            return
        }
        self.init(kind, Self.clause(text[..<end.lowerBound]), hint: Self.clause(text[end.upperBound...]))
    }

    /// Any error of the layers below.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let failure as CommandFailure: self.init(failure.kind, text: failure.message)
        case let error as StoreError: self.init(error.kind, text: error.description)
        case let error as NodeError: self.init(CommandFailure(error))
        case let error as RelayError: self.init(NodeError.relay(error))
        case let error as StatusListError: self.init(.badData, text: error.description)
        case let error as CredentialError: self.init(.badData, text: error.description)
        case let error as AnonymousClaimError: self.init(.badData, text: error.description)
        case let error as ChannelError: self.init(.badData, text: error.description)
        case let error as RelationshipError: self.init(.badData, text: error.description)
        case let error as LinkError: self.init(.unavailable, text: error.description)
        default: self.init(.failed, text: "\(error)")
        }
    }

    /// `handfast: what went wrong — what to do next`.
    var line: String {
        Printable.text(hint.isEmpty ? "handfast: \(message)" : "handfast: \(message) — \(hint)")
    }

    /// `{"error": {"code", "message", "hint"}}`.
    var document: Document {
        ["error": ["code": .text(kind.rawValue), "message": .text(message), "hint": .text(hint)]]
    }

    /// A sentence as part of a longer one: no capital at its beginning, no full stop at its end.
    static func clause(_ sentence: some StringProtocol) -> String {
        var text = String(sentence)
        if text.hasSuffix("."), !text.hasSuffix("…") { text.removeLast() }
        let second = text.dropFirst().first
        guard let first = text.first, second == " " || second?.isLowercase == true else { return text }
        return first.lowercased() + text.dropFirst()
    }
}

extension CommandFailure.Kind {
    /// The process's exit code: those of `sysexits.h`.
    var exitCode: Int32 {
        switch self {
        case .failed: 1
        case .usage: 64
        case .badData: 65
        case .unavailable: 69
        case .cannotCreate: 73
        case .tryAgain: 75
        case .notPermitted: 77
        }
    }
}

extension StoreError {
    /// What a failure of the store is to a script.
    var kind: CommandFailure.Kind {
        switch self {
        case .wrongPassphrase, .keyFilePermissions, .keyFile: .notPermitted
        case .locked: .tryAgain
        case .alreadyExists: .cannotCreate
        case .backup(_, let fault): fault.kind
        case .notAVault, .newerVersion, .corrupted: .badData
        case .noVault, .full, .syncFailed, .inputOutput, .unsafeDurability, .keys, .duplicate, .missing, .closed:
            .failed
        }
    }
}
