/* SPDX-License-Identifier: Apache-2.0
 * The timeline's content out of the answer, and where it stands. */
#include "ctl/timeline.h"

#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

static bool time_of(const json_t *object, const char *member, int64_t *out)
{
    return utc_read(span_of_text(text_of(object, member)), out);
}

static bool read_span(const struct timeline *timeline, const json_t *from,
                      struct timeline_span *span)
{
    const json_t *end = json_object_get(from, "until");
    span->is_open = end == NULL || json_is_null(end);
    span->until = timeline->until;
    span->planned = json_is_true(json_object_get(from, "planned"));
    return key_state_from_name(span_of_text(text_of(from, "state")), &span->state) &&
           time_of(from, "from", &span->from) &&
           (span->is_open || time_of(from, "until", &span->until));
}

/* Of those that begin in one second the ones that end in it come first. */
static int compare_spans(const void *left, const void *right)
{
    const struct timeline_span *a = left;
    const struct timeline_span *b = right;
    int order = (a->from > b->from) - (a->from < b->from);
    return order == 0 ? (a->until > b->until) - (a->until < b->until) : order;
}

static bool read_spans(const struct timeline *timeline, const json_t *list,
                       struct timeline_key *key)
{
    size_t i;
    json_t *item;
    key->spans = calloc(json_array_size(list) + 1, sizeof *key->spans);
    if (key->spans == NULL || !json_is_array(list)) {
        return false;
    }
    json_array_foreach (list, i, item) {
        if (!read_span(timeline, item, &key->spans[key->n_spans++])) {
            return false;
        }
    }
    if (key->n_spans > 1) {
        qsort(key->spans, key->n_spans, sizeof *key->spans, compare_spans);
    }
    return true;
}

static bool read_certificate(const json_t *certificate, struct timeline_key *key)
{
    if (certificate == NULL || json_is_null(certificate)) {
        return true;
    }
    key->subject = text_of(certificate, "subject");
    return time_of(certificate, "not_before", &key->not_before) &&
           time_of(certificate, "not_after", &key->not_after);
}

static bool read_key(const struct timeline *timeline, const json_t *from, struct timeline_key *key)
{
    key->role = text_of(from, "role");
    key->token = text_of(from, "token");
    key->kid = text_of(from, "kid");
    key->purpose = text_of(from, "purpose");
    key->overdue = json_string_value(json_object_get(from, "overdue"));
    return key_state_from_name(span_of_text(text_of(from, "state")), &key->state) &&
           read_certificate(json_object_get(from, "certificate"), key) &&
           read_spans(timeline, json_object_get(from, "spans"), key);
}

static int64_t begin_of(const struct timeline_key *key)
{
    return key->n_spans == 0 ? INT64_MAX : key->spans[0].from;
}

static int compare_keys(const void *left, const void *right)
{
    const struct timeline_key *a = left;
    const struct timeline_key *b = right;
    int order = strcmp(a->role, b->role);
    order = order == 0 ? strcmp(a->token, b->token) : order;
    order = order == 0 ? (begin_of(a) > begin_of(b)) - (begin_of(a) < begin_of(b)) : order;
    return order == 0 ? strcmp(a->kid, b->kid) : order;
}

static void sort_keys(struct timeline *timeline)
{
    if (timeline->n_keys > 1) {
        qsort(timeline->keys, timeline->n_keys, sizeof *timeline->keys, compare_keys);
    }
    for (size_t i = 0; i < timeline->n_keys; i++) {
        struct timeline_key *key = &timeline->keys[i];
        key->heads_role = i == 0 || strcmp(key->role, key[-1].role) != 0;
    }
}

