internal import Handfast
internal import HandfastCrypto
internal import HandfastRelay
internal import HandfastStore

extension Node {
    /// Looks for what is wrong or needs attention. Reaches the own relay where the node is not running.
    ///
    /// - Returns: errors first; empty when all is well.
    public func doctor() async throws(NodeError) -> [Finding] {
        var findings: [Finding] = []
        await checkRelay(&findings)
        await checkOwnRelays(&findings)
        try await checkRelationships(&findings)
        try await checkInvitations(&findings)
        try await checkStrangers(&findings)
        try await checkClaims(&findings)
        await checkIssuers(&findings)
        try await checkEvents(&findings)
        try await checkRecovery(&findings)
        try await checkBackup(&findings)
        let order: [Finding.Severity] = [.error, .warning, .note]
        return findings.enumerated().sorted {
            (order.firstIndex(of: $0.element.severity) ?? 0, $0.offset)
                < (order.firstIndex(of: $1.element.severity) ?? 0, $1.offset)
        }.map(\.element)
    }

    /// Counts and positions.
    public func status() async throws(NodeError) -> StatusReport {
        let log = try await publicIdentity()
        var report = StatusReport(
            publicIdentity: log?.id.description, domain: log?.domain, relay: keeper.relays.current.first?.description,
            relationships: [:], waiting: 0, lastEvent: feed.last, isRunning: isRunning)
        for relationship in try await relationships() {
            report.relationships[relationship.state, default: 0] += 1
            report.waiting += relationship.waiting
        }
        return report
    }

    // MARK: Checks

    private func checkRelay(_ findings: inout [Finding]) async {
        guard let relay = keeper.relays.current.first else {
            findings.append(
                Finding(
                    .error, "no relay is configured: nobody can reach this node",
                    remedy: "give `relay.address` as host:port/key, or let the node serve its own with `relay.listen`"))
            return
        }
        guard let trouble = isRunning ? await troubleOfOwnRelay() : await probe(relay) else { return }
        findings.append(
            Finding(
                .error, "the own relay \(relay.host):\(relay.port) cannot be used: \(trouble)",
                remedy: "nothing is lost: what others send waits at the relay, what you send waits here. Check that "
                    + "the relay runs and that host, port and key are right"))
    }

    /// What services know of their relays, beside the one that is used first.
    private func checkOwnRelays(_ findings: inout [Finding]) async {
        for relay in await receiving() {
            if let trouble = relay.trouble, relay.relay != keeper.relays.current.first?.place {
                findings.append(
                    Finding(
                        .warning, "the own relay \(relay.relay) cannot be used: \(trouble)",
                        remedy:
                            "it is tried again and again. A relay that is being left and will not come back is given "
                            + "up with `handfast move --forget`"))
            }
            if relay.behind > 0 {
                findings.append(
                    Finding(
                        .warning, "\(relay.behind) messages at the own relay \(relay.relay) are not received yet",
                        remedy: "wait: if none comes until the relay is asked again, it is subscribed to anew"))
            }
        }
    }

    /// How far this node has come in receiving, for each own relay; empty where it does not run.
    public func receiving() async -> [ReceivingReport] { await exchange.receiving().values.byRelay() }

    private func probe(_ relay: RelayAddress) async -> String? {
        do {
            let client = try await keeper.network.connect(to: relay)
            await client.shutDown()
            return nil
        } catch {
            return NodeError(error).description
        }
    }

    private func checkRelationships(_ findings: inout [Finding]) async throws(NodeError) {
        for relationship in try await relationships() {
            let name = relationship.label ?? relationship.name ?? String(relationship.id.prefix(8))
            checkReception(of: relationship, name, &findings)
            checkAddresses(of: relationship, name, &findings)
            if relationship.isRejoining, let trouble = relationship.trouble {
                findings.append(
                    Finding(
                        .warning, "\(name): \(trouble)",
                        remedy: isRunning
                            ? try await self.trouble(of: relationship) ?? "wait; the answer is taken when it comes"
                            : "`handfast node run` takes the answer when it comes"))
            } else if let trouble = relationship.trouble {
                findings.append(
                    Finding(
                        .error, "\(name): \(trouble)",
                        remedy: "`handfast show \(relationship.id.prefix(8))` tells more; `handfast end` gives it up"))
            } else if relationship.waiting > 0, relationship.state != "ended", relationship.state != "blocked" {
                let what =
                    switch (relationship.state, relationship.heldBack) {
                    case ("greeted", _): "its invitation is not answered yet"
                    case (_, "full"?): "the other side's queue is full"
                    case (_, "too-large"?): "larger than the other side takes"
                    case (_, let word?): "\(word) by the other side"
                    default: "not delivered yet"
                    }
                findings.append(
                    Finding(
                        .warning, "\(name): \(relationship.waiting) waiting, \(what)",
                        remedy: isRunning
                            ? try await trouble(of: relationship) ?? "wait; it is being tried"
                            : "`handfast node run` delivers it when the relay can be reached"))
            }
        }
    }

