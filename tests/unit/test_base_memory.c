/* SPDX-License-Identifier: Apache-2.0
 * The allocator after memory_prepare(). */
#include "base/memory.h"

#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { LARGE = 1024 * 1024, SMALL = 1024, THREADS = 24 };

/* What is large goes back to the system the moment it is freed, however often it came before:
 * without this, glibc would learn to keep it. */
static void large_blocks_are_mapped_and_given_back(void **state)
{
    (void)state;
    size_t before = mallinfo2().hblks;
    for (int i = 0; i < 100; i++) {
        void *volatile block = malloc(LARGE); /* not to be optimised away */
        assert_non_null(block);
        assert_int_equal(mallinfo2().hblks, before + 1);
        free(block);
        assert_int_equal(mallinfo2().hblks, before);
    }
}

static void *allocate(void *argument)
{
    pthread_barrier_t *all = argument;
    void *volatile block = malloc(SMALL);
    bool good = block != NULL;
    (void)pthread_barrier_wait(all); /* all of them are there at once */
    free(block);
    return good ? argument : NULL;
}

static size_t arenas(void)
{
    char *text = NULL;
    size_t len = 0;
    size_t n = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(malloc_info(0, out), 0);
    assert_int_equal(fclose(out), 0);
    for (const char *at = text; (at = strstr(at, "<heap nr=")) != NULL; at++) {
        n++;
    }
    free(text);
    return n;
}

static void threads_share_arenas(void **state)
{
    (void)state;
    pthread_barrier_t all;
    pthread_t threads[THREADS];
    assert_int_equal(pthread_barrier_init(&all, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, allocate, &all), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_non_null(good);
    }
    assert_int_equal(pthread_barrier_destroy(&all), 0);
    assert_in_range(arenas(), 1, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_blocks_are_mapped_and_given_back),
        cmocka_unit_test(threads_share_arenas),
    };
    memory_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
