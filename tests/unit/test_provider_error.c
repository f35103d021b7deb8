/* SPDX-License-Identifier: Apache-2.0
 * Reasons and data, through upcalls played by the test. */
#include "provider/error.h"

#include "check.h"

#include <stdio.h>

static uint32_t raised;
static char data[1024];

static void new_error(const OSSL_CORE_HANDLE *handle)
{
    (void)handle;
    raised = 0;
}

static void set_debug(const OSSL_CORE_HANDLE *handle, const char *file, int line, const char *func)
{
    (void)handle;
    assert_non_null(file);
    assert_non_null(func);
    (void)line;
}

static __attribute__((format(printf, 3, 0))) void vset(const OSSL_CORE_HANDLE *handle,
                                                       uint32_t reason, const char *format,
                                                       va_list list)
{
    (void)handle;
    raised = reason;
    (void)vsnprintf(data, sizeof(data), format, list);
}

static const struct provider provider = {
    .new_error = new_error, .set_error_debug = set_debug, .vset_error = vset};

static void every_reason_has_a_text(void **state)
{
    (void)state;
    const OSSL_ITEM *reasons = error_reasons(NULL);
    unsigned int count = 0;
    for (; reasons[count].id != 0; count++) {
        assert_int_equal(reasons[count].id, count + 1);
        assert_true(strlen(reasons[count].ptr) > 5);
    }
    assert_int_equal(count, REASON_MEMORY);
}

static void data_says_who_speaks(void **state)
{
    (void)state;
    error_raise(&provider, REASON_URI, "%s 100%%", "at");
    assert_int_equal(raised, REASON_URI);
    assert_string_equal(data, "qseal: at 100%");
}

static void answers_have_their_reasons(void **state)
{
    (void)state;
    static const struct {
        enum qseal_result result;
        unsigned int status;
        enum error_reason reason;
    } rows[] = {
        {QSEAL_UNREACHABLE, 0, REASON_UNREACHABLE}, {QSEAL_TIMEOUT, 0, REASON_TIMEOUT},
        {QSEAL_PROTOCOL, 0, REASON_PROTOCOL},       {QSEAL_INVALID, 0, REASON_SETTING},
        {QSEAL_MEMORY, 0, REASON_MEMORY},           {QSEAL_REFUSED, 403, REASON_NOT_GRANTED},
        {QSEAL_REFUSED, 404, REASON_NO_KEY},        {QSEAL_REFUSED, 422, REASON_REFUSED},
        {QSEAL_REFUSED, 400, REASON_REFUSED},       {QSEAL_REFUSED, 429, REASON_BUSY},
        {QSEAL_REFUSED, 503, REASON_BUSY},          {QSEAL_REFUSED, 504, REASON_BUSY},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct qseal_answer answer = {.status = rows[i].status, .error = "why %s"};
        error_raise_answer(&provider, rows[i].result, &answer);
        assert_int_equal(raised, rows[i].reason);
        assert_string_equal(data, "qseal: why %s");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_text),
        cmocka_unit_test(data_says_who_speaks),
        cmocka_unit_test(answers_have_their_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
