// Counts what a process asks its disk to flush.
#ifndef C_FLUSHES_H
#define C_FLUSHES_H

#include <stdint.h>

/// Calls of fsync and fdatasync by the whole process since its start.
uint64_t flush_count(void);

#endif
