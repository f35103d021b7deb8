/* SPDX-License-Identifier: Apache-2.0
 * Probe files: a program outside fetches the JWK Set as verifiers do and leaves it in a file; which
 * kids are in it was then seen. Its owner vouches for it, so nobody else may write it. */
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "custody/change.h"
#include "jose/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PROBE_SIZE_MAX = 1024 * 1024 /* bytes */ };

static const char where[] = "probe file";

static bool is_listed(const json_t *keys, const char *kid)
{
    size_t i;
    json_t *key;
    json_array_foreach (keys, i, key) {
        const char *text = json_string_value(json_object_get(key, "kid"));
        if (text != NULL && strcmp(text, kid) == 0) {
            return true;
        }
    }
    return false;
}

/* A JWK Set (RFC 7517 §5). Keys without a kid are somebody else's. */
static enum outcome check_set(const json_t *root, struct reason *why)
{
    const json_t *keys = json_object_get(root, "keys");
    size_t i;
    json_t *key;
    if (!json_is_array(keys)) {
        return refuse(why, OUTCOME_RULE, "no JWK Set: there is no array \"keys\"");
    }
    json_array_foreach (keys, i, key) {
        const json_t *kid = json_object_get(key, "kid");
        if (!json_is_object(key) || (kid != NULL && !json_is_string(kid))) {
            return refuse(why, OUTCOME_RULE, "no JWK Set: keys[%zu] is not a key", i);
        }
    }
    return OUTCOME_OK;
}

/* A file from before the key was published, this time, does not count. */
static bool is_news(const struct key *key, const char *role, const json_t *keys, int64_t at)
{
    int64_t since = 0;
    return strcmp(key->role, role) == 0 && !key_is_seen(key) && key_shown_since(key, &since) &&
           at >= since && is_listed(keys, public_key_thumbprint(key->public_key));
}

/* All in one generation. */
static enum outcome record_locked(struct custody *custody, const char *role, const json_t *keys,
                                  const struct key_record *record, struct reason *why)
{
    struct act act = {.custody = custody, .pin = -1};
    struct selection news = {.n = 0};
    struct keyring *next = NULL;
    struct view *now = view_cell_get(custody->room.views);
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < now->keyring->n_keys && news.n < SELECTION_MAX; i++) {
        if (is_news(&now->keyring->keys[i], role, keys, record->at)) {
            news.indexes[news.n++] = i;
        }
    }
    if (news.n > 0) {
        outcome = keyring_set_record(now->keyring, news.indexes, news.n, KEY_PROOF_SEEN, record,
                                     &next, why);
        if (outcome == OUTCOME_OK) {
            outcome = act_install_locked(&act, next, why);
        }
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < news.n; i++) {
        const struct key *key = &now->keyring->keys[news.indexes[i]];
        log_info("key %s of role %s in token %s was seen outside, says the probe file of uid %u",
                 public_key_thumbprint(key->public_key), key->role, key->token, record->by);
    }
    view_unref(now);
    return outcome;
}

static enum outcome read_set(struct custody *custody, const char *role, int fd,
                             const struct key_record *record, struct reason *why)
{
    JSON_CLEANUP json_t *root = NULL;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(PROBE_SIZE_MAX);
    if (file_read_from(fd, &text) != 0) {
        return refuse(why, OUTCOME_RULE, "%s",
                      errno == EFBIG ? "larger than 1 MiB" : strerror(errno));
    }
    enum outcome outcome = json_parse_object(buffer_span(&text), &root, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_set(root, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    pthread_mutex_lock(&custody->change);
    struct reason inner = {0};
    outcome = record_locked(custody, role, json_object_get(root, "keys"), record, &inner);
    pthread_mutex_unlock(&custody->change);
    return outcome == OUTCOME_OK ? outcome : refuse(why, OUTCOME_UNAVAILABLE, "%s", inner.detail);
}

static enum outcome read_file(struct custody *custody, const char *role, int fd,
                              const struct stat *file, int64_t now, struct reason *why)
{
    struct key_record record = {.recorded = true, .by = file->st_uid, .at = now};
    if (!S_ISREG(file->st_mode) || (file->st_mode & (S_IWOTH | S_IWGRP)) != 0) {
        return refuse(why, OUTCOME_RULE, "%s",
                      S_ISREG(file->st_mode) ? "others than its owner may write it"
                                             : "not a regular file");
    }
    record.at = file->st_mtim.tv_sec < now ? file->st_mtim.tv_sec : now;
    memcpy(record.text, where, sizeof where);
    return read_set(custody, role, fd, &record, why);
}

static bool is_as_it_was(const struct probe *probe, const struct stat *file)
{
    return probe->read && probe->device == file->st_dev && probe->inode == file->st_ino &&
           probe->size == file->st_size && probe->written.tv_sec == file->st_mtim.tv_sec &&
           probe->written.tv_nsec == file->st_mtim.tv_nsec;
}

/* What could not be put on record is tried again. */
static enum outcome look(struct custody *custody, struct probe *probe, const char *path,
                         int64_t now, struct reason *why)
{
    struct stat file;
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &file) != 0) {
        probe->read = false;
        return refuse(why, OUTCOME_RULE, "%s", strerror(errno));
    }
    if (is_as_it_was(probe, &file)) {
        return refuse(why, probe->outcome, "%s", probe->detail);
    }
    probe->device = file.st_dev;
    probe->inode = file.st_ino;
    probe->size = file.st_size;
    probe->written = file.st_mtim;
    probe->outcome = read_file(custody, probe->role, fd, &file, now, why);
    probe->read = probe->outcome != OUTCOME_UNAVAILABLE;
    return probe->outcome;
}

static struct probe known(const struct clock_state *state, const char *role)
{
    struct probe fresh = {.read = false};
    for (size_t i = 0; i < state->n_probes; i++) {
        if (strcmp(state->probes[i].role, role) == 0) {
            return state->probes[i];
        }
    }
    (void)snprintf(fresh.role, sizeof fresh.role, "%s", role);
    return fresh;
}

/* What is wrong is said once in the log, and stays in the status. */
static void look_and_say(struct custody *custody, struct probe *probe, const char *path,
                         int64_t now)
{
    struct reason why = {0};
    char detail[CLOCK_DETAIL_SIZE] = "";
    if (look(custody, probe, path, now, &why) != OUTCOME_OK) {
        (void)snprintf(detail, sizeof detail, "%.300s", why.detail);
    }
    if (strcmp(probe->detail, detail) == 0) {
        return;
    }
    if (detail[0] != '\0') {
        log_warning("probe file of role %s, %s: %s", probe->role, path, detail);
    } else {
        log_info("probe file of role %s, %s, is in order again", probe->role, path);
    }
    memcpy(probe->detail, detail, sizeof detail);
}

void probe_look(struct custody *custody, int64_t now)
{
    struct probe *probes = custody->probes_now;
    struct view *view = view_cell_get(custody->room.views);
    const struct config *config = view->policy->config;
    size_t n = 0;
    for (size_t i = 0; i < config->n_roles && n < PROBES_MAX; i++) {
        const struct config_role *role = &config->roles[i];
        if (role->probe_file != NULL) {
            probes[n] = known(&custody->clock, role->name);
            look_and_say(custody, &probes[n++], role->probe_file, now);
        }
    }
    view_unref(view);
    pthread_mutex_lock(&custody->report);
    memcpy(custody->clock.probes, probes, n * sizeof *probes);
    custody->clock.n_probes = n;
    pthread_mutex_unlock(&custody->report);
}
