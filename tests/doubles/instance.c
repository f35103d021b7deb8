/* SPDX-License-Identifier: Apache-2.0
 * qseald's insides for one test. */
#include "instance.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "check.h"
#include "jose/json.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, KEYRING_GENERATIONS = 100 };

static bool front_about(void *front, struct door_front *out)
{
    (void)front;
    *out = (struct door_front){.version = QSEAL_VERSION, .started = 1767225600};
    return true;
}

void instance_configure(struct instance *instance, const char *grants, const char *rights)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    bool typed = instance->pins_typed;
    buffer_put_format(
        &text,
        "sockets: {callers: %s/qseal.sock, admin: %s/admin.sock, signing: %s/signing.sock}\n",
        instance->folder, instance->folder, instance->folder);
    buffer_put_format(
        &text,
        "state: %s\ntemplates: [%s/src/policy/templates]\nprofiles: %s/hsm-config/profiles.d\n",
        instance->folder, QSEAL_SOURCE_DIR, QSEAL_SOURCE_DIR);
    buffer_put_format(&text, "audit: {enabled: %s, folder: %s%s}\n",
                      instance->audit == NULL ? "false" : "true", instance->audit_folder,
                      instance->audit_more == NULL ? "" : instance->audit_more);
    buffer_put_text(&text, "users: {httpd: root, qseald: root}\ncallers:\n");
    buffer_put_format(&text, "  - {name: flow, uid: %u, profiles: %s, in_flight: 4%s}\n", geteuid(),
                      grants, instance->caller_more == NULL ? "" : instance->caller_more);
    buffer_put_format(&text, "administrators:\n  - {uid: %u, rights: %s}\n%stokens:\n", geteuid(),
                      rights,
                      instance->administrators_more == NULL ? "" : instance->administrators_more);
    for (size_t i = 0; i < INSTANCE_TOKENS; i++) {
        buffer_put_format(&text,
                          "  - {name: %s, socket: %s/%s.sock, module: /nowhere.so, uri: "
                          "\"pkcs11:token=%s%s\", state: %s/%s%s}\n",
                          instance->tokens[i].name, instance->folder, instance->tokens[i].name,
                          instance->tokens[i].name, typed ? "" : "?pin-source=file:/nowhere",
                          instance->folder, instance->tokens[i].name, typed ? ", pin: typed" : "");
    }
    buffer_put_text(&text, "roles:\n"
                           "  - {name: seal, purpose: seal, key: rsa-2048, algorithms: [RS256, "
                           "PS256], tokens: [hsm-a]}\n"
                           "  - {name: seal-ec, purpose: seal, key: p-256, algorithms: [ES256], "
                           "tokens: [hsm-a, hsm-b]");
    buffer_put_format(&text, "%s}\n", instance->seal_ec_more == NULL ? "" : instance->seal_ec_more);
    buffer_put_text(&text, instance->roles_more == NULL ? "" : instance->roles_more);
    assert_true(buffer_ok(&text));
    assert_int_equal(file_replace(instance->config_path, buffer_span(&text), 0600), 0);
}

static void open_log(struct instance *instance)
{
    struct reason why = {0};
    const struct audit_options options = {
        .folder = instance->audit_folder, .segment_bytes = 64 << 20, .segment_age_s = 86400};
    assert_int_equal(mkdir(instance->audit_folder, 0700), 0);
    assert_done(audit_open(&options, &instance->audit, &why), why);
}

static void start_services(struct instance *instance)
{
    struct reason why = {0};
    struct policy *policy = NULL;
    struct keyring *keyring = NULL;
    struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
    assert_done(policy_load(instance->config_path, 1, &policy, &why), why);
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    struct view *view = NULL;
    assert_done(view_new(policy, keyring, &view, &why), why);
    instance->views = view_cell_new(view);
    assert_non_null(instance->views);
    instance->watch = watch_new(instance->views, &why);
    instance->callers = callers_new(8);
    struct custody_room room = {
        .config_path = instance->config_path,
        .keyring_path = instance->keyring_path,
        .views = instance->views,
        .watch = instance->watch,
        .callers = instance->callers,
        .audit = instance->audit,
        .askers = INSTANCE_ASKERS,
        .front_about = front_about,
    };
    instance->custody = custody_new(&room);
    instance->refusals = LOG_LIMIT_INIT;
    instance->signing = (struct signing){.views = instance->views,
                                         .callers = instance->callers,
                                         .watch = instance->watch,
                                         .audit = instance->audit,
                                         .refusals = &instance->refusals};
    instance->worker = signing_worker_new();
    const struct config_caller *row = config_caller(policy->config, self.uid);
    assert_done(callers_connect(instance->callers, &self, row, &instance->connection, &why), why);
}

