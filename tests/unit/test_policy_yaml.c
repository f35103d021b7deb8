/* SPDX-License-Identifier: Apache-2.0
 * The walk along a schema: each type taken and refused, with the right line. */
#include "policy/yaml.h"

#include "yaml_file.h"

struct item {
    char *name;
    uint16_t *port;
};

struct everything {
    char *text;
    int8_t number;
    uint32_t count;
    bool flag;
    int colour;
    uint32_t bits;
    double ratio;
    struct item *items;
    uint32_t items_count;
    char *maybe;
};

static const cyaml_schema_field_t item_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct item, name, 2, 8),
    CYAML_FIELD_UINT_PTR("port", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct item, port),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t item = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct item, item_fields),
};
static const cyaml_strval_t colours[] = {{"red", 1}, {"blue", 2}};
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_POINTER, struct everything, text, 1, 16),
    CYAML_FIELD_INT("number", CYAML_FLAG_OPTIONAL, struct everything, number),
    CYAML_FIELD_UINT("count", CYAML_FLAG_OPTIONAL, struct everything, count),
    CYAML_FIELD_BOOL("flag", CYAML_FLAG_OPTIONAL, struct everything, flag),
    CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL, struct everything, colour, colours, 2),
    CYAML_FIELD_FLAGS("bits", CYAML_FLAG_OPTIONAL, struct everything, bits, colours, 2),
    CYAML_FIELD_FLOAT("ratio", CYAML_FLAG_OPTIONAL, struct everything, ratio),
    CYAML_FIELD_SEQUENCE("items", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct everything,
                         items, &item, 1, 2),
    CYAML_FIELD_STRING_PTR("maybe", CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL,
                           struct everything, maybe, 0, 8),
    CYAML_FIELD_IGNORE("free", CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct everything, fields),
};

#define KNOWN "; known here: text, number, count, flag, colour, bits, ratio, items, maybe, free"
#define WHOLE ": a whole number, not negative, is wanted here"

struct denied {
    const char *text;
    const char *reason; /* behind the path */
};

static const struct denied denied[] = {
    {"text: x\nfoo: 1\nflag: true\n", ":2: unknown key \"foo\" at the top" KNOWN},
    {"text: x\nitems:\n  - name: ab\n\n    colour: red\n    port: 1\n",
     ":5: unknown key \"colour\" in /items/0; known here: name, port"},
    {"text: x\nitems:\n  - {name: ab, port: 1}\n  - {name: ab,\n     pin: 4711}\n",
     ":5: unknown key \"pin\" in /items/1; known here: name, port"},
    {"# head\nflag: true\n", ":2: missing key \"text\" at the top" KNOWN},
    {"text: x\nitems:\n  - name: ab\n  - port: 1\n",
     ":4: missing key \"name\" in /items/1; known here: name, port"},
    {"- text\n", ":1: a mapping (name: value) is wanted here"},
    {"text\n", ":1: a mapping (name: value) is wanted here"},
    {"text: [x]\n", ":1: /text: one value is wanted here, not a list or a mapping"},
    {"text:\n", ":1: /text: a text is wanted here, and there is none"},
    {"text: ~\n", ":1: /text: a text is wanted here, and there is none"},
    {"text: ''\n", ":1: /text: a text is wanted here, and there is none"},
    {"text: 12345678901234567\n", ":1: /text: longer than 16 bytes"},
    {"text: x\nitems:\n - name: a\n", ":3: /items/0/name: shorter than 2 bytes"},
    {"text: x\ncount: -1\n", ":2: /count" WHOLE},
    {"text: x\ncount: 0x10\n", ":2: /count" WHOLE},
    {"text: x\ncount: 010\n", ":2: /count" WHOLE},
    {"text: x\ncount: 1_000\n", ":2: /count" WHOLE},
    {"text: x\ncount: '10'\n", ":2: /count" WHOLE},
    {"text: x\ncount: 4294967296\n", ":2: /count" WHOLE},
    {"text: x\ncount: 99999999999999999999\n", ":2: /count" WHOLE},
    {"text: x\ncount:\n", ":2: /count" WHOLE},
    {"text: x\ncount: 10s\n", ":2: /count" WHOLE},
    {"text: x\nitems:\n - {name: ab, port: 65536}\n", ":3: /items/0/port" WHOLE},
    {"text: x\nnumber: 128\n", ":2: /number: a whole number is wanted here"},
    {"text: x\nnumber: -129\n", ":2: /number: a whole number is wanted here"},
    {"text: x\nnumber: --1\n", ":2: /number: a whole number is wanted here"},
    {"text: x\nflag: yes\n", ":2: /flag: true or false is wanted here"},
    {"text: x\nflag: flase\n", ":2: /flag: true or false is wanted here"},
    {"text: x\nflag: 'true'\n", ":2: /flag: true or false is wanted here"},
    {"text: x\nratio: nan\n", ":2: /ratio: a number is wanted here"},
    {"text: x\nratio: 1.5x\n", ":2: /ratio: a number is wanted here"},
    {"text: x\nratio:\n", ":2: /ratio: a number is wanted here"},
    {"text: x\ncolour: green\n", ":2: /colour: one of these is wanted here: red, blue"},
    {"text: x\ncolour: 1\n", ":2: /colour: one of these is wanted here: red, blue"},
    {"text: x\nbits: red\n", ":2: /bits: a list is wanted here"},
    {"text: x\nbits: [red,\n  green]\n", ":3: /bits/1: one of these is wanted here: red, blue"},
    {"text: x\nbits: [[red]]\n", ":2: /bits/0: one value is wanted here, not a list or a mapping"},
    {"text: x\nbits: [red, red, red]\n", ":2: /bits: more than 2 entries in this list"},
    {"text: x\nitems: []\n", ":2: /items: fewer than 1 entries in this list"},
    {"text: x\nitems: {a: 1}\n", ":2: /items: a list is wanted here"},
    {"text: x\nitems:\n - [1]\n", ":3: /items/0: a mapping (name: value) is wanted here"},
    {"text: x\ntext: y\n", ":2: key \"text\" is there twice; first in line 1"},
    {"text: &a x\n", ":1: anchors (&name) are not taken; write the value out"},
};

