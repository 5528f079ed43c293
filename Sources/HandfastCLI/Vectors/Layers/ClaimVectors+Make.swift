internal import Handfast
internal import HandfastEncoding

extension ClaimVectors {
    /// Values that take the place of others in a map, or stand beside them; nil leaves one out.
    private typealias Changes = [String: CBORValue?]

    static func make(_ maker: inout VectorMaker) throws {
        try makeRequests(&maker)
        try makeQueries(&maker)
        try makePaths(&maker)
        try makePresentations(&maker)
        try makeResults(&maker)
        try makeJudged(&maker)
    }

    private static func map(_ values: [String: CBORValue], _ changes: Changes = [:]) throws -> CBORValue {
        var all = values
        for (name, value) in changes { all[name] = value }
        return .map(try CBORMap(all.map { CBORMap.Entry(.text($0.key), $0.value) }))
    }

    private static func body(_ value: CBORValue) throws -> VectorFields { ["body": .hex(try value.encoded())] }

    private static func text(_ count: Int) -> CBORValue { .text(String(repeating: "a", count: count)) }

    /// What no text that a person reads may hold, empty and too long included.
    private static func badTexts(_ name: String, longest: Int) -> [(String, CBORValue)] {
        [
            ("\(name) is empty", .text("")), ("\(name) of \(longest + 1) bytes", text(longest + 1)),
            ("\(name) with a line break", .text("a\nb")), ("\(name) that turns its direction", .text("a\u{202E}b")),
            ("\(name) is null", .null), ("\(name) is bytes", .bytes([97])),
        ]
    }

    // MARK: - Requests

    private static func makeRequests(_ maker: inout VectorMaker) throws {
        let query = try map(["type": .text("https://id.example/person"), "claims": .array([])])
        let least: [String: CBORValue] = [
            "purpose": .text("dpv:AgeVerification"), "credentials": .array([query]), "nonce": .bytes(maker.random(16)),
        ]
        func accept(_ name: String, _ changes: Changes, comment: String? = nil) throws {
            try maker.accept("request, \(name)", "request", body(map(least, changes)), comment: comment)
        }
        func refuse(_ name: String, _ changes: Changes) throws {
            try maker.refuse("request, \(name)", "request", body(map(least, changes)), "malformedBody")
        }
        try accept("least", [:])
        try accept(
            "with all", ["description": .text("Wine is for adults"), "maximumAge": .unsigned(86_400)])
        try accept("longest texts", ["purpose": text(256), "description": text(1_024)])
        try accept("eight queries", ["credentials": .array(Array(repeating: query, count: 8))])
        try accept("a key of a later version", ["later": .bool(true)], comment: "It is ignored.")
        for name in least.keys.sorted() { try refuse("no \(name)", [name: CBORValue?.none]) }
        for (name, value) in badTexts("purpose", longest: 256) { try refuse(name, ["purpose": value]) }
        for (name, value) in badTexts("description", longest: 1_024) { try refuse(name, ["description": value]) }
        try refuse("no query", ["credentials": .array([])])
        try refuse("nine queries", ["credentials": .array(Array(repeating: query, count: 9))])
        try refuse("a query that is no map", ["credentials": .array([.text("person")])])
        try refuse("maximumAge of 0", ["maximumAge": .unsigned(0)])
        try refuse("maximumAge is negative", ["maximumAge": .integer(-1)])
        try refuse("maximumAge is null", ["maximumAge": .null])
        try refuse("nonce of 15 bytes", ["nonce": .bytes(maker.random(15))])
        try refuse("nonce of 17 bytes", ["nonce": .bytes(maker.random(17))])
        let whole = try map(least).encoded()
        for (name, bytes) in [
            ("cut short", Array(whole.dropLast())), ("a byte more", whole + [0]),
            ("keys out of order", [0xA2, 0x61, 0x62, 0x00, 0x61, 0x61, 0x00]), ("an array", [0x80]),
            ("integer keys", [0xA1, 0x01, 0x02]),
        ] as [(String, [UInt8])] {
            try maker.refuse("request, \(name)", "request", ["body": .hex(bytes)], "malformedBody")
        }
        let large: Changes = ["later": .bytes([UInt8](repeating: 0, count: 61_440))]
        try maker.refuse("request, 61,441 bytes and more", "request", body(map(least, large)), "bodyTooLarge")
    }

