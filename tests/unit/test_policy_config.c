/* SPDX-License-Identifier: Apache-2.0
 * qseal.yaml as a whole: everything said, everything left out, the look-ups, the shipped example.
 */
#include "policy/config.h"

#include "base/buffer.h"
#include "base/file.h"
#include "yaml_file.h"

static struct config *load(const char *text)
{
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(text, strlen(text));
    struct reason why = {0};
    struct config *config = NULL;
    enum outcome outcome = config_load(file.path, &config, &why);
    assert_string_equal(why.detail, "");
    assert_int_equal(outcome, OUTCOME_OK);
    assert_string_equal(config->path, file.path);
    return config;
}

static const char least[] = "users: {httpd: root, qseald: \"0\"}\n"
                            "callers: [{name: flow, user: root, profiles: [p]}]\n"
                            "tokens:\n"
                            "  - {name: soft, module: /m.so, uri: \"pkcs11:token=t\", pin: typed}\n"
                            "roles:\n"
                            "  - {name: seal, purpose: seal, key: ed25519, algorithms: [Ed25519],\n"
                            "     tokens: [soft]}\n";

static unsigned int rights_of(const struct config *config, uid_t uid, gid_t gid)
{
    const struct caller peer = {.uid = uid, .gid = gid};
    return config_rights(config, &peer);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config *config = load(least);
    assert_string_equal(config->sockets.callers, "/run/qseal/qseal.sock");
    assert_null(config->sockets.callers_second);
    assert_string_equal(config->sockets.admin, "/run/qseal-admin/admin.sock");
    assert_string_equal(config->sockets.signing, "/run/qseal-signing/signing.sock");
    assert_string_equal(config->state, "/var/lib/qseal");
    assert_int_equal(config->n_template_dirs, 2);
    assert_string_equal(config->template_dirs[0], "/etc/qseal/templates");
    assert_string_equal(config->template_dirs[1], "/usr/share/qseal/templates");
    assert_string_equal(config->profiles_dir, "/etc/qseal/profiles.d");
    assert_int_equal(config->httpd_uid, 0);
    assert_int_equal(config->qseald_uid, 0);
    assert_int_equal(config->n_administrators, 0);
    assert_int_equal(rights_of(config, 0, 0), 0);
    assert_false(config->approval.required);
    assert_int_equal(config->approval.valid_s, 86400);
    assert_true(config->audit.enabled);
    assert_string_equal(config->audit.folder, "/var/log/qseal/audit");
    assert_int_equal(config->audit.segment_mib, 64);
    assert_int_equal(config->audit.segment_age_s, 86400);
    assert_int_equal(config->audit.checkpoint_records, 10000);
    assert_int_equal(config->audit.checkpoint_s, 300);
    assert_int_equal(config->audit.retention_days, 0);
    config_free(config);
    config_free(NULL);
}

static void test_default_numbers(void **state)
{
    (void)state;
    struct config *config = load(least);
    const struct config_limits *limits = &config->limits;
    assert_int_equal(limits->workers, 24);
    assert_int_equal(limits->connections, 1000);
    assert_int_equal(limits->body_max, 1048576);
    assert_int_equal(limits->head_ms, 2000);
    assert_int_equal(limits->body_ms, 5000);
    assert_int_equal(limits->idle_ms, 60000);
    assert_int_equal(limits->deadline_ms, 10000);
    assert_int_equal(limits->drain_ms, 5000);
    assert_int_equal(limits->jwks_max_age_s, 300);
    assert_int_equal(limits->clock_jump_s, 60);
    const struct config_caller *caller = config_caller(config, 0);
    assert_int_equal(caller->rate, 0);
    assert_int_equal(caller->burst, 0);
    assert_int_equal(caller->in_flight, 64);
    assert_int_equal(caller->connections, 256);
    const struct config_token *token = config_token(config, "soft");
    assert_string_equal(token->socket, "/run/qseal-token/soft.sock");
    assert_string_equal(token->state, "/var/lib/qseal-tokend/soft");
    assert_int_equal(token->sessions, 8);
    assert_int_equal(token->deadline_ms, 5000);
    assert_int_equal(token->mechanisms, MECHANISMS_AUTO);
    assert_false(token->session_copy);
    config_free(config);
}

