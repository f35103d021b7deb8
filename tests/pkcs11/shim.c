/* SPDX-License-Identifier: Apache-2.0
 * qseal-test-shim.so: a PKCS#11 module that passes every call on to another module, and fails,
 * hangs, lies, counts or delays where it is told to. For tests and the benchmark; never installed.
 *
 * Knobs, all from the environment, read once when the module is loaded:
 *
 * - QSEAL_SHIM_MODULE: absolute path of the module behind; SoftHSM2's on Debian without it.
 * - QSEAL_SHIM_DELAY_US: each C_Sign takes this long in all, the signature behind counted in, as on
 *   a device with that latency.
 * - QSEAL_SHIM_SESSIONS: more open sessions than this are refused with CKR_SESSION_COUNT.
 * - QSEAL_SHIM_HIDE: mechanisms that are not there, numbers separated by commas (0x1,0xd).
 * - QSEAL_SHIM_LOG: a file that gets one line per wrapped call, "C_Login 0xa0", appended whole, so
 *   that it counts over several processes.
 * - QSEAL_SHIM_FAULTS: a file of faults, read anew at each wrapped call, so that a test can change
 *   it while the module runs.
 *
 * A line of the faults file is "FUNCTION FROM TO ACTION", for the FROM-th to TO-th call of that
 * function since C_Initialize, counted from 1. ACTION is one of
 *
 * - 0xNN: return this code; the call does not reach the module behind
 * - hang: never return
 * - wait: go on when the file says so no more
 * - flip: C_Sign: one bit of the signature is wrong
 * - short: C_Sign: the signature is one byte short
 * - empty: C_GetSlotList: no slot
 * - final, locked: C_GetTokenInfo: one try is left for the PIN, or none
 * - many: C_GetSlotList, C_FindObjects: says more than there was room for
 * - long: C_GetAttributeValue: says one byte more than there was room for; short: one byte less;
 *   empty: none; flip: says the opposite
 * - full: C_Login: CKR_PIN_INCORRECT, and no file can grow from here on, as on a full disk
 * - logout: C_Sign: the application is logged out first
 *
 * Wrapped, and so counted and open to faults, are the functions in `names`. */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { HIDDEN_MAX = 32, LINE_SIZE = 128, NS_PER_S = 1000000000, MANY = 1000 };

enum call {
    CALL_INITIALIZE,
    CALL_GET_SLOT_LIST,
    CALL_GET_TOKEN_INFO,
    CALL_OPEN_SESSION,
    CALL_CLOSE_SESSION,
    CALL_LOGIN,
    CALL_FIND_OBJECTS_INIT,
    CALL_FIND_OBJECTS,
    CALL_GET_ATTRIBUTE_VALUE,
    CALL_COPY_OBJECT,
    CALL_GENERATE_KEY_PAIR,
    CALL_SIGN_INIT,
    CALL_SIGN,
};
enum { CALL_COUNT = CALL_SIGN + 1 };

static const char *const names[CALL_COUNT] = {
    "C_Initialize",
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_OpenSession",
    "C_CloseSession",
    "C_Login",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_GetAttributeValue",
    "C_CopyObject",
    "C_GenerateKeyPair",
    "C_SignInit",
    "C_Sign",
};

/* A module has no other place for its state. */
static struct {
    CK_FUNCTION_LIST *behind;
    CK_FUNCTION_LIST list;
    const char *faults;
    const char *log;
    long delay_us;
    long sessions_max;
    CK_MECHANISM_TYPE hidden[HIDDEN_MAX];
    size_t n_hidden;
    atomic_long sessions;
    atomic_ulong counts[CALL_COUNT];
} shim;

struct fault {
    bool there;
    bool is_code;
    CK_RV code;
    char action[16];
};

static struct fault find_fault(enum call call, unsigned long number)
{
    struct fault fault = {0};
    FILE *file = shim.faults == NULL ? NULL : fopen(shim.faults, "re");
    if (file == NULL) {
        return fault;
    }
    char line[LINE_SIZE];
    while (!fault.there && fgets(line, sizeof line, file) != NULL) {
        char name[32];
        unsigned long from;
        unsigned long to;
        if (sscanf(line, "%31s %lu %lu %15s", name, &from, &to, fault.action) != 4 ||
            strcmp(name, names[call]) != 0 || number < from || number > to) {
            continue;
        }
        fault.there = true;
        fault.is_code = strncmp(fault.action, "0x", 2) == 0;
        fault.code = fault.is_code ? strtoul(fault.action, NULL, 16) : CKR_OK;
    }
    (void)fclose(file);
    return fault;
}

static bool is_action(const struct fault *fault, const char *action)
{
    return fault->there && strcmp(fault->action, action) == 0;
}

