/* SPDX-License-Identifier: Apache-2.0
 * What has begun since the last look: nothing needs to be remembered but the look itself. */
#include "signing/key_end_log.h"

#include "base/log.h"

/* The key of this index as the last look saw it. A keyring only grows, so it has the same place. */
static enum key_end_level level_before(const struct key_end_log *log, const struct key *key,
                                       size_t index, enum key_end_what what)
{
    if (log->view == NULL || index >= log->view->keyring->n_keys) {
        return KEY_END_FAR;
    }
    bool same = span_equal(public_key_spki(log->view->keyring->keys[index].public_key),
                           public_key_spki(key->public_key));
    return same ? key_end_level(&log->view->ends[index], what, log->at) : KEY_END_FAR;
}

static void say(const struct key *key, const struct key_end *end, enum key_end_what what,
                int64_t now)
{
    char text[KEY_END_TEXT_SIZE];
    key_end_text(end, what, now, text);
    log_warning("key %s of role %s in token %s: %s", public_key_thumbprint(key->public_key),
                key->role, key->token, text);
}

size_t key_end_log_look(struct key_end_log *log, struct view *view, int64_t now)
{
    size_t lines = 0;
    for (size_t i = 0; i < view->keyring->n_keys; i++) {
        const struct key *key = &view->keyring->keys[i];
        for (unsigned int what = 0; what < KEY_END_COUNT; what++) {
            enum key_end_level level = key_end_level(&view->ends[i], what, now);
            if (level > KEY_END_FAR && level > level_before(log, key, i, what)) {
                say(key, &view->ends[i], what, now);
                lines++;
            }
        }
    }
    if (view != log->view) {
        view_unref(log->view);
        log->view = view_ref(view);
    }
    log->at = now;
    return lines;
}

void key_end_log_fini(struct key_end_log *log)
{
    view_unref(log->view);
    log->view = NULL;
}