static const char full[] =
    "sockets: {callers: /s/c, callers_second: /s/c2, admin: /s/a, signing: /s/s}\n"
    "state: /state\n"
    "templates: [/t]\n"
    "profiles: /p\n"
    "users: {httpd: 11, qseald: 12}\n"
    "limits: {workers: 1, connections: 2, body_max: 2048, head_ms: 101, body_ms: 102,\n"
    "  idle_ms: 103, deadline_ms: 104, drain_ms: 0, jwks_max_age_s: 0, clock_jump_s: 7}\n"
    "callers:\n"
    "  - {name: all, uid: 1, profiles: ['*'], rate: 5, burst: 9, in_flight: 1, connections: 2}\n"
    "  - {name: some, uid: 2, profiles: [a, b.c], rate: 7}\n"
    "  - {name: both, uid: 4, profiles: [a], roles: [t, u]}\n"
    "  - {name: tls, uid: 5, roles: ['*']}\n"
    "administrators:\n"
    "  - {uid: 3, rights: [operator, auditor]}\n"
    "  - {user: root, rights: [custodian]}\n"
    "  - {gid: 3, rights: [approver]}\n"
    "  - {group: root, rights: [auditor]}\n"
    "approval: {required: true, valid_s: 60}\n"
    "audit: {enabled: false, folder: /a, segment_mib: 1, segment_age_s: 60, checkpoint_records: 2, "
    "checkpoint_s: 3, retention_days: 4}\n"
    "tokens:\n"
    "  - {name: x, socket: /s/x, module: /m, uri: \"pkcs11:token=x?pin-source=file:/p\",\n"
    "     state: /x, sessions: 16, deadline_ms: 700, mechanisms: token-hash, session_copy: true}\n"
    "  - {name: y, module: /m, uri: \"pkcs11:serial=1\", pin: typed, mechanisms: prehash, "
    "session_copy: "
    "false}\n"
    "roles:\n"
    "  - {name: r, purpose: seal, key: rsa-3072, algorithms: [PS512, RS256], tokens: [y, x]}\n"
    "  - {name: e, purpose: seal, key: p-521, algorithms: [ES512], tokens: [x]}\n"
    "  - name: t\n"
    "    purpose: transport\n"
    "    key: p-384\n"
    "    tokens: [x]\n"
    "    peers:\n"
    "      - {dns: xs2a.bank.example, issuer: /ca.pem}\n"
    "      - {spki: 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU}\n"
    "  - {name: u, purpose: transport, key: rsa-2048, tokens: [x]}\n"
    "  - {name: v, purpose: transport, key: ed25519, tokens: [x], certificate: optional, "
    "publish_before_use_s: 60}\n"
    "  - {name: w, purpose: transport, key: rsa-2048, algorithms: [PS256], tokens: [x]}\n"
    "  - {name: s, purpose: seal, key: p-256, algorithms: [ES256], tokens: [x], certificate: "
    "required,\n"
    "     publish_before_use_s: 7, cryptoperiod_days: 730, warn_days: 0, at_end: stop,\n"
    "     backup: required, seen: required, probe_file: /probe}\n"
    "  - {name: log, purpose: audit, key: p-384, tokens: [x, y]}\n";

