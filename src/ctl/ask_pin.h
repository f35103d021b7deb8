/* SPDX-License-Identifier: Apache-2.0
 * The PIN of a token, as a person types it. It goes from the keyboard into a pipe and is wiped
 * here; only the token's room reads it. */
#ifndef QSEAL_CTL_ASK_PIN_H
#define QSEAL_CTL_ASK_PIN_H

#include "base/attributes.h"
#include "model/outcome.h"

/* Asks for it on the terminal that `input` is, without echo, which is on again however this ends;
 * or takes one line from an `input` that is no terminal. *out is the read end of a pipe that holds
 * it and nothing else, its other end closed; the caller's. OUTCOME_RULE: empty, or longer than 255
 * bytes; OUTCOME_INTERNAL. */
enum outcome ask_pin(int input, const char *token, int *out, struct reason *why) MUST_USE;

#endif
