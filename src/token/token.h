/* SPDX-License-Identifier: Apache-2.0
 * The token service: what qseald asks of one qseal-tokend. Two bodies implement it: remote.c (in
 * qseald, by frames) and local.c (in tokend, by PKCS#11). Every function is one question with a
 * deadline. */
#ifndef QSEAL_TOKEN_TOKEN_H
#define QSEAL_TOKEN_TOKEN_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "model/alg.h"
#include "model/outcome.h"
#include "model/purpose.h"

enum {
    TOKEN_KIND_STATUS = 1,
    TOKEN_KIND_SIGN = 2,
    TOKEN_KIND_GENERATE = 3,
    TOKEN_KIND_UNLOCK = 4,
    TOKEN_KIND_DESTROY = 5,
    TOKEN_KIND_SHOW = 6,
};

enum {
    KEY_ID_LEN = 16,      /* CKA_ID of a key we generate, bytes */
    SPKI_DIGEST_LEN = 32, /* SHA-256 over the DER SubjectPublicKeyInfo */
    SPKI_MAX = 1024,      /* bytes of any SubjectPublicKeyInfo here */
    TOKEN_TEXT_SIZE = 64,
    TOKEN_INPUT_MAX = 2 * 1024 * 1024, /* longest signing input, bytes */
};

/* Opaque and per thread: one connection in the remote body, one PKCS#11 session in the local one.
 */
struct token;

/* What the signature is for. */
enum token_use {
    USE_PURPOSE, /* what keys of its purpose sign */
    USE_CSR,     /* a certificate request for the key itself (model/shape_csr.h) */
};
enum { TOKEN_USE_COUNT = USE_CSR + 1 };

struct token_sign_request {
    enum purpose purpose;
    enum token_use use;
    enum alg alg;
    uint8_t key_id[KEY_ID_LEN];
    uint8_t spki_digest[SPKI_DIGEST_LEN]; /* the pinned public key */
    struct span input;                    /* the whole signing input, never a digest */
};

struct token_generate_request {
    enum purpose purpose;
    enum key_type type;
    uint32_t algs; /* bit (1 << enum alg) for CKA_ALLOWED_MECHANISMS */
    char role[ROLE_NAME_MAX + 1];
    uint8_t key_id[KEY_ID_LEN];
};

struct token_destroy_request {
    enum purpose purpose;
    uint8_t key_id[KEY_ID_LEN];
    uint8_t spki_digest[SPKI_DIGEST_LEN]; /* the pinned public key */
};

enum token_state {
    TOKEN_READY,  /* logged in, keys can be used */
    TOKEN_ABSENT, /* the module shows no token that fits the URI */
    TOKEN_LOCKED, /* the PIN is typed, or was refused: waits for `qsealctl token unlock` */
    TOKEN_DOWN,   /* nobody answers at the socket, or the module fails */
};
const char *token_state_name(enum token_state state);

/* What the token says of itself (CK_TOKEN_INFO), bit (1 << enum token_flag). */
enum token_flag {
    TOKEN_LOGIN_REQUIRED,
    TOKEN_PIN_INITIALIZED,
    TOKEN_PIN_COUNT_LOW,
    TOKEN_PIN_FINAL_TRY,
    TOKEN_PIN_LOCKED,
    TOKEN_PIN_TO_BE_CHANGED,
    TOKEN_PIN_PAD,
    TOKEN_WRITE_PROTECTED,
    TOKEN_HAS_RANDOM,
};
enum { TOKEN_FLAG_COUNT = TOKEN_HAS_RANDOM + 1 };
/* "pin-count-low" */
const char *token_flag_name(enum token_flag flag);

#define TOKEN_UNKNOWN UINT64_MAX         /* it does not say */
#define TOKEN_NO_LIMIT (UINT64_MAX - 1U) /* it says that there is none */

