@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let rejoin = [
        FuzzTarget(name: "rejoin", seeds: { Tampering.seeds }, run: rejoin),
        FuzzTarget(name: "rejoin-content", seeds: rejoinContentSeeds, run: rejoinContent),
        FuzzTarget(name: "rejoined", seeds: { Tampering.seeds }, run: rejoined),
        FuzzTarget(name: "rejoined-content", seeds: rejoinedContentSeeds, run: rejoinedContent),
        FuzzTarget(name: "pending-rejoin", seeds: pendingRejoinSeeds, run: pendingRejoin),
        FuzzTarget(name: "resume-secrets", seeds: resumeSecretsSeeds, run: resumeSecrets),
        FuzzTarget(name: "ledger-heads", seeds: ledgerHeadsSeeds, run: ledgerHeads),
        FuzzTarget(name: "returned-records", seeds: returnedRecordsSeeds, run: returnedRecords),
        FuzzTarget(name: "rejoin-policy", seeds: rejoinPolicySeeds, run: rejoinPolicy),
    ]

    /// A rejoin of the invitee and its answer, made once.
    private final class Exchange: Sendable {
        static let shared = Result { try Exchange() }

        let bytes: [UInt8]
        let pending: PendingRejoin
        let pendingState: [UInt8]
        let rejoined: [UInt8]
        let resumes: ResumeSecrets
        let resumesState: [UInt8]
        let heads: [UInt8]
        let policy: RejoinPolicy

        init() throws {
            let fixture = try Fixture.shared.get()
            var entropy = FixedEntropy(21)
            var resumes = ResumeSecrets()
            for epoch in 0..<3 as Range<UInt64> {
                resumes.insert(SecretBytes(random: 32, using: &entropy), epoch: epoch)
            }
            let own = fixture.inviteeEntries
            let heads = try fixture.inviteeSide.heads { own[Int($0) - 1].hash }.encoded()
            let made = try Rejoin.make(
                relationship: fixture.inviteeSide.id, epoch: 3, resume: 2, resumes: resumes, heads: heads,
                identity: fixture.invitee, peer: fixture.inviter.log.sealingKey, now: Fixture.now, using: &entropy)
            let received = try Self.open(made.bytes)
            let answer = try received.answer(
                resumes: resumes, heads: heads, identity: fixture.inviter, now: Fixture.now, using: &entropy)
            var policy = RejoinPolicy()
            policy.couldNotOpen(made.hash)
            policy.asked(made, at: Fixture.now)
            policy.want(.person)
            bytes = made.bytes
            let state = Array(made.pending.encoded())
            pendingState = state
            pending = try PendingRejoin.decode(state.bytes)
            rejoined = answer.envelope
            let kept = Array(resumes.encoded())
            resumesState = kept
            self.resumes = try ResumeSecrets.decode(kept.bytes)
            self.heads = heads
            self.policy = policy
        }

        static func open(_ bytes: [UInt8]) throws -> ReceivedRejoin {
            let fixture = try Fixture.shared.get()
            return try ReceivedRejoin.open(
                bytes.bytes, relationship: fixture.inviteeSide.id, identity: fixture.inviter,
                peerLog: fixture.invitee.log)
        }

        func openAnswer(_ envelope: [UInt8]) throws -> OpenedRejoined {
            var entropy = FixedEntropy()
            return try pending.open(
                envelope.bytes, peerLog: Fixture.shared.get().inviter.log, now: Fixture.now, using: &entropy)
        }
    }

    /// A rejoin that was changed on the way does not open.
    @Sendable private static func rejoin(_ input: [UInt8]) throws {
        let original = try Exchange.shared.get().bytes
        let message = Tampering(InputReader(input)).apply(to: original)
        let opened = accepted { try Exchange.open(message) }
        let (didOpen, isOriginal) = (opened != nil, message == original)
        try BrokenPromise.unless(didOpen == isOriginal, didOpen ? "a changed rejoin opens" : "a rejoin does not open")
    }

    /// What anybody who knows the answerer's key can say in a rejoin: any content, perhaps with the asker's signature.
    @Sendable private static func rejoinContent(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        let exchange = try Exchange.shared.get()
        var reader = InputReader(input)
        let choice = reader.choice(of: 3)
        let bytes = reader.remaining()
        let form = SealedForm.rejoin
        guard choice > 0 else {
            let content = accepted {
                try ChannelError.decoding("rejoin", bytes.bytes, maximum: form.maximumByteCount) {
                    try RejoinContent(&$0)
                }
            }
            if let content { try BrokenPromise.unlessSame(content.encoded(), as: bytes, "content of a rejoin") }
            return
        }
        var entropy = FixedEntropy()
        let relationship = fixture.inviteeSide.id
        let info = Rejoin.info(of: relationship)
        var sender = try entropy.sender(to: fixture.inviter.log.sealingKey, info: info.bytes)
        var plaintext = bytes
        if choice == 1 {
            let external = Rejoin.externalData(relationship: relationship, encapsulation: sender.encapsulation)
            let signed = COSESign1.sign(
                bytes, type: form.type, externalData: external, with: fixture.invitee.signingKey
            ).encoded()
            guard signed.count <= form.maximumContentByteCount else { return }
            plaintext = SealedForm.padded(signed)
        }
        let prefix = [form.version]
        let sealed = try sender.seal(plaintext.bytes, authenticating: prefix.bytes)
        guard let opened = accepted({ try Exchange.open(prefix + sender.encapsulation + sealed) }) else { return }
        try BrokenPromise.unless(choice == 1, "a rejoin opens that nobody signed")
        try BrokenPromise.unless(opened.epoch > opened.resume ?? 0, "a rejoin resumes an epoch to come")
        let heads = opened.heads
        let theirs = accepted { try LedgerHeads(decoding: heads.bytes, of: relationship) }
        if let theirs {
            var side = fixture.inviterSide
            _ = accepted { try side.reconcile(with: theirs, ownHash: { _ in nil }, peerHash: { _ in nil }) }
        }
        _ = accepted {
            try opened.answer(
                resumes: exchange.resumes, heads: exchange.heads, identity: fixture.inviter, now: Fixture.now,
                using: &entropy)
        }
    }

    @Sendable private static func rejoinContentSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        var entropy = FixedEntropy(3)
        let content = RejoinContent(
            epoch: 3, resume: 2, heads: try Exchange.shared.get().heads, events: fixture.invitee.log.shown,
            ratchetKey: AgreementPrivateKey.generate(using: &entropy).publicKey,
            kemKey: KEMPrivateKey.generate(using: &entropy).publicKey, created: Fixture.now,
            insteadOf: Digest.of(.rejoin, [1]), addresses: [fixture.address]
        ).encoded()
        return [[0] + content, [1] + content, [2, 0, 3, 1, 2, 3, 0, 0]]
    }

    /// An answer that was changed on the way does not open.
    @Sendable private static func rejoined(_ input: [UInt8]) throws {
        let exchange = try Exchange.shared.get()
        let message = Tampering(InputReader(input)).apply(to: exchange.rejoined)
        let opened = accepted { try exchange.openAnswer(message) }
        let (didOpen, isOriginal) = (opened != nil, message == exchange.rejoined)
        try BrokenPromise.unless(didOpen == isOriginal, didOpen ? "a changed answer opens" : "an answer does not open")
        try BrokenPromise.unless(
            Array(exchange.pending.encoded()) == exchange.pendingState, "opening changes what waits for an answer")
    }

    @Sendable private static func rejoinedContent(_ input: [UInt8]) throws {
        let content = accepted {
            try ChannelError.decoding("rejoined", input.bytes, maximum: Channel.maximumContentByteCount) {
                try RejoinedContent(&$0)
            }
        }
        guard let content else { return }
        try BrokenPromise.unlessSame(content.encoded(), as: input, "content of an answer")
        _ = accepted { try Fixture.shared.get().inviter.log.joined(with: content.events) }
    }

    @Sendable private static func rejoinedContentSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let signature = COSESign1.sign([1], type: RejoinedContent.type, with: fixture.invitee.signingKey)
        let heads = try Exchange.shared.get().heads
        return [
            RejoinedContent(
                heads: heads, signature: signature.encodedDetached(), events: fixture.invitee.log.shown,
                addresses: [fixture.address]
            ).encoded()
        ]
    }

    @Sendable private static func pendingRejoin(_ input: [UInt8]) throws {
        guard let pending = accepted({ try PendingRejoin.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(Array(pending.encoded()), as: input, "stored pending rejoin")
        var entropy = FixedEntropy()
        let (envelope, log) = (try Exchange.shared.get().rejoined, try Fixture.shared.get().inviter.log)
        _ = accepted { try pending.open(envelope.bytes, peerLog: log, now: Fixture.now, using: &entropy) }
        try BrokenPromise.unlessSame(Array(pending.encoded()), as: input, "pending rejoin after an attempt")
    }

    @Sendable private static func pendingRejoinSeeds() throws -> [[UInt8]] {
        [try Exchange.shared.get().pendingState]
    }

    @Sendable private static func resumeSecrets(_ input: [UInt8]) throws {
        guard let secrets = accepted({ try ResumeSecrets.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(Array(secrets.encoded()), as: input, "stored resume secrets")
        let epochs = secrets.epochs
        try BrokenPromise.unless(
            epochs.count <= ResumeSecrets.maximumCount && epochs == epochs.sorted(), "epochs out of order")
    }

    @Sendable private static func resumeSecretsSeeds() throws -> [[UInt8]] {
        [try Exchange.shared.get().resumesState]
    }

    @Sendable private static func ledgerHeads(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        guard let heads = accepted({ try LedgerHeads(decoding: input.bytes, of: fixture.inviteeSide.id) }) else {
            return
        }
        try BrokenPromise.unlessSame(heads.encoded(), as: input, "heads")
        let (own, peer) = (fixture.inviterEntries, fixture.inviteeEntries)
        var side = fixture.inviterSide
        let needed = side.lookups(for: heads)
        let plan = try side.reconcile(
            with: heads,
            ownHash: { needed.own.contains($0) ? own[Int($0) - 1].hash : nil },
            peerHash: { needed.peer.contains($0) ? peer[Int($0) - 1].hash : nil })
        try BrokenPromise.unless(
            plan.resent?.upperBound ?? 1 <= UInt64(own.count) && plan.returned?.upperBound ?? 1 <= UInt64(peer.count),
            "records are promised that do not exist")
        try BrokenPromise.unless(side.awaited == nil || plan.resent == nil, "records are sent that may be void")
        _ = try Relationship(decoding: side.encoded().bytes)
    }

    @Sendable private static func ledgerHeadsSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let start = LedgerHeads(own: [], peer: .start(of: fixture.inviteeSide.id))
        let ahead = LedgerHeads(own: [], peer: RecordReference(sequence: 9, hash: Digest.of(.body, [1])))
        return [try Exchange.shared.get().heads, start.encoded(), ahead.encoded()]
    }

    /// Records of either direction, as they come after a rejoin: a relationship takes them or stays as it was.
    @Sendable private static func returnedRecords(_ input: [UInt8]) throws {
        guard let entries = accepted({ try RecordContent.decode(input.bytes) }) else { return }
        let fixture = try Fixture.shared.get()
        let (invitees, inviters) = (fixture.inviteeEntries, fixture.inviterEntries)
        for (start, own, peer) in [
            (fixture.inviteeSide, invitees, inviters), (fixture.inviterSide, inviters, invitees),
        ] {
            for entry in entries {
                var side = start
                let needed = side.lookups(forReturned: entry)
                func find(_ number: UInt64, _ numbers: [UInt64], _ entries: [Entry]) -> Entry? {
                    numbers.contains(number) && number <= UInt64(entries.count) ? entries[Int(number) - 1] : nil
                }
                let outcome = accepted {
                    try side.receiveReturned(
                        entry, ownEntry: { find($0, needed.own, own) }, peerEntry: { find($0, needed.peer, peer) })
                }
                if outcome == nil { try BrokenPromise.unless(side == start, "a refused record changes something") }
                try BrokenPromise.unlessSame(
                    Relationship(decoding: side.encoded().bytes).encoded(), as: side.encoded(), "relationship")
            }
        }
    }

    @Sendable private static func returnedRecordsSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let merged = RecordContent.merged(own: fixture.inviteeEntries, peer: fixture.inviterEntries)
        return [try RecordContent.encode(merged), try RecordContent.encode(Array(merged.suffix(2)))]
    }

    @Sendable private static func rejoinPolicy(_ input: [UInt8]) throws {
        guard let policy = accepted({ try RejoinPolicy(decoding: input.bytes) }) else { return }
        try BrokenPromise.unlessSame(policy.encoded(), as: input, "stored policy")
        let exchange = try Exchange.shared.get()
        let fixture = try Fixture.shared.get()
        let plan = policy.plan(exchange.resumes)
        try BrokenPromise.unless(plan.epoch > plan.resume ?? 0 || plan.resume == nil, "a plan resumes what is to come")
        _ = policy.isDue(for: fixture.inviterSide, at: Fixture.now)
        _ = policy.nextCheck(for: fixture.inviterSide)
        var judging = policy
        let received = try Exchange.open(exchange.bytes)
        let verdict = judging.judge(
            received, resumes: exchange.resumes, own: fixture.inviter.id, knownLog: fixture.inviteeSide.ownLog)
        try BrokenPromise.unless(
            verdict != .answer || received.epoch > policy.epoch, "an epoch that is over would begin again")
        try BrokenPromise.unlessSame(
            RejoinPolicy(decoding: judging.encoded().bytes).encoded(), as: judging.encoded(), "policy")
    }

    @Sendable private static func rejoinPolicySeeds() throws -> [[UInt8]] {
        [RejoinPolicy().encoded(), try Exchange.shared.get().policy.encoded()]
    }
}