    private static func asking(_ query: CBORValue, _ maker: inout VectorMaker) throws -> VectorFields {
        try body(
            map([
                "purpose": .text("dpv:IdentityVerification"), "credentials": .array([query]),
                "nonce": .bytes(maker.random(16)),
            ]))
    }

    private static func makeQueries(_ maker: inout VectorMaker) throws {
        let least: [String: CBORValue] = ["type": .text("person"), "claims": .array([])]
        func wanted(_ name: String, _ changes: Changes = [:]) throws -> CBORValue {
            try map(["path": .array([.text(name)])], changes)
        }
        func accept(_ name: String, _ changes: Changes, comment: String? = nil) throws {
            let input = try asking(map(least, changes), &maker)
            try maker.accept("query, \(name)", "request", input, comment: comment)
        }
        func refuse(_ name: String, _ changes: Changes) throws {
            let input = try asking(map(least, changes), &maker)
            try maker.refuse("query, \(name)", "request", input, "malformedBody")
        }
        try accept(
            "with all",
            [
                "claims": .array([
                    wanted("age_over_18", ["value": .bool(true)]), wanted("country", ["value": .text("FR")]),
                    wanted("level", ["value": .integer(.min)]), wanted("name"), wanted("note", ["value": .text("")]),
                ]), "issuers": .array([.text("https://id.example")]), "selfAsserted": .bool(false),
            ])
        try accept("longest texts", ["type": text(512), "issuers": .array([text(512)])])
        try accept("64 claims", ["claims": .array(try (0..<64).map { try wanted("claim\($0)") })])
        try accept("16 issuers", ["issuers": .array((0..<16).map { .text("https://\($0).example") })])
        try accept(
            "names that Unicode takes for the same",
            ["claims": .array([wanted("\u{E9}"), wanted("e\u{301}")])], comment: "They are compared by their bytes.")
        try accept("a key of a later version", ["later": .null], comment: "It is ignored.")
        for name in least.keys.sorted() { try refuse("no \(name)", [name: CBORValue?.none]) }
        for (name, value) in badTexts("type", longest: 512) { try refuse(name, ["type": value]) }
        for (name, value) in badTexts("issuer", longest: 512) { try refuse(name, ["issuers": .array([value])]) }
        try refuse("no issuer", ["issuers": .array([])])
        try refuse("17 issuers", ["issuers": .array((0..<17).map { .text("https://\($0).example") })])
        try refuse("issuers are null", ["issuers": .null])
        try refuse("selfAsserted is null", ["selfAsserted": .null])
        try refuse("selfAsserted is 1", ["selfAsserted": .unsigned(1)])
        try refuse("65 claims", ["claims": .array(try (0..<65).map { try wanted("claim\($0)") })])
        try refuse(
            "a claim asked for twice", ["claims": .array([wanted("a"), wanted("a", ["value": .bool(true)])])])
        let values: [(String, CBORValue)] = [
            ("null", .null), ("bytes", .bytes([1])), ("a number with a fraction", .double(1.5)),
            ("an array", .array([])),
            ("2^63", .unsigned(1 << 63)), ("below -2^63", .negative(1 << 63)), ("a text of 257 bytes", text(257)),
        ]
        for (name, value) in values {
            try refuse("value is \(name)", ["claims": .array([wanted("a", ["value": value])])])
        }
        let numbered = CBORValue.map(
            try CBORMap([
                .init(.unsigned(1), .null), .init(.text("type"), .text("person")), .init(.text("claims"), .array([])),
            ]))
        try maker.refuse("query, an integer key", "request", asking(numbered, &maker), "malformedBody")
    }

