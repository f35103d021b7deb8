/* SPDX-License-Identifier: Apache-2.0
 * plans.json: {"format":1,"plans":[{…,"digest":"…"},…]}, oldest first, read whole, written whole.
 */
#include "base/file.h"
#include "custody/plans_read.h"
#include "jose/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 8 * 1024 * 1024, FILE_MODE = 0640, FORMAT = 1 };

void plans_fini(struct plans *plans)
{
    for (size_t i = 0; i < plans->n; i++) {
        plan_fini(&plans->list[i]);
    }
    plans->n = 0;
}

static enum outcome add_row(json_t *row, struct plans *out, struct reason *why)
{
    char digest[PLAN_DIGEST_SIZE] = "";
    const json_t *given = json_object_get(row, "digest");
    PLAN_CLEANUP struct plan plan = {0};
    if (json_string_length(given) != PLAN_DIGEST_LEN) {
        return refuse(why, OUTCOME_RULE, "\"digest\" must be %d characters of hex",
                      PLAN_DIGEST_LEN);
    }
    memcpy(digest, json_string_value(given), sizeof digest);
    (void)json_object_del(row, "digest");
    enum outcome outcome = plan_read(row, &plan, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (strcmp(plan.digest, digest) != 0) {
        return refuse(why, OUTCOME_RULE, "\"digest\" is not that of the plan");
    }
    size_t before = out->n;
    outcome = plans_add(out, &plan, why);
    return outcome == OUTCOME_OK && out->n == before
               ? refuse(why, OUTCOME_RULE, "the same plan stands there twice")
               : outcome;
}

static enum outcome read_text(struct span text, struct plans *out, struct reason *why)
{
    JSON_CLEANUP json_t *root = NULL;
    enum outcome outcome = json_parse_object(text, &root, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const json_t *rows = json_object_get(root, "plans");
    if (json_integer_value(json_object_get(root, "format")) != FORMAT || !json_is_array(rows) ||
        json_object_size(root) != 2) {
        return refuse(why, OUTCOME_RULE, "\"format\" must be %d, and \"plans\" an array", FORMAT);
    }
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        struct reason inner = {0};
        outcome = add_row(row, out, &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "plans[%zu]: %.200s", i, inner.detail);
        }
    }
    return OUTCOME_OK;
}

enum outcome plans_load(const char *path, struct plans *out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    struct reason inner = {0};
    enum outcome outcome = OUTCOME_OK;
    *out = (struct plans){.n = 0};
    if (file_read(path, &text) == 0) {
        outcome = read_text(buffer_span(&text), out, &inner);
    } else if (errno != ENOENT) {
        outcome = refuse(&inner, OUTCOME_RULE, "%s", strerror(errno));
    }
    if (outcome == OUTCOME_OK) {
        return OUTCOME_OK;
    }
    plans_fini(out);
    return refuse(why, outcome == OUTCOME_INTERNAL ? outcome : OUTCOME_RULE,
                  "%.120s: %.230s; keys sign on, but no plan is made or approved until the file is "
                  "repaired, or removed with all plans in it",
                  path, inner.detail);
}

enum outcome plans_save(const struct plans *plans, const char *path, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    buffer_put_format(&text, "{\"format\":%d,\"plans\":[", FORMAT);
    for (size_t i = 0; i < plans->n; i++) {
        JSON_CLEANUP json_t *row = plan_shown(&plans->list[i]);
        if (row == NULL) {
            return refuse(why, OUTCOME_INTERNAL, "out of memory");
        }
        buffer_put_text(&text, i == 0 ? "\n" : ",\n");
        json_put(&text, row);
    }
    buffer_put_text(&text, "\n]}\n");
    if (!buffer_ok(&text)) {
        return refuse(why, OUTCOME_RULE, "%s: larger than %d bytes", path, FILE_MAX);
    }
    struct reason inner = {0};
    PLANS_CLEANUP struct plans again = {.n = 0};
    if (read_text(buffer_span(&text), &again, &inner) != OUTCOME_OK) {
        return refuse(why, OUTCOME_RULE, "%.120s: it could not be read again: %.300s", path,
                      inner.detail);
    }
    if (file_replace(path, buffer_span(&text), FILE_MODE) != 0) {
        return refuse(why, OUTCOME_RULE, "%s: %s", path, strerror(errno));
    }
    return OUTCOME_OK;
}

enum outcome plans_add(struct plans *plans, struct plan *plan, struct reason *why)
{
    for (size_t i = 0; i < plans->n; i++) {
        if (strcmp(plans->list[i].digest, plan->digest) == 0) {
            plan_fini(plan);
            return OUTCOME_OK;
        }
    }
    if (plans->n == PLANS_MAX) {
        return refuse(why, OUTCOME_RULE,
                      "%d plans wait already: approve or withdraw one (qsealctl plan list)",
                      PLANS_MAX);
    }
    plans->list[plans->n++] = *plan;
    *plan = (struct plan){0};
    return OUTCOME_OK;
}

enum outcome plans_find(const struct plans *plans, const char *digest, const struct plan **out,
                        struct reason *why)
{
    size_t len = strlen(digest);
    *out = NULL;
    if (len < PLAN_PREFIX_MIN) {
        return refuse(why, OUTCOME_NOT_FOUND,
                      "a plan is named by its digest, or the first %d or more characters of it",
                      PLAN_PREFIX_MIN);
    }
    for (size_t i = 0; i < plans->n; i++) {
        if (strncmp(plans->list[i].digest, digest, len) != 0) {
            continue;
        }
        if (*out != NULL) {
            *out = NULL;
            return refuse(why, OUTCOME_RULE, "more than one plan's digest begins so: say more");
        }
        *out = &plans->list[i];
    }
    return *out != NULL ? OUTCOME_OK
                        : refuse(why, OUTCOME_NOT_FOUND,
                                 "there is no plan of this digest (qsealctl plan list): it was "
                                 "approved, withdrawn, or has expired");
}

static void drop_at(struct plans *plans, size_t index)
{
    plan_fini(&plans->list[index]);
    plans->n--;
    memmove(&plans->list[index], &plans->list[index + 1],
            (plans->n - index) * sizeof plans->list[0]);
}

void plans_drop(struct plans *plans, const char *digest)
{
    for (size_t i = plans->n; i > 0; i--) {
        if (strcmp(plans->list[i - 1].digest, digest) == 0) {
            drop_at(plans, i - 1);
        }
    }
}

void plans_drop_expired(struct plans *plans, int64_t now)
{
    for (size_t i = plans->n; i > 0; i--) {
        if (now >= plans->list[i - 1].expires) {
            drop_at(plans, i - 1);
        }
    }
}
