internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto

/// The tables of a relay. Nothing is sealed: a relay holds only what others have sealed.
///
/// - Source: Spec/08 §8.4
enum RelaySchema {
    static var current: SQLiteFile.Schema {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE service (
                        row INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, acknowledged INTEGER NOT NULL,
                        last INTEGER NOT NULL, queues INTEGER NOT NULL) STRICT;
                    CREATE TABLE queue (
                        row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, service INTEGER NOT NULL,
                        capability BLOB, closed INTEGER, next INTEGER NOT NULL, chain BLOB NOT NULL,
                        messages INTEGER NOT NULL, bytes INTEGER NOT NULL, knocks INTEGER NOT NULL,
                        published INTEGER NOT NULL) STRICT;
                    -- `closed` is NULL, or when the queue was closed.
                    CREATE INDEX queue_closed ON queue (closed) WHERE closed IS NOT NULL;
                    CREATE TABLE admitted (
                        queue INTEGER NOT NULL, knock BLOB NOT NULL, PRIMARY KEY (queue, knock)) STRICT, WITHOUT ROWID;
                    CREATE TABLE hello (
                        queue INTEGER NOT NULL, knock BLOB NOT NULL, hash BLOB NOT NULL,
                        PRIMARY KEY (queue, knock, hash)) STRICT, WITHOUT ROWID;
                    CREATE TABLE bundle (
                        row INTEGER PRIMARY KEY, queue INTEGER NOT NULL, not_before INTEGER NOT NULL,
                        expires INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
                    CREATE INDEX bundle_queue ON bundle (queue);

                    -- What all rows take together, in one row.
                    CREATE TABLE kept (bytes INTEGER NOT NULL) STRICT;
                    INSERT INTO kept VALUES (0);

                    -- Appended in commit order, which is also the order of expiry.
                    CREATE TABLE message (
                        row INTEGER PRIMARY KEY, service INTEGER NOT NULL, position INTEGER NOT NULL,
                        queue INTEGER NOT NULL, time INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
                    CREATE UNIQUE INDEX message_place ON message (service, position);
                    """)
        }
        migrator.registerMigration("2") { database in
            try database.execute(
                sql: """
                    -- What the owner lets come; 0 for the relay's own limit.
                    ALTER TABLE queue ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN rate INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN burst INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN waiting_bytes INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN message_bytes INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN retention INTEGER NOT NULL DEFAULT 0;
                    -- What is used of the rate, in 3,600ths of a message, and as of when.
                    ALTER TABLE queue ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
                    -- What the owner is told about messages that do not come.
                    ALTER TABLE queue ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN refusal INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN noticed INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE queue ADD COLUMN noticed_at INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE notice (
                        service INTEGER NOT NULL, position INTEGER NOT NULL, queue INTEGER NOT NULL,
                        PRIMARY KEY (service, position)) STRICT, WITHOUT ROWID;

                    ALTER TABLE hello ADD COLUMN time INTEGER NOT NULL DEFAULT 0;
                    -- NULL where the relay's retention alone counts, so that only other messages cost an index.
                    ALTER TABLE message ADD COLUMN expires INTEGER;
                    CREATE INDEX message_expires ON message (expires) WHERE expires IS NOT NULL;
                    """)
        }
        migrator.registerMigration("3") { database in
            try database.execute(
                sql: """
                    -- Messages that came together lie in one row, since a row costs more than a message's bytes.
                    -- `position` is that of the last; `ends` holds where each but the last ends in `bytes`, 4 bytes
                    -- big endian. What is long stands last: what stands behind it is slow to reach.
                    CREATE TABLE run (
                        row INTEGER PRIMARY KEY, service INTEGER NOT NULL, position INTEGER NOT NULL,
                        queue INTEGER NOT NULL, time INTEGER NOT NULL, expires INTEGER, count INTEGER NOT NULL,
                        ends BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
                    INSERT INTO run SELECT row, service, position, queue, time, expires, 1, x'', bytes FROM message;
                    DROP TABLE message;
                    CREATE UNIQUE INDEX run_place ON run (service, position);
                    CREATE INDEX run_expires ON run (expires) WHERE expires IS NOT NULL;
                    """)
        }
        migrator.registerMigration("4") { database in
            try database.execute(
                sql: """
                    -- What messages change about queues (`QueueStates`): 56 neighbours in a row, which fills a page, and
                    -- what has changed since, 8 bytes of the queue's row before each state.
                    CREATE TABLE queue_state (page INTEGER PRIMARY KEY, states BLOB NOT NULL) STRICT;
                    CREATE TABLE queue_change (row INTEGER PRIMARY KEY, states BLOB NOT NULL) STRICT;
                    """)
            try moveStates(in: database)
            for column in ["next", "chain", "messages", "bytes", "used", "used_at"] {
                try database.execute(sql: "ALTER TABLE queue DROP COLUMN \(column)")
            }
        }
        migrator.registerMigration("5") { database in
            try database.execute(
                sql: "CREATE INDEX queue_closed_service ON queue (service) WHERE closed IS NOT NULL")
        }
        migrator.registerMigration("6") { database in
            try database.execute(
                sql: """
                    -- What a service and its queues take together, its own row (256) among it, and how many queues are open.
                    ALTER TABLE service ADD COLUMN kept INTEGER NOT NULL DEFAULT 256;
                    ALTER TABLE kept ADD COLUMN queues INTEGER NOT NULL DEFAULT 0;
                    UPDATE service SET kept = service.kept + own.bytes FROM (
                        SELECT service, sum(256 + 512 * knocks + published) AS bytes FROM queue GROUP BY service) AS own
                    WHERE own.service = service.row;
                    UPDATE service SET kept = service.kept + own.bytes FROM (
                        SELECT service, sum(128 * count + length(bytes)) AS bytes FROM run GROUP BY service) AS own
                    WHERE own.service = service.row;
                    UPDATE kept SET queues = (SELECT coalesce(sum(queues), 0) FROM service);
                    """)
        }
        return SQLiteFile.Schema(kind: .relay, migrator: migrator)
    }

    private static func moveStates(in database: Database) throws {
        let rows = try database.rows("SELECT row, next, chain, messages, bytes, used, used_at FROM queue ORDER BY row")
        let states = QueueStates()
        while let row = try rows.next() {
            guard let chain = try? FixedBytes<32>(copying: row.bytes(2, of: "queue")) else {
                throw StoreError.corrupted("table queue, row \(try row.number(0, of: "queue"))")
            }
            var state = QueueState()
            (state.next, state.chain) = (try row.count(1, of: "queue"), Digest(chain))
            state.messages = Int(try row.number(3, of: "queue"))
            state.bytes = Int(try row.number(4, of: "queue"))
            state.bucket = TokenBucket(
                used: Int(try row.number(5, of: "queue")), time: Timestamp(seconds: try row.count(6, of: "queue")))
            states.set(state, ofQueue: try row.number(0, of: "queue"))
        }
        try states.write(to: database)
    }
}
