/* SPDX-License-Identifier: Apache-2.0
 * A third body of token/token.h, for tests: tokens that live in this process, sign with OpenSSL
 * keys and fail on cue. */
#ifndef QSEAL_TESTS_TOKEN_DOUBLE_H
#define QSEAL_TESTS_TOKEN_DOUBLE_H

#include "token/token.h"

#include <stdatomic.h>

/* How the double of a token behaves from now on; by name, as in the configuration. */
struct token_double {
    const char *name;
    enum outcome outcome;           /* of every question but status; OUTCOME_OK signs */
    _Atomic enum token_state state; /* what status says, to a thread that asks when it likes, */
    struct token_status says;       /* and the rest of it */
    enum outcome signs;             /* of signatures alone */
    bool flip_a_bit;                /* the signature is spoilt */
    bool goes_down;                 /* with the first refused signature its state is TOKEN_DOWN */
    unsigned int asked;             /* signatures asked for */
    struct token_key shows;         /* what token_show() says of every key */
    unsigned int unlocks;
    bool wants_pin;    /* unlocking without a typed PIN is OUTCOME_PIN */
    char typed[16];    /* the last PIN that was typed */
    atomic_bool hangs; /* no answer to sign and destroy before this is over, */
    atomic_uint held;  /* so many wait for that now */
    bool shows_late;   /* a key is not shown before the deadline */
};

/* Forgets all keys and tokens, then knows these. The array is borrowed. */
void token_double_set(struct token_double *doubles, size_t n);

#endif
