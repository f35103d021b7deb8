/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what the files behind qsealctl key import-certificate share. */
#ifndef QSEAL_CUSTODY_IMPORT_H
#define QSEAL_CUSTODY_IMPORT_H

#include "custody/change.h"
#include "pki/certificate.h"

/* The key of the argument "role", and on the token of "token" if it is there, that the certificates
 * in the text are for. The only key there is, if they are for none: reading them for it says so.
 * OUTCOME_NO_KEY; OUTCOME_RULE when the text cannot be read, is for none of several, or for a key
 * that gets no certificate any more. */
enum outcome import_choose_key(const struct act *act, const char *text, const struct key **out,
                               struct reason *why) MUST_USE;

#endif
