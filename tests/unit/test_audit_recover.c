/* SPDX-License-Identifier: Apache-2.0
 * What a crash leaves of the log, and what the next start makes of it. */
#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/recover.h"
#include "base/file.h"
#include "folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#define CHAIN "0f8fad5b-d9cb-469f-a165-70867728950e"

enum { TEXT_MAX = 4 * 1024 * 1024 };

/* A log as it may be found: one segment, made line by line. */
struct stand {
    struct folder folder;
    struct buffer text;
    uint64_t seq;
    char head[AUDIT_HASH_SIZE];
};

static void add(struct stand *stand, const char *kind, const char *members)
{
    size_t start = stand->text.len;
    audit_line_begin(&stand->text, ++stand->seq, stand->head, 1795288066000000, kind);
    buffer_put_format(&stand->text, "%s}\n", members);
    assert_true(
        sha256_text(span_part(buffer_span(&stand->text), start, stand->text.len), stand->head));
}

static struct stand stand_up(void)
{
    struct stand stand = {.folder = folder_make(), .text = BUFFER_INIT(TEXT_MAX)};
    memcpy(stand.head, audit_no_hash, sizeof stand.head);
    add(&stand, "segment",
        ",\"segment\":1,\"version\":1,\"chain\":\"" CHAIN "\",\"cause\":\"begin\"");
    for (int i = 0; i < 20; i++) {
        add(&stand, "sign", ",\"kid\":\"k\"");
    }
    return stand;
}

static void stand_down(struct stand *stand)
{
    buffer_fini(&stand->text);
    folder_remove(&stand->folder);
}

static void put_file(const struct stand *stand, const char *name, struct span text)
{
    char path[128];
    folder_path(&stand->folder, name, path);
    assert_int_equal(file_replace(path, text, 0600), 0);
}

static void expect_file(const struct stand *stand, const char *name, struct span text)
{
    BUFFER_CLEANUP struct buffer found = BUFFER_INIT(TEXT_MAX);
    char path[128];
    folder_path(&stand->folder, name, path);
    assert_int_equal(file_read(path, &found), 0);
    assert_true(span_equal(buffer_span(&found), text));
}