    private static func makePaths(_ maker: inout VectorMaker) throws {
        func input(_ steps: CBORValue) throws -> VectorFields {
            try asking(
                map(["type": .text("person"), "claims": .array([map(["path": steps])])]), &maker)
        }
        let steps: [CBORValue] = [
            .text("degrees"), .unsigned(0), .null, .array([.integer(501)]), .array([.integer(-1)]), text(256),
        ]
        try maker.accept("path of every kind of step", "request", input(.array(steps)))
        try maker.accept(
            "path of the largest numbers", "request",
            input(.array([.array([.integer(.min)]), .array([.integer(.max)]), .unsigned(1 << 63 - 1)])))
        try maker.accept("path of 16 steps", "request", input(.array(Array(repeating: .null, count: 16))))
        let refused: [(String, CBORValue)] = [
            ("no step", .array([])), ("17 steps", .array(Array(repeating: .null, count: 17))),
            ("a step of an empty name", .array([.text("")])), ("a step of 257 bytes", .array([text(257)])),
            ("a step with a line break", .array([.text("a\nb")])), ("a place below 0", .array([.integer(-1)])),
            ("a place of 2^63", .array([.unsigned(1 << 63)])), ("true", .array([.bool(true)])),
            ("bytes", .array([.bytes([97])])), ("an array of no number", .array([.array([])])),
            ("an array of two numbers", .array([.array([.unsigned(1), .unsigned(2)])])),
            ("an integer key of 2^63", .array([.array([.unsigned(1 << 63)])])),
            ("an integer key below -2^63", .array([.array([.negative(1 << 63)])])),
            ("an array of a text", .array([.array([.text("a")])])), ("a text", .text("name")),
        ]
        for (name, path) in refused {
            try maker.refuse("path: \(name)", "request", input(path), "malformedBody")
        }
    }

    // MARK: - Presentations

    private static func makePresentations(_ maker: inout VectorMaker) throws {
        let shown: [String: CBORValue] = [
            "query": .unsigned(0), "format": .text("dc+sd-cwt"), "presentation": .bytes(maker.random(40)),
        ]
        func answer(_ presentations: [CBORValue], _ changes: Changes = [:]) throws -> VectorFields {
            try body(map(["request": .unsigned(7), "presentations": .array(presentations)], changes))
        }
        func accept(_ name: String, _ presentations: [Changes], _ changes: Changes = [:]) throws {
            let input = try answer(presentations.map { try map(shown, $0) }, changes)
            try maker.accept("present, \(name)", "present", input)
        }
        func refuse(_ name: String, _ presentations: [Changes], _ changes: Changes = [:]) throws {
            let input = try answer(presentations.map { try map(shown, $0) }, changes)
            try maker.refuse("present, \(name)", "present", input, "malformedBody")
        }
        func bytes(_ count: Int) -> CBORValue { .bytes([UInt8](repeating: 0xA5, count: count)) }
        try accept("one", [[:]])
        try accept(
            "both formats, a status token",
            [["statusToken": .bytes(maker.random(9))], ["query": .unsigned(7), "format": .text("dc+sd-jwt")]])
        try accept("eight", (0..<8).map { ["query": .unsigned($0)] })
        try accept("a refusal", [])
        try accept("a refusal with a reason", [], ["reason": .text("not today")])
        try accept("keys of a later version", [["later": .null]], ["later": .unsigned(1)])
        try accept("the largest numbers", [[:]], ["request": .unsigned(1 << 63 - 1)])
        for name in ["request", "presentations"] { try refuse("no \(name)", [[:]], [name: CBORValue?.none]) }
        for name in shown.keys.sorted() { try refuse("no \(name) of one", [[name: CBORValue?.none]]) }
        try refuse("request 0", [[:]], ["request": .unsigned(0)])
        try refuse("request is a text", [[:]], ["request": .text("7")])
        try refuse("nine", (0..<9).map { ["query": .unsigned($0)] })
        try refuse("query 8", [["query": .unsigned(8)]])
        try refuse("one query twice", [[:], [:]])
        try refuse("queries not in order", [["query": .unsigned(1)], ["query": .unsigned(0)]])
        try refuse("another format", [["format": .text("mso_mdoc")]])
        try refuse("no bytes", [["presentation": .bytes([])]])
        try refuse("49,153 bytes", [["presentation": bytes(49_153)]])
        try refuse("presentation is a text", [["presentation": .text("eyJ")]])
        try refuse("a status token of no bytes", [["statusToken": .bytes([])]])
        try refuse("a status token that is null", [["statusToken": .null]])
        try refuse("a status token of 49,153 bytes", [["statusToken": bytes(49_153)]])
        try refuse("a reason beside what is shown", [[:]], ["reason": .text("why not")])
        for (name, value) in badTexts("reason", longest: 512) { try refuse(name, [], ["reason": value]) }
    }

