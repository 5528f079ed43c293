#define _GNU_SOURCE
#include "CBrokers.h"
#include "connection.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    sqlite3 *database;
    sqlite3_stmt *begin, *commit, *insert, *read, *delete;
    int64_t last, acknowledged;
    size_t size;
    uint8_t *content;
    bool failed;
} table;

static void step(table *t, sqlite3_stmt *statement) {
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {}
    if (result != SQLITE_DONE) t->failed = true;
    sqlite3_reset(statement);
}

static void run(table *t, const char *sql) {
    if (sqlite3_exec(t->database, sql, NULL, NULL, NULL) != SQLITE_OK) t->failed = true;
}

static sqlite3_stmt *prepared(table *t, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(t->database, sql, -1, &statement, NULL) != SQLITE_OK) t->failed = true;
    return statement;
}

static void insert(table *t, size_t count) {
    step(t, t->begin);
    for (size_t index = 0; index < count; index++) {
        sqlite3_bind_int64(t->insert, 1, ++t->last);
        sqlite3_bind_blob(t->insert, 2, t->content, (int)t->size, SQLITE_STATIC);
        step(t, t->insert);
    }
    step(t, t->commit);
}

static void take(table *t, size_t count) {
    step(t, t->begin);
    sqlite3_bind_int64(t->read, 1, t->acknowledged);
    sqlite3_bind_int64(t->read, 2, (int64_t)count);
    size_t seen = 0;
    while (sqlite3_step(t->read) == SQLITE_ROW) {
        memcpy(t->content, sqlite3_column_blob(t->read, 1), t->size);
        seen++;
    }
    sqlite3_reset(t->read);
    if (seen != count) t->failed = true;
    t->acknowledged += (int64_t)count;
    sqlite3_bind_int64(t->delete, 1, t->acknowledged);
    step(t, t->delete);
    step(t, t->commit);
}

broker_run bare_database(const char *path, broker_work work, size_t count, size_t size, size_t batch, uint64_t *rounds) {
    table t = {.size = size, .content = calloc(1, size)};
    if (sqlite3_open(path, &t.database) != SQLITE_OK) t.failed = true;
    run(&t, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;"
            "CREATE TABLE IF NOT EXISTS message (row INTEGER PRIMARY KEY, service INTEGER NOT NULL,"
            " position INTEGER NOT NULL, queue INTEGER NOT NULL, time INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;"
            "CREATE UNIQUE INDEX IF NOT EXISTS place ON message (service, position);");
    t.begin = prepared(&t, "BEGIN IMMEDIATE");
    t.commit = prepared(&t, "COMMIT");
    t.insert = prepared(&t, "INSERT INTO message (service, position, queue, time, bytes) VALUES (1, ?, 1, 1, ?)");
    t.read = prepared(
        &t, "SELECT position, bytes FROM message WHERE service = 1 AND position > ? ORDER BY position LIMIT ?");
    t.delete = prepared(&t, "DELETE FROM message WHERE service = 1 AND position <= ?");
    // What a run before left is where this one begins.
    sqlite3_stmt *waiting = prepared(&t, "SELECT min(position), max(position) FROM message");
    if (!t.failed && sqlite3_step(waiting) == SQLITE_ROW && sqlite3_column_type(waiting, 0) != SQLITE_NULL) {
        t.acknowledged = sqlite3_column_int64(waiting, 0) - 1;
        t.last = sqlite3_column_int64(waiting, 1);
    }
    sqlite3_finalize(waiting);
    uint64_t start = elapsed_nanoseconds(), before = thread_nanoseconds();
    size_t done = 0;
    if (work == broker_round) batch = 1;
    while (!t.failed && done < count) {
        size_t now = batch < count - done ? batch : count - done;
        uint64_t moment = elapsed_nanoseconds();
        if (work != broker_drain) insert(&t, now);
        if (work == broker_round) rounds[done] = elapsed_nanoseconds() - moment;
        if (work != broker_store) take(&t, now);
        done += now;
    }
    broker_run result = {t.failed ? 0 : elapsed_nanoseconds() - start, thread_nanoseconds() - before};
    sqlite3_finalize(t.begin);
    sqlite3_finalize(t.commit);
    sqlite3_finalize(t.insert);
    sqlite3_finalize(t.read);
    sqlite3_finalize(t.delete);
    sqlite3_close(t.database);
    free(t.content);
    return result;
}

broker_run bare_vault(const char *path, size_t count, size_t record, size_t event, size_t batch) {
    const size_t state = 600;
    table t = {.content = calloc(1, record + event + state)};
    if (sqlite3_open(path, &t.database) != SQLITE_OK) t.failed = true;
    run(&t, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
            "CREATE TABLE IF NOT EXISTS entry (row INTEGER PRIMARY KEY, relationship INTEGER NOT NULL,"
            " direction INTEGER NOT NULL, sequence INTEGER NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;"
            "CREATE UNIQUE INDEX IF NOT EXISTS place ON entry (relationship, direction, sequence);"
            "CREATE TABLE IF NOT EXISTS event (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
            "CREATE TABLE IF NOT EXISTS state (row INTEGER PRIMARY KEY, version INTEGER, bytes BLOB) STRICT;"
            "INSERT OR IGNORE INTO state (row) VALUES (1), (2), (3);");
    t.begin = prepared(&t, "BEGIN IMMEDIATE");
    t.commit = prepared(&t, "COMMIT");
    t.insert = prepared(
        &t, "INSERT INTO entry (relationship, direction, sequence, version, bytes) VALUES (1, 0, ?, 0, ?)");
    sqlite3_stmt *tell = prepared(&t, "INSERT INTO event (position, bytes) VALUES (?, ?)");
    sqlite3_stmt *update = prepared(&t, "UPDATE state SET version = ?, bytes = ? WHERE row = ?");
    sqlite3_stmt *last = prepared(&t, "SELECT max(position) FROM event");
    if (!t.failed && sqlite3_step(last) == SQLITE_ROW) t.last = sqlite3_column_int64(last, 0);
    sqlite3_finalize(last);
    uint64_t start = elapsed_nanoseconds(), before = thread_nanoseconds();
    for (size_t done = 0; !t.failed && done < count;) {
        size_t now = batch < count - done ? batch : count - done;
        step(&t, t.begin);
        for (size_t index = 0; index < now; index++) {
            t.last++;
            if (record > 0) {
                sqlite3_bind_int64(t.insert, 1, t.last);
                sqlite3_bind_blob(t.insert, 2, t.content, (int)record, SQLITE_STATIC);
                step(&t, t.insert);
            }
            sqlite3_bind_int64(tell, 1, t.last);
            sqlite3_bind_blob(tell, 2, t.content, (int)event, SQLITE_STATIC);
            step(&t, tell);
        }
        for (int row = 1; row <= 3; row++) {
            sqlite3_bind_int64(update, 1, t.last);
            sqlite3_bind_blob(update, 2, t.content, row == 1 ? 8 : (int)state, SQLITE_STATIC);
            sqlite3_bind_int64(update, 3, row);
            step(&t, update);
        }
        step(&t, t.commit);
        done += now;
    }
    broker_run result = {t.failed ? 0 : elapsed_nanoseconds() - start, thread_nanoseconds() - before};
    sqlite3_finalize(t.begin);
    sqlite3_finalize(t.commit);
    sqlite3_finalize(t.insert);
    sqlite3_finalize(tell);
    sqlite3_finalize(update);
    sqlite3_close(t.database);
    free(t.content);
    return result;
}
