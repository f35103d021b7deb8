/* SPDX-License-Identifier: Apache-2.0
 * Load, find the token, log in, find the key. */
#include "token_key.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS_MAX = 64, ID_MAX = 64, START_TRIES = 50 };

static bool failed(const char *what, CK_RV rv)
{
    (void)fprintf(stderr, "bench: %s: 0x%lx\n", what, rv);
    return false;
}

/* Retries: SoftHSM may show no token while another process logs in and rewrites its token file. */
static bool try_again(int tried)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    return tried < START_TRIES && nanosleep(&pause, NULL) == 0;
}

static bool load(struct token_key *key, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)fprintf(stderr, "bench: %s\n", dlerror());
        return false;
    }
    CK_C_GetFunctionList list = NULL;
    *(void **)&list = dlsym(library, "C_GetFunctionList");
    if (list == NULL || list(&key->module) != CKR_OK) {
        (void)fprintf(stderr, "bench: %s is no PKCS#11 module\n", path);
        return false;
    }
    /* Without this flag SoftHSM is not safe under threads. */
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = key->module->C_Initialize(&args);
    return rv == CKR_OK || failed("C_Initialize", rv);
}

/* Token labels are padded with blanks (PKCS#11 2.40, CK_TOKEN_INFO). */
static bool is_labelled(const CK_TOKEN_INFO *info, const char *label)
{
    size_t len = strlen(label);
    if (len > sizeof info->label || memcmp(info->label, label, len) != 0) {
        return false;
    }
    for (size_t i = len; i < sizeof info->label; i++) {
        if (info->label[i] != ' ') {
            return false;
        }
    }
    return true;
}

static bool find_slot(struct token_key *key, const char *label)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    if (key->module->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK) {
        return false;
    }
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO info;
        if (key->module->C_GetTokenInfo(slots[i], &info) == CKR_OK && is_labelled(&info, label)) {
            key->slot = slots[i];
            return true;
        }
    }
    return false;
}

static CK_RV log_in(struct token_key *key, const char *pin, CK_FLAGS flags)
{
    CK_RV rv =
        key->module->C_OpenSession(key->slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &key->login);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = key->module->C_Login(key->login, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)pin, strlen(pin));
    if (rv != CKR_OK) {
        (void)key->module->C_CloseSession(key->login);
    }
    return rv;
}

static bool start(struct token_key *key, const struct token_key_choice *choice, CK_FLAGS flags)
{
    if (!load(key, choice->module)) {
        return false;
    }
    int tried = 0;
    while (!find_slot(key, choice->token)) {
        if (!try_again(tried++)) {
            (void)fprintf(stderr, "bench: no token is labelled %s\n", choice->token);
            return false;
        }
    }
    tried = 0;
    CK_RV rv = log_in(key, choice->pin, flags);
    while (rv != CKR_OK && rv != CKR_PIN_INCORRECT && try_again(tried++)) {
        rv = log_in(key, choice->pin, flags);
    }
    return rv == CKR_OK || failed("C_Login", rv);
}

static size_t unhex(const char *hex, CK_BYTE *out)
{
    size_t len = 0;
    for (; len < ID_MAX && hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        const char pair[3] = {hex[0], hex[1], '\0'};
        out[len++] = (CK_BYTE)strtoul(pair, NULL, 16);
    }
    return len;
}

static bool find_key(struct token_key *key, const struct token_key_choice *choice)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_BYTE id[ID_MAX];
    CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &class, sizeof class}};
    CK_ULONG n = 1;
    if (choice->label != NULL) {
        wanted[n++] =
            (CK_ATTRIBUTE){CKA_LABEL, (void *)(uintptr_t)choice->label, strlen(choice->label)};
    }
    if (choice->id != NULL) {
        wanted[n++] = (CK_ATTRIBUTE){CKA_ID, id, unhex(choice->id, id)};
    }
    CK_ULONG found = 0;
    CK_RV rv = key->module->C_FindObjectsInit(key->login, wanted, n);
    if (rv == CKR_OK) {
        rv = key->module->C_FindObjects(key->login, &key->key, 1, &found);
        (void)key->module->C_FindObjectsFinal(key->login);
    }
    if (rv != CKR_OK || found != 1) {
        return failed("no such private key", rv);
    }
    CK_ATTRIBUTE type = {CKA_KEY_TYPE, &key->type, sizeof key->type};
    rv = key->module->C_GetAttributeValue(key->login, key->key, &type, 1);
    return rv == CKR_OK || failed("CKA_KEY_TYPE", rv);
}

static bool copy_key(struct token_key *key)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE in_session = {CKA_TOKEN, &no, sizeof no};
    CK_RV rv = key->module->C_CopyObject(key->login, key->key, &in_session, 1, &key->key);
    return rv == CKR_OK || failed("C_CopyObject", rv);
}

bool token_key_open(struct token_key *key, const struct token_key_choice *choice)
{
    return start(key, choice, 0) && find_key(key, choice) &&
           (!choice->session_copy || copy_key(key));
}

bool token_key_session(const struct token_key *key, CK_SESSION_HANDLE *session)
{
    CK_RV rv = key->module->C_OpenSession(key->slot, CKF_SERIAL_SESSION, NULL, NULL, session);
    return rv == CKR_OK || failed("C_OpenSession", rv);
}

bool token_key_generate(struct token_key *key, const struct token_key_choice *choice, bool rsa)
{
    if (!start(key, choice, CKF_RW_SESSION)) {
        return false;
    }
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static CK_BYTE f4[] = {0x01, 0x00, 0x01};
    CK_ULONG bits = 2048;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    void *label = (void *)(uintptr_t)choice->label;
    CK_ATTRIBUTE label_is = {CKA_LABEL, label, strlen(choice->label)};
    CK_ATTRIBUTE rsa_public[] = {{CKA_TOKEN, &yes, sizeof yes},
                                 {CKA_VERIFY, &yes, sizeof yes},
                                 label_is,
                                 {CKA_MODULUS_BITS, &bits, sizeof bits},
                                 {CKA_PUBLIC_EXPONENT, f4, sizeof f4}};
    CK_ATTRIBUTE ec_public[] = {{CKA_TOKEN, &yes, sizeof yes},
                                {CKA_VERIFY, &yes, sizeof yes},
                                label_is,
                                {CKA_EC_PARAMS, p256, sizeof p256}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes},
                              {CKA_SENSITIVE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no},
                              {CKA_SIGN, &yes, sizeof yes},      label_is};
    CK_MECHANISM mechanism = {rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE public = 0;
    CK_RV rv = key->module->C_GenerateKeyPair(
        key->login, &mechanism, rsa ? rsa_public : ec_public,
        rsa ? sizeof rsa_public / sizeof *rsa_public : sizeof ec_public / sizeof *ec_public,
        private, sizeof private / sizeof *private, &public, &key->key);
    return rv == CKR_OK || failed("C_GenerateKeyPair", rv);
}