static void test_denied(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(denied); i++) {
        YAML_FILE_CLEANUP struct yaml_file file =
            yaml_file_write(denied[i].text, strlen(denied[i].text));
        struct reason why = {0};
        void *out = NULL;
        enum outcome outcome = yaml_load(file.path, &schema, NULL, &out, &why);
        assert_reason(why.detail, &file, denied[i].reason);
        assert_int_equal(outcome, OUTCOME_RULE);
        assert_null(out);
    }
}

static void test_all_types(void **state)
{
    (void)state;
    static const char text[] = "---\ntext: \"10\"\nnumber: -128\ncount: 4294967295\nflag: true\n"
                               "colour: blue\nbits: [blue, red]\nratio: 1.5\nmaybe: null\n"
                               "items: [{name: ab, port: 65535}, {name: abcdefgh}]\n"
                               "free: {any: [thing, {at: all}]}\n";
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(text, strlen(text));
    struct reason why = {0};
    void *out = NULL;
    assert_int_equal(yaml_load(file.path, &schema, NULL, &out, &why), OUTCOME_OK);
    const struct everything *all = out;
    assert_string_equal(all->text, "10");
    assert_int_equal(all->number, -128);
    assert_int_equal(all->count, UINT32_MAX);
    assert_true(all->flag);
    assert_int_equal(all->colour, 2);
    assert_int_equal(all->bits, 3);
    assert_true(all->ratio > 1.4 && all->ratio < 1.6);
    assert_int_equal(all->items_count, 2);
    assert_int_equal(*all->items[0].port, 65535);
    assert_null(all->items[1].port);
    assert_string_equal(all->items[1].name, "abcdefgh");
    yaml_unload(&schema, out);
    yaml_unload(&schema, NULL);
}

static void test_least(void **state)
{
    (void)state;
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write("text: no", 8);
    struct reason why = {0};
    void *out = NULL;
    assert_int_equal(yaml_load(file.path, &schema, NULL, &out, &why), OUTCOME_OK);
    const struct everything *all = out;
    assert_string_equal(all->text, "no");
    assert_null(all->items);
    yaml_unload(&schema, out);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct reason why = {0};
    void *out = NULL;
    assert_int_equal(yaml_load("/nonexistent/a.yaml", &schema, NULL, &out, &why), OUTCOME_RULE);
    assert_string_equal(why.detail,
                        "/nonexistent/a.yaml: cannot be read: No such file or directory");
    assert_int_equal(yaml_load("/", &schema, NULL, &out, &why), OUTCOME_RULE);
    assert_string_equal(why.detail, "/: cannot be read: Is a directory");
    assert_int_equal(yaml_load("/dev/zero", &schema, NULL, &out, &why), OUTCOME_RULE);
    assert_string_equal(why.detail, "/dev/zero: larger than 262144 bytes");
    assert_int_equal(yaml_load("/dev/null", &schema, NULL, &out, &why), OUTCOME_RULE);
    assert_string_equal(why.detail, "/dev/null:1: the file is empty");
    assert_int_equal(yaml_refuse(&why, "/nonexistent/a.yaml", "/a", "no good"), OUTCOME_RULE);
    assert_string_equal(why.detail, "/nonexistent/a.yaml: no good");
}

static void test_lines(void **state)
{
    (void)state;
    static const char text[] = "a: 1\nb:\n  - c: 1\n    d: 2\n";
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(text, strlen(text));
    struct reason why = {0};
    assert_int_equal(yaml_refuse(&why, file.path, "/b/0/d", "no %s", "good"), OUTCOME_RULE);
    assert_reason(why.detail, &file, ":4: no good");
    assert_int_equal(yaml_refuse(&why, file.path, "/b/0/none", "no good"), OUTCOME_RULE);
    assert_reason(why.detail, &file, ":3: no good");
    assert_string_equal(why.claim, "");
    /* A long path loses its beginning, never the reason. */
    char path[1000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    (void)yaml_refuse(&why, path, "", "no good");
    assert_non_null(strstr(why.detail, "x: no good"));
}

/* A value beside a wrong one, or the wrong one itself, never reaches the reason. */
static void test_no_echo(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "text: x\ncount: 4711-pin\n",
        "text: x\nflag: 4711-pin\n",
        "text: x\ncolour: 4711-pin\n",
        "text: x\npin: 4711-pin\n",
        "text: 4711-pin-too-long-by-far\n",
        "text: x\nratio: 4711-pin\n",
        "pin: '4711-pin\n",
        "pin: [4711-pin\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(texts[i], strlen(texts[i]));
        struct reason why = {0};
        void *out = NULL;
        assert_int_equal(yaml_load(file.path, &schema, NULL, &out, &why), OUTCOME_RULE);
        assert_null(strstr(why.detail, "4711"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denied), cmocka_unit_test(test_all_types),
        cmocka_unit_test(test_least),  cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_no_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
