/* SPDX-License-Identifier: Apache-2.0
 * A chain from its text to its plain spelling and what it says. */
#include "pki/certificate.h"

#include "base/pem.h"
#include "certificate_stand.h"

static void a_whole_chain_is_read_and_spelled_plainly(void **state)
{
    struct stand *stand = *state;
    buffer_put_text(&stand->text, "Bag Attributes\r\n  friendlyName: bank\r\n");
    put_leaf(stand, &of_leaf);
    buffer_put_text(&stand->text, "subject=CN = Middle\n");
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    put_issued(&stand->text, &of_root, stand->root, stand->root);
    put_issued(&stand->text, &of_root, stand->root, stand->root); /* twice is no harm */
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    assert_string_equal(stand->facts.subject, "CN=M\\C3\\BCller\\, Bank");
    assert_string_equal(stand->facts.issuer, "CN=Middle");
    assert_string_equal(stand->facts.serial, "4711");
    assert_in_range(stand->facts.not_after - stand->facts.not_before, 7190, 7210);
    struct span rest = buffer_span(&stand->pem);
    assert_int_equal(stand->facts.warnings, 1U << CERTIFICATE_ROOT_DROPPED |
                                                1U << CERTIFICATE_NO_QC_STATEMENTS |
                                                1U << CERTIFICATE_EXPIRES_SOON);
    for (size_t i = 0; i < 2; i++) { /* a root is nobody's business but the peer's own */
        BUFFER_CLEANUP struct buffer der = BUFFER_INIT(4096);
        assert_true(pem_take(&rest, "CERTIFICATE", &der));
    }
    assert_int_equal(rest.len, 0);

    struct certificate_facts again;
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    assert_true(certificate_facts(buffer_span(&stand->pem), &again));
    assert_int_equal(again.warnings, 1U << CERTIFICATE_NO_QC_STATEMENTS);
    again.warnings = stand->facts.warnings;
    assert_memory_equal(&again, &stand->facts, sizeof again);
    assert_true(certificate_put_spki(buffer_span(&stand->pem), &spki));
    assert_true(span_equal(buffer_span(&spki), buffer_span(&stand->spki)));
    assert_false(certificate_facts(span_of_text("x"), &again));
    assert_false(certificate_put_spki(span_of_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                   "-----END CERTIFICATE-----\n"),
                                      &spki));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_chain_is_read_and_spelled_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
