#define _GNU_SOURCE
#include "run.h"

#include <string.h>

enum {
    CONNECT = 0x10, CONNACK = 0x20, PUBLISH_QOS_1 = 0x32, PUBACK = 0x40, SUBSCRIBE = 0x82, SUBACK = 0x90,
    PINGREQ = 0xc0, PINGRESP = 0xd0,
};

static const uint8_t content[65536];

static void put_head(connection *c, uint8_t kind, size_t count) {
    uint8_t head[5] = {kind};
    size_t length = 1;
    do {
        head[length] = count % 128 | (count >= 128 ? 0x80 : 0);
        count /= 128;
        length++;
    } while (count > 0);
    put_bytes(c, head, length);
}

/// The size of the packet that begins here and that of its head; 0 when it has not come whole.
static size_t packet(const connection *c, size_t *head) {
    const uint8_t *bytes = unread(c);
    size_t length = 0, index = 1;
    for (int shift = 0; index < unread_count(c) && index < 5; shift += 7) {
        uint8_t byte = bytes[index++];
        length |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *head = index;
            return index + length <= unread_count(c) ? index + length : 0;
        }
    }
    return 0;
}

/// Takes an answer of a kind. What waits for the session may come before the answer to its subscription, which then
/// is taken later.
static bool await_answer(connection *c, uint8_t kind) {
    while (true) {
        size_t head, count;
        while ((count = packet(c, &head)) == 0) {
            if (!receive_more(c)) return false;
        }
        uint8_t found = *unread(c) & 0xf0;
        if (found == 0x30) return kind == SUBACK;
        c->start += count;
        if (found == kind) return true;
        if (found != SUBACK) return false;
    }
}

static bool open_named(connection *c, int port, uint8_t name, bool isClean) {
    if (!open_connection(c, port)) return false;
    uint8_t packet[] = {0, 4, 'M', 'Q', 'T', 'T', 4, isClean ? 2 : 0, 0, 0, 0, 1, name};
    put_head(c, CONNECT, sizeof packet);
    put_bytes(c, packet, sizeof packet);
    send_all(c);
    return await_answer(c, CONNACK);
}

static bool open_publisher(connection *c, int port) { return open_named(c, port, 'p', true); }

static bool open_consumer(connection *c, int port) {
    if (!open_named(c, port, 'c', false)) return false;
    uint8_t packet[] = {0, 1, 0, 1, 't', 1};
    put_head(c, SUBSCRIBE, sizeof packet);
    put_bytes(c, packet, sizeof packet);
    send_all(c);
    return await_answer(c, SUBACK);
}

static void put_message(connection *c, uint64_t number, size_t size) {
    uint16_t id = (uint16_t)(number % 65535 + 1);
    uint8_t variable[] = {0, 1, 't', (uint8_t)(id >> 8), (uint8_t)id};
    put_head(c, PUBLISH_QOS_1, sizeof variable + size);
    put_bytes(c, variable, sizeof variable);
    put_bytes(c, content, size);
}

static long take_confirmations(connection *c) {
    long taken = 0;
    size_t head, count;
    while ((count = packet(c, &head)) != 0) {
        if ((*unread(c) & 0xf0) != PUBACK) return -1;
        c->start += count;
        taken++;
    }
    return taken;
}

static void ask(connection *c) { (void)c; }

static long take_messages(connection *c, size_t size) {
    long taken = 0;
    size_t head, count;
    while ((count = packet(c, &head)) != 0) {
        const uint8_t *bytes = unread(c);
        if ((bytes[0] & 0xf0) == 0x30) {
            if (count != head + 5 + size) return -1;
            put_head(c, PUBACK, 2);
            put_bytes(c, bytes + head + 3, 2);
            taken++;
        } else if ((bytes[0] & 0xf0) != SUBACK) {
            return -1;
        }
        c->start += count;
    }
    return taken;
}

static bool finish_consumer(connection *c) {
    put_head(c, PINGREQ, 0);
    send_all(c);
    return await_answer(c, PINGRESP);
}

broker_run mqtt_client(int port, broker_work work, size_t count, size_t size, size_t window, uint64_t *rounds) {
    static const broker_protocol protocol = {
        put_message, take_confirmations, open_publisher, open_consumer, ask, take_messages, finish_consumer,
    };
    return run_broker(&protocol, port, work, count, size, window, rounds);
}