static struct fault enter(enum call call)
{
    unsigned long number = atomic_fetch_add(&shim.counts[call], 1) + 1;
    struct fault fault = find_fault(call, number);
    while (is_action(&fault, "hang")) {
        (void)pause();
    }
    while (is_action(&fault, "wait")) {
        (void)poll(NULL, 0, 1);
        fault = find_fault(call, number);
    }
    return fault;
}

static CK_RV leave(enum call call, CK_RV rv)
{
    int fd =
        shim.log == NULL ? -1 : open(shim.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        char line[LINE_SIZE];
        int len = snprintf(line, sizeof line, "%s 0x%lx\n", names[call], rv);
        ssize_t written = write(fd, line, (size_t)len);
        (void)written;
        (void)close(fd);
    }
    return rv;
}

/* The fault's code, or the call behind. */
#define PASS(call, expression)                                                                     \
    do {                                                                                           \
        struct fault fault_ = enter(call);                                                         \
        return leave(call, fault_.is_code ? fault_.code : (expression));                           \
    } while (0)

static CK_RV shim_initialize(void *args)
{
    for (size_t i = 0; i < CALL_COUNT; i++) {
        atomic_store(&shim.counts[i], 0);
    }
    atomic_store(&shim.sessions, 0);
    PASS(CALL_INITIALIZE, shim.behind->C_Initialize(args));
}

static CK_RV shim_get_slot_list(CK_BBOOL present, CK_SLOT_ID *ids, CK_ULONG *n)
{
    struct fault fault = enter(CALL_GET_SLOT_LIST);
    if (is_action(&fault, "empty")) {
        *n = 0;
        return leave(CALL_GET_SLOT_LIST, CKR_OK);
    }
    CK_RV rv = fault.is_code ? fault.code : shim.behind->C_GetSlotList(present, ids, n);
    if (is_action(&fault, "many")) {
        *n = MANY;
    }
    return leave(CALL_GET_SLOT_LIST, rv);
}

static CK_RV shim_get_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct fault fault = enter(CALL_GET_TOKEN_INFO);
    CK_RV rv = fault.is_code ? fault.code : shim.behind->C_GetTokenInfo(id, info);
    info->flags |= is_action(&fault, "final") ? CKF_USER_PIN_FINAL_TRY : 0;
    info->flags |= is_action(&fault, "locked") ? CKF_USER_PIN_LOCKED : 0;
    return leave(CALL_GET_TOKEN_INFO, rv);
}

static CK_RV open_counted(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    long open_now = atomic_fetch_add(&shim.sessions, 1);
    CK_RV rv = shim.sessions_max > 0 && open_now >= shim.sessions_max
                   ? CKR_SESSION_COUNT
                   : shim.behind->C_OpenSession(id, flags, application, notify, out);
    if (rv != CKR_OK) {
        atomic_fetch_sub(&shim.sessions, 1);
    }
    return rv;
}

static CK_RV shim_open_session(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                               CK_SESSION_HANDLE *out)
{
    PASS(CALL_OPEN_SESSION, open_counted(id, flags, application, notify, out));
}

static CK_RV close_counted(CK_SESSION_HANDLE session)
{
    CK_RV rv = shim.behind->C_CloseSession(session);
    if (rv == CKR_OK) {
        atomic_fetch_sub(&shim.sessions, 1);
    }
    return rv;
}

static CK_RV shim_close_session(CK_SESSION_HANDLE session)
{
    PASS(CALL_CLOSE_SESSION, close_counted(session));
}

static CK_RV shim_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len)
{
    struct fault fault = enter(CALL_LOGIN);
    bool full = is_action(&fault, "full");
    CK_RV rv = fault.is_code ? fault.code
               : full        ? CKR_PIN_INCORRECT
                             : shim.behind->C_Login(session, user, pin, len);
    (void)leave(CALL_LOGIN, rv);
    if (full) {
        struct rlimit limit;
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_FSIZE, &limit);
    }
    return rv;
}

static CK_RV shim_find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    PASS(CALL_FIND_OBJECTS_INIT, shim.behind->C_FindObjectsInit(session, template, n));
}

static CK_RV shim_find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
                               CK_ULONG *n)
{
    struct fault fault = enter(CALL_FIND_OBJECTS);
    CK_RV rv = fault.is_code ? fault.code : shim.behind->C_FindObjects(session, objects, max, n);
    if (is_action(&fault, "many")) {
        *n = MANY;
    }
    return leave(CALL_FIND_OBJECTS, rv);
}

static CK_RV shim_get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                      CK_ATTRIBUTE *template, CK_ULONG n)
{
    struct fault fault = enter(CALL_GET_ATTRIBUTE_VALUE);
    CK_ULONG room = template[0].ulValueLen;
    CK_RV rv =
        fault.is_code ? fault.code : shim.behind->C_GetAttributeValue(session, object, template, n);
    if (is_action(&fault, "long")) {
        template[0].ulValueLen = room + 1;
    }
    if (is_action(&fault, "short")) {
        template[0].ulValueLen = room - 1;
    }
    if (is_action(&fault, "empty")) {
        template[0].ulValueLen = 0;
    }
    if (is_action(&fault, "flip")) {
        *(CK_BYTE *)template[0].pValue ^= 1;
    }
    return leave(CALL_GET_ATTRIBUTE_VALUE, rv);
}

