/* SPDX-License-Identifier: Apache-2.0
 * The plain subset of YAML: what is in the tree, and what is refused, where and why. */
#include "policy/yaml_tree.h"

#include "base/buffer.h"

#include "check.h"

#include <string.h>

struct denied {
    const char *text;
    const char *reason;
};

static const struct denied denied[] = {
    {"", "F:1: the file is empty"},
    {"# nothing\n", "F:1: the file is empty"},
    {"a: 1\nb: &x 2\n", "F:2: anchors (&name) are not taken; write the value out"},
    {"a: 1\nb: &x [2]\n", "F:2: anchors (&name) are not taken; write the value out"},
    {"a: &x {b: 2}\n", "F:1: anchors (&name) are not taken; write the value out"},
    {"a: 1\n\nb: *x\n", "F:3: aliases (*name) are not taken; write the value out"},
    {"a:\n  <<: {b: 1}\n", "F:2: merge keys (<<) are not taken; write the members out"},
    {"a: 1\n---\nb: 2\n", "F:2: a second document; one file holds one"},
    {"a: 1\n...\n---\nb: 2\n", "F:3: a second document; one file holds one"},
    {"a: 1\nb: 2\na: 3\n", "F:3: key \"a\" is there twice; first in line 1"},
    {"a: 1\n\"a\": 3\n", "F:2: key \"a\" is there twice; first in line 1"},
    {"a: 1\n\"\\x61\": 3\n", "F:2: key \"a\" is there twice; first in line 1"},
    {"l:\n  - {x: 1, y: 2,\n     x: 3}\n", "F:3: key \"x\" is there twice; first in line 2"},
    {"a: 1\n\tb: 2\n", "F:2: a tab; indent with spaces"},
    {"a:\t1\n", "F:1: a tab; indent with spaces"},
    {"a: !!str 1\n", "F:1: tags (!name) are not taken"},
    {"a: !x [1]\n", "F:1: tags (!name) are not taken"},
    {"! a: 1\n", "F:1: tags (!name) are not taken"},
    {"%YAML 1.1\n---\na: 1\n", "F:1: directives (%YAML, %TAG) are not taken"},
    {"%TAG ! tag:x,2000:\n---\na: 1\n", "F:1: directives (%YAML, %TAG) are not taken"},
    {"a: 1\n? [b]\n: 2\n", "F:2: a key must be plain text"},
    {"a: 1\n{b: 1}: 2\n", "F:2: a key must be plain text"},
    {"a: \"x\\0y\"\n", "F:1: a NUL in a text"},
    {"a: 1\n\"x\\0y\": 1\n", "F:2: a NUL in a text"},
    {"a: [1\nb: 2\n", "F:2: not YAML: did not find expected ',' or ']'"},
    {"a: 1\nb: 2\n c: 3\n", "F:3: not YAML: mapping values are not allowed in this context"},
    {"a: 1\nb: \xff\n", "F:2: not YAML: invalid leading UTF-8 octet"},
    {"a: 1\nb: \x01\n", "F:2: not YAML: control characters are not allowed"},
    {"\xff\xfe\x61:", "F:1: not YAML: invalid leading UTF-8 octet"},
    {"[[[[[[[[[[[[[[[[\n[1]]]]]]]]]]]]]]]]]\n", "F:2: nested deeper than 16"},
};

static enum outcome parse(const char *text, size_t len, struct yaml_node **root, struct reason *why)
{
    return yaml_tree_parse("F", span_of(text, len), root, why);
}

static void test_denied(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(denied); i++) {
        struct yaml_node *root = NULL;
        struct reason why = {0};
        enum outcome outcome = parse(denied[i].text, strlen(denied[i].text), &root, &why);
        assert_string_equal(why.detail, denied[i].reason);
        assert_int_equal(outcome, OUTCOME_RULE);
        assert_null(root);
    }
}

