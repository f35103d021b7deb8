/* SPDX-License-Identifier: Apache-2.0
 * Signatures per key: an open table, whose places are taken for good. */
#include "token/key_uses.h"

#include "base/span.h"

#include <stdlib.h>
#include <string.h>

bool key_uses_init(struct key_uses *uses)
{
    *uses = (struct key_uses){.places = calloc(KEY_USES_PLACES, sizeof *uses->places)};
    pthread_rwlock_init(&uses->lock, NULL);
    return uses->places != NULL;
}

void key_uses_fini(struct key_uses *uses)
{
    pthread_rwlock_destroy(&uses->lock);
    free(uses->places);
    *uses = (struct key_uses){0};
}

/* The key's place, or the free one where it belongs; there always is one. */
static struct key_use *place_of(struct key_uses *uses, const uint8_t id[KEY_ID_LEN])
{
    for (size_t at = (size_t)id[0] << 8 | id[1];; at++) {
        struct key_use *place = &uses->places[at % KEY_USES_PLACES];
        if (!place->taken || span_equal(span_of(place->id, KEY_ID_LEN), span_of(id, KEY_ID_LEN))) {
            return place;
        }
    }
}

static bool add_to_known(struct key_uses *uses, const uint8_t id[KEY_ID_LEN])
{
    pthread_rwlock_rdlock(&uses->lock);
    struct key_use *place = place_of(uses, id);
    bool known = place->taken;
    if (known) {
        (void)atomic_fetch_add_explicit(&place->signatures, 1, memory_order_relaxed);
    }
    pthread_rwlock_unlock(&uses->lock);
    return known;
}

void key_uses_add(struct key_uses *uses, const uint8_t id[KEY_ID_LEN])
{
    if (add_to_known(uses, id)) {
        return;
    }
    pthread_rwlock_wrlock(&uses->lock);
    struct key_use *place = place_of(uses, id);
    if (!place->taken && uses->n < KEY_USES_MAX) {
        memcpy(place->id, id, KEY_ID_LEN);
        place->taken = true;
        uses->n++;
    }
    if (place->taken) {
        (void)atomic_fetch_add_explicit(&place->signatures, 1, memory_order_relaxed);
    }
    pthread_rwlock_unlock(&uses->lock);
}

uint64_t key_uses_of(struct key_uses *uses, const uint8_t id[KEY_ID_LEN])
{
    pthread_rwlock_rdlock(&uses->lock);
    struct key_use *place = place_of(uses, id);
    uint64_t signatures = uses->n < KEY_USES_MAX ? 0 : TOKEN_UNKNOWN;
    if (place->taken) {
        signatures = atomic_load_explicit(&place->signatures, memory_order_relaxed);
    }
    pthread_rwlock_unlock(&uses->lock);
    return signatures;
}
