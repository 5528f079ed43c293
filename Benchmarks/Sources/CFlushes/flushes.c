#define _GNU_SOURCE
#include "CFlushes.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_uint_fast64_t flushes;

uint64_t flush_count(void) { return atomic_load_explicit(&flushes, memory_order_relaxed); }

// Defined in the executable these take the place of glibc's for every library of the process.
#ifdef __linux__
int fsync(int descriptor) {
    atomic_fetch_add_explicit(&flushes, 1, memory_order_relaxed);
    return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor) {
    atomic_fetch_add_explicit(&flushes, 1, memory_order_relaxed);
    return (int)syscall(SYS_fdatasync, descriptor);
}
#endif