    private func checkAddresses(of relationship: RelationshipReport, _ name: String, _ findings: inout [Finding]) {
        if let moving = relationship.moving, relationship.state != "ended", relationship.state != "blocked" {
            findings.append(
                Finding(
                    .warning, "\(name): \(moving)",
                    remedy:
                        "\(isRunning ? "wait" : "`handfast node run` goes on with it"): both relays are listened to; "
                        + "if the old one will not come back, `handfast move --forget` gives it up"))
        }
        if relationship.sendingTo > 0, relationship.sendsTo.count > relationship.sendingTo {
            findings.append(
                Finding(
                    .note,
                    "\(name): its relay \(relationship.sendsTo[0]) could not be reached; messages leave by "
                        + relationship.sendsTo[relationship.sendingTo],
                    remedy: "nothing to do: its own is used again once it is back"))
        }
    }

    private func checkReception(of relationship: RelationshipReport, _ name: String, _ findings: inout [Finding]) {
        let reception = relationship.reception
        if let text = reception.text, relationship.state != "ended", relationship.state != "blocked" {
            findings.append(
                Finding(
                    reception.isTold ? .note : .warning, "\(name): you hold back what comes: \(text)",
                    remedy: reception.isTold
                        ? "`handfast resume` ends a pause, `handfast throttle --off` the limits"
                        : "`handfast node run` tells the own relay once it can be reached"))
        }
        if relationship.lostUnread > 0 {
            findings.append(
                Finding(
                    .warning,
                    "\(name): \(relationship.lostUnread) of its messages expired at the own relay before they were read",
                    remedy: "run the node more often than the relay's retention, or let messages wait for longer; "
                        + "records that are missing are asked for by themselves"))
        }
        if relationship.expiredUnread > 0 {
            findings.append(
                Finding(
                    .warning,
                    "\(name): \(relationship.expiredUnread) of your messages expired at its relay before they were read",
                    remedy: "records come again once the other side is online and asks for them; ephemeral messages "
                        + "are gone"))
        }
    }

    private func checkInvitations(_ findings: inout [Finding]) async throws(NodeError) {
        let now = keeper.time.now()
        for (stored, kept) in try await steward.services() where kept.knockQueue != nil && !kept.isClosed {
            let supply = try await steward.supply(of: stored.key)
            guard supply.unspent > 0 else { continue }
            if supply.last <= now.adding(seconds: 86_400) {
                findings.append(
                    Finding(
                        .warning, "the bundles of \(supply.unspent) open invitations end within a day",
                        remedy: "run the node while its relay can be reached: it publishes bundles eight days ahead"))
            }
        }
    }

    private func checkStrangers(_ findings: inout [Finding]) async throws(NodeError) {
        guard let text = try await steward.strangers()?.text else { return }
        findings.append(
            Finding(
                .note, "you hold back what strangers answer to your invitations: \(text)",
                remedy: "`handfast resume --strangers` ends a pause, `handfast throttle --strangers --off` the limits"))
    }

    private func checkClaims(_ findings: inout [Finding]) async throws(NodeError) {
        for request in try await claimRequests() where request.sender == .peer {
            let name = request.label ?? String(request.relationship.prefix(8))
            findings.append(
                Finding(
                    .note, "\(name) asks for claims (request \(request.number)): \(request.purpose)",
                    remedy: "`handfast claim requests` shows what they would learn; `handfast claim present` and "
                        + "`handfast claim refuse` answer"))
        }
        for credential in try await credentials() {
            let revoked = credential.copies.count { $0.revoked != nil }
            guard revoked > 0 else { continue }
            findings.append(
                Finding(
                    .warning,
                    "\(credential.label): its issuer has revoked or suspended \(revoked) of "
                        + "\(credential.copies.count) copies",
                    remedy: "they are not shown any more; `handfast credential show` tells which, its issuer why"))
        }
        for credential in try await credentials() where credential.isRunningLow {
            findings.append(
                Finding(
                    .warning,
                    "\(credential.label): \(credential.free) of \(credential.copies.count) copies are left for further "
                        + "relationships",
                    remedy: "`handfast credential request` makes keys for more copies, which its issuer then issues"))
        }
    }

    private func checkIssuers(_ findings: inout [Finding]) async {
        let issuers: [IssuerReport]
        do {
            issuers = try await self.issuers()
        } catch {
            findings.append(
                Finding(
                    .error, "whose word is taken for claims cannot be read: \(error)",
                    remedy: "mend the file, or move it away and use `handfast issuer trust`"))
            return
        }
        for issuer in issuers {
            if !issuer.isUsable {
                findings.append(
                    Finding(
                        .error,
                        "the keys of \(issuer.issuer) are not known, or were fetched more than seven days ago"
                            + (issuer.trouble.map { ": \($0)" } ?? ""),
                        remedy:
                            "its credentials are refused until they can be fetched; a running node keeps trying, and "
                            + "`handfast issuer trust` tries at once"))
            } else if let trouble = issuer.trouble {
                findings.append(
                    Finding(
                        .warning, "the keys of \(issuer.issuer) could not be fetched again: \(trouble)",
                        remedy: "those that are known are used for seven days after they were fetched"))
            }
        }
    }