static void test_full(void **state)
{
    (void)state;
    struct config *config = load(full);
    assert_string_equal(config->sockets.callers, "/s/c");
    assert_string_equal(config->sockets.callers_second, "/s/c2");
    assert_string_equal(config->sockets.admin, "/s/a");
    assert_string_equal(config->sockets.signing, "/s/s");
    assert_string_equal(config->state, "/state");
    assert_int_equal(config->n_template_dirs, 1);
    assert_string_equal(config->template_dirs[0], "/t");
    assert_string_equal(config->profiles_dir, "/p");
    assert_int_equal(config->httpd_uid, 11);
    assert_int_equal(config->qseald_uid, 12);
    const struct config_limits want = {1, 2, 2048, 101, 102, 103, 104, 0, 0, 7};
    assert_memory_equal(&config->limits, &want, sizeof want);
    const struct config_token *token = config_token(config, "x");
    assert_string_equal(token->socket, "/s/x");
    assert_string_equal(token->module, "/m");
    assert_string_equal(token->uri, "pkcs11:token=x?pin-source=file:/p");
    assert_false(token->pin_typed);
    assert_true(config_token(config, "y")->pin_typed);
    assert_string_equal(token->state, "/x");
    assert_int_equal(token->sessions, 16);
    assert_int_equal(token->deadline_ms, 700);
    assert_int_equal(token->mechanisms, MECHANISMS_TOKEN_HASH);
    assert_true(token->session_copy);
    assert_int_equal(config_token(config, "y")->mechanisms, MECHANISMS_PREHASH);
    assert_false(config_token(config, "y")->session_copy);
    assert_null(config_token(config, "z"));
    config_free(config);
}

static void test_rights_of_groups(void **state)
{
    (void)state;
    struct config *config = load(full);
    struct caller_groups groups = {.list = {7, 3}, .n = 2};
    struct caller peer = {.uid = 1, .gid = 9, .groups = &groups};
    assert_true(config->approval.required);
    assert_int_equal(config->approval.valid_s, 60);
    assert_false(config->audit.enabled);
    assert_string_equal(config->audit.folder, "/a");
    assert_int_equal(config->audit.segment_mib, 1);
    assert_int_equal(config->audit.segment_age_s, 60);
    assert_int_equal(config->audit.checkpoint_records, 2);
    assert_int_equal(config->audit.checkpoint_s, 3);
    assert_int_equal(config->audit.retention_days, 4);
    assert_int_equal(rights_of(config, 1, 3), RIGHT_APPROVER);
    assert_int_equal(rights_of(config, 3, 0), RIGHT_OPERATOR | RIGHT_AUDITOR);
    assert_int_equal(config_rights(config, &peer), RIGHT_APPROVER);
    peer.uid = 3;
    assert_int_equal(config_rights(config, &peer), RIGHT_OPERATOR | RIGHT_AUDITOR | RIGHT_APPROVER);
    groups.n = 1;
    assert_int_equal(config_rights(config, &peer), RIGHT_OPERATOR | RIGHT_AUDITOR);
    peer.uid = 1;
    assert_int_equal(config_rights(config, &peer), 0);
    config_free(config);
}

static void test_look_ups(void **state)
{
    (void)state;
    struct config *config = load(full);
    const struct config_caller *all = config_caller(config, 1);
    assert_string_equal(all->name, "all");
    assert_int_equal(all->burst, 9);
    assert_int_equal(all->in_flight, 1);
    assert_int_equal(all->connections, 2);
    assert_true(config_caller_is_granted(all, "anything"));
    const struct config_caller *some = config_caller(config, 2);
    assert_int_equal(some->rate, 7);
    assert_int_equal(some->burst, 7);
    assert_true(config_caller_is_granted(some, "b.c"));
    assert_false(config_caller_is_granted(some, "b"));
    assert_false(config_caller_is_granted(some, "*"));
    assert_null(config_caller(config, 0));
    assert_int_equal(rights_of(config, 3, 9), RIGHT_OPERATOR | RIGHT_AUDITOR);
    assert_int_equal(rights_of(config, 0, 9), RIGHT_CUSTODIAN);
    assert_int_equal(rights_of(config, 1, 9), 0);
    const struct config_role *role = config_role(config, "r");
    assert_int_equal(role->purpose, PURPOSE_SEAL);
    assert_int_equal(role->key_type, KEY_RSA_3072);
    assert_int_equal(role->algs, 1U << ALG_PS512 | 1U << ALG_RS256);
    assert_int_equal(role->n_tokens, 2);
    assert_string_equal(role->tokens[0], "y");
    assert_int_equal(config_role(config, "e")->algs, 1U << ALG_ES512);
    assert_null(config_role(config, "seal"));
    config_free(config);
}

