/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit verify: what it says, its exit codes, and its keys. */
#include "audit_command.h"

#include <openssl/pem.h>

static struct command_line line_of(const struct folder *folder, char *words[1], const char *key)
{
    words[0] = (char *)(uintptr_t)folder->path;
    struct command_line line = {.words = words, .n_words = 1};
    if (key != NULL) {
        line.audit.keys[line.audit.n_keys++] = key;
    }
    return line;
}

static void a_good_log_is_told(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    char key[128];
    char *words[1];
    audit_log_write_key(&log, &folder, key);
    struct command_line line = line_of(&folder, words, key);
    struct said said = said_by(run_audit_verify, &line);
    char want[1000];
    (void)snprintf(want, sizeof want,
                   "%s: good\n"
                   "chain " LOG_CHAIN ", 3 segments, records 1 to 22, 2026-11-21T19:07:46Z to "
                   "2026-11-21T19:07:46Z\n"
                   "6 signatures asked for, 6 completions, 2 refusals, 0 commands\n"
                   "sealed up to record 21 by a checkpoint of 2026-11-21T19:07:46Z; 3 checkpoints "
                   "in the log, all good\n"
                   "the 1 records after it are chained, and not sealed yet\n",
                   folder.path);
    assert_string_equal(OUT(&said), want);
    assert_string_equal(ERR(&said), "");
    assert_int_equal(said.code, EXIT_DONE);
    said_free(&said);
    line.audit.n_keys = 0;
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE,
                "NOTHING IS SEALED: no --key was given, and 3 checkpoints were not held against "
                "one",
                "");
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_bad_log_is_told_with_file_line_and_record(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    char key[128];
    char path[128];
    char *words[1];
    audit_log_write_key(&log, &folder, key);
    log.segments[1].data[log.segments[1].len - 3] ^= 1;
    audit_log_write_segment(&log, &folder, 2);
    struct command_line line = line_of(&folder, words, key);
    assert_said(said_by(run_audit_verify, &line), EXIT_NOT_VERIFIED, "",
                "qsealctl: audit-0000000002.jsonl:8: record 16 was changed after record 17 was "
                "written");
    line.json = true;
    assert_said(said_by(run_audit_verify, &line), EXIT_NOT_VERIFIED,
                "\"file\": \"audit-0000000002.jsonl\",\n    \"line\": 8,\n    \"seq\": 16,", "");
    line.json = false;
    folder_path(&folder, "audit-\033.jsonl", path);
    assert_int_equal(file_replace(path, span_of_text(""), 0600), 0);
    assert_said(said_by(run_audit_verify, &line), EXIT_NOT_VERIFIED, "",
                "qsealctl: audit-<U+001B>.jsonl is not the name of a segment");
    folder_remove(&folder);
    struct command_line nowhere = line_of(&folder, words, NULL);
    assert_said(said_by(run_audit_verify, &nowhere), EXIT_UNAVAILABLE, "",
                "No such file or directory");
    audit_log_free(&log);
}

static void a_program_gets_the_counts(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    char key[128];
    char *words[1];
    audit_log_write_key(&log, &folder, key);
    struct command_line line = line_of(&folder, words, key);
    line.json = true;
    struct said said = said_by(run_audit_verify, &line);
    JSON_CLEANUP json_t *told = json_of(OUT(&said));
    static const char *const members[] = {"verdict",
                                          "problem",
                                          "chain",
                                          "segments",
                                          "bytes",
                                          "records",
                                          "kinds",
                                          "first",
                                          "last",
                                          "checkpoints",
                                          "sealed",
                                          "not_sealed",
                                          "signs_without_done",
                                          "unacknowledged_bytes",
                                          "counts_renewed",
                                          "not_compared",
                                          "removal",
                                          "checkpoint_elsewhere",
                                          "checkpoint_before"};
    assert_int_equal(json_object_size(told), COUNT_OF(members));
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        assert_non_null(json_object_get(told, members[i]));
    }
    assert_string_equal(command_text(told, "verdict"), "good");
    assert_string_equal(command_text(told, "chain"), LOG_CHAIN);
    assert_true(json_is_null(json_object_get(told, "problem")));
    assert_int_equal(command_number(told, "records"), 22);
    assert_int_equal(command_number(told, "segments"), 3);
    assert_int_equal(command_number(told, "not_sealed"), 1);
    assert_int_equal(command_number(json_object_get(told, "kinds"), "sign"), 6);
    assert_int_equal(command_number(json_object_get(told, "checkpoints"), "good"), 3);
    assert_int_equal(command_number(json_object_get(told, "sealed"), "seq"), 21);
    assert_int_equal(command_number(json_object_get(told, "last"), "seq"), 22);
    said_free(&said);
    folder_remove(&folder);
    audit_log_free(&log);
}

