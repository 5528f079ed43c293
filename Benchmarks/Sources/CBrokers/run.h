// One publisher and one consumer, each on a thread of its own, as every protocol needs them.
#ifndef RUN_H
#define RUN_H

#include "CBrokers.h"
#include "connection.h"

/// How to speak a protocol.
typedef struct {
    /// Puts one message.
    void (*put_message)(connection *c, uint64_t number, size_t size);
    /// Takes the confirmations that have come whole; how many, or -1.
    long (*take_confirmations)(connection *c);
    bool (*open_publisher)(connection *c, int port);
    bool (*open_consumer)(connection *c, int port);
    /// Asks for messages before the first come.
    void (*ask)(connection *c);
    /// Takes the messages that have come whole, puts their acknowledgements, and asks for more; how many, or -1.
    long (*take_messages)(connection *c, size_t size);
    /// Waits until the server has done what the acknowledgements ask for.
    bool (*finish_consumer)(connection *c);
} broker_protocol;

broker_run run_broker(
    const broker_protocol *protocol, int port, broker_work work, size_t count, size_t size, size_t window,
    uint64_t *rounds);

#endif
