/* SPDX-License-Identifier: Apache-2.0
 * Status line and header fields. */
#include "client/response.h"

#include <string.h>
#include <strings.h>

size_t response_head_end(const char *text, size_t len)
{
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - text) + 4;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* tchar, RFC 9110 §5.6.2 */
static bool is_token_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_field_char(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

static bool read_status(const char *line, struct response *out)
{
    static const char version[] = "HTTP/1.1 ";
    enum { AT = sizeof(version) - 1 };
    if (strncmp(line, version, AT) != 0 || !is_digit(line[AT]) || !is_digit(line[AT + 1]) ||
        !is_digit(line[AT + 2]) || (line[AT + 3] != ' ' && line[AT + 3] != '\0')) {
        return false;
    }
    out->status = (unsigned int)(line[AT] - '0') * 100 + (unsigned int)(line[AT + 1] - '0') * 10 +
                  (unsigned int)(line[AT + 2] - '0');
    return out->status >= 200 && out->status <= 599;
}

static bool read_field(char *line, struct qseal_header *out)
{
    char *colon = line;
    while (is_token_char(*colon)) {
        colon++;
    }
    if (colon == line || *colon != ':') {
        return false;
    }
    *colon = '\0';
    char *value = colon + 1;
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        value[--len] = '\0';
    }
    *out = (struct qseal_header){.name = line, .value = value};
    return true;
}

/* Content-Length = 1*DIGIT (RFC 9110 §8.6). */
static bool read_length(const char *value, size_t *out)
{
    size_t length = 0;
    for (const char *at = value; *at != '\0'; at++) {
        if (!is_digit(*at) || length > QSEAL_MAX_ANSWER) {
            return false;
        }
        length = length * 10 + (size_t)(*at - '0');
    }
    *out = length;
    return *value != '\0' && length <= QSEAL_MAX_ANSWER;
}

static bool read_framing(struct response *out, const char **why)
{
    size_t lengths = 0;
    for (size_t i = 0; i < out->header_count; i++) {
        const struct qseal_header *header = &out->headers[i];
        if (strcasecmp(header->name, "Transfer-Encoding") == 0) {
            *why = "the answer has a transfer coding";
            return false;
        }
        if (strcasecmp(header->name, "Content-Length") == 0) {
            if (!read_length(header->value, &out->body_len)) {
                *why = "the answer's Content-Length is no number or too large";
                return false;
            }
            lengths++;
        }
    }
    if (lengths != 1) {
        *why = "the answer has not exactly one Content-Length";
    }
    return lengths == 1;
}

/* Ends each line with a NUL in place of its CRLF; other control characters are none of HTTP's. */
static bool end_lines(char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (text[i] == '\r' && text[i + 1] == '\n') {
            text[i++] = '\0';
        } else if (!is_field_char(text[i])) {
            return false;
        }
    }
    return true;
}

bool response_read(char *text, size_t len, struct response *out, const char **why)
{
    *out = (struct response){.head_len = len};
    *why = "the answer is not HTTP/1.1";
    if (!end_lines(text, len) || !read_status(text, out)) {
        return false;
    }
    char *line = text + strlen(text) + 2;
    while (*line != '\0') {
        if (out->header_count == RESPONSE_MAX_HEADERS) {
            *why = "the answer has too many header fields";
            return false;
        }
        char *next = line + strlen(line) + 2;
        if (!read_field(line, &out->headers[out->header_count])) {
            *why = "the answer has a malformed header field";
            return false;
        }
        out->header_count++;
        line = next;
    }
    return read_framing(out, why);
}
