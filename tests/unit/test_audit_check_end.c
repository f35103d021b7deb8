/* SPDX-License-Identifier: Apache-2.0
 * Where a log begins and ends: what was removed after its time, and what is only a part. */
#include "made_log.h"

/* The small log, from its second segment on. `members` are those of a record `retention`. */
static struct audit_log removed(const char *members, bool is_sealed)
{
    struct audit_log log = audit_log_small();
    audit_log_put(&log, "retention", "%s", members);
    if (is_sealed) {
        audit_log_checkpoint(&log);
    }
    return log;
}

static struct folder write_kept(const struct audit_log *log)
{
    struct folder folder = audit_log_write(log);
    char path[128];
    folder_path(&folder, "audit-0000000001.jsonl", path);
    assert_int_equal(unlink(path), 0);
    return folder;
}

static const char first_is_gone[] = ",\"segment\":1,\"first\":1,\"last\":8";

static void what_was_removed_after_its_time_is_not_missing(void **state)
{
    (void)state;
    struct audit_log log = removed(first_is_gone, true);
    struct folder folder = write_kept(&log);
    struct audit_report report;
    for (int has_key = 0; has_key < 2; has_key++) {
        const struct audit_verify_options options = {
            .folder = folder.path, .keys = &log.key, .n_keys = (size_t)has_key};
        assert_int_equal(audit_verify(&options, &report), has_key ? AUDIT_GOOD : AUDIT_CHAINED);
        assert_int_equal(report.first_seq, 9);
        assert_int_equal(report.removal_seq, 23);
        assert_false(report.checkpoint_elsewhere);
    }
    folder_remove(&folder);
    audit_log_free(&log);
}

static void expect_cut(struct audit_log *log, const char *what)
{
    struct folder folder = write_kept(log);
    struct audit_report report;
    assert_int_equal(audit_log_verify(log, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "audit-0000000002.jsonl", 0, 0, what);
    assert_int_equal(report.removal_seq, 0);
    folder_remove(&folder);
    audit_log_free(log);
}

static void a_record_of_another_removal_says_nothing(void **state)
{
    (void)state;
    static const char *const members[] = {",\"segment\":2,\"first\":1,\"last\":8",
                                          ",\"segment\":1,\"first\":1,\"last\":7",
                                          ",\"segment\":1,\"first\":1,\"last\":9",
                                          ",\"segment\":0,\"first\":1,\"last\":8",
                                          ",\"segment\":1",
                                          ",\"last\":8"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct audit_log log = removed(members[i], true);
        expect_cut(&log, "the log begins at record 9, and no record of the kind retention says "
                         "that the 8 records before it were removed");
    }
}

/* Else who cuts a log would write it himself. */
static void a_removal_must_be_sealed(void **state)
{
    (void)state;
    struct audit_log log = removed(first_is_gone, false);
    expect_cut(&log, "the log begins at record 9, and record 23, which says that what was before "
                     "it was removed, is not sealed: qsealctl audit checkpoint seals it");
}

/* A checkpoint of record 3, which is in the first segment. */
static void keep_early_checkpoint(const struct audit_log *log, const struct folder *folder,
                                  const char *name, char path[128])
{
    struct audit_log early = *log;
    struct checkpoint note = audit_log_note(log);
    note.seq = 3;
    early.checkpoint = BUFFER_INIT(20000);
    early.segments[0] = BUFFER_INIT(20000);
    early.n_segments = 1;
    audit_log_checkpoint_of(&early, &note);
    folder_path(folder, name, path);
    assert_int_equal(file_replace(path, buffer_span(&early.checkpoint), 0600), 0);
    buffer_fini(&early.checkpoint);
    buffer_fini(&early.segments[0]);
}

static void an_older_checkpoint_may_be_before_what_is_kept(void **state)
{
    (void)state;
    for (int is_removed = 0; is_removed < 2; is_removed++) {
        struct audit_log log = removed(is_removed ? first_is_gone : ",\"segment\":7", true);
        struct folder folder = write_kept(&log);
        struct folder elsewhere = folder_make();
        struct audit_report report;
        char own[128];
        char kept[128];
        keep_early_checkpoint(&log, &folder, "checkpoint", own);
        keep_early_checkpoint(&log, &elsewhere, "kept", kept);
        const struct audit_verify_options options = {.folder = folder.path,
                                                     .keys = &log.key,
                                                     .n_keys = 1,
                                                     .checkpoint = kept,
                                                     .is_partial = !is_removed};
        assert_int_equal(audit_verify(&options, &report), is_removed ? AUDIT_GOOD : AUDIT_BAD);
        assert_int_equal(report.checkpoint_before, is_removed);
        if (!is_removed) {
            audit_check_problem(
                &report, kept, 0, 0,
                "covers record 3, and the log begins at 9: that record is not here");
        }
        folder_remove(&elsewhere);
        folder_remove(&folder);
        audit_log_free(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_removed_after_its_time_is_not_missing),
        cmocka_unit_test(a_record_of_another_removal_says_nothing),
        cmocka_unit_test(a_removal_must_be_sealed),
        cmocka_unit_test(an_older_checkpoint_may_be_before_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