static enum outcome run(const struct stand *stand, struct recovered *out, struct reason *why)
{
    int fd = open(stand->folder.path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    enum outcome outcome = recover(stand->folder.path, fd, out, why);
    (void)close(fd);
    return outcome;
}

static void expect_cut(const struct recovered *found, size_t i, uint64_t number, uint64_t kept,
                       uint64_t bytes)
{
    assert_in_range(i, 0, found->n_cuts - 1);
    assert_int_equal(found->cuts[i].number, number);
    assert_int_equal(found->cuts[i].kept, kept);
    assert_int_equal(found->cuts[i].bytes, bytes);
}

static void an_empty_folder_is_a_new_log(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    struct recovered found;
    struct reason why = {0};
    put_file(&stand, "audit-1.jsonl", span_of_text("no segment's name"));
    put_file(&stand, "audit-0000000000.jsonl", span_of_text("nor this"));
    assert_done(run(&stand, &found, &why), why);
    assert_false(found.any);
    assert_int_equal(found.next, 1);
    stand_down(&stand);
}

static void nothing_is_cut_from_a_whole_one(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    struct recovered found;
    struct reason why = {0};
    add(&stand, "checkpoint", ",\"covers\":7");
    struct span whole = buffer_span(&stand.text);
    BUFFER_CLEANUP struct buffer filled = BUFFER_INIT(TEXT_MAX);
    buffer_put_span(&filled, whole);
    memset(buffer_extend(&filled, 5000), 0, 5000);
    put_file(&stand, "audit-0000000001.jsonl", buffer_span(&filled));
    assert_done(run(&stand, &found, &why), why);
    assert_true(found.any);
    assert_int_equal(found.next, 2);
    assert_int_equal(found.seq, 22);
    assert_int_equal(found.covered, 7);
    assert_int_equal(found.bytes, whole.len);
    assert_int_equal(found.n_cuts, 0);
    assert_string_equal(found.chain, CHAIN);
    assert_string_equal(found.head, stand.head);
    expect_file(&stand, "audit-0000000001.jsonl", whole);
    assert_int_equal(folder_count(&stand.folder), 1);
    stand_down(&stand);
}

/* At every byte of the last record, with NULs behind it as they were filled in. */
static void what_was_torn_is_set_aside(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    size_t good = stand.text.len;
    char head[AUDIT_HASH_SIZE];
    memcpy(head, stand.head, sizeof head);
    add(&stand, "sign", ",\"kid\":\"torn\"");
    for (size_t len = good + 1; len < stand.text.len; len++) {
        struct recovered found;
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer torn = BUFFER_INIT(TEXT_MAX);
        buffer_put_span(&torn, span_part(buffer_span(&stand.text), 0, len));
        memset(buffer_extend(&torn, 300), 0, 300);
        put_file(&stand, "audit-0000000001.jsonl", buffer_span(&torn));
        assert_done(run(&stand, &found, &why), why);
        assert_int_equal(found.seq, 21);
        assert_string_equal(found.head, head);
        assert_int_equal(found.bytes, good);
        expect_cut(&found, 0, 1, good, len - good);
        expect_file(&stand, "audit-0000000001.jsonl", span_part(buffer_span(&stand.text), 0, good));
        expect_file(&stand, "audit-0000000001.torn",
                    span_part(buffer_span(&stand.text), good, len - good));
    }
    stand_down(&stand);
}

/* Pages of one batch come to the disk in any order. */
static void a_hole_in_the_last_batch_is_torn_too(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    struct recovered found;
    struct reason why = {0};
    size_t hole = stand.text.len;
    add(&stand, "sign", ",\"kid\":\"hole\"");
    size_t after = stand.text.len;
    add(&stand, "sign", ",\"kid\":\"after\"");
    add(&stand, "done", ",\"of\":21,\"outcome\":\"released\",\"us\":1");
    memset(stand.text.data + hole, 0, after - hole);
    put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
    assert_done(run(&stand, &found, &why), why);
    assert_int_equal(found.seq, 21);
    expect_cut(&found, 0, 1, hole, stand.text.len - hole);
    stand_down(&stand);
}

/* A token that is away is answered for before the disk has the record. */
static void what_released_nothing_is_no_witness(void **state)
{
    (void)state;
    static const char *const outcomes[] = {"token-unavailable", "deadline", "done"};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct stand stand = stand_up();
        struct recovered found;
        struct reason why = {0};
        char members[128];
        size_t hole = stand.text.len;
        (void)snprintf(members, sizeof members, ",\"of\":21,\"outcome\":\"%s\",\"us\":1",
                       outcomes[i]);
        add(&stand, "sign", ",\"kid\":\"hole\"");
        size_t after = stand.text.len;
        add(&stand, "done", members);
        memset(stand.text.data + hole, 0, after - hole);
        put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
        assert_done(run(&stand, &found, &why), why);
        assert_int_equal(found.seq, 21);
        expect_cut(&found, 0, 1, hole, stand.text.len - hole);
        stand_down(&stand);
    }
}

/* It set them aside, and had no time for a record: both are told to the one after it, too, and as
 * long as no record has said so. */
static void what_a_start_before_has_cut_is_told(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    size_t good = stand.text.len;
    put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
    put_file(&stand, "audit-0000000001.torn", span_of_text("{\"seq\":22"));
    put_file(&stand, "audit-0000000002.torn", span_of_text("{\"s"));
    for (int i = 0; i < 2; i++) {
        struct recovered found;
        struct reason why = {0};
        assert_done(run(&stand, &found, &why), why);
        assert_int_equal(found.n_cuts, 2);
        expect_cut(&found, 0, 1, good, 9);
        expect_cut(&found, 1, 2, 0, 3);
    }
    stand_down(&stand);
}