static bool read_all(const json_t *answer, struct timeline *timeline)
{
    const json_t *keys = json_object_get(answer, "keys");
    if (!time_of(answer, "now", &timeline->now) || !time_of(answer, "from", &timeline->from) ||
        !time_of(answer, "until", &timeline->until) || timeline->from >= timeline->until ||
        !json_is_array(keys)) {
        return false;
    }
    size_t i;
    json_t *key;
    timeline->keys = calloc(json_array_size(keys) + 1, sizeof *timeline->keys);
    if (timeline->keys == NULL) {
        return false;
    }
    json_array_foreach (keys, i, key) {
        if (!read_key(timeline, key, &timeline->keys[timeline->n_keys++])) {
            return false;
        }
    }
    sort_keys(timeline);
    return true;
}

enum outcome timeline_read(const json_t *answer, struct timeline **out, struct reason *why)
{
    *out = calloc(1, sizeof **out);
    if (*out != NULL && read_all(answer, *out)) {
        return OUTCOME_OK;
    }
    timeline_free_ref(out);
    return refuse(why, OUTCOME_INTERNAL, "qseald answered in an unknown form");
}

void timeline_free(struct timeline *timeline)
{
    if (timeline == NULL) {
        return;
    }
    for (size_t i = 0; i < timeline->n_keys; i++) {
        free(timeline->keys[i].spans);
    }
    free(timeline->keys);
    free(timeline);
}

void timeline_free_ref(struct timeline **timeline)
{
    timeline_free(*timeline);
    *timeline = NULL;
}

int timeline_place(const struct timeline *timeline, int64_t at, int width)
{
    if (at <= timeline->from) {
        return 0;
    }
    if (at >= timeline->until) {
        return width;
    }
    /* No overflow: four-digit years are under 2^39 seconds. */
    return (int)((at - timeline->from) * width / (timeline->until - timeline->from));
}

bool timeline_shows_certificate(const struct timeline_key *key)
{
    return key->subject != NULL && key->state != KEY_DESTROYED;
}

unsigned int timeline_states(const struct timeline *timeline)
{
    unsigned int states = 0;
    for (size_t i = 0; i < timeline->n_keys; i++) {
        for (size_t j = 0; j < timeline->keys[i].n_spans; j++) {
            states |= 1U << timeline->keys[i].spans[j].state;
        }
    }
    return states;
}

static bool lies_ahead(const struct timeline *timeline, int64_t at)
{
    return at > timeline->now && at <= timeline->until;
}

static int compare_changes(const void *left, const void *right)
{
    const struct timeline_change *a = left;
    const struct timeline_change *b = right;
    int order = (a->at > b->at) - (a->at < b->at);
    order = order == 0 ? (a->key > b->key) - (a->key < b->key) : order;
    return order == 0 ? (int)a->to - (int)b->to : order;
}

static size_t put_changes_of(const struct timeline *timeline, const struct timeline_key *key,
                             struct timeline_change out[])
{
    size_t n = 0;
    for (size_t i = 0; i < key->n_spans; i++) {
        const struct timeline_span *span = &key->spans[i];
        bool is_due = span->planned && span->from == timeline->now;
        if (is_due || lies_ahead(timeline, span->from)) {
            out[n++] = (struct timeline_change){.at = span->from, .key = key, .to = span->state};
        }
    }
    if (timeline_shows_certificate(key) && lies_ahead(timeline, key->not_after)) {
        out[n++] =
            (struct timeline_change){.at = key->not_after, .key = key, .certificate_ends = true};
    }
    return n;
}

struct timeline_change *timeline_changes(const struct timeline *timeline, size_t *n)
{
    size_t most = 1;
    *n = 0;
    for (size_t i = 0; i < timeline->n_keys; i++) {
        most += timeline->keys[i].n_spans + 1;
    }
    struct timeline_change *changes = calloc(most, sizeof *changes);
    if (changes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < timeline->n_keys; i++) {
        *n += put_changes_of(timeline, &timeline->keys[i], &changes[*n]);
    }
    qsort(changes, *n, sizeof *changes, compare_changes);
    return changes;
}

void timeline_changes_free(struct timeline_change **changes)
{
    free(*changes);
    *changes = NULL;
}
