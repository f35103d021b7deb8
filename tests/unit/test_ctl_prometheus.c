/* SPDX-License-Identifier: Apache-2.0
 * Metrics, read back by a strict parser of the text exposition format: names, labels and their
 * escapes, one HELP and one TYPE in front of each family, families in one piece, no sample twice.
 */
#include "ctl/prometheus.h"

#include "check.h"
#include "jose/json.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 1 << 20, LINES_MAX = 400, NAME_MAX_LEN = 64 };

struct parsed {
    char *text; /* lines, each ended by a NUL; owned */
    char *lines[LINES_MAX];
    size_t n;
};

static void assert_match(const regex_t *pattern, const char *line)
{
    if (regexec(pattern, line, 0, NULL, 0) != 0) {
        print_error("not of the format: %s\n", line);
    }
    assert_int_equal(regexec(pattern, line, 0, NULL, 0), 0);
}

static void split(struct parsed *parsed, const char *text)
{
    size_t len = strlen(text);
    assert_true(len > 0 && text[len - 1] == '\n');
    parsed->text = strdup(text);
    for (char *at = parsed->text; *at != '\0';) {
        char *end = strchr(at, '\n');
        *end = '\0';
        assert_in_range(parsed->n, 0, LINES_MAX - 1);
        parsed->lines[parsed->n++] = at;
        at = end + 1;
    }
}

/* The family of a line, HELP, TYPE or sample. */
static void family_of(const char *line, char out[NAME_MAX_LEN])
{
    const char *at = line[0] == '#' ? line + strlen("# HELP ") : line;
    size_t len = strcspn(at, " {");
    assert_in_range(len, 1, NAME_MAX_LEN - 1);
    memcpy(out, at, len);
    out[len] = '\0';
}

static void check_order(const struct parsed *parsed)
{
    char now[NAME_MAX_LEN] = "";
    for (size_t i = 0; i < parsed->n; i++) {
        char family[NAME_MAX_LEN];
        family_of(parsed->lines[i], family);
        bool is_help = strncmp(parsed->lines[i], "# HELP ", 7) == 0;
        assert_int_equal(is_help, strcmp(family, now) != 0);
        if (!is_help) {
            continue;
        }
        assert_true(i + 1 < parsed->n);
        assert_int_equal(strncmp(parsed->lines[i + 1], "# TYPE ", 7), 0);
        for (size_t j = 0; j < i; j++) { /* never begun before */
            char other[NAME_MAX_LEN];
            family_of(parsed->lines[j], other);
            assert_string_not_equal(other, family);
        }
        strcpy(now, family);
    }
}

static void check_samples(const struct parsed *parsed)
{
    for (size_t i = 0; i < parsed->n; i++) {
        size_t len = strlen(parsed->lines[i]) - strlen(strrchr(parsed->lines[i], ' '));
        for (size_t j = 0; j < i && parsed->lines[i][0] != '#'; j++) {
            assert_false(strncmp(parsed->lines[i], parsed->lines[j], len) == 0 &&
                         parsed->lines[j][len] == ' ');
        }
    }
}

static void parse(struct parsed *parsed, const char *text)
{
    static const char comment[] =
        "^# (HELP [a-zA-Z_:][a-zA-Z0-9_:]* ([^\\\\]|\\\\\\\\|\\\\n)+|TYPE "
        "[a-zA-Z_:][a-zA-Z0-9_:]*_total counter|TYPE [a-zA-Z_:][a-zA-Z0-9_:]* gauge)$";
#define LABEL "[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\\\\\|\\\\\"|\\\\n)*\""
    static const char sample[] =
        "^[a-zA-Z_:][a-zA-Z0-9_:]*([{]" LABEL "(," LABEL ")*[}])? -?[0-9]+$";
    regex_t comments;
    regex_t samples;
    assert_int_equal(regcomp(&comments, comment, REG_EXTENDED | REG_NOSUB), 0);
    assert_int_equal(regcomp(&samples, sample, REG_EXTENDED | REG_NOSUB), 0);
    *parsed = (struct parsed){.n = 0};
    split(parsed, text);
    for (size_t i = 0; i < parsed->n; i++) {
        assert_match(parsed->lines[i][0] == '#' ? &comments : &samples, parsed->lines[i]);
    }
    check_order(parsed);
    check_samples(parsed);
    regfree(&comments);
    regfree(&samples);
}

