/* SPDX-License-Identifier: Apache-2.0
 * Frame headers and the outcome in front of every answer. */
#include "wire/frame.h"

#include "check.h"

static void a_frame_carries_kind_and_length(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    frame_begin(&frame, 7);
    buffer_put_text(&frame, "hello");
    assert_true(frame_end(&frame));
    struct frame_header header;
    assert_true(frame_parse_header(frame.data, 5, &header));
    assert_int_equal(header.kind, 7);
    assert_int_equal(header.length, 5);
    assert_int_equal(frame.len, FRAME_HEADER_LEN + 5);
}

static void a_header_is_refused_for_each_part(void **state)
{
    (void)state;
    struct frame_header header;
    uint8_t good[FRAME_HEADER_LEN] = {'Q', 'S', FRAME_VERSION, 1, 0, 0, 0, 4};
    assert_true(frame_parse_header(good, 4, &header));
    assert_false(frame_parse_header(good, 3, &header));
    for (size_t at = 0; at < 3; at++) {
        uint8_t bad[FRAME_HEADER_LEN];
        memcpy(bad, good, sizeof bad);
        bad[at] ^= 1;
        assert_false(frame_parse_header(bad, 4, &header));
    }
}

static void a_frame_that_did_not_fit_is_not_sent(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(FRAME_HEADER_LEN + 4);
    frame_begin(&frame, 1);
    buffer_put_text(&frame, "hello");
    assert_false(frame_end(&frame));
}

static void an_outcome_travels_with_its_reason(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < OUTCOME_COUNT; i++) {
        BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(4096);
        struct reason sent = {.claim = "/claims/acr", .detail = "not this one"};
        struct reason got = {0};
        frame_put_outcome(&frame, (enum outcome)i, &sent);
        struct reader reader = reader_of(buffer_span(&frame));
        assert_int_equal(frame_get_outcome(&reader, &got), i);
        assert_true(reader_done(&reader));
        assert_string_equal(got.detail, i == OUTCOME_OK ? "" : sent.detail);
        assert_string_equal(got.claim, i == OUTCOME_OK ? "" : sent.claim);
    }
}

static void an_unknown_outcome_is_internal(void **state)
{
    (void)state;
    uint8_t bytes[] = {OUTCOME_COUNT, 0, 0, 0, 0, 0, 0, 0, 0};
    struct reason why = {0};
    struct reader reader = reader_of(span_of(bytes, sizeof bytes));
    assert_refused(frame_get_outcome(&reader, &why), OUTCOME_INTERNAL, why, "unknown form");
    assert_true(reader.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_carries_kind_and_length),
        cmocka_unit_test(a_header_is_refused_for_each_part),
        cmocka_unit_test(a_frame_that_did_not_fit_is_not_sent),
        cmocka_unit_test(an_outcome_travels_with_its_reason),
        cmocka_unit_test(an_unknown_outcome_is_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
