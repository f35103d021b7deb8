/* SPDX-License-Identifier: Apache-2.0
 * Which records are shown. */
#include "ctl/audit_filter.h"

#include "audit/kind.h"

#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 16 * 1024, TEXT_KEPT = 4 * 1024 };

/* A record whose completion is to be shown, and its text where it was not shown itself. */
struct waiting {
    uint64_t seq; /* 0: none */
    struct buffer text;
};

struct audit_filter {
    struct audit_wish wish;
    struct buffer first;                 /* what was given out last */
    struct waiting waiting[WAITING_MAX]; /* at seq % its size: a newer one takes an older's place */
};

struct audit_filter *audit_filter_new(const struct audit_wish *wish)
{
    struct audit_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL) {
        return NULL;
    }
    filter->wish = *wish;
    filter->first = BUFFER_INIT(AUDIT_LINE_MAX);
    for (size_t i = 0; i < WAITING_MAX; i++) {
        filter->waiting[i].text = BUFFER_INIT(AUDIT_LINE_MAX);
    }
    return filter;
}

void audit_filter_free(struct audit_filter *filter)
{
    if (filter == NULL) {
        return;
    }
    for (size_t i = 0; i < WAITING_MAX; i++) {
        buffer_fini(&filter->waiting[i].text);
    }
    buffer_fini(&filter->first);
    free(filter);
}

/* --- what is asked for --- */

static bool has_text(const struct audit_line *line, const char *member, const char *wanted)
{
    struct span text;
    return wanted == NULL || (audit_line_text(line, member, &text) && span_is_text(text, wanted));
}

static bool is_of_caller(const struct audit_line *line, const char *wanted)
{
    struct span uid;
    return wanted == NULL || has_text(line, "caller", wanted) ||
           (audit_line_value(line, "uid", &uid) && span_is_text(uid, wanted));
}

static bool is_in_time(const struct audit_wish *wish, const struct audit_line *line)
{
    return line->time_us >= wish->since_us && line->time_us < wish->until_us &&
           line->seq > wish->after;
}

static bool is_of_kind(const struct audit_wish *wish, const struct audit_line *line)
{
    return wish->kind == NULL || span_is_text(line->kind, wish->kind);
}

static bool is_asked_for(const struct audit_wish *wish, const struct audit_line *line)
{
    return is_of_caller(line, wish->caller) && has_text(line, "kid", wish->kid) &&
           has_text(line, "request", wish->request);
}

/* --- records and their completions --- */

static void wait_for(struct audit_filter *filter, const struct audit_line *line, struct span text)
{
    struct waiting *waiting = &filter->waiting[line->seq % WAITING_MAX];
    waiting->seq = line->seq;
    buffer_reset(&waiting->text);
    buffer_trim(&waiting->text, TEXT_KEPT);
    if (filter->wish.outcome != NULL) {
        buffer_put_span(&waiting->text, text);
    }
}

/* The completion of a record that was asked for. */
static bool takes_done(struct audit_filter *filter, const struct audit_line *line,
                       struct span *first)
{
    uint64_t of;
    if (!audit_line_number(line, "of", &of) || of == 0) {
        return false;
    }
    struct waiting *waiting = &filter->waiting[of % WAITING_MAX];
    if (waiting->seq != of) {
        return false;
    }
    waiting->seq = 0;
    if (!has_text(line, "outcome", filter->wish.outcome)) {
        return false;
    }
    buffer_reset(&filter->first);
    buffer_put_span(&filter->first, buffer_span(&waiting->text));
    *first = buffer_span(&filter->first);
    return true;
}

bool audit_filter_takes(struct audit_filter *filter, const struct audit_line *line,
                        struct span text, struct span *first)
{
    const struct audit_wish *wish = &filter->wish;
    enum audit_kind kind = audit_kind_of(line->kind);
    bool is_all =
        wish->caller == NULL && wish->kid == NULL && wish->request == NULL && wish->outcome == NULL;
    *first = (struct span){0};
    if (is_all) {
        return is_in_time(wish, line) && is_of_kind(wish, line);
    }
    if (kind == AUDIT_KIND_DONE) {
        return takes_done(filter, line, first) && is_in_time(wish, line) &&
               (is_of_kind(wish, line) || first->len > 0);
    }
    if (!is_asked_for(wish, line)) {
        return false;
    }
    bool is_shown = is_in_time(wish, line) && is_of_kind(wish, line);
    if (kind == AUDIT_KIND_SIGN || kind == AUDIT_KIND_ADMIN || kind == AUDIT_KIND_KEYRING) {
        if (wish->outcome == NULL || is_shown) {
            wait_for(filter, line, text);
        }
        return is_shown && wish->outcome == NULL;
    }
    return is_shown && has_text(line, "outcome", wish->outcome);
}
