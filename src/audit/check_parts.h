/* SPDX-License-Identifier: Apache-2.0
 * Inside src/audit only: the parts of the check. */
#ifndef QSEAL_AUDIT_CHECK_PARTS_H
#define QSEAL_AUDIT_CHECK_PARTS_H

#include "audit/check.h"

/* Records of these kinds, as far as they are remembered. False when a rule is broken. */
bool audit_check_sign(struct audit_check *check, const struct audit_line *line) MUST_USE;
void audit_check_command(struct audit_check *check); /* admin, or keyring */
bool audit_check_done(struct audit_check *check, const struct audit_line *line) MUST_USE;
bool audit_check_checkpoint(struct audit_check *check, const struct audit_line *line) MUST_USE;
void audit_check_retention(struct audit_check *check, const struct audit_line *line);
/* All up to `seq` is fixed by a good checkpoint of that time. */
void audit_check_seal(struct audit_check *check, uint64_t seq, int64_t time);
/* The first record of a segment. */
bool audit_check_header(struct audit_check *check, const struct audit_line *line) MUST_USE;

/* The number of the pair, which is made when there is none; AUDIT_NO_PAIR when they are too many
 * or it has no such name. */
uint16_t audit_check_pair(struct audit_check *check, struct span token, struct span kid);
/* A service ended without order, or its disk failed: what its tokens have counted may be more than
 * is recorded, and what they still work on, too. */
void audit_check_renew_counts(struct audit_check *check, int64_t time_us);
/* The counts of a checkpoint's note. */
bool audit_check_uses(struct audit_check *check, const struct checkpoint *note) MUST_USE;
/* Whether a record of this seq is remembered. */
bool audit_check_remembers(const struct audit_check *check, uint64_t seq);
/* Of a digest. */
void audit_check_spell(const uint8_t digest[AUDIT_DIGEST_LEN], char out[AUDIT_HASH_SIZE]);

#endif