static void assert_line(const struct parsed *parsed, const char *line)
{
    size_t found = 0;
    for (size_t i = 0; i < parsed->n; i++) {
        found += strcmp(parsed->lines[i], line) == 0;
    }
    if (found != 1) {
        print_error("%zu times: %s\n", found, line);
    }
    assert_int_equal(found, 1);
}

static const char status_text[] =
    "{\"version\":\"0.1.0\",\"status\":\"degraded\",\"generation\":3,\"keyring_generation\":17,"
    "\"loaded_at\":\"2026-11-21T09:30:00Z\",\"httpd\":\"connected\",\"reload\":{\"at\":"
    "\"2026-11-21T09:40:00Z\",\"refused\":true,\"detail\":\"x\"},\"clock\":{\"trusted\":true},"
    "\"audit\":\"ok\",\"audit_log\":{\"segment\":3,\"records\":170004,\"sealed\":170000,"
    "\"faults\":2,\"unrecorded\":5,\"checkpoint_at\":\"2026-11-21T09:30:00Z\"},"
    "\"warnings\":[],\"tokens\":[{\"name\":\"hsm-a\",\"state\":\"ready\",\"sessions\":8,"
    "\"signatures\":1234567890123},{\"name\":\"hsm-b\",\"state\":\"locked\",\"sessions\":0,"
    "\"signatures\":0}],\"callers\":[{\"name\":\"engine\",\"uid\":1001,\"connections\":2,"
    "\"in_flight\":1,\"asked\":30,\"signed\":20,\"refused\":5},{\"name\":\"\",\"uid\":4294967294,"
    "\"connections\":1,\"in_flight\":0,\"asked\":0,\"signed\":0,\"refused\":0}]}";
static const char keys_text[] =
    "{\"generation\":17,\"keys\":[{\"role\":\"seal\",\"token\":\"hsm-a\",\"kid\":\"-kFy_4\","
    "\"state\":\"active\",\"ends\":{\"certificate\":\"2026-11-21T09:30:00Z\",\"cryptoperiod\":"
    "\"2028-11-21T09:30:00Z\"}},{\"role\":\"a\\\\b\\\"c\\nd\",\"token\":\"hsm-a\",\"kid\":\"k2\","
    "\"state\":\"retired\",\"ends\":{}}]}";

static void put(struct buffer *out, const char *status, const char *keys)
{
    JSON_CLEANUP json_t *status_json = status == NULL ? NULL : json_loads(status, 0, NULL);
    JSON_CLEANUP json_t *keys_json = keys == NULL ? NULL : json_loads(keys, 0, NULL);
    assert_int_equal(status == NULL, status_json == NULL);
    prometheus_put(out, status_json, keys_json);
    assert_true(buffer_ok(out));
}