static void test_shape(void **state)
{
    (void)state;
    static const char text[] = "# head\n"
                               "name: x\n"
                               "list:\n"
                               "  - one\n"
                               "  - {a/b: \"2\", c: ~}\n"
                               "deep:\n"
                               "  er: |\n"
                               "    line\n"
                               "  empty:\n";
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    struct reason why;
    assert_int_equal(parse(text, strlen(text), &root, &why), OUTCOME_OK);
    assert_int_equal(root->kind, YAML_KIND_MAPPING);
    assert_int_equal(root->n_children, 3);
    assert_int_equal(root->line, 2);
    assert_string_equal(yaml_tree_child(root, "name")->text, "x");
    assert_true(yaml_tree_child(root, "name")->plain);
    assert_null(yaml_tree_child(root, "nam"));
    const struct yaml_node *list = yaml_tree_child(root, "list");
    assert_int_equal(list->kind, YAML_KIND_SEQUENCE);
    assert_int_equal(list->line, 3);
    assert_int_equal(list->last->line, 5);
    const struct yaml_node *odd = yaml_tree_nearest(root, "/list/1/a~1b");
    assert_string_equal(odd->text, "2");
    assert_false(odd->plain);
    assert_string_equal(yaml_tree_nearest(root, "/deep/er")->text, "line\n");
    assert_true(yaml_tree_is_null(yaml_tree_nearest(root, "/deep/empty")));
    assert_true(yaml_tree_is_null(yaml_tree_nearest(root, "/list/1/c")));
    assert_false(yaml_tree_is_null(odd));
    char pointer[REASON_CLAIM_SIZE];
    yaml_tree_pointer(list->last, pointer);
    assert_string_equal(pointer, "/list/1");
    yaml_tree_pointer(odd, pointer);
    assert_string_equal(pointer, "/list/1/a~1b");
    yaml_tree_pointer(root, pointer);
    assert_string_equal(pointer, "");
}

static void test_nearest(void **state)
{
    (void)state;
    static const char text[] = "a:\n  - b: 1\n    c: 2\n  - b: 3\n";
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    struct reason why;
    assert_int_equal(parse(text, strlen(text), &root, &why), OUTCOME_OK);
    assert_int_equal(yaml_tree_nearest(root, "/a/0/c")->line, 3);
    assert_int_equal(yaml_tree_nearest(root, "/a/1/c")->line, 4);
    assert_int_equal(yaml_tree_nearest(root, "/a/2")->line, 1);
    assert_int_equal(yaml_tree_nearest(root, "/x/y")->line, 1);
    assert_ptr_equal(yaml_tree_nearest(root, ""), root);
}

/* Sixteen levels are taken, and many children, and no more. */
static void test_limits(void **state)
{
    (void)state;
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    struct reason why = {0};
    static const char deep[] = "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]";
    assert_int_equal(parse(deep, strlen(deep), &root, &why), OUTCOME_OK);

    for (int extra = 0; extra <= 1; extra++) {
        yaml_tree_clear(&root);
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1 << 20);
        for (int i = 0; i < YAML_CHILDREN_MAX + extra; i++) {
            buffer_put_text(&text, "- 1\n");
        }
        enum outcome outcome = yaml_tree_parse("F", buffer_span(&text), &root, &why);
        assert_int_equal(outcome, extra == 0 ? OUTCOME_OK : OUTCOME_RULE);
    }
    assert_string_equal(why.detail, "F:1025: more than 1024 entries in one place");

    BUFFER_CLEANUP struct buffer large = BUFFER_INIT(1 << 20);
    memset(buffer_extend(&large, YAML_FILE_MAX + 1), '#', YAML_FILE_MAX + 1);
    assert_int_equal(yaml_tree_parse("F", buffer_span(&large), &root, &why), OUTCOME_RULE);
    assert_string_equal(why.detail, "F: larger than 262144 bytes");
}

/* Keys may not draw on the administrator's terminal, nor fill it. */
static void test_shown_keys(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    struct reason why;
    static const char text[] = "\"a\\e[31m\": 1\n\"a\\e[31m\": 2\n";
    assert_int_equal(parse(text, strlen(text), &root, &why), OUTCOME_RULE);
    assert_string_equal(why.detail, "F:2: key \"a?[31m\" is there twice; first in line 1");
    char shown[YAML_SHOWN_SIZE];
    char key[200] = "";
    memset(key, 'k', sizeof key - 1);
    yaml_tree_printable(key, shown);
    assert_int_equal(strlen(shown), YAML_SHOWN_SIZE - 1);
    assert_string_equal(shown + YAML_SHOWN_SIZE - 6, "kk...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denied),     cmocka_unit_test(test_shape),
        cmocka_unit_test(test_nearest),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_shown_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
