/* SPDX-License-Identifier: Apache-2.0
 * All profiles of a configuration: every template is read and checked, bound or not, so that a
 * wrong one is found at start and not on the day it is first used. */
#include "policy/compiled.h"

#include "base/name.h"
#include "model/purpose.h"
#include "policy/verification_file.h"
#include "policy/yaml.h"
#include "policy/yaml_tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 1024 };

struct profiles {
    struct profile **items; /* owned, in order of name */
    size_t n;
    struct verification **verifications; /* likewise */
    size_t n_verifications;
};

static int is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static void free_entries(struct dirent **entries, int n)
{
    for (int i = 0; i < n; i++) {
        free(entries[i]);
    }
    free(entries);
}

/* "FOLDER/NAME.yaml" as path and "NAME" as name; the name is a profile's or template's. */
static enum outcome name_of(const char *folder, const char *file, char path[PATH_MAX],
                            char name[NAME_LEN_MAX + 1], struct reason *why)
{
    size_t len = strlen(file) - 5;
    int wrote = snprintf(path, PATH_MAX, "%s/%s", folder, file);
    if (wrote < 0 || wrote >= PATH_MAX || len > NAME_LEN_MAX ||
        !name_is_valid(span_of(file, len))) {
        return refuse(why, OUTCOME_RULE,
                      "%.300s: a file here is named NAME.yaml, NAME being 1 to 63 of a-z 0-9 - _ .",
                      path);
    }
    memcpy(name, file, len);
    name[len] = '\0';
    return OUTCOME_OK;
}

/* Calls `visit` for every NAME.yaml of the folder in order of name, until one refuses. */
static enum outcome each_file(const char *folder, bool may_be_missing,
                              enum outcome (*visit)(const char *path, const char *name, void *with,
                                                    struct reason *why),
                              void *with, struct reason *why)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_yaml, alphasort);
    if (n < 0 && errno == ENOENT && may_be_missing) {
        return OUTCOME_OK;
    }
    if (n < 0) {
        return refuse(why, OUTCOME_RULE, "%.300s: %s", folder, strerror(errno));
    }
    enum outcome outcome =
        n > FILES_MAX ? refuse(why, OUTCOME_RULE, "%.300s: over %d files", folder, FILES_MAX)
                      : OUTCOME_OK;
    for (int i = 0; outcome == OUTCOME_OK && i < n; i++) {
        char path[PATH_MAX] = "";
        char name[NAME_LEN_MAX + 1];
        outcome = name_of(folder, entries[i]->d_name, path, name, why);
        outcome = outcome != OUTCOME_OK ? outcome : visit(path, name, with, why);
    }
    free_entries(entries, n);
    return outcome;
}

static enum outcome visit_template(const char *path, const char *name, void *with,
                                   struct reason *why)
{
    (void)with;
    TEMPLATE_CLEANUP struct template *template = NULL;
    CLEANUP(verify_template_free_ref) struct verify_template *verifies = NULL;
    return verify_template_is(path) ? verify_template_load(path, name, &verifies, why)
                                    : template_load(path, name, NULL, &template, why);
}

/* The first folder that has it wins. */
static bool find_template(const struct config *config, const char *name, char path[PATH_MAX])
{
    for (size_t i = 0; i < config->n_template_dirs; i++) {
        int wrote = snprintf(path, PATH_MAX, "%s/%s.yaml", config->template_dirs[i], name);
        FILE *file = wrote > 0 && wrote < PATH_MAX ? fopen(path, "re") : NULL;
        if (file != NULL) {
            (void)fclose(file);
            return true;
        }
    }
    return false;
}

static enum outcome check_role(const struct config *config, const struct profile *profile,
                               const char *path, struct reason *why)
{
    const struct config_role *role = config_role(config, profile->binding->role);
    if (role == NULL) {
        return yaml_refuse(why, path, "/role", "the configuration has no role of this name");
    }
    if ((role->algs & (1U << profile->alg)) == 0) {
        return yaml_refuse(why, path, "/alg", "role %s does not grant %s", role->name,
                           profile->binding->alg);
    }
    if (strcmp(purpose_name(role->purpose), profile->template->purpose) != 0) {
        return yaml_refuse(why, path, "/role", "role %s has another purpose than %s", role->name,
                           profile->template->purpose);
    }
    return OUTCOME_OK;
}

struct loading {
    const struct config *config;
    struct profiles *profiles;
};

static enum outcome append(struct profiles *profiles, struct profile *profile, struct reason *why)
{
    struct profile **items =
        reallocarray(profiles->items, profiles->n + 1, sizeof *profiles->items);
    if (items == NULL) {
        profile_free(profile);
        return refuse(why, OUTCOME_INTERNAL, "out of memory while profiles are loaded");
    }
    profiles->items = items;
    profiles->items[profiles->n++] = profile;
    return OUTCOME_OK;
}

/* Adds the profile of one that verifies. */
static enum outcome append_verification(struct profiles *profiles, const char *template_path,
                                        const char *template_name, const char *path,
                                        const char *name, struct reason *why)
{
    struct verification **items = reallocarray(
        profiles->verifications, profiles->n_verifications + 1, sizeof *profiles->verifications);
    if (items == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory while profiles are loaded");
    }
    profiles->verifications = items;
    enum outcome outcome = verification_load(template_path, template_name, path, name,
                                             &items[profiles->n_verifications], why);
    profiles->n_verifications += outcome == OUTCOME_OK ? 1 : 0;
    return outcome;
}