/* What is no fault, and told. */
static void notes_are_told(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    struct checkpoint note = audit_log_note(&log);
    audit_log_count(&note, 1, 1795200000);
    audit_log_checkpoint_of(&log, &note);
    (void)audit_log_sign(&log);
    size_t holds = log.segments[0].len;
    buffer_put_text(&log.segments[0], "torn");
    audit_log_segment_of(&log, LOG_CHAIN, "fault", holds);
    audit_log_checkpoint(&log);
    struct folder folder = audit_log_write(&log);
    char *words[1];
    struct command_line line = line_of(&folder, words, NULL);
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE,
                "1 signatures have no completion: in flight, or cut off by a crash\n"
                "4 bytes behind segments that a fault ended were never acknowledged\n"
                "1 counts of tokens were taken up anew, after a crash or a fault\n",
                "");
    folder_remove(&folder);
    audit_log_free(&log);
}

static void what_was_removed_after_its_time_is_told(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct audit_log early = audit_log_make();
    audit_log_segment(&early, "begin");
    struct checkpoint note = audit_log_note(&early);
    EVP_PKEY *own = early.pkey;
    early.pkey = log.pkey;
    struct public_key *own_key = early.key;
    early.key = log.key;
    audit_log_checkpoint_of(&early, &note);
    early.pkey = own;
    early.key = own_key;
    audit_log_put(&log, "retention", ",\"segment\":1,\"first\":1,\"last\":8");
    audit_log_checkpoint(&log);
    struct folder folder = audit_log_write(&log);
    char key[128];
    char path[128];
    char *words[1];
    audit_log_write_key(&log, &folder, key);
    folder_path(&folder, "audit-0000000001.jsonl", path);
    assert_int_equal(unlink(path), 0);
    folder_path(&folder, "kept", path);
    assert_int_equal(file_replace(path, buffer_span(&early.checkpoint), 0600), 0);
    struct command_line line = line_of(&folder, words, key);
    line.audit.checkpoint = path;
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE,
                "the 8 records before were removed after their time, says record 23\n"
                "what a checkpoint's file covers is elsewhere, before what is kept\n",
                "");
    line.json = true;
    assert_said(
        said_by(run_audit_verify, &line), EXIT_DONE,
        "\"removal\": 23,\n  \"checkpoint_elsewhere\": true,\n  \"checkpoint_before\": true", "");
    folder_remove(&folder);
    audit_log_free(&early);
    audit_log_free(&log);
}

static void a_part_that_is_not_sealed_is_told(void **state)
{
    (void)state;
    struct audit_log log = audit_log_make();
    audit_log_segment(&log, "begin");
    audit_log_signature(&log);
    struct folder folder = audit_log_write(&log);
    char key[128];
    char *words[1];
    audit_log_write_key(&log, &folder, key);
    struct command_line line = line_of(&folder, words, key);
    assert_said(said_by(run_audit_verify, &line), EXIT_NOT_VERIFIED, "",
                "no checkpoint covers a record of this log");
    line.audit.partial = true;
    struct said said = said_by(run_audit_verify, &line);
    assert_null(strstr(OUT(&said), "good"));
    assert_said(said, EXIT_DONE,
                "CHAINED ONLY, NOTHING IN IT IS SEALED: no checkpoint covers a record of this part",
                "");
    line.json = true;
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE, "\"sealed\": null", "");
    folder_remove(&folder);
    audit_log_free(&log);
}

static void a_long_work_says_how_far_it_is(void **state)
{
    (void)state;
    struct command_line line = {.audit = {.progress = true}};
    struct audit_bar bar = audit_bar_begin(&line);
    assert_true(bar.is_shown);
    struct folder folder = folder_make();
    char path[128];
    int kept;
    struct buffer said;
    folder_path(&folder, "said", path);
    (void)said_redirect(stderr, STDERR_FILENO, path, &kept);
    const struct audit_progress half = {512 * 1024 * 1024, 1024 * 1024 * 1024, 123456};
    audit_bar_show(&bar, &half); /* too soon */
    bar.is_terminal = false;
    bar.began_us -= 2000000; /* as if it had begun then */
    bar.shown_us -= 2000000;
    audit_bar_show(&bar, &half);
    audit_bar_end(&bar);
    audit_bar_show(&bar, &half); /* it is over */
    said_restore(stderr, STDERR_FILENO, kept, path, &said);
    assert_non_null(
        strstr(buffer_text(&said), "[###############               ]  50 %, 123456 records, "));
    assert_non_null(strstr(buffer_text(&said), " MiB/s\n"));
    assert_int_equal(span_find(buffer_span(&said), '\n'), said.len - 1);
    buffer_fini(&said);
    folder_remove(&folder);
}

/* --- keys --- */

