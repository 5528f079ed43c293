#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t elapsed_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
uint64_t thread_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

bool open_connection(connection *c, int port) {
    memset(c, 0, sizeof *c);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    c->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->descriptor < 0) return false;
    if (connect(c->descriptor, (struct sockaddr *)&address, sizeof address) != 0) return false;
    setsockopt(c->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->descriptor, F_SETFL, O_NONBLOCK);
    return true;
}

void close_connection(connection *c) {
    if (c->descriptor >= 0) close(c->descriptor);
    free(c->input);
    free(c->output);
}

void put_bytes(connection *c, const void *bytes, size_t count) {
    if (c->outputCount + count > c->outputCapacity) {
        c->outputCapacity = 2 * (c->outputCount + count);
        c->output = realloc(c->output, c->outputCapacity);
    }
    memcpy(c->output + c->outputCount, bytes, count);
    c->outputCount += count;
}

static void read_some(connection *c) {
    if (c->start == c->end) c->start = c->end = 0;
    if (c->inputCapacity - c->end < 65536) {
        memmove(c->input, c->input + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
        if (c->inputCapacity - c->end < 65536) {
            c->inputCapacity = 2 * c->inputCapacity + 262144;
            c->input = realloc(c->input, c->inputCapacity);
        }
    }
    ssize_t count = read(c->descriptor, c->input + c->end, c->inputCapacity - c->end);
    if (count > 0) c->end += (size_t)count;
    else if (count == 0 || (errno != EAGAIN && errno != EINTR)) c->failed = true;
}

void send_all(connection *c) {
    size_t sent = 0;
    while (sent < c->outputCount && !c->failed) {
        ssize_t count = write(c->descriptor, c->output + sent, c->outputCount - sent);
        if (count > 0) {
            sent += (size_t)count;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) c->failed = true;
        struct pollfd ready = {.fd = c->descriptor, .events = POLLIN | POLLOUT};
        if (poll(&ready, 1, 20000) <= 0) c->failed = true;
        if (ready.revents & POLLIN) read_some(c);
    }
    c->outputCount = 0;
}

bool receive_more(connection *c) {
    size_t before = unread_count(c);
    while (!c->failed && unread_count(c) == before) {
        struct pollfd ready = {.fd = c->descriptor, .events = POLLIN};
        if (poll(&ready, 1, 20000) <= 0) c->failed = true;
        else read_some(c);
    }
    return !c->failed;
}
