/* SPDX-License-Identifier: Apache-2.0
 * The log as the service starts: what its second record says, and when there is none. */
#include "roles/qseald/room_audit.h"

#include "audit_support.h"
#include "roles/qseald/load.h"

#include <limits.h>
#include <sys/stat.h>

/* What is read from a configuration that wants a log, or none. */
static struct view *read_view(struct instance *instance, bool wanted)
{
    struct reason why = {0};
    struct view *view = NULL;
    char keyring[PATH_MAX];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    assert_int_equal(file_read(instance->config_path, &text), 0);
    struct span whole = buffer_span(&text);
    static const char off[] = "audit: {enabled: false";
    const char *at = strstr(buffer_text(&text), off);
    assert_non_null(at);
    size_t before = (size_t)(at - (const char *)whole.data);
    BUFFER_CLEANUP struct buffer changed = BUFFER_INIT(65536);
    buffer_put_span(&changed, span_part(whole, 0, before));
    buffer_put_text(&changed, wanted ? "audit: {enabled: true" : off);
    buffer_put_span(&changed, span_part(whole, before + strlen(off), whole.len));
    assert_int_equal(file_replace(instance->config_path, buffer_span(&changed), 0600), 0);
    assert_done(load_view(instance->config_path, keyring, sizeof keyring, &view, &why), why);
    return view;
}

static void the_service_records_with_what_it_begins(void **state)
{
    (void)state;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    struct instance *instance = new_instance("[operator]");
    struct view *view = read_view(instance, true);
    assert_int_equal(mkdir(instance->audit_folder, 0700), 0);
    assert_done(room_open_audit(view, &instance->audit, &why), why);
    assert_non_null(instance->audit); /* closed with the instance */
    JSON_CLEANUP json_t *start = audit_record(instance, 0, "start");
    expect_members(start, "seq prev time kind program pid configuration_sha256 profiles "
                          "keyring_generation");
    assert_int_equal(number_of(start, "seq"), 2);
    expect_text(start, "program", "qseald " QSEAL_VERSION);
    assert_int_equal(number_of(start, "pid"), getpid());
    assert_int_equal(file_read(instance->config_path, &text), 0);
    expect_digest(start, "configuration_sha256", buffer_span(&text));
    assert_int_equal(number_of(start, "profiles"), profiles_total(view->policy->profiles));
    assert_int_equal(number_of(start, "keyring_generation"), 0);
    view_unref(view);
    transport_instance_free(instance);
}

/* It answers all the same, and says why it does not sign. */
static void a_folder_that_is_not_there_is_no_reason_not_to_start(void **state)
{
    (void)state;
    struct reason why = {0};
    struct instance *instance = new_instance("[operator]");
    struct view *view = read_view(instance, true);
    assert_done(room_open_audit(view, &instance->audit, &why), why);
    assert_false(audit_is_ok(instance->audit));
    assert_non_null(strstr(audit_status_of(instance).detail, "No such file or directory"));
    assert_int_equal(mkdir(instance->audit_folder, 0700), 0);
    audit_wait_ok(instance, true);
    view_unref(view);
    transport_instance_free(instance);
}

static void where_none_is_wanted_none_is_opened(void **state)
{
    (void)state;
    struct reason why = {0};
    struct instance *instance = new_instance("[operator]");
    struct view *view = read_view(instance, false);
    assert_done(room_open_audit(view, &instance->audit, &why), why);
    assert_null(instance->audit);
    view_unref(view);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_records_with_what_it_begins),
        cmocka_unit_test(a_folder_that_is_not_there_is_no_reason_not_to_start),
        cmocka_unit_test(where_none_is_wanted_none_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
