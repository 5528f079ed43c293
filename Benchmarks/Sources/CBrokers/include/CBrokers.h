// Clients of other brokers, and a bare database, with one face: as lean as they can be made, so that what is measured
// is the server.
#ifndef C_BROKERS_H
#define C_BROKERS_H

#include <stddef.h>
#include <stdint.h>

/// What a run came to.
typedef struct {
    /// Elapsed time in nanoseconds; 0 when the run failed.
    uint64_t elapsed;
    /// Processor time of the clients alone, in nanoseconds.
    uint64_t clients;
} broker_run;

/// What to do with messages of `size` bytes: store so many, drain so many that are stored, or both at once; `round`
/// sends one, and the next once it was confirmed and received.
typedef enum { broker_store, broker_drain, broker_stream, broker_round } broker_work;

/// Runs on the server at a port of 127.0.0.1, with at most `window` messages unconfirmed.
/// - `rounds` has room for the time of each message in nanoseconds where the work is `round`.
typedef broker_run broker_client(
    int port, broker_work work, size_t count, size_t size, size_t window, uint64_t *rounds);

/// Redis streams: XADD, XREADGROUP, XACK and XDEL.
broker_client redis_client;

/// MQTT 3.1.1 with QoS 1 and a persistent session of the subscriber.
broker_client mqtt_client;

/// SQLite at a path, write-ahead log, synchronous FULL: a table of messages with an index on their positions. `batch`
/// messages are inserted, or read and deleted, in a transaction of their own; a stream does both in turns, and a round
/// is a batch of one.
broker_run bare_database(const char *path, broker_work work, size_t count, size_t size, size_t batch, uint64_t *rounds);

/// What a node must write for messages that it receives, in SQLite as ``bare_database`` sets it up: a row of `record`
/// bytes in a ledger with an index on its places, where that is not 0, and a row of `event` bytes in a feed for each
/// message; for each `batch` of them a cursor and two rows of state, 600 bytes each.
broker_run bare_vault(const char *path, size_t count, size_t record, size_t event, size_t batch);

/// Listens on loopback. The descriptor, or -1.
int listen_on_any_port(int *port);

/// The first message of the first client, and nothing after it; closes both. Its size, or 0.
size_t first_message(int listening, uint8_t *bytes, size_t capacity);

/// Lets strangers come to a port of this machine, one after the other, one each `interval` nanoseconds or, where that
/// takes longer, as fast as they can. Each says `first`, reads the answer and goes.
void let_strangers_come(int port, const uint8_t *first, size_t size, int count, int interval);

#endif
