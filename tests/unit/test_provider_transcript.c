/* SPDX-License-Identifier: Apache-2.0
 * What looks like a handshake is kept, what does not is dropped, and one per thread is on the
 * shelf. */
#include "provider/transcript.h"

#include "check.h"

#include <stdlib.h>

enum { BIG = 200000 };

static struct provider provider;

static int open_shelf(void **state)
{
    (void)state;
    return transcript_open(&provider.shelf) ? 0 : -1;
}

static int close_shelf(void **state)
{
    (void)state;
    transcript_close(provider.shelf);
    return 0;
}

/* ClientHello, ServerHello, Finished, Certificate: shortened, since only the frames are looked at.
 */
static const uint8_t whole[] = {1, 0, 0, 3, 3, 3, 9, 2, 0, 0, 1, 9, 20, 0, 0, 2, 8, 8, 11, 0, 0, 0};
static const uint8_t retried[] = {254, 0, 0, 32, 1, 2, 3, 4, 5, 6, 7, 8,  9, 0, 1, 2,  3, 4, 5, 6,
                                  7,   8, 9, 0,  1, 2, 3, 4, 5, 6, 7, 8,  9, 0, 1, 2,  2, 0, 0, 1,
                                  9,   1, 0, 0,  2, 3, 3, 2, 0, 0, 0, 20, 0, 0, 0, 11, 0, 0, 1, 5};
static const uint8_t hash[SHA256_SIZE] = {7};

static struct transcript fed(const uint8_t *data, size_t len, size_t piece)
{
    struct transcript transcript = {.len = 0};
    for (size_t at = 0; at < len; at += piece) {
        transcript_feed(&transcript, span_part(span_of(data, len), at, piece));
    }
    return transcript;
}

static bool is_taken(const uint8_t *data, size_t len, size_t piece)
{
    struct transcript out;
    struct transcript transcript = fed(data, len, piece);
    transcript_put(&provider, &transcript, span_of(hash, sizeof(hash)));
    assert_null(transcript.data);
    if (!transcript_take(&provider, span_of(hash, sizeof(hash)), &out)) {
        return false;
    }
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, data, len);
    transcript_drop(&out);
    return true;
}

static void handshakes_are_kept_however_they_come(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(retried); piece++) {
        assert_true(is_taken(whole, sizeof(whole), piece));
        assert_true(is_taken(retried, sizeof(retried), piece));
    }
}

static void other_ends_are_not(void **state)
{
    (void)state;
    static const uint8_t no_finished[] = {1, 0, 0, 3, 3, 3, 9, 11, 0, 0, 0};
    static const uint8_t no_certificate[] = {1, 0, 0, 3, 3, 3, 9, 20, 0, 0, 0};
    static const uint8_t more[] = {1, 0, 0, 2, 3, 3, 20, 0, 0, 0, 11, 0, 0, 0, 15, 0, 0, 0};
    assert_false(is_taken(no_finished, sizeof(no_finished), 99));
    assert_false(is_taken(no_certificate, sizeof(no_certificate), 99));
    assert_false(is_taken(more, sizeof(more), 99));
    for (size_t len = 0; len < sizeof(whole); len++) {
        assert_false(is_taken(whole, len, 99));
    }
}

static void other_bytes_are_dropped_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {{"x", 1},
                {"\0\0", 2},
                {"\2\0\0\0", 4},
                {"\1\0\0\2\2\3", 6},
                {"\1\0\0\2\3\4", 6},
                {"\1\377\377\377", 4},
                {"\376\0\0\41", 4},
                {"\376\1", 2},
                {"\1\0\0\2\3\3\143\0\0\0", 10},
                {"\1\0\0\2\3\3\24\377\0\0", 10}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct transcript transcript = fed((const uint8_t *)rows[i].bytes, rows[i].len, 99);
        assert_true(transcript.is_something_else);
        assert_null(transcript.data);
        transcript_feed(&transcript, span_of(whole, sizeof(whole)));
        assert_null(transcript.data);
    }
}

