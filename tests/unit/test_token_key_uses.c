/* SPDX-License-Identifier: Apache-2.0
 * Signatures per key: counted apart, from several threads, and honestly not counted when full. */
#include "token/key_uses.h"

#include "check.h"

enum { THREADS = 4, ROUNDS = 2000 };

/* Ids whose first bytes collide, in part at the end of the table. */
static void id_of(unsigned int number, uint8_t id[KEY_ID_LEN])
{
    memset(id, 0xff, KEY_ID_LEN);
    id[2] = (uint8_t)(number >> 8);
    id[3] = (uint8_t)number;
}

static void each_key_has_its_count(void **state)
{
    (void)state;
    struct key_uses uses;
    uint8_t id[KEY_ID_LEN];
    assert_true(key_uses_init(&uses));
    for (unsigned int i = 0; i < 20; i++) {
        id_of(i, id);
        assert_int_equal(key_uses_of(&uses, id), 0);
        for (unsigned int n = 0; n < i; n++) {
            key_uses_add(&uses, id);
        }
    }
    for (unsigned int i = 0; i < 20; i++) {
        id_of(i, id);
        assert_int_equal(key_uses_of(&uses, id), i);
    }
    key_uses_fini(&uses);
}

static void one_key_too_many_is_not_counted(void **state)
{
    (void)state;
    struct key_uses uses;
    uint8_t id[KEY_ID_LEN];
    assert_true(key_uses_init(&uses));
    for (unsigned int i = 0; i <= KEY_USES_MAX; i++) {
        id_of(i, id);
        key_uses_add(&uses, id);
    }
    assert_true(key_uses_of(&uses, id) == TOKEN_UNKNOWN);
    id_of(KEY_USES_MAX - 1, id);
    key_uses_add(&uses, id);
    assert_int_equal(key_uses_of(&uses, id), 2);
    key_uses_fini(&uses);
}

static void *use(void *argument)
{
    struct key_uses *uses = argument;
    uint8_t id[KEY_ID_LEN];
    for (unsigned int i = 0; i < ROUNDS; i++) {
        id_of(i % 50, id);
        key_uses_add(uses, id);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct key_uses uses;
    pthread_t threads[THREADS];
    uint8_t id[KEY_ID_LEN];
    assert_true(key_uses_init(&uses));
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use, &uses), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned int i = 0; i < 50; i++) {
        id_of(i, id);
        assert_int_equal(key_uses_of(&uses, id), THREADS * ROUNDS / 50);
    }
    key_uses_fini(&uses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_its_count),
        cmocka_unit_test(one_key_too_many_is_not_counted),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