static void put_certificate(const struct audit_log *log, const char *path)
{
    X509 *certificate = X509_new();
    FILE *file = fopen(path, "w");
    assert_true(certificate != NULL && file != NULL);
    (void)X509_set_version(certificate, X509_VERSION_3);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    assert_int_equal(X509_set_pubkey(certificate, log->pkey), 1);
    assert_true(X509_sign(certificate, log->pkey, EVP_sha256()) > 0);
    assert_true(fputs("Subject: audit\n", file) > 0); /* openssl x509 -text has such lines */
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    (void)fclose(file);
    X509_free(certificate);
}

static void a_key_may_be_a_certificate_and_there_may_be_more_of_them(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct audit_log other = audit_log_make();
    struct folder folder = audit_log_write(&log);
    struct folder keys = folder_make();
    char key[128];
    char certificate[128];
    char *words[1];
    audit_log_write_key(&other, &keys, key);
    folder_path(&keys, "audit.crt.pem", certificate);
    put_certificate(&log, certificate);
    struct command_line line = line_of(&folder, words, key);
    assert_said(said_by(run_audit_verify, &line), EXIT_NOT_VERIFIED, "", "which was not given");
    line.audit.keys[line.audit.n_keys++] = certificate;
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE, ": good\n", "");
    /* both in one file, as qsealctl audit key --all writes them */
    BUFFER_CLEANUP struct buffer both = BUFFER_INIT(10000);
    char path[128];
    folder_path(&keys, "all.pem", path);
    assert_true(file_read(key, &both) == 0 && file_read(certificate, &both) == 0);
    assert_int_equal(file_replace(path, buffer_span(&both), 0600), 0);
    line.audit.keys[0] = path;
    line.audit.n_keys = 1;
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE, ": good\n", "");
    /* of the second half of a block is known that it is none, and not what key it was */
    assert_int_equal(file_replace(path, span_part(buffer_span(&both), 0, both.len - 30), 0600), 0);
    assert_said(said_by(run_audit_verify, &line), EXIT_USAGE, "",
                "all.pem: a PEM block in it is torn");
    folder_remove(&keys);
    folder_remove(&folder);
    audit_log_free(&other);
    audit_log_free(&log);
}

static void there_is_room_for_so_many_keys(void **state)
{
    (void)state;
    struct audit_log log = audit_log_small();
    struct folder folder = audit_log_write(&log);
    struct folder keys = folder_make();
    char key[128];
    char path[128];
    char *words[1];
    BUFFER_CLEANUP struct buffer one = BUFFER_INIT(1000);
    BUFFER_CLEANUP struct buffer all = BUFFER_INIT(256 * 1024);
    audit_log_write_key(&log, &keys, key);
    assert_int_equal(file_read(key, &one), 0);
    for (int i = 0; i < AUDIT_KEYS_READ_MAX; i++) {
        buffer_put_span(&all, buffer_span(&one));
    }
    folder_path(&keys, "all.pem", path);
    struct command_line line = line_of(&folder, words, path);
    assert_int_equal(file_replace(path, buffer_span(&all), 0600), 0);
    assert_said(said_by(run_audit_verify, &line), EXIT_DONE, ": good\n", "");
    line.audit.keys[line.audit.n_keys++] = key;
    assert_said(said_by(run_audit_verify, &line), EXIT_USAGE, "", "more than 256 keys");
    folder_remove(&keys);
    folder_remove(&folder);
    audit_log_free(&log);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"no", "key.pem: there is no PEM block in it: a public key is wanted"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "a PEM block in it is neither PUBLIC KEY nor CERTIFICATE"},
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "key.pem: "},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "key.pem: "},
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n", "key.pem: a PEM block in it is torn"},
        {"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
         "key.pem: a PEM block in it is torn, or no base64"},
    };
    struct folder folder = folder_make();
    char path[128];
    char *words[1];
    folder_path(&folder, "key.pem", path);
    struct command_line line = line_of(&folder, words, path);
    assert_said(said_by(run_audit_verify, &line), EXIT_UNAVAILABLE, "",
                "key.pem: No such file or directory");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(file_replace(path, span_of_text(rows[i].text), 0600), 0);
        assert_said(said_by(run_audit_verify, &line), EXIT_USAGE, "", rows[i].why);
    }
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_log_is_told),
        cmocka_unit_test(a_bad_log_is_told_with_file_line_and_record),
        cmocka_unit_test(a_program_gets_the_counts),
        cmocka_unit_test(notes_are_told),
        cmocka_unit_test(what_was_removed_after_its_time_is_told),
        cmocka_unit_test(a_part_that_is_not_sealed_is_told),
        cmocka_unit_test(a_long_work_says_how_far_it_is),
        cmocka_unit_test(a_key_may_be_a_certificate_and_there_may_be_more_of_them),
        cmocka_unit_test(there_is_room_for_so_many_keys),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
