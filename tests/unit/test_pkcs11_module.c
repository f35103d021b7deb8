/* SPDX-License-Identifier: Apache-2.0
 * Which files are taken as modules. */
#include "check.h"

#include "base/file.h"
#include "folder.h"
#include "pkcs11/module.h"
#include "softhsm.h"

#include <sys/stat.h>

static void assert_no_module(const char *path, const char *reason)
{
    struct module module;
    struct reason why = {0};
    assert_refused(module_load(path, &module, &why), OUTCOME_RULE, why, reason);
}

static void test_refused(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "m.so", path);
    assert_no_module("libsofthsm2.so", "an absolute path is needed");
    assert_no_module(path, "No such file");
    assert_no_module(folder.path, "not a regular file");
    assert_int_equal(file_replace(path, span_of_text("no library"), 0755), 0);
    assert_int_equal(chmod(path, 0775), 0);
    assert_no_module(path, "mode 0775 lets others write it");
    assert_int_equal(chmod(path, 0757), 0);
    assert_no_module(path, "mode 0757 lets others write it");
    assert_int_equal(chmod(path, 0755), 0);
    assert_no_module(path, path); /* the loader's own words follow */
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_no_module(path, "owned by uid 65534");
    }
    folder_remove(&folder);
}

static void test_loaded(void **state)
{
    (void)state;
    struct softhsm softhsm;
    softhsm_make(&softhsm);
    struct module module;
    struct reason why = {0};
    assert_done(module_load(softhsm_shim(), &module, &why), why);
    softhsm_set_faults(&softhsm, "C_Initialize 1 1 0x5\n");
    assert_refused(module_initialize(&module, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "C_Initialize: CKR_GENERAL_ERROR");
    softhsm_set_faults(&softhsm, "");
    assert_done(module_initialize(&module, &why), why);
    assert_done(module_initialize(&module, &why), why);
    char text[64];
    module_describe(&module, text, sizeof text);
    assert_string_equal(text, "Implementation of PKCS11 2.6");
    (void)module.calls->C_Finalize(NULL);
    softhsm_remove(&softhsm);
}

static void test_padded_text(void **state)
{
    (void)state;
    char out[8];
    module_text((const unsigned char *)"a b     ", 8, out, sizeof out);
    assert_string_equal(out, "a b");
    module_text((const unsigned char *)"        ", 8, out, sizeof out);
    assert_string_equal(out, "");
    module_text((const unsigned char *)"0123456789", 10, out, sizeof out);
    assert_string_equal(out, "0123456");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_loaded),
        cmocka_unit_test(test_padded_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
