#ifndef CTORNDISK_H
#define CTORNDISK_H

#include <stdint.h>

/* A layer over SQLite's own file system layer that writes down what SQLite asks of the disk for the files of one folder:
   each write, each flush, in order. Everything reaches the real files as well; other folders are left alone. */

enum torn_kind { TORN_WRITE = 0, TORN_TRUNCATE = 1, TORN_SYNC = 2, TORN_DELETE = 3 };

struct torn_step {
    int kind;
    /* The file, without the folder. */
    const char *name;
    /* Where the bytes stand, or the new size. */
    int64_t offset;
    const uint8_t *bytes;
    int64_t count;
};

/* Begins to write down for files of a folder, whose path ends with a slash. 0, or -1 where it cannot. */
int torn_begin(const char *folder);

/* How many steps have been written down. */
int64_t torn_count(void);

/* One of them; what it points to stays until torn_end. */
struct torn_step torn_at(int64_t index);

/* Writes nothing down any more, and forgets. */
void torn_end(void);

#endif