static void test_custody_of_roles(void **state)
{
    (void)state;
    struct config *config = load(full);
    assert_false(config_role(config, "r")->needs_certificate);
    assert_int_equal(config_role(config, "r")->publish_before_use_s, config->limits.jwks_max_age_s);
    assert_true(config_role(config, "t")->needs_certificate);
    assert_int_equal(config_role(config, "t")->publish_before_use_s, 0);
    assert_false(config_role(config, "v")->needs_certificate);
    assert_int_equal(config_role(config, "v")->publish_before_use_s, 60);
    assert_true(config_role(config, "s")->needs_certificate);
    assert_int_equal(config_role(config, "s")->publish_before_use_s, 7);
    assert_false(config_role(config, "r")->needs_backup);
    assert_false(config_role(config, "r")->needs_seen);
    assert_null(config_role(config, "r")->probe_file);
    assert_true(config_role(config, "s")->needs_backup);
    assert_true(config_role(config, "s")->needs_seen);
    assert_string_equal(config_role(config, "s")->probe_file, "/probe");
    config_free(config);
}

static void test_ends_of_roles(void **state)
{
    (void)state;
    struct config *config = load(full);
    const struct config_role *silent = config_role(config, "r");
    assert_int_equal(silent->cryptoperiod_days, 0);
    assert_int_equal(silent->warn_days, 30);
    assert_false(silent->stops_at_end);
    const struct config_role *stern = config_role(config, "s");
    assert_int_equal(stern->cryptoperiod_days, 730);
    assert_int_equal(stern->warn_days, 0);
    assert_true(stern->stops_at_end);
    assert_int_equal(config->limits.clock_jump_s, 7);
    config_free(config);
}

static void test_transport(void **state)
{
    (void)state;
    struct config *config = load(full);
    const struct config_role *role = config_role(config, "t");
    assert_int_equal(role->purpose, PURPOSE_TRANSPORT);
    assert_int_equal(role->algs, 1U << ALG_ES256 | 1U << ALG_ES384 | 1U << ALG_ES512);
    assert_int_equal(role->n_peers, 2);
    assert_string_equal(role->peers[0].dns, "xs2a.bank.example");
    assert_string_equal(role->peers[0].issuer, "/ca.pem");
    assert_null(role->peers[0].spki);
    assert_null(role->peers[1].dns);
    assert_null(role->peers[1].issuer);
    assert_string_equal(role->peers[1].spki, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    const uint32_t rsa = 1U << ALG_RS256 | 1U << ALG_RS384 | 1U << ALG_RS512 | 1U << ALG_PS256 |
                         1U << ALG_PS384 | 1U << ALG_PS512;
    assert_int_equal(config_role(config, "u")->algs, rsa);
    assert_int_equal(config_role(config, "u")->n_peers, 0);
    assert_int_equal(config_role(config, "v")->algs, 1U << ALG_ED25519);
    assert_int_equal(config_role(config, "w")->algs, 1U << ALG_PS256);

    const struct config_caller *both = config_caller(config, 4);
    assert_true(config_caller_has_role(both, "t"));
    assert_true(config_caller_has_role(both, "u"));
    assert_false(config_caller_has_role(both, "v"));
    assert_false(config_caller_has_role(both, "a"));
    assert_false(config_caller_is_granted(both, "t"));
    const struct config_caller *tls = config_caller(config, 5);
    assert_true(config_caller_has_role(tls, "v"));
    assert_false(config_caller_is_granted(tls, "a"));
    assert_false(config_caller_has_role(config_caller(config, 1), "t")); /* profiles: ['*'] */
    config_free(config);
}

static void test_audit(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum alg alg;
    } rows[] = {
        {"p-256", ALG_ES256},     {"p-521", ALG_ES512},
        {"rsa-2048", ALG_PS256},  {"rsa-4096", ALG_PS256},
        {"ed25519", ALG_ED25519}, {"rsa-2048, algorithms: [RS512]", ALG_RS512},
    };
    struct config *config = load(full);
    const struct config_role *role = config_role(config, "log");
    assert_ptr_equal(config_audit_role(config), role);
    assert_int_equal(role->purpose, PURPOSE_AUDIT);
    assert_int_equal(role->algs, 1U << ALG_ES384);
    assert_false(role->needs_certificate);
    assert_false(role->needs_seen);
    assert_int_equal(role->publish_before_use_s, 0);
    config_free(config);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[1024];
        (void)snprintf(text, sizeof text,
                       "users: {httpd: 11, qseald: 12}\n"
                       "tokens:\n  - {name: x, module: /m, uri: \"pkcs11:serial=1\", pin: typed}\n"
                       "roles:\n  - {name: log, purpose: audit, key: %s, tokens: [x]}\n",
                       rows[i].key);
        config = load(text);
        assert_int_equal(config_audit_role(config)->algs, 1U << rows[i].alg);
        config_free(config);
    }
}

