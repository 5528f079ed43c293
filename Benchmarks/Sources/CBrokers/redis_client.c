#define _GNU_SOURCE
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Messages that one XREADGROUP asks for.
#define BATCH 256
#define BATCH_TEXT "256"

static const uint8_t content[65536];

static void put_text(connection *c, const char *text) { put_bytes(c, text, strlen(text)); }

/// The length of the line that begins at `from`, with its end; 0 when it has not come whole.
static size_t line(const connection *c, size_t from) {
    const uint8_t *start = unread(c) + from;
    if (from >= unread_count(c)) return 0;
    const uint8_t *end = memchr(start, '\n', unread_count(c) - from);
    return end ? (size_t)(end - start) + 1 : 0;
}

static void put_message(connection *c, uint64_t number, size_t size) {
    (void)number;
    char head[96];
    snprintf(head, sizeof head, "*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nd\r\n$%zu\r\n", size);
    put_text(c, head);
    put_bytes(c, content, size);
    put_text(c, "\r\n");
}

/// Each is a bulk string with the message's id.
static long take_confirmations(connection *c) {
    long taken = 0;
    while (true) {
        size_t first = line(c, 0);
        if (first == 0) return taken;
        if (*unread(c) != '$') return -1;
        size_t second = line(c, first);
        if (second == 0) return taken;
        c->start += first + second;
        taken++;
    }
}

/// Takes a reply of one line that begins with `kind`, or an error when `orError`.
static bool take_line(connection *c, char kind, bool orError) {
    size_t count;
    while ((count = line(c, 0)) == 0) {
        if (!receive_more(c)) return false;
    }
    bool isRight = *unread(c) == kind || (orError && *unread(c) == '-');
    c->start += count;
    return isRight;
}

static bool open_publisher(connection *c, int port) { return open_connection(c, port); }

static bool open_consumer(connection *c, int port) {
    if (!open_connection(c, port)) return false;
    put_text(c, "*6\r\n$6\r\nXGROUP\r\n$6\r\nCREATE\r\n$1\r\ns\r\n$1\r\ng\r\n$1\r\n0\r\n$8\r\nMKSTREAM\r\n");
    send_all(c);
    // An error says that the group is there.
    return take_line(c, '+', true);
}

static void ask(connection *c) {
    put_text(
        c,
        "*11\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$1\r\ng\r\n$1\r\nc\r\n$5\r\nCOUNT\r\n$3\r\n" BATCH_TEXT
        "\r\n$5\r\nBLOCK\r\n$5\r\n20000\r\n$7\r\nSTREAMS\r\n$1\r\ns\r\n$1\r\n>\r\n");
}

/// The number in the line at `*at`, which is moved behind it; -1 when it has not come whole or is of another kind.
static long number(const connection *c, size_t *at, char kind, bool *isWrong) {
    size_t count = line(c, *at);
    if (count == 0) return -1;
    const char *text = (const char *)unread(c) + *at;
    if (*text != kind) *isWrong = true;
    *at += count;
    return *isWrong ? -1 : strtol(text + 1, NULL, 10);
}

/// Goes past a bulk string; where it begins, or 0.
static size_t bulk(const connection *c, size_t *at, size_t *size, bool *isWrong) {
    long count = number(c, at, '$', isWrong);
    if (count < 0 || *at + (size_t)count + 2 > unread_count(c)) return 0;
    size_t start = *at;
    *size = (size_t)count;
    *at += (size_t)count + 2;
    return start;
}

static long take_messages(connection *c, size_t size) {
    // What the acknowledgements before are answered by comes before the messages.
    while (unread_count(c) > 0 && *unread(c) == ':') {
        size_t count = line(c, 0);
        if (count == 0) return 0;
        c->start += count;
    }
    size_t at = 0, length = 0;
    bool isWrong = false;
    if (number(c, &at, '*', &isWrong) < 0 || number(c, &at, '*', &isWrong) < 0) return isWrong ? -1 : 0;
    if (bulk(c, &at, &length, &isWrong) == 0) return isWrong ? -1 : 0;
    long count = number(c, &at, '*', &isWrong);
    if (count < 0 || count > BATCH) return isWrong || count > BATCH ? -1 : 0;
    static __thread char ids[BATCH][32];
    for (long index = 0; index < count; index++) {
        if (number(c, &at, '*', &isWrong) < 0) return isWrong ? -1 : 0;
        size_t id = bulk(c, &at, &length, &isWrong);
        if (id == 0 || length >= sizeof ids[0]) return isWrong || id != 0 ? -1 : 0;
        memcpy(ids[index], unread(c) + id, length);
        ids[index][length] = 0;
        if (number(c, &at, '*', &isWrong) < 0) return isWrong ? -1 : 0;
        if (bulk(c, &at, &length, &isWrong) == 0) return isWrong ? -1 : 0;
        if (bulk(c, &at, &length, &isWrong) == 0) return isWrong ? -1 : 0;
        if (length != size) return -1;
    }
    c->start += at;
    char text[80];
    snprintf(text, sizeof text, "*%ld\r\n$4\r\nXACK\r\n$1\r\ns\r\n$1\r\ng\r\n", count + 3);
    put_text(c, text);
    for (int command = 0; command < 2; command++) {
        if (command == 1) {
            snprintf(text, sizeof text, "*%ld\r\n$4\r\nXDEL\r\n$1\r\ns\r\n", count + 2);
            put_text(c, text);
        }
        for (long index = 0; index < count; index++) {
            snprintf(text, sizeof text, "$%zu\r\n%s\r\n", strlen(ids[index]), ids[index]);
            put_text(c, text);
        }
    }
    ask(c);
    return count;
}

static bool finish_consumer(connection *c) {
    // The last request for messages stands behind the last acknowledgement; nothing comes that would answer it.
    return take_line(c, ':', false) && take_line(c, ':', false);
}

broker_run redis_client(int port, broker_work work, size_t count, size_t size, size_t window, uint64_t *rounds) {
    static const broker_protocol protocol = {
        put_message, take_confirmations, open_publisher, open_consumer, ask, take_messages, finish_consumer,
    };
    return run_broker(&protocol, port, work, count, size, window, rounds);
}
