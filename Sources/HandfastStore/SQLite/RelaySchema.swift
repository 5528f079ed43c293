internal import GRDB

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
        return SQLiteFile.Schema(kind: .relay, migrator: migrator)
    }
}