enum token_number {
    TOKEN_SESSIONS,     /* open now, by all who use the token */
    TOKEN_SESSIONS_MAX, /* for this process */
    TOKEN_PUBLIC_FREE,  /* bytes of memory */
    TOKEN_PUBLIC_TOTAL,
    TOKEN_PRIVATE_FREE,
    TOKEN_PRIVATE_TOTAL,
};
enum {
    TOKEN_NUMBER_COUNT = TOKEN_PRIVATE_TOTAL + 1,
    TOKEN_VERSION_SIZE = 16,
    TOKEN_MARKS_MAX = 24
};

struct token_facts {
    char manufacturer[TOKEN_TEXT_SIZE];
    char hardware[TOKEN_VERSION_SIZE]; /* "2.6" */
    char firmware[TOKEN_VERSION_SIZE];
    uint32_t flags;
    uint64_t numbers[TOKEN_NUMBER_COUNT];
    uint32_t quirks_looked; /* bit (1 << enum quirk): known whether it has this one */
    uint32_t quirks_found;
};

struct token_status {
    enum token_state state;
    char label[TOKEN_TEXT_SIZE];
    char serial[TOKEN_TEXT_SIZE];
    char model[TOKEN_TEXT_SIZE];
    char module[TOKEN_TEXT_SIZE]; /* library description and version */
    char detail[REASON_DETAIL_SIZE];
    uint32_t
        prehash_algs; /* bit (1 << enum alg): hashed in the host, signed with the raw mechanism */
    uint32_t token_hash_algs; /* bit: hashed in the token */
    uint32_t sessions;
    uint64_t signatures;              /* since start */
    int64_t started;                  /* of the tokend, wall seconds */
    char version[TOKEN_VERSION_SIZE]; /* of the tokend; "" when nobody answers */
    /* Of the configuration it was started with (policy/config_mark.h). */
    uint64_t marks[TOKEN_MARKS_MAX];
    uint32_t n_marks;
    struct token_facts facts; /* empty before the token was found */
};

struct token_show_request {
    uint8_t key_id[KEY_ID_LEN];
    uint8_t spki_digest[SPKI_DIGEST_LEN]; /* the pinned public key */
};

/* Of a private key, in the token. */
enum token_attribute {
    ATTRIBUTE_PRIVATE,
    ATTRIBUTE_SENSITIVE,
    ATTRIBUTE_ALWAYS_SENSITIVE,
    ATTRIBUTE_EXTRACTABLE,
    ATTRIBUTE_NEVER_EXTRACTABLE,
    ATTRIBUTE_LOCAL,
    ATTRIBUTE_MODIFIABLE,
    ATTRIBUTE_ALWAYS_AUTHENTICATE,
    ATTRIBUTE_SIGN,
    ATTRIBUTE_SIGN_RECOVER,
    ATTRIBUTE_DECRYPT,
    ATTRIBUTE_UNWRAP,
    ATTRIBUTE_DERIVE,
};
enum { TOKEN_ATTRIBUTE_COUNT = ATTRIBUTE_DERIVE + 1 };
/* "CKA_SENSITIVE" */
const char *token_attribute_name(enum token_attribute attribute);
enum token_answer { ANSWER_FALSE, ANSWER_TRUE, ANSWER_NONE /* the object does not have it */ };

enum { TOKEN_MECHANISMS_SIZE = 1024, TOKEN_LABEL_SIZE = 256 };

struct token_key {
    enum token_answer attributes[TOKEN_ATTRIBUTE_COUNT];
    char label[TOKEN_LABEL_SIZE];
    bool has_mechanisms;                    /* CKA_ALLOWED_MECHANISMS is there: */
    char mechanisms[TOKEN_MECHANISMS_SIZE]; /* their names, with blanks between */
    bool is_pinned;                         /* the public key beside it is the pinned one */
    uint64_t signatures;                    /* with it since `started`, or TOKEN_UNKNOWN */
    int64_t started;                        /* of the tokend, wall seconds */
};

