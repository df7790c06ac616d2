/* Stands between a process and its disk: records every change of files and folders below one
 * folder, in the order in which they took effect, and makes operations fail that it is told to.
 *
 * Loaded with LD_PRELOAD. It changes nothing of what the process does: every call goes on to the
 * operating system. What a power cut may leave of the record is worked out elsewhere.
 *
 *   LIENTHONG_DISK_ROOT    the folder, without symbolic links in its path
 *   LIENTHONG_DISK_RECORD  the file that the record is appended to; none: nothing is recorded
 *   LIENTHONG_DISK_FAULT   a file that may appear and change: lines `operation errno text`; an
 *                          operation (read, write, sync, name) on a path that has the text fails;
 *                          `*` is every path
 *
 * A record: u32 bytes that follow, u8 kind, u64 a, u64 b, u16 length of the first path, the path,
 * u16 length of the second, the path, data. Numbers as the machine has them; paths below the
 * folder. It reaches the file in one write, so the file's length is a point in the order.
 *
 *   1 create a file  2 write (a: offset; data)  3 length (a: bytes)  4 sync begins (a: token)
 *   5 sync ended (a: token, b: errno)  6 rename  7 link  8 unlink  9 mkdir  10 rmdir
 *   11 sync_file_range (a: token): nothing is promised by it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, LENGTH, SYNC, SYNCED, RENAME, LINK, UNLINK, MKDIR, RMDIR, RANGE };

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char root[4096];
static size_t root_length;
static char fault_file[4096];
static int record = -1;
static uint64_t tokens;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("LIENTHONG_DISK_ROOT");
    if (!text) return;
    snprintf(root, sizeof root, "%s/", text);
    root_length = strlen(root);
    text = getenv("LIENTHONG_DISK_FAULT");
    if (text) snprintf(fault_file, sizeof fault_file, "%s", text);
    text = getenv("LIENTHONG_DISK_RECORD");
    if (text) record = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* What of a path is below the folder; empty for the folder itself, NULL when it is elsewhere. */
static const char *below(const char *path) {
    if (!strncmp(path, root, root_length)) return path + root_length;
    size_t length = root_length - 1;
    return strlen(path) == length && !strncmp(path, root, length) ? path + length : NULL;
}

/* The path of an open file below the folder. */
static const char *of_fd(int fd, char *buffer, size_t size) {
    char link[64];
    if (!root_length) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, size - 1);
    if (length <= 0) return NULL;
    buffer[length] = 0;
    return below(buffer);
}

/* The same of a name that a call was given. */
static const char *of_name(int folder, const char *name, char *buffer, size_t size) {
    if (!root_length || !name) return NULL;
    if (name[0] == '/') {
        snprintf(buffer, size, "%s", name);
    } else if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, buffer, size) < 0) return NULL;
        size_t length = strlen(buffer);
        snprintf(buffer + length, size - length, "/%s", name);
    } else {
        if (!of_fd(folder, buffer, size)) return NULL;
        size_t length = strlen(buffer);
        snprintf(buffer + length, size - length, "/%s", name);
    }
    return below(buffer);
}

/* Appends to the record; the order is locked. */
static void note(uint8_t kind, uint64_t a, uint64_t b, const char *one, const char *two,
                 const void *data, size_t bytes) {
    if (record < 0) return;
    int before = errno;
    uint16_t first = one ? strlen(one) : 0, second = two ? strlen(two) : 0;
    uint32_t length = 1 + 8 + 8 + 2 + first + 2 + second + bytes;
    struct iovec parts[] = {
        {&length, 4}, {&kind, 1},   {&a, 8},  {&b, 8},
        {&first, 2},  {(void *)one, first}, {&second, 2}, {(void *)two, second},
        {(void *)data, bytes},
    };
    ssize_t written = syscall(SYS_writev, record, parts, 9);
    if (written != (ssize_t)length + 4) {
        static const char said[] = "the record of the disk is not whole\n";
        syscall(SYS_write, 2, said, sizeof said - 1);
        abort();
    }
    errno = before;
}

