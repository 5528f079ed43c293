@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto

/// Two sides under one random schedule of work and faults, and what must hold whatever the schedule.
///
/// What is asserted, precisely:
/// - a forged or changed message changes nothing but the notes that lead to a rejoin;
/// - a message that had an effect has none when it comes again, unless the vault itself went back;
/// - no AEAD key is used twice with one nonce, whatever crashes, goes back or is copied, sent or not;
/// - no header key masks two different envelopes at one index that both left, unless two copies were at work at once or
///   the queue went back: then it may, as Spec/04 §4.4 says;
/// - a commit never drops a record of the peer, and an own one only as void;
/// - nothing is signed while own records are awaited;
/// - with crashes and disorder alone no epoch begins, and every ephemeral message that was committed is heard once;
/// - once faults stop, both sides come to one epoch and one ledger, which holds every record that either vault held
///   then, except own ones that became void since. A relationship freezes only where a queue went back together with a
///   vault, so that nothing could tell that vault, or where older or second copies of both vaults were at work and
///   each accepted what the other contradicts: then it freezes on both sides.
final class Simulation {
    /// Which faults a schedule has, and how often.
    struct Faults {
        var drops = false
        var repeats = false
        var reorders = false
        var goesBack = false
        var copies = false
        var queueGoesBack = false
        var rotates = false
        var forges = false
        /// Nothing but ephemeral messages, which no rejoin brings back, and crashes and disorder, which need none.
        let onlyWhispers: Bool

        init(_ random: inout Randomness) {
            onlyWhispers = random.once(in: 8)
            guard !onlyWhispers else {
                reorders = true
                return
            }
            // As many have nothing but crashes.
            guard !random.once(in: 7) else { return }
            drops = random.once(in: 2)
            repeats = random.once(in: 2)
            reorders = random.once(in: 2)
            goesBack = random.once(in: 2)
            copies = random.once(in: 3)
            queueGoesBack = random.once(in: 3)
            rotates = random.once(in: 3)
            forges = random.once(in: 2)
        }
    }

    /// What a run came to.
    struct Summary {
        var epochs = 0
        var records = 0
        var voids = 0
        var frozen = 0
    }

    private static let steps = 90

    private var random: Randomness
    private let faults: Faults
    private let observer: Observer
    private var now = Meetings.start
    /// The copies of either side that are at work: one or two.
    private var sides: [[Party]]
    /// Where either side receives.
    private let queues = [PeerQueue(), PeerQueue()]
    private var saved: [Vault?] = [nil, nil]
    private var wentBack = [false, false]
    private var wasCopied = [false, false]
    private var effective: [Set<[UInt8]>] = [[], []]
    private var said = 0

    static func run(seed: UInt64, meetings: Meetings, isTelling: Bool = false) throws -> Summary {
        try Simulation(seed: seed, meetings: meetings, isTelling: isTelling).run()
    }

    private init(seed: UInt64, meetings: Meetings, isTelling: Bool) throws {
        observer = Observer(isTelling: isTelling)
        var random = Randomness(seed: seed &* 0x2545_f491_4f6c_dd1d)
        faults = Faults(&random)
        let pair = meetings.pair(seed)
        sides = [
            [try Party(name: "invitee", vault: pair.invitee, observer: observer, seed: random.next())],
            [try Party(name: "inviter", vault: pair.inviter, observer: observer, seed: random.next())],
        ]
        self.random = random
    }

    private func run() throws -> Summary {
        for _ in 0..<Self.steps { try step() }
        return try settle()
    }

    // MARK: The schedule

    private func step() throws {
        let side = random.below(2)
        let party = sides[side][random.below(sides[side].count)]
        switch random.below(24) {
        case 0...3 where !faults.onlyWhispers:
            let texts = (0...random.below(3)).map { _ in text() }
            try party.say(texts, at: now)
            if random.once(in: 2) { try commit(party, of: side) }
        case 0...4:
            try party.whisper(text(), at: now)
        case 5, 6:
            try commit(party, of: side)
        case 7:
            observer.tell("\(party.name) crashes")
            try party.restart()
        case 8:
            now = now.adding(seconds: UInt64(random.below(20_000)))
            try party.follow(at: now)
        case 9 where !faults.onlyWhispers && random.once(in: 4):
            party.want(.person)
            try party.follow(at: now)
        case 10 where faults.goesBack:
            try goBack(side, party)
        case 11 where faults.copies:
            try copy(side)
        case 12 where faults.queueGoesBack && random.once(in: 2):
            observer.tell("the queue of the \(party.name) goes back")
            queues[side].goBack(by: 1 + random.below(4))
        case 13 where faults.rotates && sides[side].count == 1:
            try party.rotate(at: now)
        case 14 where faults.forges:
            try forge(side, party)
        case 15 where faults.repeats:
            guard !queues[side].past.isEmpty else { return }
            try take(queues[side].past[random.below(queues[side].past.count)], by: party, of: side)
        case 16 where faults.drops:
            guard !queues[side].underWay.isEmpty else { return }
            observer.tell("a message to the \(party.name) is lost")
            queues[side].underWay.remove(at: random.below(queues[side].underWay.count))
        default:
            try deliver(to: side, party)
        }
    }

