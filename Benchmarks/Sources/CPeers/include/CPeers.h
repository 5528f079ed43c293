// What the benchmarks need from C: two other protocols with one face, a clock and a count of the heap.
#ifndef C_PEERS_H
#define C_PEERS_H

#include <stddef.h>
#include <stdint.h>

/// Processor time of the calling thread in nanoseconds: other processes do not count.
uint64_t cpu_nanoseconds(void);

/// Heap allocations of the whole process since its start, by malloc and its relatives.
uint64_t heap_allocations(void);

/// Both ends, 0 and 1, of one established session of a peer.
typedef struct peer_session peer_session;

/// Sets up a session until either end sends ordinary messages; NULL on failure.
peer_session *olm_peer_create(void);
peer_session *signal_peer_create(void);

/// The same with the fastest cipher and hash that OpenSSL has, through its low-level functions.
peer_session *signal_peer_create_tuned(void);

/// Seals `count` bytes at an end; gives the size of the message, or -1.
typedef ptrdiff_t peer_seal(
    peer_session *session, int from, const uint8_t *plaintext, size_t count, uint8_t *message, size_t capacity);
peer_seal olm_peer_seal, signal_peer_seal;

/// Opens a message at an end, overwriting it; gives the size of the plaintext, or -1.
typedef ptrdiff_t peer_open(
    peer_session *session, int at, uint8_t *message, size_t count, uint8_t *plaintext, size_t capacity);
peer_open olm_peer_open, signal_peer_open;

#endif
