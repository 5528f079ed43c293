internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastNode

/// Promises of a root's keys on their way into a vault.
enum RecoveryPool {
    /// Draws promises.
    static func draw(_ count: Int, from root: borrowing RecoveryRoot) throws -> [RecoveryAction.Promise] {
        var random = SecureRandom()
        var promises: [RecoveryAction.Promise] = []
        promises.reserveCapacity(count)
        for _ in 0..<count { promises.append(RecoveryAction.Promise(try root.promise(using: &random))) }
        return promises
    }

    /// The words, six a line.
    static func lines(of words: String) -> String {
        let all = words.split(separator: "-")
        return stride(from: 0, to: all.count, by: 6)
            .map { "    " + all[$0..<min($0 + 6, all.count)].joined(separator: " ") }.joined(separator: "\n")
    }

    /// Rotates what still has its next key in the vault, some at a time.
    static func adopt(_ access: VaultAccess) async throws -> RecoveryReport {
        var total = 0
        while true {
            var report = try await Progress.during("Rotating") { try await access.recovery(.adopt(limit: 100)) }
            total += report.rotated
            guard report.rotated > 0, report.inVault > 0 else {
                report.rotated = total
                return report
            }
        }
    }

    /// What a person should know of it.
    static func note(_ report: RecoveryReport) -> String {
        let left =
            report.inVault == 0
            ? "" : "; \(report.inVault) could not be now, try `handfast recovery refill` when their channels stand"
        return "\(report.rotated) identities were rotated, \(report.promises) promised keys are left\(left)"
    }
}

extension RecoveryAction.Promise {
    init(_ key: PromisedKey) {
        self.init(salt: key.salt.array, commitment: key.commitment.array)
    }
}

extension VaultAccess {
    /// Asks the node about its recovery root.
    func recovery(_ action: RecoveryAction) async throws -> RecoveryReport {
        guard case .recovery(let report) = try await reply(to: .recovery(action)) else { throw Failure.unexpectedReply }
        return report
    }

    /// Hands promises over, some at a time.
    func keep(
        _ promises: [RecoveryAction.Promise], of root: borrowing RecoveryRoot, isNew: Bool
    ) async throws -> RecoveryReport {
        let name = root.name.array
        var first = isNew
        var rest = promises[...]
        var report = RecoveryReport()
        repeat {
            let part = Array(rest.prefix(500))
            rest = rest.dropFirst(500)
            report = try await recovery(
                first ? .begin(name: name, promises: part) : .refill(name: name, promises: part))
            first = false
        } while !rest.isEmpty
        return report
    }
}

extension VaultAccess {
    /// How things stand, in a vault that has a recovery root.
    func knownRecovery() async throws -> RecoveryReport {
        let report = try await recovery(.status)
        guard report.name != nil else {
            throw Failure(
                .failed, "this vault knows no recovery words", hint: "`handfast recovery create` makes some")
        }
        return report
    }
}