/* The error that an operation on a path is to fail with; 0 for none. */
static int fault(const char *operation, const char *path) {
    char text[1024], line_operation[16], part[512];
    if (!fault_file[0] || !path) return 0;
    int before = errno;
    int fd = syscall(SYS_openat, AT_FDCWD, fault_file, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : syscall(SYS_read, fd, text, sizeof text - 1);
    if (fd >= 0) syscall(SYS_close, fd);
    errno = before;
    if (length <= 0) return 0;
    text[length] = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        int number = 0;
        if (sscanf(line, "%15s %d %511s", line_operation, &number, part) == 3 &&
            !strcmp(line_operation, operation) && (!strcmp(part, "*") || strstr(path, part)))
            return number;
    }
    return 0;
}

#define NEXT(result, name, ...)                                   \
    static result (*next)(__VA_ARGS__);                           \
    if (!next) next = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define FAIL_IF(operation, path)                                  \
    do {                                                          \
        int failing = fault(operation, path);                     \
        if (failing) { errno = failing; return -1; }              \
    } while (0)

/* open */

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char buffer[8192];
    const char *path = of_name(folder, name, buffer, sizeof buffer);
    if (!path || !(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE)
        return syscall(SYS_openat, folder, name, flags, mode);
    pthread_mutex_lock(&order);
    struct stat there;
    int existed = fstatat(folder, name, &there, 0) == 0;
    int failing = existed ? 0 : fault("name", path);
    int fd = -1;
    if (failing) errno = failing;
    else fd = syscall(SYS_openat, folder, name, flags, mode);
    if (fd >= 0 && !existed) note(CREATE, 0, 0, path, NULL, NULL, 0);
    if (fd >= 0 && existed && (flags & O_TRUNC)) note(LENGTH, 0, 0, path, NULL, NULL, 0);
    pthread_mutex_unlock(&order);
    return fd;
}

#define MODE                                                      \
    mode_t mode = 0;                                              \
    if (flags & (O_CREAT | O_TMPFILE)) {                          \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode = va_arg(rest, mode_t);                              \
        va_end(rest);                                             \
    }
int open(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE return opened(folder, name, flags, mode); }

/* read */

ssize_t read(int fd, void *into, size_t bytes) {
    char buffer[8192];
    NEXT(ssize_t, "read", int, void *, size_t);
    if (fault_file[0]) FAIL_IF("read", of_fd(fd, buffer, sizeof buffer));
    return next(fd, into, bytes);
}
ssize_t pread64(int fd, void *into, size_t bytes, off64_t offset) {
    char buffer[8192];
    NEXT(ssize_t, "pread64", int, void *, size_t, off64_t);
    if (fault_file[0]) FAIL_IF("read", of_fd(fd, buffer, sizeof buffer));
    return next(fd, into, bytes, offset);
}
ssize_t pread(int fd, void *into, size_t bytes, off_t offset) { return pread64(fd, into, bytes, offset); }

/* write */

