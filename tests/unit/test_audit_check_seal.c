/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints in the log and in files: what each fixes, and what is found by it. */
#include "made_log.h"

/* A log that is good up to its last record, a checkpoint made of `note`. */
static struct audit_log with_note(const struct audit_log *log, const struct checkpoint *note)
{
    struct audit_log made = *log;
    audit_log_checkpoint_of(&made, note);
    return made;
}

static struct audit_log begun(void)
{
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    return log;
}

static void a_checkpoint_must_be_of_this_log(void **state)
{
    (void)state;
    struct audit_log log = begun();
    struct checkpoint note = audit_log_note(&log);
    note.chain[0] = '1';
    log = with_note(&log, &note);
    audit_log_expect_bad(&log, 1, 4, 4,
                         "is a checkpoint of the chain 1f8fad5b-d9cb-469f-a165-70867728950e");
    log = begun();
    note = audit_log_note(&log);
    note.seq = 4;
    log = with_note(&log, &note);
    audit_log_expect_bad(&log, 1, 4, 4, "covers record 4, which is not before it");
    log = begun();
    note = audit_log_note(&log);
    note.seq = 2;
    log = with_note(&log, &note);
    audit_log_expect_bad(&log, 1, 4, 4, "the log was rewritten before this checkpoint");
}

static void its_signature_must_be_good(void **state)
{
    (void)state;
    struct audit_log log = begun();
    struct audit_log other = audit_log_make();
    struct checkpoint note = audit_log_note(&log);
    EVP_PKEY *own = log.pkey;
    log.pkey = other.pkey; /* signs in the name of the key */
    log = with_note(&log, &note);
    log.pkey = own;
    char what[120];
    (void)snprintf(what, sizeof what, "its signature is not good under key %s",
                   public_key_thumbprint(log.key));
    audit_log_expect_bad(&log, 1, 4, 4, what);
    audit_log_free(&other);
}

static void its_record_must_say_what_its_note_says(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *what;
    } rows[] = {
        {",\"covers\":3", "is of the kind checkpoint and has no \"note\""},
        {",\"note\":\"a\\tb\"", "is of the kind checkpoint and has no \"note\""},
        {",\"note\":\"qseal\\n\"", "its \"note\" is none: its first line is not"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct audit_log log = begun();
        audit_log_put(&log, "checkpoint", "%s", rows[i].members);
        audit_log_expect_bad(&log, 1, 4, 4, rows[i].what);
    }
    static const char *const others[] = {"\"covers\":3,\"head\":\"%s\"",
                                         "\"covers\":2,\"head\":\"%s\"",
                                         "\"covers\":3,\"head\":\"x%s\""};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct audit_log log = begun();
        char members[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(members, sizeof members, others[i], log.prev);
#pragma GCC diagnostic pop
        audit_log_put(&log, "checkpoint",
                      ",%s,\"note\":\"qseal audit checkpoint v1\\nchain " LOG_CHAIN
                      "\\nsequence 3\\nhead %s\\ntime 1\\n\"",
                      members, log.prev);
        audit_log_expect_bad(&log, 1, 4, 4,
                             i == 0 ? "has no \"alg\", \"kid\" and \"signature\" that can be read"
                                    : "says in \"covers\" and \"head\" something else");
    }
}

/* One that is made of a record long before is still held against it. */
static void what_is_not_remembered_is_read_again(void **state)
{
    (void)state;
    for (int is_good = 0; is_good < 2; is_good++) {
        struct audit_log log = begun();
        struct checkpoint note = audit_log_note(&log);
        note.head[0] = is_good ? note.head[0] : note.head[0] == 'B' ? 'C' : 'B';
        for (int i = 0; i < 70000; i++) {
            audit_log_put(&log, "policy", ",\"x\":1");
            if (i == 35000) {
                audit_log_segment(&log, "size");
            }
        }
        audit_log_checkpoint_of(&log, &note);
        if (!is_good) {
            audit_log_expect_bad(&log, 2, 35001, 70005, "the log was rewritten before");
            continue;
        }
        struct folder folder = audit_log_write(&log);
        struct audit_report report;
        assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_GOOD);
        assert_int_equal(report.sealed_seq, 3);
        assert_int_equal(report.not_sealed, 70002);
        folder_remove(&folder);
        audit_log_free(&log);
    }
}

/* --- files --- */

static void put_file(const struct folder *folder, const char *name, struct span text,
                     char path[128])
{
    folder_path(folder, name, path);
    assert_int_equal(file_replace(path, text, 0600), 0);
}

static enum audit_verdict verify_with(const struct audit_log *log, const struct folder *folder,
                                      const char *checkpoint, bool is_partial,
                                      struct audit_report *report)
{
    const struct audit_verify_options options = {
        .folder = folder->path,
        .keys = (struct public_key *const *)&log->key,
        .n_keys = 1,
        .checkpoint = checkpoint,
        .is_partial = is_partial,
    };
    return audit_verify(&options, report);
}