static void what_is_on_record_is_not_told_again(void **state)
{
    (void)state;
    static const struct {
        const char *torn;
        size_t n;
    } rows[] = {{"{\"s", 0}, {"{\"seq", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stand stand = stand_up();
        struct recovered found;
        struct reason why = {0};
        add(&stand, "repair", ",\"segment\":1,\"kept_bytes\":0,\"cut_bytes\":3");
        put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
        put_file(&stand, "audit-0000000001.torn", span_of_text(rows[i].torn));
        assert_done(run(&stand, &found, &why), why);
        assert_int_equal(found.n_cuts, rows[i].n);
        stand_down(&stand);
    }
}

static void damage_of_what_was_acknowledged_is_no_tear(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *members;
    } witnesses[] = {
        {"done", ",\"of\":21,\"outcome\":\"released\",\"us\":1"},
        {"done", ",\"of\":22,\"outcome\":\"released\",\"us\":1"},
        {"checkpoint", ",\"covers\":21"},
    };
    for (size_t i = 0; i < sizeof witnesses / sizeof witnesses[0]; i++) {
        struct stand stand = stand_up();
        struct recovered found;
        struct reason why = {0};
        add(&stand, "sign", ",\"kid\":\"k\"");
        add(&stand, witnesses[i].kind, witnesses[i].members);
        const char *flipped = strstr(buffer_text(&stand.text), "{\"seq\":21,");
        assert_non_null(flipped);
        stand.text.data[flipped - (const char *)stand.text.data + 20] ^= 1;
        put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
        assert_refused(run(&stand, &found, &why), OUTCOME_RULE, why,
                       "audit-0000000001.jsonl is damaged at byte ");
        assert_non_null(strstr(why.detail, "after record 20, where records had been "
                                           "acknowledged; nothing was cut"));
        expect_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
        assert_int_equal(folder_count(&stand.folder), 1);
        stand_down(&stand);
    }
}

static void more_than_a_batch_is_no_tear(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    struct recovered found;
    struct reason why = {0};
    stand.text.data[100] ^= 1; /* in the first record: nothing before it is good */
    memset(buffer_extend(&stand.text, AUDIT_BATCH_MAX), 'x', AUDIT_BATCH_MAX);
    put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
    assert_refused(run(&stand, &found, &why), OUTCOME_RULE, why,
                   "audit-0000000001.jsonl is damaged at byte 0, after record 0");
    assert_int_equal(folder_count(&stand.folder), 1);
    stand_down(&stand);
}

/* A segment that was made, and nothing in it came to the disk. */
static void a_segment_without_a_record_is_removed(void **state)
{
    (void)state;
    static const char *const rests[] = {"", "\0\0\0", "{\"seq\":22,\"prev"};
    static const size_t lens[] = {0, 3, 15};
    for (size_t i = 0; i < 3; i++) {
        struct stand stand = stand_up();
        struct recovered found;
        struct reason why = {0};
        add(&stand, "end", ",\"cause\":\"size\"");
        put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
        put_file(&stand, "audit-0000000002.jsonl", span_of(rests[i], lens[i]));
        assert_done(run(&stand, &found, &why), why);
        assert_true(found.any);
        assert_int_equal(found.next, 2);
        assert_int_equal(found.seq, 22);
        assert_int_equal(folder_count(&stand.folder), i == 2 ? 2 : 1);
        assert_int_equal(found.n_cuts, i == 2);
        if (i == 2) {
            expect_cut(&found, 0, 2, 0, lens[i]);
            expect_file(&stand, "audit-0000000002.torn", span_of(rests[i], lens[i]));
        }
        stand_down(&stand);
    }
}

/* The first batch behind a switch completes records of the segment before. Only its second page
 * came to the disk. */
static void completions_of_the_segment_before_are_no_damage(void **state)
{
    (void)state;
    struct stand stand = stand_up();
    struct recovered found;
    struct reason why = {0};
    add(&stand, "end", ",\"cause\":\"size\"");
    put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
    buffer_reset(&stand.text);
    add(&stand, "segment",
        ",\"segment\":2,\"version\":1,\"chain\":\"" CHAIN "\",\"cause\":\"size\"");
    size_t hole = stand.text.len;
    add(&stand, "done", ",\"of\":21,\"outcome\":\"released\",\"us\":1");
    memset(stand.text.data, 0, hole);
    put_file(&stand, "audit-0000000002.jsonl", buffer_span(&stand.text));
    assert_done(run(&stand, &found, &why), why);
    assert_int_equal(found.seq, 22);
    assert_int_equal(found.next, 2);
    stand_down(&stand);
}

static void put_checkpoint(const struct stand *stand, const char *chain, unsigned int seq)
{
    static const uint8_t signature[64] = {1};
    BUFFER_CLEANUP struct buffer note = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    BUFFER_CLEANUP struct buffer file = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    struct checkpoint checkpoint = {.seq = seq, .time = 1795288066};
    memcpy(checkpoint.chain, chain, sizeof checkpoint.chain);
    memcpy(checkpoint.head, stand->head, sizeof checkpoint.head);
    checkpoint_put(&checkpoint, &note);
    checkpoint_put_signed(buffer_span(&note), ALG_ES256, stand->head,
                          span_of(signature, sizeof signature), &file);
    put_file(stand, "checkpoint", buffer_span(&file));
}