static ssize_t written(int fd, const void *from, size_t bytes, off64_t offset) {
    char buffer[8192];
    pthread_mutex_lock(&order);
    const char *path = of_fd(fd, buffer, sizeof buffer);
    int failing = fault("write", path);
    ssize_t done = -1;
    if (failing) errno = failing;
    else if (offset < 0) done = syscall(SYS_write, fd, from, bytes);
    else done = syscall(SYS_pwrite64, fd, from, bytes, offset);
    if (done > 0) {
        uint64_t at = offset < 0 ? lseek(fd, 0, SEEK_CUR) - done : offset;
        note(WRITE, at, 0, path, NULL, from, done);
    }
    pthread_mutex_unlock(&order);
    return done;
}
ssize_t write(int fd, const void *from, size_t bytes) {
    char buffer[8192];
    if (of_fd(fd, buffer, sizeof buffer)) return written(fd, from, bytes, -1);
    NEXT(ssize_t, "write", int, const void *, size_t);
    return next(fd, from, bytes);
}
ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t offset) {
    char buffer[8192];
    if (of_fd(fd, buffer, sizeof buffer)) return written(fd, from, bytes, offset);
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return next(fd, from, bytes, offset);
}
ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset) { return pwrite64(fd, from, bytes, offset); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
    char buffer[8192];
    if (!of_fd(fd, buffer, sizeof buffer)) {
        NEXT(ssize_t, "writev", int, const struct iovec *, int);
        return next(fd, parts, count);
    }
    /* A short write is allowed: the first part alone. */
    for (int at = 0; at < count; at++)
        if (parts[at].iov_len) return written(fd, parts[at].iov_base, parts[at].iov_len, -1);
    return 0;
}
int ftruncate64(int fd, off64_t bytes) {
    char buffer[8192];
    NEXT(int, "ftruncate64", int, off64_t);
    pthread_mutex_lock(&order);
    const char *path = of_fd(fd, buffer, sizeof buffer);
    int failing = fault("write", path);
    int done = failing ? -1 : next(fd, bytes);
    if (failing) errno = failing;
    if (!done && path) note(LENGTH, bytes, 0, path, NULL, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int ftruncate(int fd, off_t bytes) { return ftruncate64(fd, bytes); }

/* sync */

static int synced(int fd, int (*sync)(int)) {
    char buffer[8192];
    const char *path = of_fd(fd, buffer, sizeof buffer);
    if (!path) return sync(fd);
    pthread_mutex_lock(&order);
    path = of_fd(fd, buffer, sizeof buffer);
    int failing = fault("sync", path);
    uint64_t token = ++tokens;
    note(SYNC, token, 0, path, NULL, NULL, 0);
    pthread_mutex_unlock(&order);
    int done = failing ? -1 : sync(fd);
    if (failing) errno = failing;
    pthread_mutex_lock(&order);
    note(SYNCED, token, done ? errno : 0, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int fsync(int fd) { NEXT(int, "fsync", int); return synced(fd, next); }
int fdatasync(int fd) { NEXT(int, "fdatasync", int); return synced(fd, next); }
int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags) {
    char buffer[8192];
    NEXT(int, "sync_file_range", int, off64_t, off64_t, unsigned);
    FAIL_IF("sync", of_fd(fd, buffer, sizeof buffer));
    int done = next(fd, offset, bytes, flags);
    pthread_mutex_lock(&order);
    const char *path = of_fd(fd, buffer, sizeof buffer);
    if (path) note(RANGE, offset, bytes, path, NULL, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}

/* names */

static int named(uint8_t kind, int folder, const char *from, int other, const char *to, int flags) {
    char one[8192], two[8192];
    const char *first = of_name(folder, from, one, sizeof one);
    const char *second = to ? of_name(other, to, two, sizeof two) : NULL;
    pthread_mutex_lock(&order);
    int failing = fault("name", first);
    if (!failing) failing = fault("name", second);
    int done = -1;
    if (!failing) switch (kind) {
        case RENAME: done = syscall(SYS_renameat2, folder, from, other, to, flags); break;
        case LINK: done = syscall(SYS_linkat, folder, from, other, to, flags); break;
        case UNLINK: done = syscall(SYS_unlinkat, folder, from, 0); break;
        case RMDIR: done = syscall(SYS_unlinkat, folder, from, AT_REMOVEDIR); break;
        case MKDIR: done = syscall(SYS_mkdirat, folder, from, flags); break;
    }
    if (failing) errno = failing;
    if (!done && (first || second)) note(kind, 0, 0, first, second, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int rename(const char *from, const char *to) { return named(RENAME, AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int folder, const char *from, int other, const char *to) { return named(RENAME, folder, from, other, to, 0); }
int renameat2(int folder, const char *from, int other, const char *to, unsigned flags) { return named(RENAME, folder, from, other, to, flags); }
int link(const char *from, const char *to) { return named(LINK, AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int folder, const char *from, int other, const char *to, int flags) { return named(LINK, folder, from, other, to, flags); }
int unlink(const char *name) { return named(UNLINK, AT_FDCWD, name, 0, NULL, 0); }
int unlinkat(int folder, const char *name, int flags) { return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, name, 0, NULL, 0); }
int rmdir(const char *name) { return named(RMDIR, AT_FDCWD, name, 0, NULL, 0); }
int mkdir(const char *name, mode_t mode) { return named(MKDIR, AT_FDCWD, name, 0, NULL, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return named(MKDIR, folder, name, 0, NULL, mode); }
