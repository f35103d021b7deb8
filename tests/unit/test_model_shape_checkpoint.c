/* SPDX-License-Identifier: Apache-2.0
 * The shape of a checkpoint's note: what an audit key signs, and nothing near it. */
#include "model/shape_checkpoint.h"

#include "base/buffer.h"
#include "check.h"
#include "model/shape.h"

#include <stdlib.h>

#define HASH "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define KID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define FIRST "qseal audit checkpoint v1\n"
#define CHAIN FIRST "chain 0f8fad5b-d9cb-469f-a165-70867728950e\n"
#define TOP CHAIN "sequence 170000\nhead " HASH "\n"
#define NOTE TOP "time 1795287600\n"
#define USES(token) "uses " token " " KID " 84211 1795200000\n"
#define NAME_63 "a23456789-123456789_123456789.123456789-123456789-123456789-123"
#define JWS "eyJhbGciOiJFUzI1NiJ9.e30"

static const char *fault_of(const char *text)
{
    /* In memory of its own size, so that a read past its end is found. */
    size_t len = strlen(text);
    char *exact = malloc(len);
    assert_true(exact != NULL || len == 0);
    if (len > 0) {
        memcpy(exact, text, len);
    }
    const char *fault = shape_checkpoint_fault(span_of(exact, len));
    free(exact);
    return fault;
}

static void notes_pass(void **state)
{
    (void)state;
    static const char *const notes[] = {
        NOTE,
        NOTE USES("hsm-a"),
        NOTE USES("hsm-a") USES("hsm-b"),
        NOTE USES("hsm") USES("hsm-a") USES("hsm.a") USES("hsm0"),
        NOTE USES(NAME_63),
        NOTE "uses a " HASH " 0 0\nuses a " KID " 9223372036854775807 9223372036854775807\n",
        TOP "time 0\n",
        CHAIN "sequence 1\nhead " HASH "\ntime 9223372036854775807\n",
        CHAIN "sequence 9223372036854775807\nhead " HASH "\ntime 1\n",
    };
    for (size_t i = 0; i < COUNT_OF(notes); i++) {
        assert_null(fault_of(notes[i]));
    }
}

static void anything_else_does_not(void **state)
{
    (void)state;
    static const char first[] = "another first line";
    static const char chain[] = "no line of the chain";
    static const char sequence[] = "no line of the sequence";
    static const char head[] = "no line of the head";
    static const char time[] = "no line of the time";
    static const char uses[] = "a line of uses is not TOKEN KID COUNT SINCE";
    static const char others[] = "something else than lines of uses behind the time";
    static const char order[] = "the lines of uses are not in order";
    static const char *const rows[][2] = {
        {"", "empty"},
        {JWS, first},
        {"qseal audit checkpoint v2\n", first},
        {"qseal audit checkpoint v1\r\n", first},
        {"\n" NOTE, first},
        {FIRST, chain},
        {FIRST "chain 0F8fad5b-d9cb-469f-a165-70867728950e\n", chain},
        {FIRST "chain 0f8fad5bd9cb-469f-a165-70867728950e0\n", chain},
        {FIRST "chain 0f8fad5b-d9cb-469f-a165-70867728950\n", chain},
        {FIRST "chain 0f8fad5b-d9cb-469f-a165-70867728950e \n", chain},
        {CHAIN "sequence 0\n", sequence},
        {CHAIN "sequence 01\n", sequence},
        {CHAIN "sequence +1\n", sequence},
        {CHAIN "sequence 1 \n", sequence},
        {CHAIN "sequence 9223372036854775808\n", sequence},
        {CHAIN "sequence 10000000000000000000\n", sequence},
        {CHAIN "sequence \n", sequence},
        {CHAIN "sequence 1", sequence},
        {CHAIN "sequence 1\nhead " HASH "A\n", head},
        {CHAIN "sequence 1\nhead 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n", head},
        {CHAIN "sequence 1\nhead 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV\n", head},
        {CHAIN "sequence 1\nhead AAAA\n", head},
        {TOP, time},
        {TOP "time -1\n", time},
        {TOP "time 1795287600", time},
        {NOTE "\n", others},
        {NOTE JWS, others},
        {NOTE "uses", others},
        {NOTE "uses hsm-a " KID " 1 1", uses},
        {NOTE "uses hsm-a " KID " 1\n", uses},
        {NOTE "uses hsm-a " KID " 1 1 1\n", uses},
        {NOTE "uses hsm-a  " KID " 1 1\n", uses},
        {NOTE "uses hsm-a " KID " 00 1\n", uses},
        {NOTE "uses hsm-a AAAA 1 1\n", uses},
        {NOTE USES("Hsm"), uses},
        {NOTE USES(".hsm"), uses},
        {NOTE USES(""), uses},
        {NOTE USES(NAME_63 "x"), uses},
        {NOTE USES("hsm-b") USES("hsm-a"), order},
        {NOTE USES("hsm-a") USES("hsm-a"), order},
        {NOTE USES("hsm.a") USES("hsm"), order},
        {NOTE "uses a " KID " 1 1\nuses a " KID " 2 1\n", order},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = fault_of(rows[i][0]);
        assert_non_null(fault);
        assert_string_equal(fault, rows[i][1]);
    }
    assert_string_equal(shape_checkpoint_fault(span_of(FIRST, sizeof FIRST)), chain);
}