static void test_audit_is_granted_to_nobody(void **state)
{
    (void)state;
    static const char text[] =
        "users: {httpd: 11, qseald: 12}\n"
        "callers:\n  - {name: c, uid: 1, roles: [log]}\n"
        "tokens:\n  - {name: x, module: /m, uri: \"pkcs11:serial=1\", pin: typed}\n"
        "roles:\n  - {name: log, purpose: audit, key: p-256, tokens: [x]}\n";
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(text, strlen(text));
    struct reason why = {0};
    struct config *config = NULL;
    assert_int_equal(config_load(file.path, &config, &why), OUTCOME_RULE);
    assert_reason(why.detail, &file,
                  ":3: /callers/0/roles/0: a role of purpose audit is the service's own, and "
                  "granted to nobody");
}

/* Each table of keys refuses what it does not know, and names the line. */
static void test_unknown_keys(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"\n\nsocket: {}\n", ":3: unknown key \"socket\" at the top; known here: sockets, state, "
                             "templates, profiles, users, limits, callers, administrators, "
                             "approval, audit, tokens, roles"},
        {"sockets: {tls: /a}\n", ":1: unknown key \"tls\" in /sockets; known here: callers, "
                                 "callers_second, admin, signing"},
        {"users:\n  tokend: x\n",
         ":2: unknown key \"tokend\" in /users; known here: httpd, qseald"},
        {"limits:\n  worker: 1\n",
         ":2: unknown key \"worker\" in /limits; known here: workers, connections, body_max, "
         "head_ms, body_ms, idle_ms, deadline_ms, drain_ms, jwks_max_age_s, "
         "clock_jump_s"},
        {"administrators:\n - uid: 1\n   right: x\n",
         ":3: unknown key \"right\" in /administrators/0; known here: user, uid, group, "
         "gid, rights"},
        {"approval: {need: true}\n",
         ":1: unknown key \"need\" in /approval; known here: required, valid_s"},
        {"tokens:\n - name: a\n   pins: 4711\n", ":3: unknown key \"pins\" in /tokens/0; known "
                                                 "here: name, socket, module, uri, pin, state, "
                                                 "sessions, deadline_ms, mechanisms, session_copy"},
        {"roles:\n - name: a\n   alg: RS256\n",
         ":3: unknown key \"alg\" in /roles/0; known here: name, purpose, key, algorithms, tokens, "
         "peers, certificate, backup, seen, probe_file, publish_before_use_s, cryptoperiod_days, "
         "warn_days, at_end"},
        {"roles: []\n", ":1: /roles: fewer than 1 entries in this list"},
        {"state: /x\n", ":1: missing key \"tokens\" at the top; known here: sockets, state, "
                        "templates, profiles, users, limits, callers, administrators, "
                        "approval, audit, tokens, roles"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        YAML_FILE_CLEANUP struct yaml_file file =
            yaml_file_write(rows[i].text, strlen(rows[i].text));
        struct reason why = {0};
        struct config *config = NULL;
        assert_int_equal(config_load(file.path, &config, &why), OUTCOME_RULE);
        assert_reason(why.detail, &file, rows[i].reason);
        assert_null(config);
    }
}

