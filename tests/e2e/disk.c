/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into qseald: a disk that fails on cue. What makes, writes, syncs, cuts, renames or
 * removes a file of one folder passes here; nothing else does.
 *
 * QSEAL_DISK_FOLDER names that folder, QSEAL_DISK a file that the test and the room share: `struct
 * control` below. It says what is wrong now, and what became of each file. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 32, CALL_SIZE = 16, FILES_MAX = 1024, MS = 1000 };

enum fault {
    FAULT_NONE,
    FAULT_WRITE, /* `value` is its errno */
    FAULT_SYNC,  /* the same; as with the kernel, one that is not befallen any more is good */
    FAULT_SHORT, /* half of what was to be written is */
    FAULT_SLOW,  /* a sync takes `value` milliseconds more */
    FAULT_KILL,  /* SIGKILL before the call, or in the middle of what it writes */
};

struct file {
    uint64_t inode; /* 0: it is gone */
    char name[NAME_SIZE];
    uint32_t written; /* bytes up to the end of its records; NULs are none */
    uint32_t durable; /* as many had been written before a sync that has ended well */
    uint32_t failures;
    uint32_t touched; /* writes and syncs after one of them had failed */
};

struct control {
    _Atomic int32_t fault;
    _Atomic int32_t left; /* calls that it befalls; below 0: all. FAULT_KILL: calls before it */
    int32_t value;
    uint32_t counted; /* calls that were befallen; FAULT_KILL: all */
    char call[CALL_SIZE];
    uint32_t n_files;
    struct file files[FILES_MAX];
};

static struct control *control;
static char folder[PATH_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define NEXT(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

static void fail(const char *what)
{
    (void)fprintf(stderr, "disk: %s: %m\n", what);
    _exit(EXIT_FAILURE);
}

/* --- files --- */

/* Its name in the folder, "" for the folder itself; false when it is elsewhere. */
static bool name_of(const char *path, char name[NAME_SIZE])
{
    size_t len = strlen(folder);
    if (control == NULL || strncmp(path, folder, len) != 0 ||
        (path[len] != '/' && path[len] != '\0')) {
        return false;
    }
    (void)snprintf(name, NAME_SIZE, "%s", path[len] == '/' ? path + len + 1 : "");
    return true;
}

static bool name_of_fd(int fd, char name[NAME_SIZE])
{
    char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];
    char path[PATH_MAX] = "";
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return control != NULL && readlink(link, path, sizeof path - 1) > 0 && name_of(path, name);
}

static struct file *find_file(uint64_t inode)
{
    for (uint32_t i = 0; i < control->n_files; i++) {
        if (control->files[i].inode == inode) {
            return &control->files[i];
        }
    }
    return NULL;
}

static struct file *file_of(int fd, const char *name)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        fail(name);
    }
    struct file *file = find_file(about.st_ino);
    if (file == NULL && control->n_files == FILES_MAX) {
        fail("more files than there is room for");
    }
    if (file == NULL) {
        file = &control->files[control->n_files++];
        *file = (struct file){.inode = about.st_ino};
        (void)snprintf(file->name, NAME_SIZE, "%s", name);
    }
    return file;
}

/* The number of a file that is gone may be another's now. */
static void note_made(int fd)
{
    struct stat about;
    pthread_mutex_lock(&lock);
    struct file *before = fstat(fd, &about) == 0 ? find_file(about.st_ino) : NULL;
    if (before != NULL) {
        before->inode = 0;
    }
    pthread_mutex_unlock(&lock);
}

/* --- faults --- */

static bool is_befallen(enum fault fault)
{
    if (atomic_load(&control->fault) != (int32_t)fault || atomic_load(&control->left) == 0) {
        return false;
    }
    if (atomic_load(&control->left) > 0) {
        atomic_fetch_sub(&control->left, 1);
    }
    control->counted++;
    return true;
}

/* Whether this is the call that the room ends at. */
static bool is_last(const char *call)
{
    if (atomic_load(&control->fault) != FAULT_KILL) {
        return false;
    }
    control->counted++;
    if (atomic_fetch_sub(&control->left, 1) != 0) {
        return false;
    }
    (void)snprintf(control->call, CALL_SIZE, "%s", call);
    return true;
}

static void end_at(const char *call)
{
    if (is_last(call)) {
        (void)kill(getpid(), SIGKILL);
    }
}

