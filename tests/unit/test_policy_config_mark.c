/* SPDX-License-Identifier: Apache-2.0
 * Marks: each value that a room takes at its start has one, and it changes with that value alone.
 */
#include "policy/config_mark.h"

#include "yaml_file.h"

static const char text[] =
    "sockets: {callers: /s/c, admin: /s/a, signing: /s/s}\n"
    "state: /state\n"
    "users: {httpd: 11, qseald: 12}\n"
    "limits: {workers: 1, connections: 2, body_max: 2048, head_ms: 101, body_ms: 102,\n"
    "  idle_ms: 103, deadline_ms: 104, drain_ms: 105, jwks_max_age_s: 106}\n"
    "tokens:\n"
    "  - {name: a, socket: /t/a, module: /m.so, uri: \"pkcs11:token=a?pin-source=/p\",\n"
    "     state: /t, sessions: 16, deadline_ms: 700, mechanisms: token-hash, session_copy: true}\n"
    "roles:\n"
    "  - {name: seal, purpose: seal, key: ed25519, algorithms: [Ed25519], tokens: [a]}\n";

static const struct {
    const char *from;
    const char *to;
    bool of_token;
    const char *said; /* NULL: no mark changes */
} rows[] = {
    {"/s/c,", "/s/c2,", false, "sockets/callers: /s/c2"},
    {"/s/c,", "/s/c, callers_second: /s/2,", false, "sockets/callers_second: /s/2"},
    {"/s/a", "/s/b", false, "sockets/admin: /s/b"},
    {"/s/s}", "/s/t}", false, "sockets/signing: /s/t"},
    {"state: /state", "state: /other", false, "state: /other"},
    {"httpd: 11", "httpd: 13", false, "users/httpd: 13"},
    {"workers: 1", "workers: 3", false, "limits/workers: 3"},
    {"connections: 2,", "connections: 3,", false, "limits/connections: 3"},
    {"2048", "2049", false, "limits/body_max: 2049"},
    {"head_ms: 101", "head_ms: 201", false, "limits/head_ms: 201"},
    {"body_ms: 102", "body_ms: 202", false, "limits/body_ms: 202"},
    {"idle_ms: 103", "idle_ms: 203", false, "limits/idle_ms: 203"},
    {"deadline_ms: 104", "deadline_ms: 204", false, "limits/deadline_ms: 204"},
    {"drain_ms: 105", "drain_ms: 205", false, "limits/drain_ms: 205"},
    {"jwks_max_age_s: 106", "jwks_max_age_s: 206", false, NULL},
    {"sessions: 16", "sessions: 4", false, NULL},
    {"/t/a", "/t/b", true, "socket: /t/b"},
    {"/m.so", "/n.so", true, "module: /n.so"},
    {"source=/p", "source=/q", true, "uri"},
    {"?pin-source=/p\"", "\", pin: typed", true, "uri"},
    {"state: /t,", "state: /u,", true, "state: /u"},
    {"sessions: 16", "sessions: 4", true, "sessions: 4"},
    {"deadline_ms: 700", "deadline_ms: 800", true, "deadline_ms: 800"},
    {"mechanisms: token-hash", "mechanisms: prehash", true, "mechanisms: prehash"},
    {"mechanisms: token-hash, ", "", true, "mechanisms: auto"},
    {"session_copy: true", "session_copy: false", true, "session_copy: false"},
    {"qseald: 12", "qseald: 14", true, "users/qseald: 14"},
    {"head_ms: 101", "head_ms: 201", true, NULL},
};

static struct config *load(const char *from, const char *to)
{
    BUFFER_CLEANUP struct buffer changed = BUFFER_INIT(8192);
    const char *at = strstr(text, from);
    assert_non_null(at);
    buffer_put(&changed, text, (size_t)(at - text));
    buffer_put_text(&changed, to);
    buffer_put_text(&changed, at + strlen(from));
    YAML_FILE_CLEANUP struct yaml_file file =
        yaml_file_write((const char *)changed.data, changed.len);
    struct reason why = {0};
    struct config *config = NULL;
    assert_done(config_load(file.path, &config, &why), why);
    return config;
}

static void test_each_value(void **state)
{
    (void)state;
    struct config *before = load("", "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config *after = load(rows[i].from, rows[i].to);
        const struct config_token *old_token = rows[i].of_token ? &before->tokens[0] : NULL;
        const struct config_token *new_token = rows[i].of_token ? &after->tokens[0] : NULL;
        struct config_marks old_marks;
        struct config_marks new_marks;
        config_marks(before, old_token, &old_marks);
        config_marks(after, new_token, &new_marks);
        assert_int_equal(old_marks.n, new_marks.n);
        size_t changed = 0;
        bool said = false;
        for (size_t m = 0; m < old_marks.n; m++) {
            BUFFER_CLEANUP struct buffer now = BUFFER_INIT(8192);
            config_mark_text(after, new_token, m, &now);
            bool differs = old_marks.values[m] != new_marks.values[m];
            changed += differs ? 1 : 0;
            said = said || (differs && rows[i].said != NULL &&
                            strcmp(buffer_text(&now), rows[i].said) == 0);
        }
        bool two = strstr(rows[i].to, "typed") != NULL; /* the PIN leaves the URI with it */
        assert_int_equal(changed, rows[i].said == NULL ? 0 : two ? 2 : 1);
        assert_int_equal(said, rows[i].said != NULL);
        config_free(after);
    }
    config_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