static CK_RV shim_copy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                              CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
    PASS(CALL_COPY_OBJECT, shim.behind->C_CopyObject(session, object, template, n, out));
}

static CK_RV shim_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                    CK_ATTRIBUTE *public_template, CK_ULONG n_public,
                                    CK_ATTRIBUTE *private_template, CK_ULONG n_private,
                                    CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    PASS(CALL_GENERATE_KEY_PAIR,
         shim.behind->C_GenerateKeyPair(session, mechanism, public_template, n_public,
                                        private_template, n_private, public_key, private_key));
}

static CK_RV shim_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                            CK_OBJECT_HANDLE key)
{
    PASS(CALL_SIGN_INIT, shim.behind->C_SignInit(session, mechanism, key));
}

static void sleep_until(struct timespec from, long us)
{
    long ns = from.tv_nsec + us % 1000000 * 1000;
    struct timespec at = {.tv_sec = from.tv_sec + us / 1000000 + ns / NS_PER_S,
                          .tv_nsec = ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
    }
}

static CK_RV shim_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG len, CK_BYTE *signature,
                       CK_ULONG *signature_len)
{
    struct timespec begun;
    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    struct fault fault = enter(CALL_SIGN);
    if (is_action(&fault, "logout")) {
        (void)shim.behind->C_Logout(session);
    }
    CK_RV rv = fault.is_code ? fault.code
                             : shim.behind->C_Sign(session, data, len, signature, signature_len);
    if (rv == CKR_OK && is_action(&fault, "flip")) {
        signature[0] ^= 1;
    }
    if (rv == CKR_OK && is_action(&fault, "short")) {
        (*signature_len)--;
    }
    if (shim.delay_us > 0) {
        sleep_until(begun, shim.delay_us);
    }
    return leave(CALL_SIGN, rv);
}

static bool is_hidden(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < shim.n_hidden; i++) {
        if (shim.hidden[i] == type) {
            return true;
        }
    }
    return false;
}

static CK_RV shim_get_mechanism_info(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    return is_hidden(type) ? CKR_MECHANISM_INVALID
                           : shim.behind->C_GetMechanismInfo(id, type, info);
}

static void read_hidden(const char *text)
{
    while (text != NULL && *text != '\0' && shim.n_hidden < HIDDEN_MAX) {
        char *end;
        shim.hidden[shim.n_hidden++] = strtoul(text, &end, 0);
        text = *end == ',' ? end + 1 : NULL;
    }
}

static long number_of(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : strtol(text, NULL, 10);
}

static CK_FUNCTION_LIST *load_behind(void)
{
    const char *path = getenv("QSEAL_SHIM_MODULE");
    void *library =
        dlopen(path == NULL ? "/usr/lib/softhsm/libsofthsm2.so" : path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = NULL;
    if (library != NULL) {
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    }
    CK_FUNCTION_LIST *list = NULL;
    return get != NULL && get(&list) == CKR_OK ? list : NULL;
}

static void wrap(void)
{
    shim.list = *shim.behind;
    shim.list.C_Initialize = shim_initialize;
    shim.list.C_GetSlotList = shim_get_slot_list;
    shim.list.C_GetTokenInfo = shim_get_token_info;
    shim.list.C_OpenSession = shim_open_session;
    shim.list.C_CloseSession = shim_close_session;
    shim.list.C_Login = shim_login;
    shim.list.C_FindObjectsInit = shim_find_objects_init;
    shim.list.C_FindObjects = shim_find_objects;
    shim.list.C_GetAttributeValue = shim_get_attribute_value;
    shim.list.C_CopyObject = shim_copy_object;
    shim.list.C_GenerateKeyPair = shim_generate_key_pair;
    shim.list.C_SignInit = shim_sign_init;
    shim.list.C_Sign = shim_sign;
    shim.list.C_GetMechanismInfo = shim_get_mechanism_info;
}

static void set_up(void)
{
    shim.behind = load_behind();
    if (shim.behind == NULL) {
        return;
    }
    shim.faults = getenv("QSEAL_SHIM_FAULTS");
    shim.log = getenv("QSEAL_SHIM_LOG");
    shim.delay_us = number_of("QSEAL_SHIM_DELAY_US");
    shim.sessions_max = number_of("QSEAL_SHIM_SESSIONS");
    read_hidden(getenv("QSEAL_SHIM_HIDE"));
    wrap();
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, set_up);
    *list = &shim.list;
    return shim.behind == NULL ? CKR_GENERAL_ERROR : CKR_OK;
}