static void it_is_not_endless(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(20000);
    buffer_put_text(&text, NOTE);
    for (int i = 10; i < 10 + 64; i++) {
        buffer_put_format(&text, "uses hsm-%d " KID " 84211 1795200000\n", i);
    }
    assert_null(shape_checkpoint_fault(buffer_span(&text)));
    buffer_put_text(&text, USES("hsm-z"));
    assert_string_equal(shape_checkpoint_fault(buffer_span(&text)), "more than 64 lines of uses");
    while (text.len <= 16384) {
        buffer_put_u8(&text, '\n');
    }
    assert_true(buffer_ok(&text));
    assert_string_equal(shape_checkpoint_fault(buffer_span(&text)), "longer than 16384 bytes");
}

/* What one purpose signs is refused to all others, with the reason. */
static void a_shape_is_of_one_purpose(void **state)
{
    (void)state;
    struct reason why = {0};
    struct span note = span_of_text(NOTE USES("hsm-a"));
    struct span jws = span_of_text(JWS);
    static uint8_t handshake[64 + 34 + 32];
    memset(handshake, ' ', 64);
    memcpy(handshake + 64, "TLS 1.3, client CertificateVerify", 34);
    assert_int_equal(shape_check(PURPOSE_AUDIT, ALG_ES256, note, &why), OUTCOME_OK);
    assert_int_equal(shape_check(PURPOSE_SEAL, ALG_ES256, jws, &why), OUTCOME_OK);
    assert_refused(shape_check(PURPOSE_AUDIT, ALG_ES256, jws, &why), OUTCOME_SHAPE, why,
                   "checkpoint: another first line");
    assert_refused(
        shape_check(PURPOSE_AUDIT, ALG_ES256, span_of(handshake, sizeof handshake), &why),
        OUTCOME_SHAPE, why, "checkpoint: another first line");
    assert_refused(shape_check(PURPOSE_AUDIT, ALG_ES256, span_of(handshake + 98, 32), &why),
                   OUTCOME_SHAPE, why, "checkpoint: another first line");
    assert_refused(shape_check(PURPOSE_SEAL, ALG_ES256, note, &why), OUTCOME_SHAPE, why,
                   "no dot: not a JWS signing input");
    assert_refused(shape_check(PURPOSE_SEAL, ALG_ES256, span_of_text(NOTE USES("hsm.a")), &why),
                   OUTCOME_SHAPE, why, "header: not base64url");
    assert_refused(shape_check(PURPOSE_TRANSPORT, ALG_ES256, note, &why), OUTCOME_SHAPE, why,
                   "no such purpose");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_pass),
        cmocka_unit_test(anything_else_does_not),
        cmocka_unit_test(it_is_not_endless),
        cmocka_unit_test(a_shape_is_of_one_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