static void memory_is_bounded(void **state)
{
    (void)state;
    uint8_t *big = calloc(1, BIG);
    const uint8_t head[] = {1, 3, 0x0d, 0x40 - 4}; /* BIG - 4 */
    memcpy(big, head, sizeof(head));
    big[4] = big[5] = 3;
    struct transcript transcript = fed(big, BIG, BIG);
    assert_int_equal(transcript.len, BIG);
    transcript_feed(&transcript, span_of(big, BIG));
    assert_true(transcript.is_something_else);
    assert_null(transcript.data);
    free(big);
}

static void copies_are_apart(void **state)
{
    (void)state;
    struct transcript one = fed(whole, sizeof(whole) - 4, 99);
    struct transcript other = transcript_copy(&one);
    transcript_feed(&one, span_of(whole + sizeof(whole) - 4, 4));
    transcript_feed(&other, span_of("x\0\0\0", 4));
    assert_int_equal(one.len, sizeof(whole));
    assert_null(other.data);
    transcript_drop(&one);
    transcript_drop(&other);
}

static void only_its_hash_finds_it_and_once(void **state)
{
    (void)state;
    uint8_t other[SHA256_SIZE] = {8};
    struct transcript out;
    struct transcript transcript = fed(whole, sizeof(whole), 99);
    transcript_put(&provider, &transcript, span_of(hash, sizeof(hash)));
    assert_false(transcript_take(&provider, span_of(other, sizeof(other)), &out));
    assert_false(transcript_take(&provider, span_of(hash, 31), &out));
    assert_true(transcript_take(&provider, span_of(hash, sizeof(hash)), &out));
    transcript_drop(&out);
    assert_false(transcript_take(&provider, span_of(hash, sizeof(hash)), &out));
}

static void the_next_takes_its_place(void **state)
{
    (void)state;
    uint8_t other[SHA256_SIZE] = {8};
    struct transcript out;
    struct transcript transcript = fed(whole, sizeof(whole), 99);
    transcript_put(&provider, &transcript, span_of(hash, sizeof(hash)));
    transcript = fed(retried, sizeof(retried), 99);
    transcript_put(&provider, &transcript, span_of(other, sizeof(other)));
    assert_false(transcript_take(&provider, span_of(hash, sizeof(hash)), &out));
    assert_true(transcript_take(&provider, span_of(other, sizeof(other)), &out));
    transcript_drop(&out);
    transcript = fed(whole, sizeof(whole), 99);
    transcript_put(&provider, &transcript, span_of(hash, sizeof(hash))); /* closing frees it */
}

static void *leave_one(void *found)
{
    struct transcript out;
    struct transcript transcript = fed(whole, sizeof(whole), 99);
    *(bool *)found = transcript_take(&provider, span_of(hash, sizeof(hash)), &out);
    transcript_put(&provider, &transcript, span_of(hash, sizeof(hash)));
    return NULL;
}

static void threads_have_shelves_of_their_own(void **state)
{
    (void)state;
    pthread_t thread;
    bool found = true;
    struct transcript out;
    struct transcript transcript = fed(whole, sizeof(whole), 99);
    transcript_put(&provider, &transcript, span_of(hash, sizeof(hash)));
    assert_int_equal(pthread_create(&thread, NULL, leave_one, &found), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(found);
    assert_true(transcript_take(&provider, span_of(hash, sizeof(hash)), &out));
    transcript_drop(&out);
    assert_false(transcript_take(&provider, span_of(hash, sizeof(hash)), &out));
}

#define WITH_SHELF(test) cmocka_unit_test_setup_teardown(test, open_shelf, close_shelf)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SHELF(handshakes_are_kept_however_they_come),
        WITH_SHELF(other_ends_are_not),
        WITH_SHELF(other_bytes_are_dropped_at_once),
        WITH_SHELF(memory_is_bounded),
        WITH_SHELF(copies_are_apart),
        WITH_SHELF(only_its_hash_finds_it_and_once),
        WITH_SHELF(the_next_takes_its_place),
        WITH_SHELF(threads_have_shelves_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
