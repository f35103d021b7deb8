/* SPDX-License-Identifier: Apache-2.0
 * The file of the last checkpoint, held against what was found of the log: it was written after the
 * records that it covers, so a log that ends before them has lost what was acknowledged. */
#include "audit/recover_seal.h"

#include "audit/checkpoint.h"
#include "audit/listing.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char remedy[] = "nothing was changed. See qsealctl audit verify, keep the folder's "
                             "files in another place, and a new chain begins";

static enum outcome read_it(int folder, struct buffer *text, bool *there, struct reason *why)
{
    FD_CLEANUP int fd = openat(folder, AUDIT_CHECKPOINT_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *there = fd >= 0 || errno != ENOENT;
    if (!*there || (fd >= 0 && file_read_from(fd, text) == 0)) {
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_UNAVAILABLE, "checkpoint: reading it: %s", strerror(errno));
}

static enum outcome compare(const struct checkpoint *checkpoint, struct recovered *found,
                            struct reason *why)
{
    if (!found->any || strcmp(checkpoint->chain, found->chain) != 0) {
        return refuse(why, OUTCOME_RULE,
                      "the file checkpoint is of chain %s, of which the folder has no segment; %s",
                      checkpoint->chain, remedy);
    }
    if (checkpoint->seq > found->seq) {
        return refuse(why, OUTCOME_RULE,
                      "the file checkpoint covers record %llu, and the log ends with record %llu: "
                      "records are gone that had been acknowledged; %s",
                      (unsigned long long)checkpoint->seq, (unsigned long long)found->seq, remedy);
    }
    found->covered = checkpoint->seq > found->covered ? checkpoint->seq : found->covered;
    return OUTCOME_OK;
}

enum outcome recover_check_seal(int folder, struct recovered *found, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    struct checkpoint_signed last;
    bool there = false;
    enum outcome outcome = read_it(folder, &text, &there, why);
    if (outcome != OUTCOME_OK || !there) {
        return outcome;
    }
    const char *fault = checkpoint_read_signed(buffer_span(&text), &last);
    return fault == NULL
               ? compare(&last.checkpoint, found, why)
               : refuse(why, OUTCOME_RULE, "the file checkpoint is none: %s; %s", fault, remedy);
}
