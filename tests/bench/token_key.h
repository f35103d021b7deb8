/* SPDX-License-Identifier: Apache-2.0
 * The least PKCS#11 that signs: one module, one token, one private key, as many sessions as
 * threads. The module is loaded by dlopen(3), without p11-kit's managed layer, so that the baseline
 * is the token's own speed and nothing else. */
#ifndef QSEAL_BENCH_TOKEN_KEY_H
#define QSEAL_BENCH_TOKEN_KEY_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

struct token_key_choice {
    const char *module; /* path */
    const char *token;  /* label */
    const char *pin;
    const char *label; /* CKA_LABEL of the private key, or NULL */
    const char *id;    /* CKA_ID in hex, or NULL */
    bool session_copy; /* sign with a copy of the key held in the session */
};

struct token_key {
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE login; /* the session that keeps us logged in */
    CK_OBJECT_HANDLE key;
    CK_KEY_TYPE type;
};

/* Says on stderr what went wrong. */
bool token_key_open(struct token_key *key, const struct token_key_choice *choice);
/* A further session, for a further thread. */
bool token_key_session(const struct token_key *key, CK_SESSION_HANDLE *session);
/* Makes a key pair of this label in the token, as tokend would (a token object, sensitive, never
 * extractable). */
bool token_key_generate(struct token_key *key, const struct token_key_choice *choice, bool rsa);

#endif
