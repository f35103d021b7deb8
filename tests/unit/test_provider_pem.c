/* SPDX-License-Identifier: Apache-2.0
 * PEM line by line. */
#include "provider/pem.h"

#include "check.h"

/* The last step that a text ends with. */
static enum pem_step read(struct pem *pem, const char *text)
{
    enum pem_step step = PEM_MORE;
    struct span rest = span_of_text(text);
    while (rest.len > 0 && step == PEM_MORE) {
        size_t end = span_find(rest, '\n');
        step = pem_line(pem, "L", span_part(rest, 0, end + 1));
        rest = span_part(rest, end + 1, rest.len);
    }
    return step;
}

#define BEGIN "-----BEGIN L-----\n"
#define END "-----END L-----\n"

static void blocks_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *bytes;
    } rows[] = {{BEGIN "YWJj\n" END, "abc"},
                {BEGIN "YWJjZA==\n" END, "abcd"},
                {BEGIN "YWJj\nZGU=\n" END, "abcde"},
                {BEGIN "Y\nWJ\n\njZG\nU="
                       "\n" END,
                 "abcde"},
                {"-----BEGIN L----- \r\nYWJj \t\r\n-----END L-----\r\n", "abc"},
                {"text\n\n" BEGIN "YWJj\n-----END L-----", "abc"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pem pem = {.der = NULL};
        assert_int_equal(read(&pem, rows[i].text), PEM_DONE);
        assert_int_equal(pem.der_len, strlen(rows[i].bytes));
        assert_memory_equal(pem.der, rows[i].bytes, pem.der_len);
        pem_reset(&pem);
    }
}

static void damaged_blocks_are_told(void **state)
{
    (void)state;
    static const char *const rows[] = {
        BEGIN END,
        BEGIN "YWJ\n" END,
        BEGIN "YWJ*\n" END,
        BEGIN "YW Jj\n" END,
        BEGIN "YWJjZB==\n" END,
        BEGIN "YWJjZGV=\n" END,
        BEGIN "YWJjZA==YWJj\n" END,
        BEGIN "Y===\n" END,
        BEGIN "YW=j\n" END,
        BEGIN "=WJj\n" END,
        BEGIN "YW-_\n" END,
        BEGIN "YWJj\n-----END M-----\n",
        BEGIN "YWJj\n-----BEGIN L-----\n",
        BEGIN "Proc-Type: 4,ENCRYPTED\n",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pem pem = {.der = NULL};
        assert_int_equal(read(&pem, rows[i]), PEM_BROKEN);
        pem_reset(&pem);
    }
}

static void other_blocks_and_none_are_told(void **state)
{
    (void)state;
    struct pem pem = {.der = NULL};
    assert_int_equal(read(&pem, "-----BEGIN M-----\n"), PEM_OTHER);
    assert_int_equal(read(&pem, "-----BEGIN LL-----\n"), PEM_OTHER);
    assert_int_equal(read(&pem, "-----BEGIN L----\n"), PEM_OTHER);
    assert_int_equal(read(&pem, " -----BEGIN L-----\n-----END L-----\nx\n"), PEM_MORE);
    assert_null(pem.der);
}

static void a_block_has_a_maximum(void **state)
{
    (void)state;
    struct pem pem = {.der = NULL};
    enum pem_step step = read(&pem, BEGIN);
    for (size_t i = 0; i < PEM_MAX_DER / 3; i++) {
        step = pem_line(&pem, "L", span_of_text("AAAA"));
        assert_int_equal(step, PEM_MORE);
    }
    assert_int_equal(pem_line(&pem, "L", span_of_text("AAAA")), PEM_BROKEN);
    pem_reset(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_decoded),
        cmocka_unit_test(damaged_blocks_are_told),
        cmocka_unit_test(other_blocks_and_none_are_told),
        cmocka_unit_test(a_block_has_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
