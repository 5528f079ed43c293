#include "CMemcheck.h"

#include <valgrind/memcheck.h>

void memcheck_hide(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_UNDEFINED(bytes, count); }

void memcheck_show(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_DEFINED(bytes, count); }

unsigned memcheck_reports(void) { return VALGRIND_COUNT_ERRORS; }

int memcheck_runs(void) { return RUNNING_ON_VALGRIND > 0; }