static void init(struct instance *instance, const char *grants, const char *rights, bool audited)
{
    json_prepare();
    log_set_level(LOG_LEVEL_ERROR);
    *instance = (struct instance){
        .folder = "/tmp/qseal-instance-XXXXXX",
        .tokens = {{.name = "hsm-a", .state = TOKEN_READY},
                   {.name = "hsm-b", .state = TOKEN_READY}},
    };
    assert_non_null(mkdtemp(instance->folder));
    (void)snprintf(instance->config_path, sizeof instance->config_path, "%s/qseal.yaml",
                   instance->folder);
    (void)snprintf(instance->keyring_path, sizeof instance->keyring_path, "%s/keyring.json",
                   instance->folder);
    (void)snprintf(instance->audit_folder, sizeof instance->audit_folder, "%s/audit",
                   instance->folder);
    if (audited) {
        open_log(instance);
    }
    token_double_set(instance->tokens, INSTANCE_TOKENS);
    instance_configure(instance, grants, rights);
    start_services(instance);
    instance_wait_state(instance, "hsm-a", TOKEN_READY);
    instance_wait_state(instance, "hsm-b", TOKEN_READY);
}

void instance_init(struct instance *instance, const char *grants, const char *rights)
{
    init(instance, grants, rights, false);
}

void instance_init_audited(struct instance *instance, const char *grants, const char *rights)
{
    init(instance, grants, rights, true);
}

static void remove_log(const struct instance *instance)
{
    DIR *dir = opendir(instance->audit_folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(instance->audit_folder), 0);
}

void instance_fini(struct instance *instance)
{
    signing_worker_free(instance->worker);
    custody_free(instance->custody);
    if (instance->audit != NULL) {
        audit_close(instance->audit);
        remove_log(instance);
    }
    watch_free(instance->watch);
    callers_free(instance->callers);
    view_cell_free(instance->views);
    token_double_set(NULL, 0);
    (void)unlink(instance->config_path);
    (void)unlink(instance->keyring_path);
    char plans[160];
    (void)snprintf(plans, sizeof plans, "%s/plans.json", instance->folder);
    (void)unlink(plans);
    for (unsigned int i = 0; i < KEYRING_GENERATIONS; i++) {
        char kept[160];
        (void)snprintf(kept, sizeof kept, "%s.%u", instance->keyring_path, i);
        (void)unlink(kept);
    }
    (void)rmdir(instance->folder);
}

void instance_wait_state(struct instance *instance, const char *token, enum token_state state)
{
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    while (watch_state(instance->watch, token, NULL) != state && !deadline_passed(end)) {
        (void)poll(NULL, 0, 2);
    }
    assert_int_equal(watch_state(instance->watch, token, NULL), state);
}

enum outcome instance_ask_as(struct instance *instance, const struct caller *peer,
                             enum custody_verb verb, const char *arguments, struct buffer *result,
                             struct reason *why)
{
    const struct custody_question question = {
        .verb = (uint8_t)verb, .peer = *peer, .arguments = span_of_text(arguments), .pin = -1};
    buffer_reset(result);
    return custody_do(instance->custody, &question, result, why);
}

enum outcome instance_admin(struct instance *instance, enum custody_verb verb,
                            const char *arguments, struct buffer *result, struct reason *why)
{
    struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
    return instance_ask_as(instance, &self, verb, arguments, result, why);
}

void instance_make_keys(struct instance *instance)
{
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", &result, &why), why);
    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", &result, &why),
        why);
    for (size_t i = 0; i < COUNT_OF(instance->tokens); i++) {
        instance->tokens[i].asked = 0; /* each key was tried */
    }
}

void instance_age_keys(struct instance *instance, int64_t seconds)
{
    struct view *view = view_cell_get(instance->views);
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_done(keyring_change(view->keyring, NULL, 0, &next, &why), why);
    next->generation = view->keyring->generation; /* a reload may bring the file back */
    for (size_t i = 0; i < next->n_keys; i++) {
        next->keys[i].created -= seconds;
        for (size_t j = 0; j < next->keys[i].n_history; j++) {
            next->keys[i].history[j].at -= seconds;
        }
    }
    struct view *aged = NULL;
    assert_done(view_new(policy_ref(view->policy), next, &aged, &why), why);
    view_cell_set(instance->views, aged);
    view_unref(view);
}

void instance_jump(struct instance *instance, int64_t seconds)
{
    struct clock_guard *guard = watch_clock(instance->watch);
    pthread_mutex_lock(&guard->lock);
    guard->base = clock_wall_s() - clock_boot_s() - seconds;
    pthread_mutex_unlock(&guard->lock);
    clock_guard_look(guard, clock_wall_s(), clock_boot_s());
}

struct signing_answer instance_ask(struct instance *instance, enum signing_route route,
                                   enum operation operation, const char *profile, const char *body,
                                   json_t **json)
{
    struct signing_request request = {
        .connection = instance->connection,
        .route = route,
        .operation = operation,
        .content_type = "application/json",
        .body = span_of_text(body),
    };
    struct signing_answer answer;
    struct reason why = {0};
    (void)snprintf(request.name, sizeof request.name, "%s", profile);
    signing_ask(&instance->signing, instance->worker, &request, &answer);
    assert_done(json_parse_object(answer.body, json, &why), why);
    return answer;
}
