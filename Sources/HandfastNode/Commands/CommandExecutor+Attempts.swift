internal import Handfast

/// What a command waits for, and what it says of what still waits.
extension CommandExecutor {
    func settled(_ id: RelationshipID, _ wait: UInt32) async throws -> CommandReply {
        _ = try await attempt(wait, for: id)
        var report = try await node.relationship(id)
        if report.waiting > 0 { report.notice = try await waitingNotice(id, report.waiting) }
        return .relationship(report)
    }

    func told(_ id: RelationshipID, _ wait: UInt32) async throws -> CommandReply {
        let isTold = try await attempt(wait, starting: { try await node.exchange.start([id]) }) {
            if try await node.hasToldRelay(id) { return true }
            if !node.isRunningForGood, await node.troubleOfOwnRelay() != nil { return nil }
            return false
        }
        var report = try await node.relationship(id)
        if !isTold {
            report.notice =
                "the own relay does not know it yet" + reason(await node.troubleOfOwnRelay())
                + "; a running node (`handfast node run`) keeps telling it"
        }
        return .relationship(report)
    }

    func rejoined(_ id: RelationshipID, _ wait: UInt32) async throws -> CommandReply {
        _ = try await attempt(wait, for: id) { try await !node.relationship(id).isRejoining }
        var report = try await node.relationship(id)
        if report.isRejoining {
            report.notice =
                "the other side has not answered yet\(reason(await node.exchange.trouble(of: id))); a running node "
                + "(`handfast node run`) takes the answer when it comes"
        }
        return .relationship(report)
    }

    func waitingNotice(_ id: RelationshipID, _ waiting: Int) async throws -> String {
        let report = try await node.relationship(id)
        if report.state == "greeted", await node.exchange.wasHeard(id) {
            return "the inviter's relay has your answer; the inviter has not been online since"
        }
        return "\(waiting) envelope\(waiting == 1 ? "" : "s") not delivered yet"
            + reason(await node.exchange.trouble(of: id)) + "; a running node (`handfast node run`) keeps trying"
    }

    func reason(_ trouble: String?) -> String {
        trouble.map { ": \($0)" } ?? ""
    }

    func attempt(
        _ wait: UInt32, for id: RelationshipID, and isDone: @escaping @Sendable () async throws -> Bool = { true }
    ) async throws -> Bool {
        try await attempt(wait, starting: { try await node.exchange.start([id]) }) {
            if await node.exchange.isSettled(id), try await isDone() { return true }
            // In a process of one command, one failed attempt is enough to know.
            if !node.isRunningForGood, await node.exchange.trouble(of: id) != nil { return nil }
            return false
        }
    }

    func attempt(_ wait: UInt32, for ids: [RelationshipID]) async throws -> Bool {
        // All that waits leaves with it: the other groups of a large broadcast, too.
        try await attempt(wait, starting: { try await node.exchange.startAll() }) {
            var isDone: Bool? = true
            for id in ids where !(await node.exchange.isSettled(id)) {
                isDone = false
                if !node.isRunningForGood, await node.exchange.trouble(of: id) != nil { return nil }
            }
            return isDone
        }
    }

    func attempt(_ wait: UInt32, until isDone: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
        try await attempt(wait, starting: { try await node.exchange.startAll() }) {
            if try await isDone() { return true }
            if !node.isRunningForGood, await node.troubleOfOwnRelay() != nil { return nil }
            return false
        }
    }

    /// Delivers until `isDone` says true, or nil for never, or the time is over.
    func attempt(
        _ wait: UInt32, starting start: @escaping @Sendable () async throws -> Void,
        until isDone: @escaping @Sendable () async throws -> Bool?
    ) async throws -> Bool {
        guard wait > 0 else { return try await isDone() ?? false }
        let poll: @Sendable () async throws -> Bool = {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        switch try await isDone() {
                        case true?: return true
                        case nil: return false
                        case false?: await node.exchange.change()
                        }
                    }
                    return false
                }
                group.addTask {
                    try? await Task.sleep(for: .seconds(wait))
                    return false
                }
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
        }
        if node.isRunning { return try await poll() }
        return try await node.deliver {
            try await start()
            return try await poll()
        }
    }
}
