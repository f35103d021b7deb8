/* SPDX-License-Identifier: Apache-2.0
 * What every command of qsealctl shares: its options, exit codes and the way to the admin door. */
#ifndef QSEAL_CTL_COMMAND_H
#define QSEAL_CTL_COMMAND_H

#include "base/attributes.h"
#include "custody/custody.h"
#include "model/outcome.h"

#include <jansson.h>
#include <stdbool.h>

/* qsealctl(1), EXIT STATUS. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_PERMITTED = 3,
    EXIT_UNAVAILABLE = 4,
    EXIT_NOT_VERIFIED = 5,
};

enum { AUDIT_KEYS_MAX = 16 };

/* Of qsealctl audit; NULL where nothing was given. */
struct audit_wishes {
    const char *keys[AUDIT_KEYS_MAX];
    size_t n_keys;
    const char *checkpoint;
    const char *since;
    const char *until;
    const char *caller;
    const char *kid;
    const char *request;
    const char *kind;
    const char *outcome;
    const char *after;
    const char *to;
    const char *position;
    bool partial;
    bool progress;
    bool follow;
    bool journal;
};

struct command_line {
    const char *socket; /* of the admin door */
    const char *config; /* for commands that read files */
    const char *token;  /* --token, or NULL; so are the next five */
    const char *callers;
    const char *subject;
    const char *file;
    const char *reason;
    const char *where;
    const char *publish_at;
    const char *activate_at;
    const char *days;
    json_t *request;     /* owned; options of key csr; NULL without any */
    bool request_failed; /* a value of them was no UTF-8 */
    bool json;
    bool prometheus;
    bool svg;
    bool html;
    bool ascii;
    bool all;
    struct audit_wishes audit;
    char **words; /* what stands behind noun and verb */
    int n_words;
};

struct command {
    const char *noun;
    const char *verb;  /* "" when the noun stands alone */
    const char *words; /* what it takes, for the help */
    const char *what;  /* one line of help */
    int min_words, max_words;
    enum exit_code (*run)(const struct command_line *line);
};

enum exit_code command_exit_code(enum outcome outcome);
/* Says on stderr what went wrong, and returns the exit code. */
enum exit_code command_fail(enum outcome outcome, const struct reason *why);
/* Asks. On EXIT_DONE *result is owned by the caller, otherwise the failure has been said. Of the
 * arguments NULL means that a text was no UTF-8. */
enum exit_code command_ask(const struct command_line *line, enum custody_verb verb,
                           const json_t *arguments, json_t **result) MUST_USE;
/* Asks, and prints the answer: as it came with --json, otherwise with `print`, and then with
 * everything made visible that could steer a terminal (printable.h). Says on stderr what failed
 * ("failed") although the rest was done, and returns its exit code. Takes over `arguments`, as
 * above. */
enum exit_code command_do(const struct command_line *line, enum custody_verb verb,
                          json_t *arguments, void (*print)(const json_t *result));
/* Its two halves: asks, with the pipe of a typed PIN (ctl/ask_pin.h); and prints. */
enum exit_code command_ask_with(const struct command_line *line, enum custody_verb verb,
                                const json_t *arguments, int pin, json_t **result) MUST_USE;
enum exit_code command_print(const struct command_line *line, json_t *result,
                             void (*print)(const json_t *result));
/* Says so, and returns the exit code. */
enum exit_code command_no_memory(void);
/* The lines that status and token list have in common. */
void command_print_token(const json_t *token);
/* A string member of a result, "" when there is none. */
const char *command_text(const json_t *object, const char *member);
/* A number member, 0 when there is none. */
long long command_number(const json_t *object, const char *member);
/* Appends the file's text, at most text->max bytes, with '?' for what is neither printable ASCII
 * nor a blank: JSON takes UTF-8 only, and in PEM such bytes are comments. OUTCOME_RULE naming the
 * file.
 */
enum outcome command_read_text(const char *path, struct buffer *text, struct reason *why) MUST_USE;
void command_print_json(const json_t *result);
/* What was planned instead of done, and what comes next. */
void command_print_planned(const json_t *plan);
/* The steps of a rotation, and what speaks against them. */
void command_print_steps(const json_t *rotation);
/* What an imported certificate says, and warnings. */
void command_print_certificate(const json_t *imported);
/* What became of keys, and what is not scheduled any more. */
void command_print_changed(const json_t *result);
/* The second part of that, for one key. */
void command_print_dropped(const json_t *key);

/* Takes an option's value into line->request; several of a list with commas between them.
 * `member` is as qseald takes it. */
void command_take_request(struct command_line *line, const char *member, bool is_list,
                          const char *value);

enum exit_code run_status(const struct command_line *line);
enum exit_code run_reload(const struct command_line *line);
enum exit_code run_jwks(const struct command_line *line);
enum exit_code run_key_generate(const struct command_line *line);
enum exit_code run_key_adopt(const struct command_line *line);
enum exit_code run_key_list(const struct command_line *line);
enum exit_code run_key_reference(const struct command_line *line);
enum exit_code run_key_csr(const struct command_line *line);
enum exit_code run_key_import(const struct command_line *line);
enum exit_code run_key_show(const struct command_line *line);
enum exit_code run_key_publish(const struct command_line *line);
enum exit_code run_key_activate(const struct command_line *line);
enum exit_code run_key_retire(const struct command_line *line);
enum exit_code run_key_suspend(const struct command_line *line);
enum exit_code run_key_resume(const struct command_line *line);
enum exit_code run_key_compromised(const struct command_line *line);
enum exit_code run_key_destroy(const struct command_line *line);
enum exit_code run_key_approve(const struct command_line *line);
enum exit_code run_audit_checkpoint(const struct command_line *line);
enum exit_code run_audit_key(const struct command_line *line);
enum exit_code run_plan_list(const struct command_line *line);
enum exit_code run_plan_show(const struct command_line *line);
enum exit_code run_plan_withdraw(const struct command_line *line);
enum exit_code run_key_backup_recorded(const struct command_line *line);
enum exit_code run_key_seen(const struct command_line *line);
enum exit_code run_rotation_plan(const struct command_line *line);
enum exit_code run_rotation_apply(const struct command_line *line);
enum exit_code run_rotation_cancel(const struct command_line *line);
enum exit_code run_token_list(const struct command_line *line);
enum exit_code run_token_unlock(const struct command_line *line);
enum exit_code run_clock_confirm(const struct command_line *line);
enum exit_code run_rotation_lookahead(const struct command_line *line);
enum exit_code run_report(const struct command_line *line);
enum exit_code run_audit_verify(const struct command_line *line);
enum exit_code run_audit_show(const struct command_line *line);
enum exit_code run_audit_export(const struct command_line *line);
enum exit_code run_config_check(const struct command_line *line);

#endif
