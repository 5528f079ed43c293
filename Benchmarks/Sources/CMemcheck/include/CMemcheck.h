// Valgrind's memcheck as a watch over secrets: a byte that is hidden counts as never written, so that memcheck reports
// each branch and each address that depends on it.
#ifndef C_MEMCHECK_H
#define C_MEMCHECK_H

#include <stddef.h>

/// Hides bytes; what is computed from them is hidden as well.
void memcheck_hide(const void *bytes, size_t count);

/// Shows bytes that anybody may see, such as a signature made with a hidden key.
void memcheck_show(const void *bytes, size_t count);

/// How much memcheck has reported so far, in this process.
unsigned memcheck_reports(void);

/// Whether this process runs under valgrind.
int memcheck_runs(void);

#endif
