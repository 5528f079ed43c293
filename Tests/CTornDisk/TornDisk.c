#include "CTornDisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *folder;
static struct torn_step *steps;
static int64_t step_count, step_room;

static sqlite3_vfs *real;
static sqlite3_vfs layer;

/* The name within the folder, or NULL for a file of another. */
static const char *name_in_folder(const char *path) {
    if (!folder || !path || strncmp(path, folder, strlen(folder)) != 0) return NULL;
    return path + strlen(folder);
}

static void note(int kind, const char *path, int64_t offset, const void *bytes, int64_t count) {
    pthread_mutex_lock(&lock);
    const char *name = name_in_folder(path);
    if (name) {
        if (step_count == step_room) {
            step_room = step_room ? 2 * step_room : 256;
            steps = realloc(steps, (size_t)step_room * sizeof *steps);
        }
        uint8_t *copy = NULL;
        if (count > 0) {
            copy = malloc((size_t)count);
            memcpy(copy, bytes, (size_t)count);
        }
        steps[step_count++] = (struct torn_step){kind, strdup(name), offset, copy, count};
    }
    pthread_mutex_unlock(&lock);
}

/* One open file: SQLite's own stands behind it. */
struct file {
    sqlite3_file base;
    const char *path;
    sqlite3_file own[];
};

static sqlite3_file *own(sqlite3_file *f) { return ((struct file *)f)->own; }
static const char *path(sqlite3_file *f) { return ((struct file *)f)->path; }

static int do_close(sqlite3_file *f) { return own(f)->pMethods->xClose(own(f)); }
static int do_read(sqlite3_file *f, void *to, int count, sqlite3_int64 offset) {
    return own(f)->pMethods->xRead(own(f), to, count, offset);
}
static int do_write(sqlite3_file *f, const void *bytes, int count, sqlite3_int64 offset) {
    int result = own(f)->pMethods->xWrite(own(f), bytes, count, offset);
    if (result == SQLITE_OK) note(TORN_WRITE, path(f), offset, bytes, count);
    return result;
}
static int do_truncate(sqlite3_file *f, sqlite3_int64 size) {
    int result = own(f)->pMethods->xTruncate(own(f), size);
    if (result == SQLITE_OK) note(TORN_TRUNCATE, path(f), size, NULL, 0);
    return result;
}
static int do_sync(sqlite3_file *f, int flags) {
    int result = own(f)->pMethods->xSync(own(f), flags);
    if (result == SQLITE_OK) note(TORN_SYNC, path(f), 0, NULL, 0);
    return result;
}
static int do_size(sqlite3_file *f, sqlite3_int64 *size) { return own(f)->pMethods->xFileSize(own(f), size); }
static int do_lock(sqlite3_file *f, int level) { return own(f)->pMethods->xLock(own(f), level); }
static int do_unlock(sqlite3_file *f, int level) { return own(f)->pMethods->xUnlock(own(f), level); }
static int do_reserved(sqlite3_file *f, int *out) { return own(f)->pMethods->xCheckReservedLock(own(f), out); }
static int do_control(sqlite3_file *f, int op, void *argument) {
    return own(f)->pMethods->xFileControl(own(f), op, argument);
}
static int do_sector(sqlite3_file *f) { return own(f)->pMethods->xSectorSize(own(f)); }
static int do_characteristics(sqlite3_file *f) { return own(f)->pMethods->xDeviceCharacteristics(own(f)); }
static int do_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return own(f)->pMethods->xShmMap(own(f), page, size, extend, out);
}
static int do_shm_lock(sqlite3_file *f, int offset, int count, int flags) {
    return own(f)->pMethods->xShmLock(own(f), offset, count, flags);
}
static void do_shm_barrier(sqlite3_file *f) { own(f)->pMethods->xShmBarrier(own(f)); }
static int do_shm_unmap(sqlite3_file *f, int remove) { return own(f)->pMethods->xShmUnmap(own(f), remove); }

/* Version 2: nothing is mapped into memory but the index of the log, so that every write is seen. */
static const sqlite3_io_methods methods = {
    2,           do_close,   do_read,     do_write,   do_truncate,        do_sync,    do_size,     do_lock,        do_unlock,
    do_reserved, do_control, do_sector,   do_characteristics, do_shm_map, do_shm_lock, do_shm_barrier, do_shm_unmap, NULL,
    NULL,
};

static int do_open(sqlite3_vfs *vfs, const char *file_path, sqlite3_file *f, int flags, int *out) {
    (void)vfs;
    int kind = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
    struct file *file = (struct file *)f;
    memset(file, 0, sizeof *file);
    file->path = kind ? file_path : NULL;
    int result = real->xOpen(real, file_path, own(f), flags, out);
    if (own(f)->pMethods) file->base.pMethods = &methods;
    return result;
}

static int do_delete(sqlite3_vfs *vfs, const char *file_path, int is_flushed) {
    (void)vfs;
    int result = real->xDelete(real, file_path, is_flushed);
    if (result == SQLITE_OK) note(TORN_DELETE, file_path, 0, NULL, 0);
    return result;
}

int torn_begin(const char *path_of_folder) {
    pthread_mutex_lock(&lock);
    int result = 0;
    if (!real) {
        real = sqlite3_vfs_find(NULL);
        if (real) {
            layer = *real;
            layer.zName = "torn";
            layer.pNext = NULL;
            layer.szOsFile = (int)sizeof(struct file) + real->szOsFile;
            layer.xOpen = do_open;
            layer.xDelete = do_delete;
            result = sqlite3_vfs_register(&layer, 1) == SQLITE_OK ? 0 : -1;
        } else {
            result = -1;
        }
    }
    if (folder) result = -1;
    if (result == 0) folder = strdup(path_of_folder);
    pthread_mutex_unlock(&lock);
    return result;
}

int64_t torn_count(void) {
    pthread_mutex_lock(&lock);
    int64_t count = step_count;
    pthread_mutex_unlock(&lock);
    return count;
}

struct torn_step torn_at(int64_t index) {
    pthread_mutex_lock(&lock);
    struct torn_step step = steps[index];
    pthread_mutex_unlock(&lock);
    return step;
}

void torn_end(void) {
    pthread_mutex_lock(&lock);
    for (int64_t index = 0; index < step_count; index++) {
        free((void *)steps[index].name);
        free((void *)steps[index].bytes);
    }
    free(steps);
    free(folder);
    steps = NULL;
    folder = NULL;
    step_count = step_room = 0;
    pthread_mutex_unlock(&lock);
}
