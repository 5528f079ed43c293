internal import HandfastStore

/// The tables of a vault, sealed as in the other engine, in the buckets of what they belong to.
///
/// - Source: Spec/08 §8.5
enum PostgresVaultLayout {
    /// The tables whose rows are sealed for one vault.
    static let tables =
        [
            "relationship", "channel", "auxiliary", "resume", "entry", "outbox", "confirmed", "cursor", "tended",
            "event",
            "request",
        ] + SealedTable.all.map(\.name)

    static let current = PostgresDatabase.Layout(kind: "vault", steps: [first])

    private static let first =
        [
            """
            CREATE TABLE vault (
                bucket smallint NOT NULL, row bigint NOT NULL, method bigint NOT NULL, memory bigint, passes bigint,
                salt bytea, wrapped bytea NOT NULL, digest bytea NOT NULL, PRIMARY KEY (bucket, row))
            """,
            // Whoever has locked this row commits: it holds the last event and row number, and who has the vault.
            """
            CREATE TABLE feed (
                bucket smallint NOT NULL, row bigint NOT NULL, last bigint NOT NULL, rows bigint NOT NULL,
                term bigint NOT NULL, holder text NOT NULL, until bigint NOT NULL,
                PRIMARY KEY (bucket, row)) WITH (fillfactor = 50)
            """,
            "INSERT INTO feed (bucket, row, last, rows, term, holder, until) VALUES (0, 1, 0, 0, 0, '', 0)",
            """
            CREATE TABLE relationship (
                bucket smallint NOT NULL, name bytea NOT NULL, row bigint NOT NULL, version bigint NOT NULL,
                timed boolean NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (bucket, name))
            """,
            "CREATE INDEX relationship_row ON relationship (row)",
            "CREATE INDEX relationship_timed ON relationship (row) WHERE timed",
            // The hot row of a relationship: no column but its key is indexed.
            """
            CREATE TABLE channel (
                bucket smallint NOT NULL, relationship bigint NOT NULL, version bigint NOT NULL, written bigint NOT NULL,
                sealed bytea, PRIMARY KEY (bucket, relationship)) WITH (fillfactor = 70)
            """,
            """
            CREATE TABLE auxiliary (
                bucket smallint NOT NULL, relationship bigint NOT NULL, version bigint NOT NULL, sealed bytea NOT NULL,
                PRIMARY KEY (bucket, relationship)) WITH (fillfactor = 70)
            """,
            """
            CREATE TABLE resume (
                bucket smallint NOT NULL, relationship bigint NOT NULL, version bigint NOT NULL, sealed bytea NOT NULL,
                PRIMARY KEY (bucket, relationship))
            """,
            """
            CREATE TABLE entry (
                bucket smallint NOT NULL, relationship bigint NOT NULL, direction bigint NOT NULL,
                sequence bigint NOT NULL, version bigint NOT NULL, sealed bytea NOT NULL,
                PRIMARY KEY (bucket, relationship, direction, sequence))
            """,
            """
            CREATE TABLE outbox (
                bucket smallint NOT NULL, relationship bigint NOT NULL, queue bytea NOT NULL, number bigint NOT NULL,
                sealed bytea NOT NULL, PRIMARY KEY (bucket, relationship, queue, number))
            """,
            "CREATE INDEX outbox_relationship ON outbox (relationship)",
            """
            CREATE TABLE confirmed (
                bucket smallint NOT NULL, relationship bigint NOT NULL, queue bytea NOT NULL, version bigint NOT NULL,
                sealed bytea NOT NULL, PRIMARY KEY (bucket, relationship, queue)) WITH (fillfactor = 70)
            """,
            """
            CREATE TABLE cursor (
                bucket smallint NOT NULL, name bytea NOT NULL, position bigint NOT NULL,
                PRIMARY KEY (bucket, name)) WITH (fillfactor = 50)
            """,
            """
            CREATE TABLE tended (
                bucket smallint NOT NULL, name bytea NOT NULL, row bigint NOT NULL, service bytea NOT NULL,
                PRIMARY KEY (bucket, name))
            """,
            "CREATE INDEX tended_service ON tended (service, row)",
            """
            CREATE TABLE event (
                bucket smallint NOT NULL, position bigint NOT NULL, sealed bytea NOT NULL,
                PRIMARY KEY (bucket, position))
            """,
            // What processes that stand by pass on: begun by a term, or 0 while nobody has.
            """
            CREATE TABLE request (
                bucket smallint NOT NULL, row bigint NOT NULL, begun bigint NOT NULL, until bigint NOT NULL,
                sealed bytea NOT NULL, reply bytea, PRIMARY KEY (bucket, row)) WITH (fillfactor = 50)
            """,
        ] + SealedTable.all.flatMap(\.statements)
}
