/* SPDX-License-Identifier: Apache-2.0
 * Notes: what was found once is not unfound. */
#include "pkcs11/quirks.h"

#include "check.h"

static void a_note_stays(void **state)
{
    (void)state;
    struct quirks quirks = {0};
    quirk_note(&quirks, QUIRK_BARE_POINT, false);
    assert_int_equal(atomic_load(&quirks.looked), 1U << QUIRK_BARE_POINT);
    assert_int_equal(atomic_load(&quirks.found), 0);
    quirk_note(&quirks, QUIRK_BARE_POINT, true);
    quirk_note(&quirks, QUIRK_BARE_POINT, false);
    quirk_note(&quirks, QUIRK_LOGIN_LOST, true);
    assert_int_equal(atomic_load(&quirks.looked), 1U << QUIRK_BARE_POINT | 1U << QUIRK_LOGIN_LOST);
    assert_int_equal(atomic_load(&quirks.found), 1U << QUIRK_BARE_POINT | 1U << QUIRK_LOGIN_LOST);
    quirk_note(NULL, QUIRK_BARE_POINT, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_note_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