    // MARK: - Results

    private static func makeResults(_ maker: inout VectorMaker) throws {
        let names = ClaimCheck.Name.allCases.map(\.rawValue)
        /// The checks of so many queries; those of the first may be changed.
        func checks(_ queries: UInt64, _ changes: [String: Changes] = [:]) throws -> [CBORValue] {
            try (0..<queries).flatMap { query in
                try names.map { name in
                    try map(
                        ["query": .unsigned(query), "check": .text(name), "outcome": .text("held")],
                        query == 0 ? changes[name] ?? [:] : [:])
                }
            }
        }
        func input(_ checks: [CBORValue], _ changes: Changes = [:]) throws -> VectorFields {
            try body(
                map(["request": .unsigned(7), "presentation": .unsigned(5), "checks": .array(checks)], changes))
        }
        func refuse(_ name: String, _ checks: [CBORValue], _ changes: Changes = [:]) throws {
            try maker.refuse("result, \(name)", "result", input(checks, changes), "malformedBody")
        }
        try maker.accept("result, all hold", "result", input(checks(1)))
        try maker.accept(
            "result of eight queries", "result", input(checks(8, ["status": ["outcome": .text("absent")]])))
        var skipping = Dictionary(uniqueKeysWithValues: names.map { ($0, ["outcome": .text("skipped")] as Changes) })
        skipping["time"] = ["outcome": .text("failed"), "reason": .text("it has ended")]
        try maker.accept("result, one fails", "result", input(checks(1, skipping)))
        try maker.accept(
            "result, keys of a later version", "result",
            input(checks(1, ["form": ["later": .null]]), ["later": .unsigned(1)]))
        for name in ["request", "presentation", "checks"] {
            try refuse("no \(name)", checks(1), [name: CBORValue?.none])
        }
        for name in ["query", "check", "outcome"] {
            try refuse("no \(name) of a check", checks(1, ["form": [name: CBORValue?.none]]))
        }
        try refuse("request 0", checks(1), ["request": .unsigned(0)])
        try refuse("presentation 0", checks(1), ["presentation": .unsigned(0)])
        try refuse("no checks", [])
        try refuse("nine checks", Array(checks(1).dropLast()))
        try refuse("eleven checks", Array(checks(2).prefix(11)))
        try refuse("nine queries", checks(9))
        var exchanged = try checks(1)
        exchanged.swapAt(0, 1)
        try refuse("checks exchanged", exchanged)
        let two = try checks(2)
        try refuse("queries exchanged", Array(two.dropFirst(10) + two.prefix(10)))
        try refuse("a check of no such name", checks(1, ["form": ["check": .text("shape")]]))
        try refuse("an outcome of no such name", checks(1, ["form": ["outcome": .text("true")]]))
        try refuse("a reason beside what holds", checks(1, ["form": ["reason": .text("because")]]))
        for (name, value) in badTexts("reason", longest: 512) {
            try refuse(name, checks(1, ["form": ["outcome": .text("failed"), "reason": value]]))
        }
    }
}
