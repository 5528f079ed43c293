internal import HandfastChannel
internal import HandfastCrypto

/// Writes a conversation while it runs.
private struct ConversationScript: ~Copyable {
    private var live: VectorConversation
    /// Where it begins, if not where others do.
    let states: VectorFields
    private(set) var steps: [VectorFields] = []
    private(set) var results: [VectorFields] = []
    var now = VectorMeeting.time + 60

    /// From what the file's vectors share; with `steps`, as if so many had been made since the last one with ML-KEM.
    init(_ maker: VectorMaker, steps: Int = 0) throws {
        let invitee = try maker.common.fields("invitee").with("steps", .number(steps))
        let inviter = try maker.common.fields("inviter").with("steps", .number(steps))
        live = VectorConversation(
            invitee: try VectorChannel.channel(invitee), inviter: try VectorChannel.channel(inviter))
        states = steps == 0 ? [:] : ["invitee": .object(invitee), "inviter": .object(inviter)]
    }

    /// - Returns: The number of the step.
    @discardableResult
    mutating func seal(_ side: String, _ maker: inout VectorMaker, kind: UInt8 = 2, content: [UInt8]? = nil) throws
        -> Int
    {
        let step: VectorFields = [
            "side": .text(side), "do": .text("seal"), "now": .number(now), "kind": .number(kind),
            "content": .hex(content ?? (kind == 0 ? [] : maker.random(12))), "salt": .hex(maker.random(8)),
        ]
        return try run(live.recording(step, &maker))
    }

    /// Opens what a step sealed, or other bytes.
    mutating func open(_ side: String, _ number: Int? = nil, bytes: [UInt8]? = nil) throws {
        try run([
            "side": .text(side), "do": .text("open"), "now": .number(now), "of": number.map { .number($0) },
            "envelope": .hex(bytes),
        ])
    }

    mutating func act(_ side: String, _ action: String, count: Int? = nil) throws {
        try run([
            "side": .text(side), "do": .text(action), "now": .number(now), "count": count.map { .number($0) },
        ])
    }

    func envelope(_ number: Int) throws -> [UInt8] { try results[number].bytes("envelope") }

    @discardableResult
    private mutating func run(_ step: VectorFields) throws -> Int {
        results.append(try live.run(step))
        steps.append(step)
        return steps.count - 1
    }

    /// One there, one back.
    mutating func exchange(_ maker: inout VectorMaker) throws {
        for (sender, receiver) in [("invitee", "inviter"), ("inviter", "invitee")] {
            let sent = try seal(sender, &maker, kind: 0)
            try open(receiver, sent)
        }
    }
}

extension RatchetVectors {
    static func makeConversations(_ maker: inout VectorMaker) throws {
        try makeTurns(&maker)
        try makeSkips(&maker)
        try makeLimits(&maker)
        try makePostQuantum(&maker)
        try makeHeld(&maker)
    }

    private static func add(
        _ name: String, _ script: borrowing ConversationScript, _ maker: inout VectorMaker, comment: String,
        without large: [String] = []
    ) throws {
        try maker.accept(
            name, "conversation", script.states.with("steps", .list(script.steps.map { .object($0) })),
            comment: comment, without: large)
    }

    private static func makeTurns(_ maker: inout VectorMaker) throws {
        var script = try ConversationScript(maker)
        for (sender, receiver) in [("invitee", "inviter"), ("inviter", "invitee"), ("invitee", "inviter")] {
            for kind in [UInt8(1), 2] {
                let sent = try script.seal(sender, &maker, kind: kind)
                try script.open(receiver, sent)
            }
        }
        try script.seal("inviter", &maker, kind: 0)
        try add("turns", script, &maker, comment: "both sides in turn; the first records come with the first message")

        var burst = try ConversationScript(maker)
        try burst.open("inviter", burst.seal("invitee", &maker))
        try burst.act("inviter", "turnIsDue")
        try burst.act("invitee", "deliver", count: 63)
        try burst.act("inviter", "turnIsDue")
        let turn = try burst.seal("inviter", &maker, kind: 0)
        try burst.act("inviter", "turnIsDue")
        try burst.open("invitee", turn)
        burst.now += 90_000
        try burst.act("invitee", "turnIsDue")
        try burst.open("inviter", burst.seal("invitee", &maker))
        try burst.act("inviter", "turnIsDue")
        burst.now += 86_400
        try burst.act("inviter", "turnIsDue")
        try add(
            "a turn is due", burst, &maker,
            comment:
                "after 64 messages of a chain, or a day, unless the chain held only turns; the second step offers a key"
        )
    }

