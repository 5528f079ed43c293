/// The tables of a relay, laid out so that they can be spread over machines.
///
/// Every table begins with `bucket`, which every unique key includes: 12 bits of the service's key under 2 bits of
/// epoch. A service, its queues and their messages have the same one, so that a batch of one service stays in one place;
/// `place` alone is spread by the queue's name. Numbers come from the rows themselves: there is no sequence.
///
/// - Source: Spec/08 §8.5
enum PostgresRelayLayout {
    static let current = PostgresDatabase.Layout(kind: "relay", steps: [first, second])

    private static let first = [
        // Whoever has locked a service's row may change everything that belongs to it, and nobody else may.
        """
        CREATE TABLE service (
            bucket smallint NOT NULL, row bigint NOT NULL, key bytea NOT NULL, acknowledged bigint NOT NULL,
            last bigint NOT NULL, queues bigint NOT NULL,
            PRIMARY KEY (bucket, row), UNIQUE (bucket, key)) WITH (fillfactor = 70)
        """,
        // No column that a message changes is indexed, and the page has room for the next version of the row.
        """
        CREATE TABLE queue (
            bucket smallint NOT NULL, row bigint NOT NULL, id bytea NOT NULL, service bigint NOT NULL,
            capability bytea, closed bigint, next bigint NOT NULL, chain bytea NOT NULL, messages bigint NOT NULL,
            bytes bigint NOT NULL, knocks bigint NOT NULL, published bigint NOT NULL, used bigint NOT NULL,
            used_at bigint NOT NULL, paused boolean NOT NULL, rate bigint NOT NULL, burst bigint NOT NULL,
            waiting_bytes bigint NOT NULL, message_bytes bigint NOT NULL, retention bigint NOT NULL,
            expired bigint NOT NULL, refusal bigint NOT NULL, noticed bigint NOT NULL, noticed_at bigint NOT NULL,
            PRIMARY KEY (bucket, row)) WITH (fillfactor = 70)
        """,
        "CREATE INDEX queue_closed ON queue (closed) WHERE closed IS NOT NULL",
        "CREATE INDEX queue_closed_service ON queue (bucket, service) WHERE closed IS NOT NULL",
        // Where a queue is; written when it is opened, and never changed.
        """
        CREATE TABLE place (
            bucket smallint NOT NULL, id bytea NOT NULL, queue bigint NOT NULL, service bigint NOT NULL,
            PRIMARY KEY (bucket, id))
        """,
        """
        CREATE TABLE message (
            bucket smallint NOT NULL, service bigint NOT NULL, position bigint NOT NULL, queue bigint NOT NULL,
            time bigint NOT NULL, expires bigint, size bigint NOT NULL, bytes bytea NOT NULL,
            PRIMARY KEY (bucket, service, position))
        """,
        "CREATE INDEX message_time ON message (time)",
        "CREATE INDEX message_expires ON message (expires) WHERE expires IS NOT NULL",
        """
        CREATE TABLE notice (
            bucket smallint NOT NULL, service bigint NOT NULL, position bigint NOT NULL, queue bigint NOT NULL,
            PRIMARY KEY (bucket, service, position))
        """,
        """
        CREATE TABLE admitted (
            bucket smallint NOT NULL, queue bigint NOT NULL, knock bytea NOT NULL,
            PRIMARY KEY (bucket, queue, knock))
        """,
        """
        CREATE TABLE hello (
            bucket smallint NOT NULL, queue bigint NOT NULL, knock bytea NOT NULL, hash bytea NOT NULL,
            time bigint NOT NULL, PRIMARY KEY (bucket, queue, knock, hash))
        """,
        """
        CREATE TABLE bundle (
            bucket smallint NOT NULL, queue bigint NOT NULL, number bigint NOT NULL, not_before bigint NOT NULL,
            expires bigint NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (bucket, queue, number))
        """,
    ]

    private static let second = [
        // What a service and its queues take together, its own row (256) among it.
        "ALTER TABLE service ADD COLUMN kept bigint NOT NULL DEFAULT 256",
        """
        UPDATE service SET kept = service.kept + own.size FROM (
            SELECT bucket, service, sum(256 + bytes + 128 * messages + 512 * knocks + published)::bigint AS size
            FROM queue GROUP BY bucket, service) own
        WHERE own.bucket = service.bucket AND own.service = service.row
        """,
        // How many queues are open, in parts, so that those who open some seldom wait for each other.
        """
        CREATE TABLE opened (
            bucket smallint NOT NULL, part bigint NOT NULL, queues bigint NOT NULL, PRIMARY KEY (bucket, part))
        WITH (fillfactor = 50)
        """,
        "INSERT INTO opened (bucket, part, queues) SELECT 0, 0, coalesce(sum(queues), 0)::bigint FROM service",
    ]
}
