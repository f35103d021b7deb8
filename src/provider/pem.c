/* SPDX-License-Identifier: Apache-2.0
 * A line at a time. */
#include "provider/pem.h"

#include <stdlib.h>
#include <string.h>

static struct span without_end(struct span line)
{
    while (line.len > 0 && memchr(" \t\r\n", line.data[line.len - 1], 4) != NULL) {
        line.len--;
    }
    return line;
}

static bool starts_with(struct span line, const char *text)
{
    return span_is_text(span_part(line, 0, strlen(text)), text);
}

/* "-----BEGIN label-----" */
static bool is_border(struct span line, const char *kind, const char *label)
{
    size_t at = strlen(kind);
    size_t len = strlen(label);
    return starts_with(line, kind) && span_is_text(span_part(line, at, len), label) &&
           span_is_text(span_part(line, at + len, line.len), "-----");
}

static int value_of(uint8_t c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == 0 ? NULL : strchr(alphabet, c);
    return at == NULL ? -1 : (int)(at - alphabet);
}

/* A whole group of four; what padding leaves over must be zero (RFC 4648 §3.5). */
static bool put_group(struct pem *pem)
{
    size_t bytes = 3 - pem->padding;
    if (pem->der_len + bytes > PEM_MAX_DER || (pem->bits & (pem->padding == 2   ? 0xffff
                                                            : pem->padding == 1 ? 0xff
                                                                                : 0)) != 0) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        pem->der[pem->der_len++] = (uint8_t)(pem->bits >> (16 - 8 * i));
    }
    pem->is_closed = pem->padding > 0;
    pem->characters = 0;
    pem->bits = 0;
    return true;
}

static bool put_character(struct pem *pem, uint8_t c)
{
    int value = c == '=' ? 0 : value_of(c);
    if (value < 0 || pem->is_closed || (c != '=' && pem->padding > 0) ||
        (c == '=' && pem->characters < 2)) {
        return false;
    }
    pem->padding += c == '=' ? 1 : 0;
    pem->bits = pem->bits << 6 | (uint32_t)value;
    pem->characters++;
    return pem->characters < 4 || put_group(pem);
}

static enum pem_step read_inside(struct pem *pem, const char *label, struct span line)
{
    if (is_border(line, "-----END ", label)) {
        pem->is_inside = false;
        return pem->characters == 0 && pem->der_len > 0 ? PEM_DONE : PEM_BROKEN;
    }
    for (size_t i = 0; i < line.len; i++) {
        if (!put_character(pem, line.data[i])) {
            return PEM_BROKEN;
        }
    }
    return PEM_MORE;
}

enum pem_step pem_line(struct pem *pem, const char *label, struct span line)
{
    line = without_end(line);
    if (pem->is_inside) {
        return read_inside(pem, label, line);
    }
    if (!is_border(line, "-----BEGIN ", label)) {
        return starts_with(line, "-----BEGIN ") ? PEM_OTHER : PEM_MORE;
    }
    pem_reset(pem);
    pem->der = malloc(PEM_MAX_DER);
    pem->is_inside = true;
    return pem->der == NULL ? PEM_BROKEN : PEM_MORE;
}

void pem_reset(struct pem *pem)
{
    free(pem->der);
    *pem = (struct pem){.der = NULL};
}
