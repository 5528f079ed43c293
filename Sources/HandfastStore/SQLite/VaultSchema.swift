internal import GRDB

/// The tables of a vault.
///
/// - Source: Spec/08 §8.2
enum VaultSchema {
    static var current: SQLiteFile.Schema {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE vault (
                        row INTEGER PRIMARY KEY CHECK (row = 1), method INTEGER NOT NULL, memory INTEGER,
                        passes INTEGER, salt BLOB, wrapped BLOB NOT NULL, digest BLOB NOT NULL) STRICT;

                    CREATE TABLE relationship (
                        row INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, version INTEGER NOT NULL,
                        sealed BLOB NOT NULL) STRICT;
                    -- The hot row of a relationship: its version for compare-and-swap, and its channel.
                    CREATE TABLE channel (
                        relationship INTEGER PRIMARY KEY, version INTEGER NOT NULL, written INTEGER NOT NULL,
                        sealed BLOB) STRICT;
                    CREATE TABLE auxiliary (
                        relationship INTEGER PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;

                    -- Appended in commit order; the index finds a record by its place in the ledger.
                    CREATE TABLE entry (
                        row INTEGER PRIMARY KEY, relationship INTEGER NOT NULL, direction INTEGER NOT NULL,
                        sequence INTEGER NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
                    CREATE UNIQUE INDEX entry_place ON entry (relationship, direction, sequence);

                    CREATE TABLE outbox (
                        row INTEGER PRIMARY KEY, relationship INTEGER NOT NULL, queue BLOB NOT NULL,
                        number INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
                    CREATE UNIQUE INDEX outbox_place ON outbox (relationship, queue, number);
                    -- What a relay has confirmed, so that a rollback on either side shows.
                    CREATE TABLE confirmed (
                        relationship INTEGER NOT NULL, queue BLOB NOT NULL, version INTEGER NOT NULL,
                        sealed BLOB NOT NULL, PRIMARY KEY (relationship, queue)) STRICT, WITHOUT ROWID;

                    CREATE TABLE cursor (
                        name BLOB PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

                    -- The queues for which a service has something to do at the relay; most have no row here.
                    CREATE TABLE tended (queue INTEGER PRIMARY KEY, service BLOB NOT NULL) STRICT;
                    CREATE INDEX tended_service ON tended (service);

                    CREATE TABLE event (position INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
                    CREATE TABLE feed (
                        row INTEGER PRIMARY KEY CHECK (row = 1), last INTEGER NOT NULL) STRICT;
                    INSERT INTO feed (row, last) VALUES (1, 0);
                    """)
            for table in SealedTable.first { try table.create(in: database) }
        }
        migrator.registerMigration("2") { database in
            try database.execute(
                sql: """
                    -- The secrets from which later epochs of a channel resume; written when one begins.
                    CREATE TABLE resume (
                        relationship INTEGER PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
                    """)
        }
        migrator.registerMigration("3") { database in
            for table in [SealedTable.transfer, .endedTransfer] { try table.create(in: database) }
        }
        migrator.registerMigration("4") { database in
            try database.execute(
                sql: """
                    -- What was stored before is sealed here: all of it counts as timed, until its next step tells.
                    ALTER TABLE relationship ADD COLUMN timed INTEGER NOT NULL DEFAULT 1;
                    CREATE INDEX relationship_timed ON relationship (row) WHERE timed;
                    """)
        }
        migrator.registerMigration("5") { database in
            for table in [WalletTable.credential, .copy, .request, .answer, .rule, .status] {
                try SealedTable.wallet(table).create(in: database)
            }
        }
        migrator.registerMigration("6") { database in
            try SealedTable.wallet(.anonymous).create(in: database)
        }
        migrator.registerMigration("7") { database in
            try SealedTable.wallet(.issuer).create(in: database)
        }
        migrator.registerMigration("8") { database in
            try SealedTable.wallet(.recovery).create(in: database)
        }
        return SQLiteFile.Schema(kind: .vault, migrator: migrator)
    }
}
