/* SPDX-License-Identifier: Apache-2.0
 * The shared cache of checked keys. */
#include "token/key_cache.h"

#include <string.h>

void key_cache_init(struct key_cache *cache)
{
    cache->n = 0;
    cache->next = 0;
    pthread_rwlock_init(&cache->lock, NULL);
}

void key_cache_fini(struct key_cache *cache)
{
    pthread_rwlock_destroy(&cache->lock);
}

static struct key_cache_entry *find(struct key_cache *cache, const uint8_t id[KEY_ID_LEN])
{
    for (size_t i = 0; i < cache->n; i++) {
        if (span_equal(span_of(cache->entries[i].id, KEY_ID_LEN), span_of(id, KEY_ID_LEN))) {
            return &cache->entries[i];
        }
    }
    return NULL;
}

bool key_cache_get(struct key_cache *cache, const uint8_t id[KEY_ID_LEN], struct key *out)
{
    pthread_rwlock_rdlock(&cache->lock);
    const struct key_cache_entry *entry = find(cache, id);
    if (entry != NULL) {
        *out = entry->key;
    }
    pthread_rwlock_unlock(&cache->lock);
    return entry != NULL;
}

static struct key_cache_entry *place_for(struct key_cache *cache, const uint8_t id[KEY_ID_LEN])
{
    struct key_cache_entry *entry = find(cache, id);
    if (entry != NULL) {
        return entry;
    }
    if (cache->n < KEY_CACHE_MAX) {
        return &cache->entries[cache->n++];
    }
    entry = &cache->entries[cache->next];
    cache->next = (cache->next + 1) % KEY_CACHE_MAX;
    return entry;
}

void key_cache_put(struct key_cache *cache, const uint8_t id[KEY_ID_LEN], const struct key *key)
{
    pthread_rwlock_wrlock(&cache->lock);
    struct key_cache_entry *entry = place_for(cache, id);
    memcpy(entry->id, id, KEY_ID_LEN);
    entry->key = *key;
    pthread_rwlock_unlock(&cache->lock);
}

void key_cache_drop(struct key_cache *cache, const uint8_t id[KEY_ID_LEN], CK_OBJECT_HANDLE stale)
{
    pthread_rwlock_wrlock(&cache->lock);
    struct key_cache_entry *entry = find(cache, id);
    if (entry != NULL && entry->key.private_key == stale) {
        *entry = cache->entries[--cache->n];
        cache->next = 0;
    }
    pthread_rwlock_unlock(&cache->lock);
}
