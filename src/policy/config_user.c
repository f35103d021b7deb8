/* SPDX-License-Identifier: Apache-2.0
 * Users and groups in qseal.yaml: names that exist on this host, or numbers. */
#include "policy/config_user.h"

#include "policy/yaml.h"
#include "policy/yaml_tree.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* (uid_t)-1 means "nobody said" to the kernel and is refused, and so is (gid_t)-1. */
enum outcome config_take_number(const char *path, const char *pointer, const char *kind,
                                unsigned long long number, uint32_t *out, struct reason *why)
{
    if (number >= UINT32_MAX) {
        return yaml_refuse(why, path, pointer, "%s: no %s is that large", pointer, kind);
    }
    *out = (uint32_t)number;
    return OUTCOME_OK;
}

static bool is_number(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return name[digits] == '\0' && digits <= 10;
}

static enum outcome refuse_name(const char *path, const char *pointer, const char *kind,
                                const char *name, int error, struct reason *why)
{
    char shown[YAML_SHOWN_SIZE];
    yaml_tree_printable(name, shown);
    return yaml_refuse(why, path, pointer, "%s: %s \"%s\" %s", pointer, kind, shown,
                       error == 0 ? "does not exist on this host" : "cannot be looked up");
}

/* A user's name, or a number. */
enum outcome config_resolve_user(const char *path, const char *pointer, const char *user,
                                 uid_t *out, struct reason *why)
{
    if (is_number(user)) {
        return config_take_number(path, pointer, "uid", strtoull(user, NULL, 10), out, why);
    }
    char scratch[16384];
    struct passwd entry;
    struct passwd *found = NULL;
    int error = getpwnam_r(user, &entry, scratch, sizeof scratch, &found);
    if (found == NULL) {
        return refuse_name(path, pointer, "user", user, error, why);
    }
    *out = found->pw_uid;
    return OUTCOME_OK;
}

/* A group's name, or a number. */
enum outcome config_resolve_group(const char *path, const char *pointer, const char *group,
                                  gid_t *out, struct reason *why)
{
    if (is_number(group)) {
        return config_take_number(path, pointer, "gid", strtoull(group, NULL, 10), out, why);
    }
    char scratch[65536]; /* its members are in there */
    struct group entry;
    struct group *found = NULL;
    int error = getgrnam_r(group, &entry, scratch, sizeof scratch, &found);
    if (found == NULL) {
        return refuse_name(path, pointer, "group", group, error, why);
    }
    *out = found->gr_gid;
    return OUTCOME_OK;
}

/* Exactly one of `user:` and `uid:`. */
enum outcome config_resolve_either(const char *path, const char *section, size_t index,
                                   const char *user, const uint32_t *uid, uid_t *out,
                                   struct reason *why)
{
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/%s/%zu", section, index);
    if ((user == NULL) == (uid == NULL)) {
        return yaml_refuse(why, path, pointer, "%s: one of `user` and `uid` is wanted here, %s",
                           pointer, user == NULL ? "and there is none" : "not both");
    }
    if (user != NULL) {
        (void)snprintf(pointer, sizeof pointer, "/%s/%zu/user", section, index);
        return config_resolve_user(path, pointer, user, out, why);
    }
    (void)snprintf(pointer, sizeof pointer, "/%s/%zu/uid", section, index);
    return config_take_number(path, pointer, "uid", *uid, out, why);
}
