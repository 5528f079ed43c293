#define _GNU_SOURCE
#include "CBrokers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void limit_waiting(int descriptor) {
    struct timeval limit = {.tv_sec = 10};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

int listen_on_any_port(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) != 0 || listen(descriptor, 1) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return descriptor;
}

size_t first_message(int listening, uint8_t *bytes, size_t capacity) {
    limit_waiting(listening);
    int descriptor = accept(listening, NULL, NULL);
    close(listening);
    if (descriptor < 0) return 0;
    limit_waiting(descriptor);
    // A kind, a length of two bytes, and so many more.
    size_t count = 0;
    while (count < 3 || count < 3u + ((size_t)bytes[1] << 8 | bytes[2])) {
        ssize_t read = count < capacity ? recv(descriptor, bytes + count, capacity - count, 0) : 0;
        if (read <= 0) {
            count = 0;
            break;
        }
        count += (size_t)read;
    }
    close(descriptor);
    return count;
}

static void come(int port, const uint8_t *first, size_t size) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    limit_waiting(descriptor);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) {
        uint8_t answer[64];
        send(descriptor, first, size, MSG_NOSIGNAL);
        recv(descriptor, answer, sizeof answer, 0);
    }
    close(descriptor);
}

void let_strangers_come(int port, const uint8_t *first, size_t size, int count, int interval) {
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (int number = 0; number < count; number++) {
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        come(port, first, size);
        due.tv_nsec += interval;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
    }
}