    private func text() -> String {
        said += 1
        return "\(said)"
    }

    private func commit(_ party: Party, of side: Int) throws {
        try party.checkThatNothingIsSignedTooSoon(at: now)
        try party.commit()
        try party.flush(to: queues[1 - side], at: now, isExcused: wasCopied[side])
    }

    private func deliver(to side: Int, _ party: Party) throws {
        let queue = queues[side]
        guard !queue.underWay.isEmpty else { return }
        let index = faults.reorders ? random.below(min(4, queue.underWay.count)) : 0
        let message = queue.underWay[index]
        if random.once(in: 5) {
            // The process ends between opening and commit: nothing has happened.
            try party.receive(message.bytes, at: now)
            try party.follow(at: now)
            return try party.restart()
        }
        queue.underWay.remove(at: index)
        try take(message.bytes, by: party, of: side)
        if sides[side].count == 2, random.once(in: 3) {
            for other in sides[side] where other !== party { try take(message.bytes, by: other, of: side) }
        }
    }

    private func take(_ bytes: [UInt8], by party: Party, of side: Int) throws {
        let isSingle = !wentBack[side] && !wasCopied[side]
        let before = isSingle ? party.substance : []
        try party.receive(bytes, at: now)
        if isSingle, party.substance != before {
            try BrokenPromise.unless(effective[side].insert(bytes).inserted, "\(party.name) takes a message twice")
        }
        try party.follow(at: now)
        try commit(party, of: side)
    }

    /// A message that somebody changed, or made up.
    private func forge(_ side: Int, _ party: Party) throws {
        var bytes: [UInt8]
        if queues[side].past.isEmpty || random.once(in: 4) {
            bytes = [UInt8](repeating: 0, count: 334 + random.below(2_000))
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
            bytes[0] = UInt8(1 + random.below(2))
        } else {
            bytes = queues[side].past[random.below(queues[side].past.count)]
            bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        }
        let before = party.substance
        try party.receive(bytes, at: now)
        try BrokenPromise.unless(party.substance == before, "\(party.name) takes a forged message")
        try party.follow(at: now)
    }

    private func goBack(_ side: Int, _ party: Party) throws {
        if let old = saved[side], old.rotations == party.vault.rotations, random.once(in: 2) {
            wentBack[side] = true
            observer.tell("\(party.name) goes back")
            try party.restart(with: old)
        } else if random.once(in: 2) {
            saved[side] = party.vault
        }
    }

    private func copy(_ side: Int) throws {
        if sides[side].count == 2 {
            if random.once(in: 3) { sides[side].remove(at: random.below(2)) }
        } else if random.once(in: 3) {
            let original = sides[side][0]
            wasCopied[side] = true
            observer.tell("\(original.name) is copied")
            try original.restart()
            sides[side].append(
                try Party(
                    name: "copy of \(original.name)", vault: original.vault, observer: observer, seed: random.next()))
        }
    }

    // MARK: The end

    private func settle() throws -> Summary {
        for side in 0...1 {
            if sides[side].count == 2 { sides[side].remove(at: random.below(2)) }
            // The uncommitted is gone, as by a crash.
            try sides[side][0].restart()
        }
        observer.tell("faults stop")
        let parties = [sides[0][0], sides[1][0]]
        let held = parties.map { ($0.vault.own, $0.vault.peer) }
        let before = parties.map { $0.vault.void }
        var hasSpoken = [false, false]
        var rounds = 0
        while true {
            rounds += 1
            try BrokenPromise.unless(rounds < 100, "no recovery: \(report(parties))")
            if try areFrozen(parties) {
                for party in parties { try party.vault.checkStoredForm() }
                return Summary(frozen: 1)
            }
            for side in 0...1 {
                try parties[side].flush(to: queues[1 - side], at: now, isExcused: wasCopied[side])
                while !queues[side].underWay.isEmpty {
                    try take(queues[side].underWay.removeFirst().bytes, by: parties[side], of: side)
                }
            }
            guard queues.allSatisfy(\.underWay.isEmpty) else { continue }
            // What got lost unseen shows by what follows it.
            for side in 0...1 where parties[side].maySpeak && (!hasSpoken[side] || rounds % 4 == 0) {
                try parties[side].say([text()], at: now)
                try commit(parties[side], of: side)
                hasSpoken[side] = true
            }
            if hasSpoken == [true, true], queues.allSatisfy(\.underWay.isEmpty), agree(parties) { break }
            now = now.adding(seconds: 7_200)
            for side in 0...1 {
                try parties[side].follow(at: now)
                try commit(parties[side], of: side)
            }
        }
        try check(parties, held: held, void: before)
        if faults.onlyWhispers { try checkWhispers(parties) }
        return Summary(
            epochs: parties.map(\.epochsBegun).reduce(0, +), records: parties.map(\.vault.own.count).reduce(0, +),
            voids: parties.map { $0.vault.void.count }.reduce(0, +))
    }