    private static func makeSkips(_ maker: inout VectorMaker) throws {
        var script = try ConversationScript(maker)
        var sent: [Int] = []
        for _ in 0..<5 { sent.append(try script.seal("invitee", &maker)) }
        for index in [3, 1, 0, 3, 1] { try script.open("inviter", sent[index]) }
        try script.open("inviter", bytes: script.envelope(sent[4]).flipping(100))
        try script.open("inviter", sent[4])
        let back = try script.seal("inviter", &maker)
        try script.open("invitee", back)
        let next = [try script.seal("invitee", &maker), try script.seal("invitee", &maker)]
        try script.open("inviter", next[1])
        try script.open("inviter", sent[2])
        try script.open("inviter", next[0])
        try script.open("inviter", back)
        try add(
            "order, loss and replay", script, &maker,
            comment:
                "messages come in another order, one in a later chain; each opens once, and a damaged one costs nothing"
        )

        var late = try ConversationScript(maker)
        let (first, second) = (try late.seal("invitee", &maker), try late.seal("invitee", &maker))
        try late.open("inviter", second)
        late.now += 7 * 86_400
        try late.open("inviter", first)
        try add("a skipped key expires", late, &maker, comment: "after seven days")
    }

    private static func makeLimits(_ maker: inout VectorMaker) throws {
        for (count, name) in [(255, "256 skipped"), (256, "257 skipped")] {
            var script = try ConversationScript(maker)
            let first = try script.seal("invitee", &maker)
            try script.act("invitee", "lose", count: count)
            let last = try script.seal("invitee", &maker)
            try script.open("inviter", last)
            try script.open("inviter", first)
            try add(
                name, script, &maker,
                comment: count == 255
                    ? "the most that are skipped"
                    : "beyond the limit: the tag is not looked for; earlier ones still open",
                without: ["invitee", "inviter"])
        }
        for (count, name) in [(255, "256 skipped at the end of a chain"), (256, "257 skipped at the end of a chain")] {
            var script = try ConversationScript(maker)
            try script.open("inviter", script.seal("invitee", &maker))
            let back = try script.seal("inviter", &maker)
            try script.act("invitee", "lose", count: count)
            try script.open("invitee", back)
            let one = try script.seal("invitee", &maker)
            let two = try script.seal("invitee", &maker)
            try script.open("inviter", two)
            try script.open("inviter", one)
            try add(
                name, script, &maker,
                comment: "the lost messages of the chain before count together with those of the new one",
                without: ["invitee", "inviter"])
        }
    }

    private static func makePostQuantum(_ maker: inout VectorMaker) throws {
        var script = try ConversationScript(maker)
        try script.exchange(&maker)
        script.now += 86_400
        // The step that is due offers a key, the peer answers it at its next one.
        let offer = try script.seal("invitee", &maker)
        try script.open("inviter", offer)
        let answers = [try script.seal("inviter", &maker), try script.seal("inviter", &maker)]
        try script.open("invitee", answers[1])
        try script.open("invitee", answers[0])
        try script.exchange(&maker)
        try add(
            "post-quantum step after a day", script, &maker,
            comment: "a key is offered, encapsulated to once, and the ciphertext comes with each of the first envelopes"
        )

        var lost = try ConversationScript(maker)
        try lost.exchange(&maker)
        lost.now += 86_400
        let early = try lost.seal("invitee", &maker)
        let heard = try lost.seal("invitee", &maker)
        try lost.open("inviter", heard)
        let answer = try lost.seal("inviter", &maker)
        try lost.open("invitee", answer)
        try lost.open("inviter", early)
        try lost.open("invitee", lost.seal("inviter", &maker))
        try lost.open("inviter", lost.seal("invitee", &maker))
        try lost.open("invitee", lost.seal("inviter", &maker))
        try add(
            "a late offer", lost, &maker, comment: "an offer in a message whose keys were skipped is not taken")

        var turns = try ConversationScript(maker, steps: 28)
        try turns.exchange(&maker)
        let due = try turns.seal("invitee", &maker)
        try turns.open("inviter", due)
        let reply = try turns.seal("inviter", &maker)
        try turns.open("invitee", reply)
        let after = try turns.seal("invitee", &maker)
        try turns.open("inviter", after)
        try turns.open("invitee", turns.seal("inviter", &maker))
        try add("post-quantum step after 32 steps", turns, &maker, comment: "steps of either side count")
    }

    private static func makeHeld(_ maker: inout VectorMaker) throws {
        var script = try ConversationScript(maker)
        try script.exchange(&maker)
        script.now += 86_400
        try script.open("inviter", script.seal("invitee", &maker))
        let first = try script.seal("inviter", &maker)
        try script.act("inviter", "lose", count: 7)
        let later = [try script.seal("inviter", &maker), try script.seal("inviter", &maker)]
        try script.open("invitee", later[1])
        try script.open("invitee", later[1])
        try script.open("invitee", later[0])
        try script.act("invitee", "release")
        try script.open("invitee", first)
        try script.act("invitee", "release")
        try script.open("invitee", later[0])
        try script.act("invitee", "release")
        try add(
            "held until the ciphertext comes", script, &maker,
            comment: "the first eight of a chain carry the ciphertext; later ones that come before any of them wait")
    }
}
