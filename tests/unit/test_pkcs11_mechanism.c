/* SPDX-License-Identifier: Apache-2.0
 * The table of mechanisms and what is chosen of a token. */
#include "check.h"

#include "pkcs11/mechanism.h"
#include "room_fixture.h"

#include <stdlib.h>

enum { RSA = (1U << (ALG_PS512 + 1)) - 1, EC = 7U << ALG_ES256, ED = 1U << ALG_ED25519 };

static void test_pss_parameters(void **state)
{
    (void)state;
    const struct {
        enum alg alg;
        CK_MECHANISM_TYPE hash;
        CK_RSA_PKCS_MGF_TYPE mgf;
        CK_ULONG salt;
    } rows[] = {{ALG_PS256, CKM_SHA256, CKG_MGF1_SHA256, 32},
                {ALG_PS384, CKM_SHA384, CKG_MGF1_SHA384, 48},
                {ALG_PS512, CKM_SHA512, CKG_MGF1_SHA512, 64}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CK_RSA_PKCS_PSS_PARAMS params = mechanism_pss(rows[i].alg);
        assert_int_equal(params.hashAlg, rows[i].hash);
        assert_int_equal(params.mgf, rows[i].mgf);
        assert_int_equal(params.sLen, rows[i].salt);
    }
}

static void test_choice(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    const struct room *room = fixture->room;
    struct mechanisms found;
    mechanism_probe(&room->module, room->slot_id, MECHANISM_AUTO, &found);
    assert_int_equal(found.prehash, RSA | EC);
    assert_int_equal(found.token_hash, ED);
    mechanism_probe(&room->module, room->slot_id, MECHANISM_PREHASH, &found);
    assert_int_equal(found.prehash, RSA | EC);
    assert_int_equal(found.token_hash, ED);
    mechanism_probe(&room->module, room->slot_id, MECHANISM_TOKEN_HASH, &found);
    assert_int_equal(found.prehash, 0);
    assert_int_equal(found.token_hash & (RSA | ED), RSA | ED);
}

/* A token without the raw mechanisms, as in FIPS mode: main() hides CKM_ECDSA and CKM_RSA_PKCS_PSS
 * in the second run of this group. */
static void test_fallback(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    const struct room *room = fixture->room;
    struct mechanisms found;
    mechanism_probe(&room->module, room->slot_id, MECHANISM_AUTO, &found);
    uint32_t pss = 7U << ALG_PS256;
    assert_int_equal(found.token_hash & pss, pss);
    assert_int_equal(found.prehash & (pss | EC), 0);
    assert_true(mechanism_lacks_raw(&found, FAMILY_RSA_PSS));
    assert_false(mechanism_lacks_raw(&found, FAMILY_RSA_PKCS1));
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_NO_RAW_RSA), "found");
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_NO_RAW_ECDSA),
                        mechanism_lacks_raw(&found, FAMILY_ECDSA) ? "found" : "not found");
    mechanism_probe(&room->module, room->slot_id, MECHANISM_PREHASH, &found);
    assert_int_equal((found.prehash | found.token_hash) & pss, 0);
}

static void test_allowed(void **state)
{
    (void)state;
    const struct mechanisms all = {.raw_there = RSA | EC, .hashed_there = RSA | ED};
    CK_MECHANISM_TYPE out[2 * ALG_COUNT];
    assert_int_equal(mechanism_allowed(&all, 1U << ALG_PS256, out), 2);
    assert_int_equal(out[0], CKM_RSA_PKCS_PSS);
    assert_int_equal(out[1], CKM_SHA256_RSA_PKCS_PSS);
    assert_int_equal(mechanism_allowed(&all, 1U << ALG_RS256 | 1U << ALG_RS512, out), 3);
    assert_int_equal(out[0], CKM_RSA_PKCS);
    assert_int_equal(out[1], CKM_SHA256_RSA_PKCS);
    assert_int_equal(out[2], CKM_SHA512_RSA_PKCS);
    assert_int_equal(mechanism_allowed(&all, 1U << ALG_ES256, out), 1);
    assert_int_equal(out[0], CKM_ECDSA);
    assert_int_equal(mechanism_allowed(&all, ED, out), 1);
    assert_int_equal(out[0], CKM_EDDSA);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pss_parameters),
        TEST(test_choice),
        cmocka_unit_test(test_allowed),
    };
    const struct CMUnitTest hidden[] = {TEST(test_fallback)};
    if (argc > 1) {
        return cmocka_run_group_tests(hidden, room_fixture_group_setup,
                                      room_fixture_group_teardown);
    }
    int failed =
        cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
    /* The shim reads its environment once per process. */
    assert_int_equal(setenv("QSEAL_SHIM_HIDE", "0x1041,0xd", 1), 0);
    const char *const again[] = {argv[0], "hidden", NULL};
    return failed == 0 && softhsm_run(again) ? 0 : 1;
}
