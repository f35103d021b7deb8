/* SPDX-License-Identifier: Apache-2.0
 * Which characters a terminal may get. */
#include "ctl/printable.h"

#include <string.h>

enum { PRINTABLE_MAX = 4 * 1024 * 1024, NO_CHARACTER = 0xFFFFFFFF };

struct range {
    uint32_t first, last;
};

static const struct range hidden[] = {
    {0x0000, 0x001F},   /* control characters: C0, */
    {0x007F, 0x009F},   /* DEL and C1 */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x034F, 0x034F},   /* combining grapheme joiner */
    {0x061C, 0x061C},   /* Arabic letter mark */
    {0x115F, 0x1160},   /* fillers */
    {0x17B4, 0x17B5},   /* invisible vowels */
    {0x180B, 0x180F},   /* Mongolian variation selectors and separator */
    {0x200B, 0x200F},   /* of no width, and directional marks */
    {0x2028, 0x202E},   /* line ends, embeddings and overrides */
    {0x2060, 0x206F},   /* invisible operators, isolates */
    {0x3164, 0x3164},   /* filler */
    {0xFE00, 0xFE0F},   /* variation selectors */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFA0, 0xFFA0},   /* filler */
    {0xFFF0, 0xFFFF},   /* interlinear marks, no characters */
    {0x1D173, 0x1D17A}, /* of musical notation */
    {0xE0000, 0xE0FFF}, /* tags, variation selectors */
};

static bool is_hidden(uint32_t c)
{
    for (size_t i = 0; i < COUNT_OF(hidden); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last) {
            return true;
        }
    }
    return false;
}

static size_t length_of(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first < 0xE0) {
        return 2;
    }
    if (first >= 0xE0 && first < 0xF0) {
        return 3;
    }
    return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/* RFC 3629 §3. The length of the character at the beginning of the text, with its number;
 * NO_CHARACTER and 1 when none is there. */
static size_t next_character(const char *text, uint32_t *number)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)text[0];
    size_t len = length_of(first);
    *number = NO_CHARACTER;
    if (len <= 1) {
        *number = len == 1 ? first : NO_CHARACTER;
        return 1;
    }
    uint32_t c = first & (0xFFU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        uint8_t byte = (uint8_t)text[i]; /* the NUL at the end is none of these */
        if ((byte & 0xC0) != 0x80) {
            return 1;
        }
        c = c << 6 | (byte & 0x3F);
    }
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        return 1;
    }
    *number = c;
    return len;
}

static void put(struct buffer *out, const char *text, const char *kept)
{
    while (*text != '\0') {
        uint32_t c;
        size_t len = next_character(text, &c);
        if (c == NO_CHARACTER) {
            buffer_put_text(out, "?");
        } else if (is_hidden(c) && (c > 0x7F || strchr(kept, (int)c) == NULL)) {
            buffer_put_format(out, "<U+%04X>", c);
        } else {
            buffer_put(out, text, len);
        }
        text += len;
    }
}

void printable_put(struct buffer *out, const char *text)
{
    put(out, text, "");
}

static bool make_string(json_t *value, const char *kept)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(PRINTABLE_MAX);
    put(&text, json_string_value(value), kept);
    return buffer_ok(&text) && json_string_set(value, buffer_text(&text)) == 0;
}

/* As deep as the answer was nested when it was parsed. */
static bool make(json_t *value, const char *kept)
{
    const char *name;
    json_t *item;
    size_t i;
    bool good = true;
    if (json_is_string(value)) {
        return make_string(value, kept);
    }
    json_object_foreach (value, name, item) {
        good = make(item, strcmp(name, "pem") == 0 ? "\n" : "") && good;
    }
    json_array_foreach (value, i, item) {
        good = make(item, kept) && good;
    }
    return good;
}

bool printable_make(json_t *value)
{
    return make(value, "");
}
