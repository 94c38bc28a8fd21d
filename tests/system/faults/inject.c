/* Lets one file operation fail, or be the process's last: preloaded into a server by test_faults.py.
 *
 * Operations on files below FAULT_FOLDERS (paths between colons) are counted, whatever thread they are of. Number FAULT_AT fails
 * with the error FAULT_ERRNO; where that is 0 the process is killed before it. Each is a line in the file FAULT_LOG. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
/* Declared with a path that is never null, as the caller does not always hold. */
#define statx statx_as_declared
#include <sys/stat.h>
#undef statx
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 4096
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_int counted;
static atomic_bool is_watched[DESCRIPTORS];

static int is_below(const char *path) {
    const char *folder = getenv("FAULT_FOLDERS");
    while (path && folder && *folder) {
        size_t length = strcspn(folder, ":");
        if (strncmp(path, folder, length) == 0) return 1;
        folder += length + (folder[length] == ':');
    }
    return 0;
}

static int is_ours(int fd) { return fd >= 0 && fd < DESCRIPTORS && is_watched[fd]; }

/* Counts an operation; answers whether it fails. */
static int fails(const char *operation, const char *path) {
    const char *at = getenv("FAULT_AT"), *error = getenv("FAULT_ERRNO"), *log = getenv("FAULT_LOG");
    int number = ++counted;
    int is_it = at && number == atoi(at);
    char line[600];
    int length = snprintf(line, sizeof line, "%d %s %.500s\n", number, operation, path);
    int file = log ? syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file >= 0) {
        syscall(SYS_write, file, line, length);
        syscall(SYS_close, file);
    }
    if (!is_it) return 0;
    if (!error || !atoi(error)) raise(SIGKILL);
    errno = atoi(error);
    return 1;
}

static int opened(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) is_watched[fd] = 1;
    return fd;
}

/* Where the real thing is a system call, that is made: looking for the next library's function takes memory, and what gives
 * that is not there yet when it maps its own. */

static int open_watched(const char *path, int flags, mode_t mode) {
    if (!is_below(path)) return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    return fails("open", path) ? -1 : opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

#define OPEN(name)                              \
    int name(const char *path, int flags, ...) { \
        va_list rest;                           \
        va_start(rest, flags);                  \
        mode_t mode = va_arg(rest, mode_t);     \
        va_end(rest);                           \
        return open_watched(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) is_watched[fd] = 0;
    return syscall(SYS_close, fd);
}

ssize_t read(int fd, void *to, size_t bytes) {
    return is_ours(fd) && fails("read", "") ? -1 : syscall(SYS_read, fd, to, bytes);
}

ssize_t write(int fd, const void *from, size_t bytes) {
    return is_ours(fd) && fails("write", "") ? -1 : syscall(SYS_write, fd, from, bytes);
}

static void *map(void *at, size_t bytes, int rights, int flags, int fd, long from) {
    return is_ours(fd) && fails("mmap", "") ? MAP_FAILED : (void *)syscall(SYS_mmap, at, bytes, rights, flags, fd, from);
}

void *mmap(void *at, size_t bytes, int rights, int flags, int fd, off_t from) {
    return map(at, bytes, rights, flags, fd, from);
}

void *mmap64(void *at, size_t bytes, int rights, int flags, int fd, off64_t from) {
    return map(at, bytes, rights, flags, fd, from);
}

int statx(int fd, const char *path, int flags, unsigned mask, void *to) {
    int is_it = path && *path ? is_below(path) : is_ours(fd);
    return is_it && fails("statx", path ? path : "") ? -1 : syscall(SYS_statx, fd, path, flags, mask, to);
}

int mkdir(const char *path, mode_t mode) {
    return is_below(path) && fails("mkdir", path) ? -1 : syscall(SYS_mkdir, path, mode);
}

int unlink(const char *path) { return is_below(path) && fails("unlink", path) ? -1 : syscall(SYS_unlink, path); }

int rename(const char *from, const char *to) {
    return is_below(to) && fails("rename", to) ? -1 : syscall(SYS_rename, from, to);
}

int flock(int fd, int operation) {
    return is_ours(fd) && fails("flock", "") ? -1 : syscall(SYS_flock, fd, operation);
}

char *realpath(const char *restrict path, char *restrict to) {
    return is_below(path) && fails("realpath", path) ? NULL : REAL(realpath)(path, to);
}

DIR *opendir(const char *path) { return is_below(path) && fails("opendir", path) ? NULL : REAL(opendir)(path); }
