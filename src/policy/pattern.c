/* SPDX-License-Identifier: Apache-2.0
 * Patterns: measured before regcomp(3) sees them, since it expands repetitions and would take all
 * memory for a few characters of text. */
#include "policy/pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    char *text;
    regex_t regex;
    bool is_set;       /* "[…]+": a table answers, ten times as fast as regexec(3) */
    bool allowed[256]; /* by byte, when is_set */
};

struct measure {
    const char *at;
    unsigned int depth;
    const char *wrong;
};

static size_t measure_branches(struct measure *m);

static void bad(struct measure *m, const char *wrong)
{
    m->wrong = m->wrong == NULL ? wrong : m->wrong;
}

static bool is_repetition(char c)
{
    return c != '\0' && strchr("*+?{", c) != NULL;
}

/* "[…]". The patterns that callers see are published as JSON Schema, whose dialect is another one:
 * what the two read differently inside brackets does not exist here, which costs nobody anything.
 */
static void measure_bracket(struct measure *m)
{
    m->at += m->at[1] == '^' ? 2 : 1;
    if (*m->at == ']') {
        bad(m, "a bracket holds nothing");
        return;
    }
    while (*m->at != '\0' && *m->at != ']') {
        if (m->at[0] == '[' && m->at[1] != '\0' && strchr(":.=", m->at[1]) != NULL) {
            bad(m, "classes such as [:alnum:] are unknown to JSON Schema; write the characters");
            return;
        }
        if (m->at[0] == '\\') {
            bad(m, "no backslash may stand inside brackets");
            return;
        }
        m->at++;
    }
    if (*m->at == '\0') {
        bad(m, "a bracket is not closed");
        return;
    }
    m->at++;
}

static size_t measure_atom(struct measure *m)
{
    switch (*m->at) {
    case '(':
        m->at++;
        m->depth++;
        if (m->depth > PATTERN_DEPTH_MAX) {
            bad(m, "groups are nested too deeply");
            return 1;
        }
        size_t size = measure_branches(m);
        m->depth--;
        if (*m->at != ')') {
            bad(m, "a group is not closed");
            return 1;
        }
        m->at++;
        return size;
    case '[':
        measure_bracket(m);
        return 1;
    case '\\':
        if (m->at[1] == '\0' || !ispunct((unsigned char)m->at[1])) {
            bad(m, "a backslash may stand before punctuation only (no back-references)");
            return 1;
        }
        m->at += 2;
        return 1;
    default:
        if (is_repetition(*m->at)) {
            bad(m, "a repetition stands behind nothing");
            return 1;
        }
        m->at++;
        return 1;
    }
}

/* Copies that "{m}", "{m,}" or "{m,n}" makes: the largest number, and
 * one more where the end is open. */
static size_t measure_count(struct measure *m)
{
    size_t largest = 1;
    m->at++;
    while (*m->at != '}') {
        if (*m->at == ',') {
            m->at++;
            continue;
        }
        if (!isdigit((unsigned char)*m->at)) {
            bad(m, "a repetition count is not a number");
            return 1;
        }
        char *end = NULL;
        unsigned long count = strtoul(m->at, &end, 10);
        m->at = end;
        if (count > RE_DUP_MAX || count > PATTERN_EXPANDED_MAX) {
            bad(m, "a repetition count is too large");
            return 1;
        }
        largest = count > largest ? count : largest;
    }
    bool is_open = m->at[-1] == ',';
    m->at++;
    return is_open ? largest + 1 : largest;
}

/* Copies of its atom that a repetition makes: regcomp(3) writes "a+" as "aa*". */
static size_t measure_repetition(struct measure *m)
{
    if (*m->at == '{') {
        return measure_count(m);
    }
    return *m->at++ == '+' ? 2 : 1;
}

static size_t measure_piece(struct measure *m)
{
    size_t size = measure_atom(m);
    if (m->wrong != NULL || !is_repetition(*m->at)) {
        return size;
    }
    size = size * measure_repetition(m) + 1;
    if (size > PATTERN_EXPANDED_MAX) {
        bad(m, "its repetitions expand to too much");
    }
    if (is_repetition(*m->at)) {
        bad(m, "a repetition stands behind a repetition, which JSON Schema reads otherwise");
    }
    return size;
}

static size_t measure_branches(struct measure *m)
{
    size_t size = 1;
    while (m->wrong == NULL && *m->at != '\0' && *m->at != ')') {
        if (*m->at == '|') {
            m->at++;
            continue;
        }
        size += measure_piece(m);
        if (size > PATTERN_EXPANDED_MAX) {
            bad(m, "its repetitions expand to too much");
        }
    }
    return size;
}

static const char *measure_text(const char *text)
{
    if (strlen(text) > PATTERN_LEN_MAX) {
        return "it is longer than 256 characters";
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < 0x20 || *at > 0x7e) {
            return "it may hold printable ASCII only";
        }
    }
    struct measure m = {.at = text};
    (void)measure_branches(&m);
    if (m.wrong == NULL && *m.at != '\0') {
        bad(&m, "a group is closed that was not opened");
    }
    return m.wrong;
}

/* One bracket and "+", nothing else. The compiled expression itself fills the table. */
static void fill_set(struct pattern *pattern)
{
    struct measure m = {.at = pattern->text};
    if (*m.at != '[') {
        return;
    }
    measure_bracket(&m);
    if (m.wrong != NULL || strcmp(m.at, "+") != 0) {
        return;
    }
    pattern->is_set = true;
    for (unsigned int c = 1; c < 256; c++) {
        char one[] = {(char)c, '\0'};
        pattern->allowed[c] = regexec(&pattern->regex, one, 0, NULL, 0) == 0;
    }
}

const char *pattern_compile(const char *text, struct pattern **out)
{
    const char *wrong = measure_text(text);
    if (wrong != NULL) {
        return wrong;
    }
    struct pattern *pattern = calloc(1, sizeof *pattern);
    char anchored[PATTERN_LEN_MAX + 5];
    (void)snprintf(anchored, sizeof anchored, "^(%s)$", text);
    if (pattern == NULL || (pattern->text = strdup(text)) == NULL) {
        free(pattern);
        return "there is no memory for it";
    }
    if (regcomp(&pattern->regex, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
        free(pattern->text);
        free(pattern);
        return "it is not a POSIX extended regular expression";
    }
    fill_set(pattern);
    *out = pattern;
    return NULL;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL) {
        return;
    }
    regfree(&pattern->regex);
    free(pattern->text);
    free(pattern);
}

bool pattern_matches(const struct pattern *pattern, const char *text)
{
    if (!pattern->is_set) {
        return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
    }
    const char *at = text;
    while (pattern->allowed[(unsigned char)*at]) {
        at++;
    }
    return at > text && *at == '\0';
}

const char *pattern_text(const struct pattern *pattern)
{
    return pattern->text;
}