/* Its file is written after the records that it covers. */
static void a_log_that_ends_before_its_checkpoint_is_not_gone_on_with(void **state)
{
    (void)state;
    static const char other[] = "1f8fad5b-d9cb-469f-a165-70867728950e";
    struct stand stand = stand_up();
    struct recovered found;
    struct reason why = {0};
    put_checkpoint(&stand, CHAIN, 21);
    assert_refused(run(&stand, &found, &why), OUTCOME_RULE, why,
                   "of which the folder has no segment; nothing was changed");
    put_file(&stand, "audit-0000000001.jsonl", buffer_span(&stand.text));
    assert_done(run(&stand, &found, &why), why);
    assert_int_equal(found.covered, 21);
    put_checkpoint(&stand, CHAIN, 22);
    assert_refused(run(&stand, &found, &why), OUTCOME_RULE, why,
                   "the file checkpoint covers record 22, and the log ends with record 21: records "
                   "are gone that had been acknowledged; nothing was changed");
    put_checkpoint(&stand, other, 3);
    assert_refused(run(&stand, &found, &why), OUTCOME_RULE, why,
                   "the file checkpoint is of chain 1f8fad5b");
    put_file(&stand, "checkpoint", span_of_text("x"));
    assert_refused(run(&stand, &found, &why), OUTCOME_RULE, why, "the file checkpoint is none: ");
    stand_down(&stand);
}

/* A link, which may lead elsewhere, or a folder of that name. */
static void put_other(const struct stand *stand, const char *name, bool is_link)
{
    char path[128];
    folder_path(&stand->folder, name, path);
    assert_int_equal(is_link ? symlink("/dev/null", path) : mkdir(path, 0700), 0);
}

static void take_other(const struct stand *stand, const char *name)
{
    char path[128];
    folder_path(&stand->folder, name, path);
    assert_int_equal(remove(path), 0);
}

static void what_cannot_be_read_or_set_aside_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_link;
        const char *detail;
    } rows[] = {
        {"audit-0000000002.jsonl", true,
         "audit-0000000002.jsonl: opening it: Too many levels of symbolic links"},
        {"audit-0000000002.jsonl", false, "audit-0000000002.jsonl: reading it: Is a directory"},
        {"audit-0000000001.torn", false,
         "audit-0000000001.jsonl: setting aside what was torn: Is a directory"},
        {"checkpoint", true, "checkpoint: reading it: Too many levels of symbolic links"},
        {"checkpoint", false, "checkpoint: reading it: Is a directory"},
    };
    struct stand stand = stand_up();
    struct recovered found;
    size_t good = stand.text.len;
    add(&stand, "sign", ",\"kid\":\"torn\"");
    struct span torn = span_part(buffer_span(&stand.text), 0, good + 10);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reason why = {0};
        put_file(&stand, "audit-0000000001.jsonl", torn);
        put_other(&stand, rows[i].name, rows[i].is_link);
        assert_refused(run(&stand, &found, &why), OUTCOME_UNAVAILABLE, why, rows[i].detail);
        take_other(&stand, rows[i].name);
        assert_done(run(&stand, &found, &why), why);
        assert_int_equal(found.seq, 21);
        take_other(&stand, "audit-0000000001.torn");
    }
    stand_down(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_folder_is_a_new_log),
        cmocka_unit_test(nothing_is_cut_from_a_whole_one),
        cmocka_unit_test(what_was_torn_is_set_aside),
        cmocka_unit_test(a_hole_in_the_last_batch_is_torn_too),
        cmocka_unit_test(what_released_nothing_is_no_witness),
        cmocka_unit_test(what_a_start_before_has_cut_is_told),
        cmocka_unit_test(what_is_on_record_is_not_told_again),
        cmocka_unit_test(damage_of_what_was_acknowledged_is_no_tear),
        cmocka_unit_test(more_than_a_batch_is_no_tear),
        cmocka_unit_test(a_segment_without_a_record_is_removed),
        cmocka_unit_test(completions_of_the_segment_before_are_no_damage),
        cmocka_unit_test(a_log_that_ends_before_its_checkpoint_is_not_gone_on_with),
        cmocka_unit_test(what_cannot_be_read_or_set_aside_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