/* Without `users:` the packaged users are meant, and named when they do not exist. */
static void test_default_users(void **state)
{
    (void)state;
    const char *rest = strchr(least, '\n') + 1;
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(rest, strlen(rest));
    struct reason why = {0};
    struct config *config = NULL;
    if (config_load(file.path, &config, &why) == OUTCOME_OK) {
        assert_int_not_equal(config->httpd_uid, config->qseald_uid); /* qseal is installed here */
        config_free(config);
        return;
    }
    assert_non_null(strstr(why.detail, ":1: /users/"));
    assert_non_null(strstr(why.detail, "\" does not exist on this host"));
}

/* The shipped example, with its users and groups made numbers, since they exist on no build
 * machine; and with what stands there as comments in lists made part of it. */
static struct config *load_example(bool with_more)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    assert_int_equal(file_read(QSEAL_EXAMPLE, &text), 0);
    assert_int_not_equal(strlen(buffer_text(&text)), 0); /* and a NUL behind it */
    BUFFER_CLEANUP struct buffer changed = BUFFER_INIT(65536);
    unsigned int uid = 7000;
    char *rest = NULL;
    for (char *line = strtok_r((char *)text.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (with_more && (strncmp(line, "  #-", 4) == 0 || strncmp(line, "  #  ", 5) == 0)) {
            memmove(line + 2, line + 3, strlen(line + 2));
        }
        const char *hit = line[0] == '#' ? NULL : strstr(line, "user: ");
        const char *group = line[0] == '#' ? NULL : strstr(line, "group: ");
        if (strstr(line, "users:") == line) {
            buffer_put_text(&changed, "users: {httpd: 1, qseald: 2}");
        } else if (hit != NULL && strchr(line, '#') == NULL) {
            buffer_put_format(&changed, "%.*suid: %u", (int)(hit - line), line, uid++);
        } else if (group != NULL && strchr(line, '#') == NULL) {
            buffer_put_format(&changed, "%.*sgid: 7100", (int)(group - line), line);
        } else {
            buffer_put_text(&changed, line);
        }
        buffer_put_text(&changed, "\n");
    }
    return load(buffer_text(&changed));
}

static void test_example(void **state)
{
    (void)state;
    struct config *config = load_example(false);
    assert_true(config->n_callers >= 1);
    assert_non_null(config_role(config, "seal"));
    assert_null(config_role(config, "transport"));
    assert_int_equal(rights_of(config, 1, 7100), 0);
    config_free(config);
    config = load_example(true);
    assert_int_equal(config_role(config, "transport")->n_peers, 2);
    assert_true(config_caller_has_role(&config->callers[config->n_callers - 1], "transport"));
    assert_int_equal(rights_of(config, 1, 7100), RIGHT_APPROVER);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_default_numbers),
        cmocka_unit_test(test_full),          cmocka_unit_test(test_rights_of_groups),
        cmocka_unit_test(test_look_ups),      cmocka_unit_test(test_custody_of_roles),
        cmocka_unit_test(test_ends_of_roles), cmocka_unit_test(test_transport),
        cmocka_unit_test(test_audit),         cmocka_unit_test(test_audit_is_granted_to_nobody),
        cmocka_unit_test(test_unknown_keys),  cmocka_unit_test(test_default_users),
        cmocka_unit_test(test_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
