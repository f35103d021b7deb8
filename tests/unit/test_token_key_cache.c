/* SPDX-License-Identifier: Apache-2.0
 * The cache of checked keys. */
#include "check.h"

#include "token/key_cache.h"

static void id_of(unsigned int number, uint8_t id[KEY_ID_LEN])
{
    memset(id, 0, KEY_ID_LEN);
    memcpy(id, &number, sizeof number);
}

static void test_get_put_drop(void **state)
{
    (void)state;
    struct key_cache cache;
    uint8_t id[KEY_ID_LEN];
    struct key key = {.private_key = 5, .type = KEY_P384};
    struct key got;
    key_cache_init(&cache);
    id_of(1, id);
    assert_false(key_cache_get(&cache, id, &got));
    key_cache_put(&cache, id, &key);
    assert_true(key_cache_get(&cache, id, &got));
    assert_int_equal(got.private_key, 5);
    assert_int_equal(got.type, KEY_P384);
    key_cache_drop(&cache, id, 4); /* another thread renewed it meanwhile */
    assert_true(key_cache_get(&cache, id, &got));
    key.private_key = 6;
    key_cache_put(&cache, id, &key);
    assert_int_equal(cache.n, 1);
    key_cache_drop(&cache, id, 6);
    assert_false(key_cache_get(&cache, id, &got));
    key_cache_fini(&cache);
}

static void test_full(void **state)
{
    (void)state;
    struct key_cache cache;
    uint8_t id[KEY_ID_LEN];
    struct key got;
    key_cache_init(&cache);
    for (unsigned int i = 0; i < KEY_CACHE_MAX + 10; i++) {
        const struct key key = {.private_key = i};
        id_of(i, id);
        key_cache_put(&cache, id, &key);
    }
    assert_int_equal(cache.n, KEY_CACHE_MAX);
    for (unsigned int i = 0; i < KEY_CACHE_MAX + 10; i++) {
        id_of(i, id);
        assert_int_equal(key_cache_get(&cache, id, &got), i >= 10);
        assert_true(i < 10 || got.private_key == i);
    }
    key_cache_fini(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_get_put_drop),
                                       cmocka_unit_test(test_full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
