/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pem.h"

#include "base/random.h"
#include "check.h"

enum { BYTES_MAX = 200, TEXT_MAX = 1000 };

static void blocks_are_written_as_the_standard_says(void **state)
{
    (void)state;
    uint8_t bytes[49] = {0};
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
    pem_put(&out, "THING", span_of(bytes, sizeof bytes));
    assert_string_equal(buffer_text(&out),
                        "-----BEGIN THING-----\n"
                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                        "AA==\n"
                        "-----END THING-----\n");
    buffer_reset(&out);
    pem_put(&out, "THING", span_of(bytes, 48));
    assert_non_null(strstr(buffer_text(&out), "AAAA\n-----END"));
}

static void every_length_comes_back_and_the_cursor_moves(void **state)
{
    (void)state;
    for (size_t len = 0; len <= BYTES_MAX; len++) {
        uint8_t bytes[BYTES_MAX];
        random_bytes(bytes, sizeof bytes);
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(TEXT_MAX);
        BUFFER_CLEANUP struct buffer back = BUFFER_INIT(TEXT_MAX);
        pem_put(&text, "A", span_of(bytes, len));
        buffer_put_text(&text, "more");
        struct span rest = buffer_span(&text);
        assert_true(pem_take(&rest, "A", &back));
        assert_true(span_equal(buffer_span(&back), span_of(bytes, len)));
        assert_true(span_is_text(rest, "more"));
    }
}

#define LINE "QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"

static void other_lines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool good;
    } rows[] = {
        {"", true},
        {LINE "\n", true},
        {LINE "\n" LINE "\nQUI=\n", true},
        {LINE "QUJD\n", false},
        {LINE LINE "\n", false},
        {LINE "\n\n", false},
        {LINE, false},
        {"QUJD\n" LINE "\n", false},
        {"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUI=\n", true},
        {"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUI=\nQUJD\n", false},
        {"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQQ==\nQQ==\n", false},
        {"====\n", false},
        {"Q===\n", false},
        {"QUJD=\n", false},
        {"QUJDQQ\n", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(TEXT_MAX);
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
        buffer_put_format(&text, "-----BEGIN A-----\n%s-----END A-----\n", rows[i].body);
        struct span rest = buffer_span(&text);
        assert_int_equal(pem_take(&rest, "A", &out), rows[i].good);
        assert_int_equal(rest.len == 0, rows[i].good);
        if (rows[i].good) {
            BUFFER_CLEANUP struct buffer again = BUFFER_INIT(TEXT_MAX);
            pem_put(&again, "A", buffer_span(&out));
            assert_true(span_equal(buffer_span(&again), buffer_span(&text)));
        } else {
            assert_int_equal(out.len, 0);
        }
    }
}

/* One character of a block replaced by every other byte: taken is only what is written again the
 * same. */
static void what_is_taken_is_written_so(void **state)
{
    (void)state;
    static const char block[] = "-----BEGIN A-----\n" LINE "\nQUI=\n-----END A-----\n";
    char text[sizeof block];
    for (size_t at = 0; at + 1 < sizeof block; at++) {
        for (int byte = 0; byte < 256; byte++) {
            BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
            BUFFER_CLEANUP struct buffer again = BUFFER_INIT(TEXT_MAX);
            memcpy(text, block, sizeof block);
            text[at] = (char)byte;
            struct span rest = span_of(text, sizeof block - 1);
            if (pem_take(&rest, "A", &out)) {
                pem_put(&again, "A", buffer_span(&out));
                assert_true(span_equal(buffer_span(&again), span_of(text, sizeof block - 1)));
            }
        }
    }
}

static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "x",
        "-----BEGIN A-----\n",
        "-----BEGIN A-----\nQUJD\n",
        "-----BEGIN A-----\nQUJD\n-----END A-----",
        "-----BEGIN A-----\nQUJD\n-----END B-----\n",
        "-----BEGIN B-----\nQUJD\n-----END B-----\n",
        " -----BEGIN A-----\nQUJD\n-----END A-----\n",
        "-----BEGIN A-----\r\nQUJD\r\n-----END A-----\r\n",
        "-----BEGIN A-----\nQU JD\n-----END A-----\n",
        "-----BEGIN A-----\nQU\nJD\n-----END A-----\n",
        "-----BEGIN A-----\n\nQUJD\n-----END A-----\n",
        "-----BEGIN A-----\nQUJD\n\n-----END A-----\n",
        "-----BEGIN A-----\nQUJ=D\n-----END A-----\n",
        "-----BEGIN A-----\nQUI\n-----END A-----\n",
        "-----BEGIN A-----\nQUJ=\n-----END A-----\n",
        "-----BEGIN A-----\n_w==\n-----END A-----\n",
        "-----BEGIN A-----\nName: x\n\nQUJD\n-----END A-----\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(100);
        struct span text = span_of_text(texts[i]);
        buffer_put_text(&out, "kept");
        assert_false(pem_take(&text, "A", &out));
        assert_true(span_is_text(text, texts[i]));
        assert_true(span_is_text(buffer_span(&out), "kept"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_written_as_the_standard_says),
        cmocka_unit_test(every_length_comes_back_and_the_cursor_moves),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test(what_is_taken_is_written_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
