/* SPDX-License-Identifier: Apache-2.0
 * The file "pin-attempt": one line, "STATE UNANSWERED TIME". */
#include "pkcs11/attempt.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utc.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_MAX = 128, RECORD_MODE = 0600, UNANSWERED_DIGIT = 9 };

static const char *const names[] = {
    [ATTEMPT_NONE] = "none",     [ATTEMPT_IN_FLIGHT] = "in-flight", [ATTEMPT_GOOD] = "good",
    [ATTEMPT_FAILED] = "failed", [ATTEMPT_FAULT] = "fault",
};
static_assert(COUNT_OF(names) == ATTEMPT_FAULT + 1, "a name for every state");

static bool record_path(const char *folder, char out[PATH_MAX])
{
    return snprintf(out, PATH_MAX, "%s/pin-attempt", folder) < PATH_MAX;
}

/* Takes the word up to the next space, and the space, away from `rest`. */
static struct span next_word(struct span *rest)
{
    size_t space = span_find(*rest, ' ');
    struct span word = span_part(*rest, 0, space);
    *rest = span_part(*rest, space + 1, rest->len);
    return word;
}

static void parse(struct span line, struct attempt *out)
{
    struct span state = next_word(&line);
    struct span number = next_word(&line);
    *out = (struct attempt){.state = ATTEMPT_FAILED, .since = "an unknown time"};
    if (number.len != 1 || number.data[0] < '0' || number.data[0] > '0' + UNANSWERED_DIGIT ||
        line.len == 0 || line.len >= sizeof out->since) {
        return;
    }
    for (unsigned int i = ATTEMPT_NONE; i < COUNT_OF(names); i++) {
        if (span_is_text(state, names[i])) {
            out->state = (enum attempt_state)i;
            out->unanswered = number.data[0] - (unsigned int)'0';
            memcpy(out->since, line.data, line.len);
            out->since[line.len] = '\0';
        }
    }
}

enum outcome attempt_read(const char *folder, struct attempt *out, struct reason *why)
{
    char path[PATH_MAX];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(RECORD_MAX);
    if (!record_path(folder, path)) {
        return refuse(why, OUTCOME_INTERNAL, "the path of the PIN record is too long");
    }
    if (file_read(path, &text) != 0 && errno != EFBIG) {
        *out = (struct attempt){.state = ATTEMPT_NONE};
        return errno == ENOENT ? OUTCOME_OK
                               : refuse(why, OUTCOME_INTERNAL, "%s: %s", path, strerror(errno));
    }
    struct span all = buffer_span(&text);
    parse(span_part(all, 0, span_find(all, '\n')), out);
    return OUTCOME_OK;
}

enum outcome attempt_write(const char *folder, const struct attempt *attempt, struct reason *why)
{
    char path[PATH_MAX];
    char line[RECORD_MAX];
    char since[UTC_SIZE];
    if (!record_path(folder, path)) {
        return refuse(why, OUTCOME_INTERNAL, "the path of the PIN record is too long");
    }
    unsigned int unanswered =
        attempt->unanswered > UNANSWERED_DIGIT ? UNANSWERED_DIGIT : attempt->unanswered;
    (void)snprintf(line, sizeof line, "%s %u %s\n", names[attempt->state], unanswered,
                   attempt->since[0] == '\0' ? utc_text(clock_wall_s(), since) : attempt->since);
    if (file_replace(path, span_of_text(line), RECORD_MODE) != 0) {
        return refuse(why, OUTCOME_INTERNAL, "%s: %s", path, strerror(errno));
    }
    return OUTCOME_OK;
}

bool attempt_blocks(const struct attempt *last)
{
    return last->state == ATTEMPT_FAILED || last->unanswered >= ATTEMPT_UNANSWERED_MAX;
}
