#define _GNU_SOURCE
#include "run.h"

#include <pthread.h>

typedef struct {
    const broker_protocol *protocol;
    connection connection;
    size_t count, size, window;
    uint64_t processor;
    bool succeeded;
} side;

static void *publish(void *argument) {
    side *s = argument;
    size_t sent = 0, confirmed = 0;
    while (confirmed < s->count && !s->connection.failed) {
        while (sent < s->count && sent - confirmed < s->window) s->protocol->put_message(&s->connection, sent++, s->size);
        send_all(&s->connection);
        if (!receive_more(&s->connection)) break;
        long taken = s->protocol->take_confirmations(&s->connection);
        if (taken < 0) break;
        confirmed += (size_t)taken;
    }
    s->succeeded = confirmed == s->count;
    s->processor = thread_nanoseconds();
    return NULL;
}

static void *consume(void *argument) {
    side *s = argument;
    size_t received = 0;
    s->protocol->ask(&s->connection);
    send_all(&s->connection);
    while (received < s->count) {
        long taken = s->protocol->take_messages(&s->connection, s->size);
        if (taken < 0 || (taken == 0 && !receive_more(&s->connection))) break;
        received += (size_t)taken;
        send_all(&s->connection);
    }
    s->succeeded = received == s->count && s->protocol->finish_consumer(&s->connection);
    s->processor = thread_nanoseconds();
    return NULL;
}

/// One message at a time, both ends on this thread.
static bool carry_one_by_one(side *publisher, side *consumer, uint64_t *rounds) {
    const broker_protocol *protocol = publisher->protocol;
    connection *out = &publisher->connection, *in = &consumer->connection;
    protocol->ask(in);
    send_all(in);
    for (size_t index = 0; index < publisher->count; index++) {
        uint64_t start = elapsed_nanoseconds();
        protocol->put_message(out, index, publisher->size);
        send_all(out);
        long confirmed = 0, received = 0;
        while (confirmed == 0) {
            if (!receive_more(out) || (confirmed = protocol->take_confirmations(out)) < 0) return false;
        }
        while (received == 0) {
            if (!receive_more(in) || (received = protocol->take_messages(in, publisher->size)) < 0) return false;
        }
        rounds[index] = elapsed_nanoseconds() - start;
        send_all(in);
    }
    return protocol->finish_consumer(in);
}

broker_run run_broker(
    const broker_protocol *protocol, int port, broker_work work, size_t count, size_t size, size_t window,
    uint64_t *rounds) {
    side publisher = {.protocol = protocol, .count = count, .size = size, .window = window, .succeeded = true};
    side consumer = publisher;
    publisher.connection.descriptor = consumer.connection.descriptor = -1;
    bool publishes = work != broker_drain, consumes = work != broker_store;
    broker_run run = {0, 0};
    // The consumer comes first, and once before: what it is subscribed to waits for it.
    bool isReady = protocol->open_consumer(&consumer.connection, port);
    if (!consumes) close_connection(&consumer.connection);
    isReady = isReady && (!publishes || protocol->open_publisher(&publisher.connection, port));
    if (isReady) {
        uint64_t start = elapsed_nanoseconds(), before = thread_nanoseconds();
        if (work == broker_round) {
            isReady = carry_one_by_one(&publisher, &consumer, rounds);
            publisher.processor = thread_nanoseconds() - before;
        } else {
            pthread_t threads[2];
            if (publishes) pthread_create(&threads[0], NULL, publish, &publisher);
            if (consumes) pthread_create(&threads[1], NULL, consume, &consumer);
            if (publishes) pthread_join(threads[0], NULL);
            if (consumes) pthread_join(threads[1], NULL);
            isReady = publisher.succeeded && consumer.succeeded;
        }
        run.elapsed = isReady ? elapsed_nanoseconds() - start : 0;
        run.clients = publisher.processor + consumer.processor;
    }
    if (publishes) close_connection(&publisher.connection);
    if (consumes) close_connection(&consumer.connection);
    return run;
}