/* Refusals of all six: OUTCOME_TOKEN_UNAVAILABLE and OUTCOME_DEADLINE, and those named there. The
 * remote body passes on no other: a tokend cannot speak to callers in another room's words. */

/* Appends the raw JOSE signature (RSA: modulus length; ECDSA: r||s; Ed25519: 64 bytes) to
 * `signature`. Refusals: OUTCOME_SHAPE, OUTCOME_KEY_MISMATCH, OUTCOME_NO_KEY, OUTCOME_PIN,
 * OUTCOME_VERIFY (not the length of such a signature). */
enum outcome token_sign(struct token *token, const struct token_sign_request *request,
                        struct deadline deadline, struct buffer *signature,
                        struct reason *why) MUST_USE;
/* Generates a key pair in the token; appends its DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) to
 * `spki`. Refusals: OUTCOME_RULE, OUTCOME_KEY_MISMATCH, OUTCOME_PIN. */
enum outcome token_generate(struct token *token, const struct token_generate_request *request,
                            struct deadline deadline, struct buffer *spki,
                            struct reason *why) MUST_USE;
/* Destroys the key pair in the token, private key first. Refusals: OUTCOME_NO_KEY (it is not there,
 * or no more), OUTCOME_KEY_MISMATCH (it is another pair), OUTCOME_RULE (the token refuses),
 * OUTCOME_PIN. */
enum outcome token_destroy(struct token *token, const struct token_destroy_request *request,
                           struct deadline deadline, struct reason *why) MUST_USE;
/* The key as the token shows it now. Refusals: OUTCOME_NO_KEY (and under which other CKA_ID its
 * public key is, if it is), OUTCOME_KEY_MISMATCH (more than one), OUTCOME_PIN. */
enum outcome token_show(struct token *token, const struct token_show_request *request,
                        struct deadline deadline, struct token_key *out,
                        struct reason *why) MUST_USE;
enum outcome token_status(struct token *token, struct deadline deadline, struct token_status *out,
                          struct reason *why) MUST_USE;
/* A person says: try the PIN of the pin-source once more (`pin` -1); or has typed the PIN, where
 * the configuration says so, and `pin` is the read end of a pipe that holds it and nothing more.
 * That stays the caller's, and only the tokend reads it. Refusals: OUTCOME_PIN (refused, or it has
 * to be typed), OUTCOME_RULE (two tokens fit the URI; an empty PIN, one that is too long, or one
 * that is not typed here). */
enum outcome token_unlock(struct token *token, int pin, struct deadline deadline,
                          struct reason *why) MUST_USE;

/* The fields of each question and answer, shared by both sides (codec.c). */
void token_put_sign(struct buffer *frame, const struct token_sign_request *request);
bool token_get_sign(struct reader *frame, struct token_sign_request *out) MUST_USE;
void token_put_generate(struct buffer *frame, const struct token_generate_request *request);
bool token_get_generate(struct reader *frame, struct token_generate_request *out) MUST_USE;
void token_put_destroy(struct buffer *frame, const struct token_destroy_request *request);
bool token_get_destroy(struct reader *frame, struct token_destroy_request *out) MUST_USE;
void token_put_show(struct buffer *frame, const struct token_show_request *request);
bool token_get_show(struct reader *frame, struct token_show_request *out) MUST_USE;
/* Reading it makes its texts printable. */
void token_put_key(struct buffer *frame, const struct token_key *key);
bool token_get_key(struct reader *frame, struct token_key *out) MUST_USE;
/* Reading a status makes its texts printable. */
void token_put_status(struct buffer *frame, const struct token_status *status);
bool token_get_status(struct reader *frame, struct token_status *out) MUST_USE;
/* Replaces what is not printable ASCII by '?': a label may be Latin-1, a module may say anything.
 */
void token_make_printable(char *text);

#endif