    /// Whether the end is that the relationship is frozen, which certain faults alone excuse.
    private func areFrozen(_ parties: [Party]) throws -> Bool {
        let evidence = parties.map(\.relationship.evidence)
        for side in 0...1 {
            guard let mine = evidence[side] else { continue }
            let isExcused: Bool
            if case .ownRecords(let kept, let received) = mine {
                let isFork = kept.record.sequence == received.record.sequence && kept.hash != received.hash
                isExcused = isFork && (0...1).allSatisfy { wentBack[$0] || wasCopied[$0] }
            } else if case .ownRecords = evidence[1 - side] {
                isExcused = true
            } else {
                // The peer's vault went back, and so did the queue that would have told it.
                isExcused = queues[side].hasGoneBack && (wentBack[1 - side] || wasCopied[1 - side])
            }
            try BrokenPromise.unless(isExcused, "\(parties[side].name) froze: \(report(parties))")
        }
        // Who froze over its own records shows them to the peer; who froze over the peer's is silent.
        return evidence.contains { mine in
            guard let mine else { return false }
            if case .ownRecords = mine { return false }
            return true
        } || evidence.allSatisfy { $0 != nil }
    }

    private func agree(_ parties: [Party]) -> Bool {
        parties.allSatisfy { $0.maySpeak && $0.relationship.state == .live && $0.policy.cause == nil }
            && parties[0].policy.epoch == parties[1].policy.epoch
            && parties[0].vault.own.map(\.hash) == parties[1].vault.peer.map(\.hash)
            && parties[1].vault.own.map(\.hash) == parties[0].vault.peer.map(\.hash)
            && parties[0].relationship.peerLog == parties[1].relationship.ownLog
            && parties[1].relationship.peerLog == parties[0].relationship.ownLog
    }

    /// Without loss no epoch begins, and what was committed is heard once, in whatever order it came.
    private func checkWhispers(_ parties: [Party]) throws {
        for side in 0...1 {
            try BrokenPromise.unless(parties[side].epochsBegun == 0, "an epoch began without cause")
            try BrokenPromise.unless(
                parties[side].heard.sorted() == parties[1 - side].whispered.sorted(), "a whisper was lost")
        }
    }

    private func check(_ parties: [Party], held: [(own: [Entry], peer: [Entry])], void: [Set<Digest>]) throws {
        for side in 0...1 {
            try parties[side].vault.checkStoredForm()
            let ledger = Set(parties[side].vault.own.map(\.hash))
            try BrokenPromise.unless(ledger.count == parties[side].vault.own.count, "a record is in the ledger twice")
            try BrokenPromise.unless(
                held[1 - side].peer.allSatisfy { ledger.contains($0.hash) }, "an accepted record is lost")
            let newlyVoid = parties[side].vault.void.subtracting(void[side])
            try BrokenPromise.unless(
                held[side].own.allSatisfy { ledger.contains($0.hash) || newlyVoid.contains($0.hash) },
                "a committed record of the \(parties[side].name) is lost")
            try BrokenPromise.unless(newlyVoid.isDisjoint(with: ledger), "a record is void and in the ledger")
            if !wentBack[side], !wasCopied[side] {
                try BrokenPromise.unless(parties[side].vault.void.isEmpty, "a record became void without cause")
                let heard = parties[side].heard
                if !wentBack[1 - side], !wasCopied[1 - side] {
                    try BrokenPromise.unless(Set(heard).count == heard.count, "a whisper was heard twice")
                }
            }
        }
    }

    private func report(_ parties: [Party]) -> String {
        parties.map { party in
            "\(party.name) \(party.relationship.state) epoch \(party.policy.epoch) waiting \(party.policy.isWaiting) "
                + "cause \(party.policy.cause.map { "\($0)" } ?? "none") awaits "
                + "\(party.relationship.awaited?.sequence ?? 0) own \(party.vault.own.count) peer \(party.vault.peer.count)"
        }.joined(separator: "; ")
    }
}
