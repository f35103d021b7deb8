/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into a room: a SIGKILL before the Nth system call that touches files or answers
 * somebody. The kernel itself stops the room at each of them (seccomp(2), SECCOMP_RET_TRAP), so
 * nothing that a library does behind its functions is missed, and neither ptrace nor root is
 * needed.
 *
 * QSEAL_KILLER names a file that the test and the room share: `struct control` below. A room whose
 * calls cannot be stopped ends at once, with a line on standard error. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#define ARGUMENT(context, i)                                                                       \
    ((long)(context)->uc_mcontext.gregs[(const int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8,  \
                                                      REG_R9}[i]])
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#define ARGUMENT(context, i) ((long)(context)->uc_mcontext.regs[i])
#else
#error "the registers of a system call are not known here"
#endif

enum { SYSCALL_CODE_MAX = 48, BEFORE_CALLS = 6, AFTER_CALLS = 2 };

struct call {
    uint32_t number;
    int names_a_file; /* opens, renames, removes: the thread that does it is at work */
    const char *name;
};

#define NAMES(name)                                                                                \
    {                                                                                              \
        SYS_##name, 1, #name                                                                       \
    }
#define TELLS(name)                                                                                \
    {                                                                                              \
        SYS_##name, 0, #name                                                                       \
    }
static const struct call calls[] = {
#ifdef SYS_open
    NAMES(open),      NAMES(creat),    NAMES(rename),    NAMES(link),      NAMES(unlink),
    NAMES(chmod),     NAMES(mkdir),    NAMES(rmdir),
#endif
    NAMES(openat),    NAMES(renameat), NAMES(renameat2), NAMES(linkat),    NAMES(unlinkat),
    NAMES(fchmodat),  NAMES(mkdirat),  TELLS(fchmod),    TELLS(ftruncate), TELLS(fallocate),
    TELLS(write),     TELLS(writev),   TELLS(pwrite64),  TELLS(pwritev),   TELLS(fsync),
    TELLS(fdatasync), TELLS(sendto),   TELLS(sendmsg),
};
enum { N_CALLS = sizeof calls / sizeof calls[0], NAME_SIZE = 16 };

struct control {
    _Atomic int32_t left;      /* calls to let through; below 0: none is counted or killed at */
    _Atomic int32_t thread;    /* whose calls count: the first that names a file; 0: none yet */
    _Atomic int32_t counted;   /* calls so far */
    char killed_at[NAME_SIZE]; /* the call's name, ended by a zero */
};

static struct control *control;

static void fail(const char *what)
{
    (void)fprintf(stderr, "killer: %s: %m\n", what);
    _exit(EXIT_FAILURE);
}

static const struct call *find_call(uint32_t number)
{
    size_t i = 0;
    while (i + 1 < N_CALLS && calls[i].number != number) {
        i++;
    }
    return &calls[i];
}

static int is_counted(const struct call *call)
{
    int32_t self = (int32_t)syscall(SYS_gettid);
    int32_t nobody = 0;
    if (atomic_load(&control->left) < 0) {
        return 0;
    }
    if (atomic_load(&control->thread) == 0 && call->names_a_file) {
        (void)atomic_compare_exchange_strong(&control->thread, &nobody, self);
    }
    return atomic_load(&control->thread) == self;
}

/* Instead of the call: kills, or does it after all, by the one piece of code whose calls pass. */
static void on_call(int signal_number, siginfo_t *info, void *context_of_thread)
{
    ucontext_t *context = context_of_thread;
    int kept = errno;
    const struct call *call = find_call((uint32_t)info->si_syscall);
    (void)signal_number;
    if (is_counted(call)) {
        atomic_fetch_add(&control->counted, 1);
        if (atomic_fetch_sub(&control->left, 1) == 0) {
            memcpy(control->killed_at, call->name, strnlen(call->name, NAME_SIZE - 1));
            (void)kill(getpid(), SIGKILL);
        }
    }
    long result = syscall((long)call->number, ARGUMENT(context, 0), ARGUMENT(context, 1),
                          ARGUMENT(context, 2), ARGUMENT(context, 3), ARGUMENT(context, 4),
                          ARGUMENT(context, 5));
    RESULT(context) = result == -1 ? -errno : result;
    errno = kept;
}

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define WHEN(test, value, yes, no)                                                                 \
    BPF_JUMP(BPF_JMP | BPF_##test | BPF_K, (uint32_t)(value), (uint8_t)(yes), (uint8_t)(no))
#define GIVE(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* Code lies in little-endian halves: the lower one is enough to know syscall()'s by. */
static size_t write_filter(struct sock_filter *filter)
{
    uintptr_t own = (uintptr_t)syscall;
    size_t n = 0;
    filter[n++] = (struct sock_filter)LOAD(arch);
    filter[n++] = (struct sock_filter)WHEN(JEQ, ARCH, 0, N_CALLS + BEFORE_CALLS - 2);
    filter[n++] = (struct sock_filter)LOAD(instruction_pointer);
    filter[n++] = (struct sock_filter)WHEN(JGE, own, 0, 1);
    filter[n++] = (struct sock_filter)WHEN(JGE, own + SYSCALL_CODE_MAX, 0, N_CALLS + 1);
    filter[n++] = (struct sock_filter)LOAD(nr);
    for (size_t i = 0; i < N_CALLS; i++) {
        filter[n++] = (struct sock_filter)WHEN(JEQ, calls[i].number, N_CALLS - i, 0);
    }
    filter[n++] = (struct sock_filter)GIVE(SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)GIVE(SECCOMP_RET_TRAP);
    return n;
}

static void map_control(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) {
        fail(path);
    }
    (void)close(fd);
    control = shared;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("QSEAL_KILLER");
    struct sock_filter filter[BEFORE_CALLS + N_CALLS + AFTER_CALLS];
    struct sigaction action = {.sa_sigaction = on_call,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    if (path == NULL) {
        return;
    }
    map_control(path);
    struct sock_fprog program = {.len = (unsigned short)write_filter(filter), .filter = filter};
    if (sigaction(SIGSYS, &action, NULL) != 0) {
        fail("sigaction");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        fail("this kernel or container does not let a program filter its own system calls");
    }
}
