/* SPDX-License-Identifier: Apache-2.0
 * qsealctl plan list, show, withdraw, and key approve. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>
#include <string.h>

static json_t *arguments_of(const struct command_line *line)
{
    return json_pack("{s:s}", "digest", line->words[0]);
}

static void print_schedule(const json_t *schedule)
{
    size_t i;
    json_t *step;
    json_array_foreach (schedule, i, step) {
        (void)printf("    to be %s\n", json_string_value(step));
    }
    if (json_array_size(schedule) == 0) {
        (void)puts("    nothing is scheduled for it any more");
    }
}

/* "seal in token hsm-a: key XjM3…, which is published, becomes active". */
static void print_effect(const json_t *plan)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_at_pointer((json_t *)plan, "/effect/keys"), i, key) {
        const char *kid = command_text(key, "kid");
        const char *chain = command_text(key, "chain_sha256");
        (void)printf("  %s in token %s: ", command_text(key, "role"), command_text(key, "token"));
        if (kid[0] == '\0') {
            (void)printf("a new %s key is made and becomes %s\n", command_text(key, "type"),
                         command_text(key, "to"));
            continue;
        }
        if (json_object_get(key, "replica_of") != NULL) {
            (void)printf("key %s is entered as %s, a replica of that in token %s\n", kid,
                         command_text(key, "to"), command_text(key, "replica_of"));
            continue;
        }
        if (json_object_get(key, "schedule") != NULL) {
            (void)printf("key %s, which is %s:\n", kid, command_text(key, "from"));
            print_schedule(json_object_get(key, "schedule"));
            continue;
        }
        (void)printf("key %s, which is %s, %s %s\n", kid, command_text(key, "from"),
                     strcmp(command_text(key, "from"), command_text(key, "to")) == 0 ? "stays"
                                                                                     : "becomes",
                     command_text(key, "to"));
        if (chain[0] != '\0') {
            (void)printf("    with the certificates of SHA-256 %s\n", chain);
        }
    }
}

static void print_head(const json_t *plan)
{
    (void)printf("%s  qsealctl %s, by uid %lld, to be approved before %s\n",
                 command_text(plan, "digest"), command_text(plan, "verb"),
                 command_number(plan, "by"), command_text(plan, "expires"));
}

void command_print_planned(const json_t *plan)
{
    (void)puts("planned, not done:");
    print_effect(plan);
    (void)printf("it is done when somebody else has approved it before %s:\n"
                 "  qsealctl key approve %s\n",
                 command_text(plan, "expires"), command_text(plan, "digest"));
}

static void print_plans(const json_t *result)
{
    size_t i;
    json_t *plan;
    json_array_foreach (json_object_get(result, "plans"), i, plan) {
        print_head(plan);
        print_effect(plan);
    }
}

/* What another person wrote must not do something to the terminal of the one who approves it. */
static void print_ascii(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)putchar('\n');
}

/* The whole of it, since that is what is approved. */
static void print_plan(const json_t *result)
{
    const json_t *plan = json_object_get(result, "plan");
    print_head(plan);
    print_effect(plan);
    (void)printf("made %s\narguments ", command_text(plan, "made"));
    print_ascii(json_object_get(plan, "arguments"));
    (void)fputs("effect ", stdout);
    print_ascii(json_object_get(plan, "effect"));
}

static void print_withdrawn(const json_t *result)
{
    (void)printf("plan %s is withdrawn\n", command_text(result, "withdrawn"));
}

static void print_state(const json_t *key)
{
    (void)printf("  %s: key %s in token %s is %s\n", command_text(key, "role"),
                 command_text(key, "kid"), command_text(key, "token"), command_text(key, "state"));
}

/* As the verb itself would have said it. */
static void print_done(const json_t *done)
{
    const json_t *keys = json_object_get(done, "keys");
    size_t i;
    json_t *key;
    if (json_object_get(done, "steps") != NULL) {
        command_print_steps(done);
        return;
    }
    if (keys == NULL) {
        print_state(done);
        command_print_certificate(done);
    }
    json_array_foreach (keys, i, key) {
        print_state(key);
        command_print_dropped(key);
    }
}

static void print_approved(const json_t *result)
{
    const json_t *approved = json_object_get(result, "approved");
    (void)printf("approved, and done for uid %lld: qsealctl %s\n", command_number(approved, "by"),
                 command_text(approved, "verb"));
    print_done(json_object_get(result, "result"));
}

enum exit_code run_plan_list(const struct command_line *line)
{
    return command_do(line, CUSTODY_PLAN_LIST, json_object(), print_plans);
}

enum exit_code run_plan_show(const struct command_line *line)
{
    return command_do(line, CUSTODY_PLAN_SHOW, arguments_of(line), print_plan);
}

enum exit_code run_plan_withdraw(const struct command_line *line)
{
    return command_do(line, CUSTODY_PLAN_WITHDRAW, arguments_of(line), print_withdrawn);
}

enum exit_code run_key_approve(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_APPROVE, arguments_of(line), print_approved);
}