static void all_that_is_reported_is_there_once(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "qseal_up 1",
        "qseal_info{version=\"0.1.0\"} 1",
        "qseal_health{state=\"ready\"} 0",
        "qseal_health{state=\"degraded\"} 1",
        "qseal_health{state=\"unready\"} 0",
        "qseal_httpd_connected 1",
        "qseal_clock_trusted 1",
        "qseal_audit_ok 1",
        "qseal_audit_records 170004",
        "qseal_audit_sealed_records 170000",
        "# TYPE qseal_audit_faults_total counter",
        "qseal_audit_faults_total 2",
        "qseal_audit_unrecorded 5",
        "qseal_audit_checkpoint_timestamp_seconds 1795253400",
        "qseal_config_generation 3",
        "qseal_config_loaded_seconds 1795253400",
        "qseal_reload_refused 1",
        "qseal_keyring_generation 17",
        "# TYPE qseal_token_state gauge",
        "qseal_token_state{token=\"hsm-a\",state=\"ready\"} 1",
        "qseal_token_state{token=\"hsm-a\",state=\"locked\"} 0",
        "qseal_token_state{token=\"hsm-b\",state=\"locked\"} 1",
        "qseal_token_sessions{token=\"hsm-a\"} 8",
        "# TYPE qseal_token_signatures_total counter",
        "qseal_token_signatures_total{token=\"hsm-a\"} 1234567890123",
        "qseal_caller_connections{caller=\"engine\",uid=\"1001\"} 2",
        "qseal_caller_in_flight{caller=\"engine\",uid=\"1001\"} 1",
        "qseal_caller_requests_total{caller=\"engine\",uid=\"1001\"} 30",
        "qseal_caller_signatures_total{caller=\"engine\",uid=\"1001\"} 20",
        "qseal_caller_refusals_total{caller=\"engine\",uid=\"1001\"} 5",
        "qseal_caller_connections{caller=\"\",uid=\"4294967294\"} 1",
        "qseal_key_state{role=\"seal\",token=\"hsm-a\",kid=\"-kFy_4\",state=\"active\"} 1",
        "qseal_key_state{role=\"a\\\\b\\\"c\\nd\",token=\"hsm-a\",kid=\"k2\",state=\"retired\"} 1",
        "qseal_key_end_seconds{role=\"seal\",token=\"hsm-a\",kid=\"-kFy_4\",what=\"certificate\"} "
        "1795253400",
        "qseal_key_end_seconds{role=\"seal\",token=\"hsm-a\",kid=\"-kFy_4\",what=\"cryptoperiod\"} "
        "1858411800",
    };
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
    struct parsed parsed;
    put(&out, status_text, keys_text);
    parse(&parsed, buffer_text(&out));
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_line(&parsed, lines[i]);
    }
    free(parsed.text);
}

/* One that has failed, one without a checkpoint, and none at all. */
static void a_log_that_is_not_written_is_not_ok(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"audit\":\"failed\",\"audit_log\":{\"records\":7,\"faults\":1,\"unrecorded\":3}}",
        "{\"audit\":\"off\"}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
        struct parsed parsed;
        put(&out, texts[i], "{}");
        parse(&parsed, buffer_text(&out));
        assert_line(&parsed, "qseal_audit_ok 0");
        assert_line(&parsed, i == 0 ? "qseal_audit_records 7" : "qseal_audit_records 0");
        assert_line(&parsed, i == 0 ? "qseal_audit_unrecorded 3" : "qseal_audit_unrecorded 0");
        assert_line(&parsed, "qseal_audit_checkpoint_timestamp_seconds 0");
        free(parsed.text);
    }
}

static void without_an_answer_there_is_only_that(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
    struct parsed parsed;
    put(&out, NULL, NULL);
    parse(&parsed, buffer_text(&out));
    assert_int_equal(parsed.n, 3);
    assert_line(&parsed, "qseal_up 0");
    free(parsed.text);
}

/* Of another version of the service, maybe. */
static void what_is_missing_is_zero_or_not_there(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer out = BUFFER_INIT(TEXT_MAX);
    struct parsed parsed;
    put(&out, "{}", "{}");
    parse(&parsed, buffer_text(&out));
    assert_line(&parsed, "qseal_up 1");
    assert_line(&parsed, "qseal_clock_trusted 0");
    assert_line(&parsed, "qseal_config_loaded_seconds 0");
    free(parsed.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_reported_is_there_once),
        cmocka_unit_test(a_log_that_is_not_written_is_not_ok),
        cmocka_unit_test(without_an_answer_there_is_only_that),
        cmocka_unit_test(what_is_missing_is_zero_or_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
