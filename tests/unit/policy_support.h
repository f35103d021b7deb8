/* SPDX-License-Identifier: Apache-2.0
 * What the tests of src/policy share: a configuration as the sandbox has it, files written for one
 * test, and requests made in one line. */
#ifndef QSEAL_TESTS_POLICY_SUPPORT_H
#define QSEAL_TESTS_POLICY_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64url.h"
#include "jose/json.h"
#include "model/shape.h"
#include "policy/profile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW 1700000000
#define SEAL_ALGS (1U << ALG_RS256 | 1U << ALG_PS256)
#define SEAL_EC_ALGS (1U << ALG_ES256)

#define SHIPPED_TEMPLATES QSEAL_SOURCE_DIR "/src/policy/templates"
#define SHIPPED_BINDINGS QSEAL_SOURCE_DIR "/hsm-config/profiles.d"

static const struct signing_key test_key = {
    .kid = "test-kid",
    .jwk = "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}",
};

/* A configuration with the sandbox's roles and these folders. */
struct test_config {
    struct config config;
    struct config_role roles[2];
    char *template_dirs[1];
};

static inline void test_config_init(struct test_config *test, const char *templates,
                                    const char *bindings)
{
    *test = (struct test_config){
        .roles = {{.name = (char *)"seal", .key_type = KEY_RSA_2048, .algs = SEAL_ALGS},
                  {.name = (char *)"seal-ec", .key_type = KEY_P256, .algs = SEAL_EC_ALGS}},
        .template_dirs = {(char *)templates},
    };
    test->config.roles = test->roles;
    test->config.n_roles = 2;
    test->config.template_dirs = test->template_dirs;
    test->config.n_template_dirs = 1;
    test->config.profiles_dir = (char *)bindings;
}

static inline struct profiles *load_shipped(void)
{
    struct test_config test;
    test_config_init(&test, SHIPPED_TEMPLATES, SHIPPED_BINDINGS);
    struct profiles *profiles = NULL;
    struct reason why = {.detail = ""};
    if (profiles_load(&test.config, &profiles, &why) != OUTCOME_OK) {
        fail_msg("%s", why.detail);
    }
    return profiles;
}

/* A folder of its own for each test program, with templates/ and profiles.d/ in it. */
struct test_files {
    char folder[64];
    char templates[96];
    char bindings[96];
};

static inline void test_files_init(struct test_files *files)
{
    (void)snprintf(files->folder, sizeof files->folder, "/tmp/qseal-policy-XXXXXX");
    assert_non_null(mkdtemp(files->folder));
    (void)snprintf(files->templates, sizeof files->templates, "%s/templates", files->folder);
    (void)snprintf(files->bindings, sizeof files->bindings, "%s/profiles.d", files->folder);
    char command[256];
    (void)snprintf(command, sizeof command, "mkdir '%s' '%s'", files->templates, files->bindings);
    assert_int_equal(system(command), 0);
}

static inline void test_files_fini(struct test_files *files)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r '%s'", files->folder);
    assert_int_equal(system(command), 0);
}

static inline void write_file(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline const struct profile *find_profile(const struct profiles *profiles, const char *name)
{
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        if (strcmp(profile_name(profiles_at(profiles, i)), name) == 0) {
            return profiles_at(profiles, i);
        }
    }
    fail_msg("no profile %s", name);
    return NULL;
}

/* The decoded header and payload of what a request makes; everything is freed by built_fini(). */
struct built {
    struct artefact artefact;
    struct buffer header;
    struct buffer payload;
    enum outcome outcome;
    struct reason why;
};

static inline struct built build_with(const struct profile *profile, const char *body,
                                      const char *content_type)
{
    struct built built = {.header = BUFFER_INIT(1 << 20), .payload = BUFFER_INIT(1 << 21)};
    artefact_init(&built.artefact);
    built.outcome = profile_build(profile, &test_key, span_of_text(body), content_type, NOW,
                                  &built.artefact, &built.why);
    if (built.outcome != OUTCOME_OK) {
        return built;
    }
    struct reason why;
    struct span input = buffer_span(&built.artefact.signing_input);
    if (shape_check(PURPOSE_SEAL, profile_alg(profile), input, &why) != OUTCOME_OK) {
        fail_msg("the shape guard refuses: %s", why.detail);
    }
    size_t dot = built.artefact.header_len;
    assert_int_equal(input.data[dot], '.');
    assert_true(base64url_decode(&built.header, span_part(input, 0, dot)));
    struct span behind = span_part(input, dot + 1, input.len);
    if (!base64url_decode(&built.payload, behind)) {
        buffer_put_span(&built.payload, behind);
    }
    return built;
}

