// A connection to a server on this machine, with what has come by it and is not read yet.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int descriptor;
    uint8_t *input, *output;
    size_t start, end, inputCapacity;
    size_t outputCount, outputCapacity;
    bool failed;
} connection;

uint64_t elapsed_nanoseconds(void);
uint64_t thread_nanoseconds(void);

bool open_connection(connection *c, int port);
void close_connection(connection *c);

/// Appends to what is to be sent.
void put_bytes(connection *c, const void *bytes, size_t count);

/// Sends everything that was put. Reads meanwhile what comes, so that neither end waits for the other.
void send_all(connection *c);

/// Reads at least one more byte.
bool receive_more(connection *c);

/// What is read and not taken.
static inline const uint8_t *unread(const connection *c) { return c->input + c->start; }
static inline size_t unread_count(const connection *c) { return c->end - c->start; }

#endif
