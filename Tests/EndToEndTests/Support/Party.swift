import Foundation
import Testing

/// One party: a vault, and the commands that its owner gives.
struct Party: Sendable {
    let name: String
    let vault: String
    let scene: Scene
    var environment: [String: String] = [:]

    /// What `show` tells.
    struct Relationship: Decodable, Sendable {
        let id: String
        let state: String
        let label: String?
        let name: String?
        let words: String?
        let ownRecords: UInt64
        let peerRecords: UInt64
        let epoch: UInt64
        let isRejoining: Bool
        let waiting: Int
        let trouble: String?
        let heldBack: String?
        let heldBackSince: UInt64?
        let receiving: [Receiving]
        let receivesAt: [String]
        let sendsTo: [String]
        let sendingTo: Int
        let moving: String?
        let notice: String?
        let ownIdentity: String
    }

    /// How far a node has come in receiving from one relay.
    struct Receiving: Decodable, Sendable {
        let relay: String
        let isConnected: Bool
        let disconnectedSince: UInt64?
        let behind: UInt64
    }

    /// What `read` tells.
    struct History: Decodable, Sendable {
        struct Entry: Decodable, Sendable {
            let sender: String
            let sequence: UInt64
            let type: String
            let text: String?
        }
        let entries: [Entry]
    }

    /// What `send` tells.
    struct Sent: Decodable, Sendable {
        let sequences: [UInt64]
        let isRepeat: Bool
        let waiting: Int
        let notice: String?
    }

    /// Runs a command, however it ends.
    func run(_ arguments: [String], input: String = "", environment more: [String: String] = [:]) async throws
        -> Tool.Result
    {
        try await Tool.run(
            ["--vault", vault] + arguments, in: scene, input: input, environment: environment.merging(more) { $1 })
    }

    /// Runs a command that has to succeed.
    @discardableResult
    func done(_ arguments: [String], input: String = "") async throws -> Tool.Result {
        let result = try await run(arguments, input: input)
        guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: arguments, result: result) }
        return result
    }

    /// The JSON document of a command that has to succeed.
    func ask<T: Decodable>(_ type: T.Type = T.self, _ arguments: String...) async throws -> T {
        try await done(arguments + ["--json"]).json(type)
    }

    /// Starts the node of the vault.
    func startNode(environment more: [String: String] = [:]) async throws -> Daemon {
        try await scene.start(
            ["--vault", vault, "node", "run"], environment: environment.merging(more) { $1 })
    }

    /// Starts the node; where a command has the vault just then, again.
    func startNodeOnceFree() async throws -> Daemon {
        while true {
            do {
                return try await startNode()
            } catch let error as Daemon.DidNotStart where error.status == 75 {}
        }
    }

    /// The same vault, which is in a database, from another folder, as on another machine.
    func elsewhere(_ folder: String) throws -> Party {
        let place = Party(name: name, vault: "\(scene.folder)/\(folder)", scene: scene, environment: environment)
        try FileManager.default.createDirectory(atPath: place.vault, withIntermediateDirectories: false)
        for file in ["vault.key", "config.json"] {
            try FileManager.default.copyItem(atPath: "\(vault)/\(file)", toPath: "\(place.vault)/\(file)")
        }
        return place
    }

    /// An invitation.
    func invite(label: String) async throws -> String {
        struct Invitation: Decodable { let uri: String }
        return try await ask(Invitation.self, "invite", "--label", label).uri
    }

    /// One relationship.
    func show(_ name: String) async throws -> Relationship { try await ask(Relationship.self, "show", name) }

    /// What has to come did not come.
    struct NeverCame: Error, CustomStringConvertible {
        let description: String
    }

    /// How long a state may take to come; all of them come in a fraction of it, unless the machine is busy.
    static let patience = Duration.seconds(60)

    /// Asks again until the answer is there.
    @discardableResult
    static func until<Answer>(_ what: String, _ ask: () async throws -> Answer?) async throws -> Answer {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            if let answer = try await ask() { return answer }
            try await Task.sleep(for: .milliseconds(30))
        }
        throw NeverCame(description: what)
    }

    /// Waits until a relationship is as it has to be.
    @discardableResult
    func wait(_ name: String, until isTrue: (Relationship) -> Bool) async throws -> Relationship {
        try await Self.until("\(self.name)'s relationship \(name) did not become as expected") {
            let result = try await run(["show", name, "--json"])
            if result.status == 0 {
                let relationship = try result.json(Relationship.self)
                if isTrue(relationship) { return relationship }
            }
            return nil
        }
    }

    /// The texts that one side wrote: `own` or `peer`.
    func texts(_ name: String, from side: String) async throws -> [String] {
        try await ask(History.self, "read", name, "--from", side, "--wait", "0").entries.compactMap(\.text)
    }

    /// Waits until so many texts of the other side are there.
    func texts(_ name: String, count: Int) async throws -> [String] {
        try await Self.until("\(self.name) did not get \(count) texts") {
            let texts = try await texts(name, from: "peer")
            return texts.count >= count ? texts : nil
        }
    }

    /// An event, as `watch` tells it.
    struct Event: Decodable, Sendable {
        struct Detail: Decodable, Sendable {
            let text: String?
            let reason: String?
        }
        let kind: String
        let detail: Detail
    }

    /// Waits for the first event of a kind, of all that there ever were.
    func event(_ kind: String) async throws -> Event {
        let watch = try await scene.start(
            ["--vault", vault, "watch", "--after", "0", "--json"], environment: environment)
        let event = try await Self.until("\(name) was not told of \(kind)") {
            watch.output.split(separator: "\n").compactMap { line in
                try? JSONDecoder().decode(Event.self, from: Data(line.utf8))
            }.first { $0.kind == kind }
        }
        await watch.stop()
        return event
    }

    /// Waits until the owner, whose node runs, is shown that another is at work on a copy of the vault.
    func isShownTheCopy() async throws {
        _ = try await event("vault.copy-at-work")
        let doctor = try await run(["doctor"])
        #expect(doctor.status == 1 && doctor.output.contains("another node is at work on a copy"), "\(doctor)")
    }

    /// The ledger of a relationship in a new file.
    func export(_ name: String) async throws -> String {
        let file = scene.newFile("ledger")
        try await done(["ledger", "export", name, file])
        return file
    }
}

/// Two parties at one relay, both online, with a relationship that is live on both sides.
struct Couple {
    let relay: Daemon
    let relayAddress: String
    let shop: Party
    let ann: Party
    var shopNode: Daemon
    var annNode: Daemon

    init(in scene: Scene) async throws {
        (relay, relayAddress) = try await scene.startRelay()
        shop = try await scene.makeParty("Shop", relay: relayAddress, options: ["--public", "shop.example"])
        ann = try await scene.makeParty("Ann", relay: relayAddress)
        shopNode = try await shop.startNode()
        annNode = try await ann.startNode()
        try await ann.done(["accept", try await shop.invite(label: "Ann"), "--label", "Shop", "--unasked-domain"])
        try await ann.wait("Shop") { $0.state == "live" }
        try await shop.wait("Ann") { $0.state == "live" }
    }
}