static inline struct built build(const struct profile *profile, const char *body)
{
    return build_with(profile, body, "application/json");
}

static inline void built_fini(struct built *built)
{
    artefact_fini(&built->artefact);
    buffer_fini(&built->header);
    buffer_fini(&built->payload);
}

/* Refused with this outcome, at this place, for this reason. */
static inline void assert_refused(const struct profile *profile, const char *body,
                                  enum outcome outcome, const char *claim, const char *detail)
{
    struct built built = build(profile, body);
    if (built.outcome != outcome || strcmp(built.why.claim, claim) != 0 ||
        strstr(built.why.detail, detail) == NULL) {
        fail_msg("%s\n got %d \"%s\" \"%s\"\nwant %d \"%s\" \"%s\"", body, (int)built.outcome,
                 built.why.claim, built.why.detail, (int)outcome, claim, detail);
    }
    assert_int_equal(built.artefact.signing_input.len, 0);
    built_fini(&built);
}

static inline void assert_payload(const struct profile *profile, const char *body,
                                  const char *payload)
{
    struct built built = build(profile, body);
    if (built.outcome != OUTCOME_OK) {
        fail_msg("%s\nrefused: \"%s\" %s", body, built.why.claim, built.why.detail);
    }
    assert_string_equal(buffer_text(&built.payload), payload);
    built_fini(&built);
}

/* The text with its first `old` replaced; owned by the caller. */
static inline char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    if (at == NULL) {
        fail_msg("\"%s\" is not in the text", old);
    }
    size_t len = strlen(text) - strlen(old) + strlen(new) + 1;
    char *out = malloc(len);
    assert_non_null(out);
    (void)snprintf(out, len, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    return out;
}

/* The text of a shipped file; owned by the caller. */
static inline char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_msg("%s", path);
    }
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static inline char *shipped_template(const char *name)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, SHIPPED_TEMPLATES "/%s.yaml", name);
    return read_text(path);
}

static inline char *shipped_binding(const char *name)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, SHIPPED_BINDINGS "/%s.yaml", name);
    return read_text(path);
}

/* One change to a shipped template or binding, and what the loader says of it; `old` NULL appends.
 */
struct change {
    const char *name;
    const char *old;
    const char *new;
    const char *detail; /* NULL: it loads */
};

static inline char *changed(char *text, const struct change *change)
{
    char *out = NULL;
    if (change->old == NULL) {
        assert_true(asprintf(&out, "%s%s", text, change->new) > 0);
    } else {
        out = replaced(text, change->old, change->new);
    }
    free(text);
    return out;
}

static inline void write_named(const char *folder, const char *name, const char *text)
{
    char file[128];
    (void)snprintf(file, sizeof file, "%s.yaml", name);
    write_file(folder, file, text);
}

/* Whether the reason names the file and a line in it, and says what is wrong; told when not. */
static inline bool reason_fits(const struct change *change, enum outcome outcome,
                               const struct reason *why)
{
    char place[128];
    (void)snprintf(place, sizeof place, "%s.yaml:", change->name);
    const char *at = strstr(why->detail, place);
    bool fits = change->detail == NULL
                    ? outcome == OUTCOME_OK
                    : outcome == OUTCOME_RULE && at != NULL && atoi(at + strlen(place)) > 0 &&
                          strstr(why->detail, change->detail) != NULL;
    if (!fits) {
        print_error("%s: %s -> %s\n got %d %s\nwant %s\n", change->name,
                    change->old == NULL ? "(append)" : change->old, change->new, (int)outcome,
                    why->detail, change->detail == NULL ? "(it loads)" : change->detail);
    }
    return fits;
}

/* Whether template_load() says so of the changed template. */
static inline bool template_fits(const char *folder, const struct change *change,
                                 enum outcome (*load)(const char *path, const char *name,
                                                      struct reason *why))
{
    char *text = changed(shipped_template(change->name), change);
    write_named(folder, change->name, text);
    free(text);
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s.yaml", folder, change->name);
    struct reason why = {.detail = ""};
    enum outcome outcome = load(path, change->name, &why);
    return reason_fits(change, outcome, &why);
}

#endif