/* A log that is cut, or set back to an earlier time, is good in itself. */
static void a_log_that_was_cut_is_found_by_a_file(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct folder elsewhere = folder_make();
    struct audit_report report;
    char kept[128];
    char own[128];
    char path[128];
    put_file(&elsewhere, "kept", buffer_span(&log.checkpoint), kept);
    assert_int_equal(verify_with(&log, &folder, kept, false, &report), AUDIT_GOOD);
    assert_int_equal(report.sealed_seq, 21);
    folder_path(&folder, "audit-0000000003.jsonl", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify_with(&log, &folder, NULL, false, &report), AUDIT_GOOD);
    for (int is_partial = 0; is_partial < 2; is_partial++) {
        assert_int_equal(verify_with(&log, &folder, kept, is_partial == 1, &report), AUDIT_BAD);
        audit_check_problem(&report, kept, 0, 0,
                            "covers record 21, and the log ends at 16: it was cut, or set back; "
                            "records 17 to 21 are missing");
    }
    /* the folder's own one, too; but a part of a log may end before it */
    put_file(&folder, "checkpoint", buffer_span(&log.checkpoint), own);
    assert_int_equal(verify_with(&log, &folder, NULL, false, &report), AUDIT_BAD);
    audit_check_problem(&report, "checkpoint", 0, 0, "covers record 21, and the log ends at 16");
    assert_int_equal(verify_with(&log, &folder, NULL, true, &report), AUDIT_GOOD);
    assert_true(report.checkpoint_elsewhere);
    folder_remove(&elsewhere);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_log_that_was_written_anew_is_found_by_a_file(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct audit_log other = audit_log_small(); /* of the same chain, and another key */
    struct folder folder = audit_log_write(&other);
    struct folder elsewhere = folder_make();
    struct audit_report report;
    char kept[128];
    put_file(&elsewhere, "kept", buffer_span(&log.checkpoint), kept);
    struct public_key *keys[] = {log.key, other.key};
    const struct audit_verify_options options = {
        .folder = folder.path, .keys = keys, .n_keys = 2, .checkpoint = kept};
    assert_int_equal(audit_verify(&options, &report), AUDIT_BAD);
    audit_check_problem(&report, "audit-0000000003.jsonl", 5, 21, "this log was rewritten");
    folder_remove(&elsewhere);
    folder_remove(&folder);
    audit_log_free(&other);
    audit_log_free(&log);
}

static void a_file_alone_seals_what_it_covers(void **state)
{
    (void)state;
    struct audit_log log = begun();
    struct audit_log made = log;
    struct checkpoint note = audit_log_note(&log);
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    char path[128];
    audit_log_checkpoint_of(&made, &note);
    put_file(&folder, "checkpoint", buffer_span(&made.checkpoint), path);
    assert_int_equal(audit_log_verify(&made, &folder, &report), AUDIT_GOOD);
    assert_int_equal(report.sealed_seq, 3);
    assert_int_equal(report.sealed_time, note.time);
    assert_int_equal(report.not_sealed, 0);
    assert_int_equal(report.checkpoints_good, 0);
    folder_remove(&folder);
    audit_log_free(&made);
}

static void a_file_must_be_a_checkpoint_of_this_log(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct audit_log stranger = audit_log_make();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    char path[128];
    put_file(&folder, "checkpoint", span_of_text("no\n"), path);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "checkpoint", 0, 0, "is not a signed checkpoint: its first line");
    put_file(&folder, "checkpoint", buffer_span(&log.checkpoint), path);
    assert_int_equal(audit_log_verify(&stranger, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "checkpoint", 0, 0, "which was not given");
    /* another chain */
    struct checkpoint note = audit_log_note(&log);
    note.chain[0] = '1';
    audit_log_checkpoint_of(&log, &note);
    put_file(&folder, "checkpoint", buffer_span(&log.checkpoint), path);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "checkpoint", 0, 0,
                        "is of the chain 1f8fad5b-d9cb-469f-a165-70867728950e, and this log is of "
                        "0f8fad5b-d9cb-469f-a165-70867728950e");
    /* a changed time */
    size_t time =
        (size_t)(strstr(buffer_text(&log.checkpoint), "time ") - buffer_text(&log.checkpoint)) + 5;
    log.checkpoint.data[time] ^= 2; /* another digit */
    put_file(&folder, "checkpoint", buffer_span(&log.checkpoint), path);
    assert_int_equal(audit_log_verify(&log, &folder, &report), AUDIT_BAD);
    audit_check_problem(&report, "checkpoint", 0, 0, "its signature is not good under key");
    folder_remove(&folder);
    audit_log_free(&stranger);
    audit_log_free(&log);
}

static void a_part_may_begin_behind_a_file_but_not_one_that_is_named(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct audit_report report;
    struct audit_log early = begun();
    struct checkpoint note = audit_log_note(&early);
    EVP_PKEY *own = early.pkey;
    struct public_key *own_key = early.key;
    early.pkey = log.pkey;
    early.key = log.key;
    audit_log_checkpoint_of(&early, &note);
    early.pkey = own;
    early.key = own_key;
    char path[128];
    folder_path(&folder, "audit-0000000001.jsonl", path);
    assert_int_equal(unlink(path), 0);
    put_file(&folder, "checkpoint", buffer_span(&early.checkpoint), path);
    assert_int_equal(verify_with(&log, &folder, NULL, true, &report), AUDIT_GOOD);
    assert_true(report.checkpoint_elsewhere);
    assert_int_equal(verify_with(&log, &folder, path, true, &report), AUDIT_BAD);
    audit_check_problem(&report, path, 0, 0,
                        "covers record 3, and the log begins at 9: that record is not here");
    folder_remove(&folder);
    audit_log_free(&early);
    audit_log_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_must_be_of_this_log),
        cmocka_unit_test(its_signature_must_be_good),
        cmocka_unit_test(its_record_must_say_what_its_note_says),
        cmocka_unit_test(what_is_not_remembered_is_read_again),
        cmocka_unit_test(a_log_that_was_cut_is_found_by_a_file),
        cmocka_unit_test(a_log_that_was_written_anew_is_found_by_a_file),
        cmocka_unit_test(a_file_alone_seals_what_it_covers),
        cmocka_unit_test(a_file_must_be_a_checkpoint_of_this_log),
        cmocka_unit_test(a_part_may_begin_behind_a_file_but_not_one_that_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