static enum outcome visit_binding(const char *path, const char *name, void *with,
                                  struct reason *why)
{
    struct loading *loading = with;
    BINDING_CLEANUP struct binding *binding = NULL;
    TEMPLATE_CLEANUP struct template *template = NULL;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(2 * YAML_FILE_MAX); /* of both files */
    char template_path[PATH_MAX];
    char wanted[NAME_LEN_MAX + 1];
    if (verify_binding_template(path, wanted) &&
        find_template(loading->config, wanted, template_path) &&
        verify_template_is(template_path)) {
        return append_verification(loading->profiles, template_path, wanted, path, name, why);
    }
    enum outcome outcome = binding_load(path, name, &text, &binding, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!name_is_valid(span_of_text(binding->template)) ||
        !find_template(loading->config, binding->template, template_path)) {
        return yaml_refuse(why, path, "/template", "no template of this name in any folder");
    }
    outcome = template_load(template_path, binding->template, &text, &template, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct profile *profile = NULL;
    outcome = profile_compile(template, template_path, binding, path, &profile, why);
    template = NULL;
    binding = NULL;
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = check_role(loading->config, profile, path, why);
    if (outcome == OUTCOME_OK && !sha256_text(buffer_span(&text), profile->digest)) {
        outcome = refuse(why, OUTCOME_INTERNAL, "no SHA-256");
    }
    if (outcome != OUTCOME_OK) {
        profile_free(profile);
        return outcome;
    }
    return append(loading->profiles, profile, why);
}

static int by_name(const void *a, const void *b)
{
    const struct profile *const *left = a;
    const struct profile *const *right = b;
    return strcmp(profile_name(*left), profile_name(*right));
}

static int by_own_name(const void *a, const void *b)
{
    const struct verification *const *left = a;
    const struct verification *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static void free_ref(struct profiles **profiles)
{
    profiles_free(*profiles);
    *profiles = NULL;
}

static bool is_known(const struct profiles *profiles, const char *name)
{
    for (size_t i = 0; i < profiles->n; i++) {
        if (strcmp(profile_name(profiles->items[i]), name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < profiles->n_verifications; i++) {
        if (strcmp(profiles->verifications[i]->name, name) == 0) {
            return true;
        }
    }
    return strcmp(name, "*") == 0;
}

/* A grant of a profile that does not exist is a slip of the pen, and would be found at night. */
static enum outcome check_grants(const struct config *config, const struct profiles *profiles,
                                 struct reason *why)
{
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct config_caller *caller = &config->callers[i];
        for (size_t k = 0; k < caller->n_profiles; k++) {
            if (!is_known(profiles, caller->profiles[k])) {
                char where[64];
                (void)snprintf(where, sizeof where, "/callers/%zu/profiles/%zu", i, k);
                return yaml_refuse(why, config->path, where, "there is no profile %s in %s",
                                   caller->profiles[k], config->profiles_dir);
            }
        }
    }
    return OUTCOME_OK;
}

enum outcome profiles_load(const struct config *config, struct profiles **out, struct reason *why)
{
    CLEANUP(free_ref) struct profiles *profiles = calloc(1, sizeof *profiles);
    if (profiles == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory while profiles are loaded");
    }
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; outcome == OUTCOME_OK && i < config->n_template_dirs; i++) {
        outcome = each_file(config->template_dirs[i], true, visit_template, NULL, why);
    }
    struct loading loading = {.config = config, .profiles = profiles};
    outcome = outcome != OUTCOME_OK
                  ? outcome
                  : each_file(config->profiles_dir, false, visit_binding, &loading, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_grants(config, profiles, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (profiles->n > 0) {
        qsort(profiles->items, profiles->n, sizeof profiles->items[0], by_name);
    }
    if (profiles->n_verifications > 0) {
        qsort(profiles->verifications, profiles->n_verifications, sizeof profiles->verifications[0],
              by_own_name);
    }
    *out = profiles;
    profiles = NULL;
    return OUTCOME_OK;
}

void profiles_free(struct profiles *profiles)
{
    if (profiles == NULL) {
        return;
    }
    for (size_t i = 0; i < profiles->n; i++) {
        profile_free(profiles->items[i]);
    }
    for (size_t i = 0; i < profiles->n_verifications; i++) {
        verification_free(profiles->verifications[i]);
    }
    free(profiles->items);
    free(profiles->verifications);
    free(profiles);
}

size_t profiles_count(const struct profiles *profiles)
{
    return profiles->n;
}

size_t profiles_total(const struct profiles *profiles)
{
    return profiles->n + profiles->n_verifications;
}

const struct profile *profiles_at(const struct profiles *profiles, size_t index)
{
    return profiles->items[index];
}

const struct profile *profiles_find(const struct profiles *profiles, enum operation operation,
                                    const char *name)
{
    size_t low = 0;
    size_t high = profiles->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, profile_name(profiles->items[middle]));
        if (order == 0) {
            const struct profile *found = profiles->items[middle];
            return profile_operation(found) == operation ? found : NULL;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

size_t profiles_verifications(const struct profiles *profiles)
{
    return profiles->n_verifications;
}

const struct verification *profiles_verification_at(const struct profiles *profiles, size_t index)
{
    return profiles->verifications[index];
}

const struct verification *profiles_verification(const struct profiles *profiles,
                                                 enum verification_kind kind, const char *name)
{
    for (size_t i = 0; i < profiles->n_verifications; i++) {
        const struct verification *found = profiles->verifications[i];
        if (strcmp(found->name, name) == 0) {
            return found->kind == kind ? found : NULL;
        }
    }
    return NULL;
}
