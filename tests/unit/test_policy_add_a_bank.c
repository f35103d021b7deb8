/* SPDX-License-Identifier: Apache-2.0
 * Follows docs/add-a-bank.md: its fenced blocks are the files, the requests and the results. */
#include "policy_support.h"

enum { BLOCK_MAX = 8192, INFO_MAX = 128 };

struct page {
    FILE *file;
    char info[INFO_MAX]; /* what stands behind the opening fence */
    char text[BLOCK_MAX];
};

struct walk {
    struct page page;
    struct test_files files;
    struct profiles *profiles;
    char body[BLOCK_MAX]; /* the last one to send */
    char name[INFO_MAX];  /* its profile */
    char reason[REASON_DETAIL_SIZE];
    size_t seen;
};

static bool next_block(struct page *page)
{
    char line[512];
    page->info[0] = '\0';
    page->text[0] = '\0';
    while (fgets(line, sizeof line, page->file) != NULL) {
        bool fence = strncmp(line, "```", 3) == 0;
        if (fence && page->info[0] != '\0') {
            return true;
        }
        if (fence) {
            (void)snprintf(page->info, sizeof page->info, "%.*s", (int)strcspn(line + 3, "\n"),
                           line + 3);
            assert_true(page->info[0] != '\0');
            continue;
        }
        if (page->info[0] != '\0') {
            assert_true(strlen(page->text) + strlen(line) < sizeof page->text);
            (void)strcat(page->text, line);
        }
    }
    assert_string_equal(page->info, "");
    return false;
}

static enum outcome load(struct walk *walk)
{
    struct test_config test;
    test_config_init(&test, walk->files.templates, walk->files.bindings);
    struct reason why = {.detail = ""};
    profiles_free(walk->profiles);
    walk->profiles = NULL;
    enum outcome outcome = profiles_load(&test.config, &walk->profiles, &why);
    (void)snprintf(walk->reason, sizeof walk->reason, "%s", why.detail);
    return outcome;
}

/* The file of before, behind its name with ".good"; profiles_load() reads *.yaml only. */
static void write_wrong(struct walk *walk, const char *file)
{
    char path[256];
    char kept[280];
    (void)snprintf(path, sizeof path, "%s/%.127s", walk->files.folder, file);
    (void)snprintf(kept, sizeof kept, "%s.good", path);
    assert_int_equal(rename(path, kept), 0);
    write_file(walk->files.folder, file, walk->page.text);
    assert_int_equal(load(walk), OUTCOME_RULE);
    assert_int_equal(rename(kept, path), 0);
}

static char *compact(const char *text)
{
    JSON_CLEANUP json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    char *out = json_dumps(value, JSON_COMPACT);
    assert_non_null(out);
    return out;
}

static void check_made(struct walk *walk, bool header)
{
    struct built built = build(find_profile(walk->profiles, walk->name), walk->body);
    if (built.outcome != OUTCOME_OK) {
        fail_msg("%s %s", built.why.claim, built.why.detail);
    }
    char *wanted = compact(walk->page.text);
    assert_string_equal(buffer_text(header ? &built.header : &built.payload), wanted);
    free(wanted);
    built_fini(&built);
}

static void check_refused(struct walk *walk)
{
    JSON_CLEANUP json_t *wanted = json_loads(walk->page.text, 0, NULL);
    assert_refused(find_profile(walk->profiles, walk->name), walk->body, OUTCOME_RULE,
                   json_string_value(json_object_get(wanted, "claim")),
                   json_string_value(json_object_get(wanted, "detail")));
}

static void check_reason(struct walk *walk)
{
    walk->page.text[strcspn(walk->page.text, "\n")] = '\0';
    if (strstr(walk->reason, walk->page.text) == NULL) {
        fail_msg("got %s, want %s", walk->reason, walk->page.text);
    }
}

static void send_body(struct walk *walk, const char *name)
{
    (void)snprintf(walk->name, sizeof walk->name, "%s", name);
    (void)snprintf(walk->body, sizeof walk->body, "%s", walk->page.text);
    if (load(walk) != OUTCOME_OK) {
        fail_msg("%s", walk->reason);
    }
}

static void follow(struct walk *walk)
{
    const char *info = walk->page.info;
    walk->seen++;
    if (strncmp(info, "yaml wrong ", 11) == 0) {
        write_wrong(walk, info + 11);
    } else if (strncmp(info, "yaml ", 5) == 0) {
        write_file(walk->files.folder, info + 5, walk->page.text);
    } else if (strncmp(info, "json send ", 10) == 0) {
        send_body(walk, info + 10);
    } else if (strcmp(info, "json header") == 0) {
        check_made(walk, true);
    } else if (strcmp(info, "json payload") == 0) {
        check_made(walk, false);
    } else if (strcmp(info, "json refused") == 0) {
        check_refused(walk);
    } else if (strcmp(info, "text reason") == 0) {
        check_reason(walk);
    } else {
        fail_msg("a block this test does not follow: %s", info);
    }
}

static void test_the_page(void **state)
{
    (void)state;
    static struct walk walk;
    test_files_init(&walk.files);
    walk.page.file = fopen(QSEAL_SOURCE_DIR "/docs/add-a-bank.md", "re");
    assert_non_null(walk.page.file);
    while (next_block(&walk.page)) {
        follow(&walk);
    }
    assert_int_equal(fclose(walk.page.file), 0);
    assert_int_equal(walk.seen, 13);
    profiles_free(walk.profiles);
    test_files_fini(&walk.files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