    private func checkRecovery(_ findings: inout [Finding]) async throws(NodeError) {
        let recovery = try await recovery()
        guard recovery.name != nil else {
            findings.append(
                Finding(
                    .note, "next signing keys lie in this vault: whoever opens it can replace your keys",
                    remedy: "`handfast recovery create` lets them derive from words that you keep on paper"))
            return
        }
        if recovery.promises == 0 {
            findings.append(
                Finding(
                    .warning,
                    "no promised key of the recovery root is left: next keys of new relationships are random, and lie in "
                        + "this vault",
                    remedy: "`handfast recovery refill` asks for the recovery words and draws new ones"))
        }
        if recovery.inVault > 0 {
            findings.append(
                Finding(
                    .note, "the next keys of \(recovery.inVault) identities lie in this vault",
                    remedy: "`handfast recovery refill` replaces them once each channel stands"))
        }
    }

    /// A backup that is older than so many seconds is worth a word.
    private static let backupSeconds: UInt64 = 30 * 86_400

    private func checkBackup(_ findings: inout [Finding]) async throws(NodeError) {
        guard store is any BackupSource else { return }
        let remedy = "`handfast backup FILE` makes one while the node runs, and later adds what has changed"
        guard let kept = try await keeper.walletRow(KeptBackup.self, KeptBackup.key) else {
            findings.append(Finding(.note, "no backup of this vault was ever made", remedy: remedy))
            return
        }
        let now = keeper.time.now()
        guard now.seconds > kept.created + Self.backupSeconds else { return }
        let days = (now.seconds - kept.created) / 86_400
        findings.append(
            Finding(.note, "the last backup of this vault was made \(days) days ago, in \(kept.path)", remedy: remedy))
    }

    private func checkEvents(_ findings: inout [Finding]) async throws(NodeError) {
        let recent = try await feed.events(after: max(0, feed.last - 10_000), limit: 10_000)
        let refused = recent.filter { $0.kind == .envelopeRefused }
        if let last = refused.last {
            findings.append(
                Finding(
                    .warning,
                    "\(refused.count) envelopes could not be used, the last because: \(last.detail.reason ?? "?")",
                    remedy: "a few are harmless; after four in a row the node begins the channel anew by itself"))
        }
        if let last = recent.last(where: { $0.kind == .relayRolledBack }) {
            findings.append(
                Finding(
                    .warning, last.detail.reason ?? "the own relay was taken back to an older state",
                    remedy: "nothing to do: the channels with all who send there were begun anew, and what is missing "
                        + "comes back from them. Restore no relay from a backup: an empty one does as well"))
        }
        checkCopies(recent, &findings)
        for event in recent where event.kind == .helloRefused {
            findings.append(
                Finding(.warning, event.detail.reason ?? "a hello was refused", remedy: "nothing was stored of it"))
        }
    }

    /// What another node on a copy of this vault did is worth a word for so many seconds.
    private static let copySeconds: UInt64 = 86_400

    private func checkCopies(_ recent: [NodeEvent], _ findings: inout [Finding]) {
        let now = keeper.time.now().seconds
        let causes: [String?] = [RejoinCause.ownStoreWentBack, .queueDiffers].map(\.description)
        let late = recent.filter { now <= $0.time || now - $0.time < Self.copySeconds }
        if let last = late.last(where: { $0.kind == .copyAtWork }) {
            findings.append(
                Finding(
                    .error, "another node is at work on a copy of this vault: \(last.detail.reason ?? "?")",
                    remedy:
                        "stop one of the two for good: each takes from the other what comes, and of what both say only "
                        + "one counts. The one that stays gets back by itself what it lacks"))
        } else if let last = late.last(where: { $0.kind == .rejoinAsked && causes.contains($0.detail.reason) }) {
            findings.append(
                Finding(
                    .warning,
                    "\(last.detail.reason ?? "?"): this vault was copied back, or another node is at work on a copy of it",
                    remedy:
                        "if it was copied back, nothing: what it lacks comes back from the other sides. If another node "
                        + "runs on a copy of it, stop one of the two for good"))
        }
    }

    private func trouble(of report: RelationshipReport) async throws(NodeError) -> String? {
        await exchange.trouble(of: try await find(report.id))
    }

    // MARK: For the executor

    /// Whether the own relay has the bundles of an invitation.
    func isPublished(_ invitation: Invitation) async throws(NodeError) -> Bool {
        for (stored, kept) in try await steward.services() where kept.knockQueue == invitation.knockQueue.array {
            guard let session = await exchange.session(of: stored.key) else { return false }
            return await session.hasAdmitted(invitation.ticket.knock)
        }
        return false
    }

    /// Why the own relay cannot be reached, as far as the services tell.
    func troubleOfOwnRelay() async -> String? {
        await exchange.ownTrouble()
    }
}