static bool are_zeros(const uint8_t *bytes, size_t len)
{
    return len > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* NULs that found no room are nobody's record. */
static void note_written(struct file *file, const void *bytes, off_t at, ssize_t done, size_t len)
{
    bool zeros = are_zeros(bytes, len);
    if (done < 0 && !(zeros && errno == ENOSPC)) {
        file->failures++;
    }
    if (done > 0 && !zeros && at + done > (off_t)file->written) {
        file->written = (uint32_t)(at + done);
    }
}

/* --- the calls --- */

#pragma GCC visibility push(default)

typedef ssize_t pwrite_call(int, const void *, size_t, off_t);
typedef int fd_call(int);
typedef int open_call(const char *, int, ...);
typedef int openat_call(int, const char *, int, ...);

static ssize_t write_in_folder(int fd, const char *name, const void *bytes, size_t len, off_t at)
{
    pwrite_call *real = NEXT(pwrite_call *, "pwrite");
    ssize_t done = -1;
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd, name);
    file->touched += file->failures > 0 ? 1 : 0;
    if (is_last("pwrite")) {
        (void)real(fd, bytes, len / 2, at);
        (void)kill(getpid(), SIGKILL);
    }
    if (is_befallen(FAULT_WRITE)) {
        errno = control->value;
    } else {
        done = real(fd, bytes, len > 1 && is_befallen(FAULT_SHORT) ? len / 2 : len, at);
    }
    int kept = errno;
    note_written(file, bytes, at, done, len);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    char name[NAME_SIZE];
    return name_of_fd(fd, name) ? write_in_folder(fd, name, bytes, len, at)
                                : NEXT(pwrite_call *, "pwrite")(fd, bytes, len, at);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    char name[NAME_SIZE];
    if (!name_of_fd(fd, name)) {
        return NEXT(ssize_t(*)(int, const void *, size_t), "write")(fd, bytes, len);
    }
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = write_in_folder(fd, name, bytes, len, at);
    if (done > 0) {
        (void)lseek(fd, at + done, SEEK_SET);
    }
    return done;
}

static void be_slow(void)
{
    struct timespec pause = {.tv_sec = control->value / MS,
                             .tv_nsec = control->value % MS * (long)(MS * MS)};
    (void)nanosleep(&pause, NULL);
}

static int sync_in_folder(int fd, const char *name, const char *call)
{
    int done = -1;
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd, name);
    uint32_t written = file->written;
    file->touched += file->failures > 0 ? 1 : 0;
    end_at(call);
    bool slow = is_befallen(FAULT_SLOW);
    bool bad = is_befallen(FAULT_SYNC);
    pthread_mutex_unlock(&lock);
    if (slow) {
        be_slow();
    }
    if (bad) {
        errno = control->value;
    } else {
        done = NEXT(fd_call *, call)(fd);
    }
    int kept = errno;
    pthread_mutex_lock(&lock);
    file->failures += done != 0;
    file->durable = done == 0 ? written : file->durable;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

int fdatasync(int fd)
{
    char name[NAME_SIZE];
    return name_of_fd(fd, name) ? sync_in_folder(fd, name, "fdatasync")
                                : NEXT(fd_call *, "fdatasync")(fd);
}

int fsync(int fd)
{
    char name[NAME_SIZE];
    return name_of_fd(fd, name) ? sync_in_folder(fd, name, "fsync") : NEXT(fd_call *, "fsync")(fd);
}

int ftruncate(int fd, off_t len)
{
    char name[NAME_SIZE];
    if (name_of_fd(fd, name)) {
        end_at("ftruncate");
    }
    return NEXT(int (*)(int, off_t), "ftruncate")(fd, len);
}

static unsigned int mode_of(int flags, va_list more)
{
    return (flags & O_CREAT) != 0 ? va_arg(more, unsigned int) : 0;
}

int open(const char *path, int flags, ...)
{
    char name[NAME_SIZE];
    va_list more;
    va_start(more, flags);
    unsigned int mode = mode_of(flags, more);
    va_end(more);
    bool makes = (flags & O_CREAT) != 0 && name_of(path, name);
    if (makes) {
        end_at("open");
    }
    int fd = NEXT(open_call *, "open")(path, flags, mode);
    if (makes && fd >= 0) {
        note_made(fd);
    }
    return fd;
}

int openat(int at, const char *path, int flags, ...)
{
    char name[NAME_SIZE];
    va_list more;
    va_start(more, flags);
    unsigned int mode = mode_of(flags, more);
    va_end(more);
    bool makes = (flags & O_CREAT) != 0 && name_of_fd(at, name);
    if (makes) {
        end_at("openat");
    }
    int fd = NEXT(openat_call *, "openat")(at, path, flags, mode);
    if (makes && fd >= 0) {
        note_made(fd);
    }
    return fd;
}

int rename(const char *from, const char *to)
{
    char name[NAME_SIZE];
    if (name_of(to, name)) {
        end_at("rename");
    }
    return NEXT(int (*)(const char *, const char *), "rename")(from, to);
}

int unlinkat(int at, const char *path, int flags)
{
    char name[NAME_SIZE];
    if (name_of_fd(at, name)) {
        end_at("unlinkat");
    }
    return NEXT(int (*)(int, const char *, int), "unlinkat")(at, path, flags);
}

#pragma GCC visibility pop

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("QSEAL_DISK");
    const char *of = getenv("QSEAL_DISK_FOLDER");
    if (path == NULL || of == NULL) {
        return;
    }
    (void)snprintf(folder, sizeof folder, "%s", of);
    int fd = NEXT(open_call *, "open")(path, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) {
        fail(path);
    }
    (void)close(fd);
    control = shared;
}
