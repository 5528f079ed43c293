import HandfastStore
import HandfastTestSupport
import Testing

@testable import HandfastPostgres

/// What opening makes of the tables of another version.
@Suite struct PostgresLayoutTests {
    private let schema = PostgresPlace.newSchema()
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder().made()
    }

    /// Layouts, each with a table that has a row in what ``makeTables(of:)`` leaves.
    private static let current = [
        (PostgresRelayLayout.current, "service"), (PostgresVaultLayout.current, "relationship"),
    ]

    private func makeTables(of layout: PostgresDatabase.Layout) async throws {
        if layout.kind == "relay" {
            let store = try PostgresPlace.relay(schema)
            let queue = QueueOpening(id: try Make.queue(1), kind: .knock)
            _ = try await store.commit([.open(service: Make.service(1), queues: [queue])])
            await store.close()
        } else {
            let store = try await PostgresPlace.newVault(schema, keyFile: folder.file("key"))
            _ = try await store.commit([Make.newRelationship(1)])
            await store.close()
        }
    }

    private static func open(
        _ layout: PostgresDatabase.Layout, then steps: [[String]], in schema: String
    ) async throws {
        let later = PostgresDatabase.Layout(kind: layout.kind, steps: layout.steps + steps)
        let database = try PostgresDatabase(
            PostgresPlace.address(), schema: schema, layout: later, connections: 1, repeating: [])
        await database.close()
    }

    @Test(arguments: [0, 1]) func anEarlierVersionTakesTheStepsThatItLacksOnce(_ index: Int) async throws {
        let (layout, table) = Self.current[index]
        try await makeTables(of: layout)
        let steps = [
            ["ALTER TABLE \(table) ADD COLUMN steps bigint NOT NULL DEFAULT 0", "UPDATE \(table) SET steps = 1"],
            ["UPDATE \(table) SET steps = steps + 10"],
        ]
        // A step that was taken twice would show, or fail.
        try await withThrowingTaskGroup(of: Void.self) { [schema] group in
            for _ in 0..<4 { group.addTask { try await Self.open(layout, then: steps, in: schema) } }
            try await group.waitForAll()
        }
        #expect(try PostgresPlace.query("SELECT steps FROM \(schema).\(table)") == "11")
        #expect(try PostgresPlace.query("SELECT version FROM \(schema).layout") == "\(layout.version + 2)")
        // The version before is now one from the past, and says so.
        let address = try PostgresPlace.address()
        await #expect(throws: StoreError.newerVersion(path: "\(address)")) {
            try await Self.open(layout, then: [], in: schema)
        }
    }

    @Test(arguments: [0, 1]) func aStepThatFailsLeavesTheVersionBefore(_ index: Int) async throws {
        let (layout, table) = Self.current[index]
        try await makeTables(of: layout)
        let steps = [["ALTER TABLE \(table) RENAME TO moved"], ["ALTER TABLE moved RENAME TO more", "SELECT 1 / 0"]]
        await #expect(throws: StoreError.self) { try await Self.open(layout, then: steps, in: schema) }
        #expect(try PostgresPlace.query("SELECT version FROM \(schema).layout") == "\(layout.version + 1)")
        #expect(try PostgresPlace.query("SELECT count(*) FROM \(schema).moved") == "1")
        try await Self.open(layout, then: steps.prefix(1) + [["ALTER TABLE moved RENAME TO more"]], in: schema)
        #expect(try PostgresPlace.query("SELECT count(*) FROM \(schema).more") == "1")
    }

    @Test func newTablesAreOfTheLastVersion() async throws {
        try await Self.open(
            PostgresRelayLayout.current, then: [["ALTER TABLE service RENAME TO moved"]], in: schema)
        let version = try PostgresPlace.query("SELECT version FROM \(schema).layout")
        #expect(version == "\(PostgresRelayLayout.current.version + 1)")
        #expect(try PostgresPlace.query("SELECT count(*) FROM \(schema).moved") == "0")
    }

    @Test(arguments: [0, 1]) func aVersionFromTheFutureIsRefused(_ index: Int) async throws {
        let layout = Self.current[index].0
        try await makeTables(of: layout)
        _ = try PostgresPlace.query("UPDATE \(schema).layout SET version = \(layout.version + 1)")
        let address = try PostgresPlace.address()
        let refusal = StoreError.newerVersion(path: "\(address)")
        if layout.kind == "relay" {
            #expect(throws: refusal) { try PostgresPlace.relay(schema) }
        } else {
            await #expect(throws: refusal) { try await PostgresPlace.vault(schema, keyFile: folder.file("key")) }
        }
        #expect(refusal.description.contains("Use that version"))
    }

    /// Whatever a database spreads rows by stands in every unique key.
    @Test(arguments: [0, 1]) func everyUniqueKeyIncludesTheBucket(_ index: Int) async throws {
        try await makeTables(of: Self.current[index].0)
        let from = """
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'bucket'
            WHERE n.nspname = '\(schema)' AND i.indisunique
            """
        let without = "AND (a.attnum IS NULL OR NOT (i.indkey::int2[] @> ARRAY[a.attnum]))"
        #expect(try PostgresPlace.query("SELECT count(*) \(from) \(without)") == "0")
        #expect(try PostgresPlace.query("SELECT count(DISTINCT c.oid) >= 10 \(from)") == "t")
    }
}
