/* SPDX-License-Identifier: Apache-2.0
 * Certificates as a stranger may write them: as much of each thing as he likes, signed by nobody.
 */
#ifndef QSEAL_TESTS_UNIT_HOSTILE_CERTIFICATE_H
#define QSEAL_TESTS_UNIT_HOSTILE_CERTIFICATE_H

#include "base/buffer.h"

#include "check.h"

enum { HOSTILE_MAX = 1024 * 1024, HOSTILE_RDN_LEN = 12 };

struct hostile {
    struct span spki;
    size_t issuer_len; /* bytes inside the Name, at least HOSTILE_RDN_LEN; 0: that */
    size_t subject_len;
    size_t points; /* with nameRelativeToCRLIssuer */
    size_t alt_names;
    size_t subtrees;
    size_t others;  /* extensions that nobody knows */
    size_t filling; /* bytes in one more of these */
};

#define HOSTILE_BUFFER(name) BUFFER_CLEANUP struct buffer name = BUFFER_INIT(HOSTILE_MAX)

static inline void hostile_wrap(struct buffer *out, uint8_t tag, const struct buffer *inner)
{
    assert_true(inner->len < 1 << 24 && !inner->failed);
    buffer_put_u8(out, tag);
    if (inner->len >= 0x10000) {
        buffer_put_u8(out, 0x83);
        buffer_put_u8(out, (uint8_t)(inner->len >> 16));
        buffer_put_u16(out, (uint16_t)inner->len);
    } else if (inner->len >= 0x100) {
        buffer_put_u8(out, 0x82);
        buffer_put_u16(out, (uint16_t)inner->len);
    } else {
        if (inner->len >= 0x80) {
            buffer_put_u8(out, 0x81);
        }
        buffer_put_u8(out, (uint8_t)inner->len);
    }
    buffer_put_span(out, buffer_span(inner));
}

#define HOSTILE_PUT(out, text) buffer_put(out, text, sizeof(text) - 1)

static inline void hostile_put_name(struct buffer *out, size_t len)
{
    HOSTILE_BUFFER(name);
    len = len == 0 ? HOSTILE_RDN_LEN : len;
    for (; len >= 2 * (size_t)HOSTILE_RDN_LEN; len -= HOSTILE_RDN_LEN) {
        HOSTILE_PUT(&name, "\x31\x0A\x30\x08\x06\x03\x55\x04\x03\x0C\x01x");
    }
    uint8_t more = (uint8_t)(len - HOSTILE_RDN_LEN);
    const uint8_t last[] = {0x31, 10 + more, 0x30, 8 + more, 6, 3, 0x55, 4, 3, 0x0C, 1 + more};
    buffer_put(&name, last, sizeof last);
    for (size_t i = 0; i < 1U + more; i++) {
        buffer_put_u8(&name, 'x');
    }
    hostile_wrap(out, 0x30, &name);
}

/* `id`: the last byte of an OID under id-ce. */
static inline void hostile_put_extension(struct buffer *out, uint8_t id, const struct buffer *list)
{
    HOSTILE_BUFFER(value);
    HOSTILE_BUFFER(extension);
    const uint8_t oid[] = {6, 3, 0x55, 0x1D, id};
    hostile_wrap(&value, 0x30, list);
    buffer_put(&extension, oid, sizeof oid);
    hostile_wrap(&extension, 4, &value);
    hostile_wrap(out, 0x30, &extension);
}

static inline void hostile_put_list(struct buffer *out, uint8_t id, const char *entry, size_t len,
                                    size_t n)
{
    HOSTILE_BUFFER(list);
    for (size_t i = 0; i < n; i++) {
        buffer_put(&list, entry, len);
    }
    if (n > 0) {
        hostile_put_extension(out, id, &list);
    }
}

static inline void hostile_put_extensions(struct buffer *out, const struct hostile *how)
{
    static const char point[] = "\x30\x0F\xA0\x0D\xA1\x0B\x30\x09\x06\x03\x55\x04\x03\x13\x02xy";
    HOSTILE_BUFFER(list);
    HOSTILE_BUFFER(subtrees);
    HOSTILE_BUFFER(lists);
    hostile_put_list(&list, 0x1F, point, sizeof point - 1, how->points);
    hostile_put_list(&list, 0x11, "\x82\x01x", 3, how->alt_names);
    for (size_t i = 0; i < how->subtrees; i++) {
        HOSTILE_PUT(&subtrees, "\x30\x03\x82\x01y");
    }
    if (how->subtrees > 0) {
        hostile_wrap(&lists, 0xA1, &subtrees);
        hostile_put_extension(&list, 0x1E, &lists);
    }
    for (size_t i = 0; i < how->others; i++) {
        hostile_put_list(&list, (uint8_t)(0x60 + i % 16), "\x05\0", 2, 1);
    }
    hostile_put_list(&list, 0x7F, "x", 1, how->filling);
    if (list.len > 0) {
        HOSTILE_BUFFER(outer);
        hostile_wrap(&outer, 0x30, &list);
        hostile_wrap(out, 0xA3, &outer);
    }
}

static inline void hostile_put(struct buffer *out, const struct hostile *how)
{
    static const char algorithm[] = "\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
    HOSTILE_BUFFER(tbs);
    HOSTILE_BUFFER(certificate);
    HOSTILE_PUT(&tbs, "\xA0\x03\x02\x01\x02\x02\x01\x01");
    buffer_put(&tbs, algorithm, sizeof algorithm - 1);
    hostile_put_name(&tbs, how->issuer_len);
    HOSTILE_PUT(&tbs, "\x30\x1E\x17\x0D"
                      "240101000000Z\x17\x0D"
                      "390101000000Z");
    hostile_put_name(&tbs, how->subject_len);
    buffer_put_span(&tbs, how->spki);
    hostile_put_extensions(&tbs, how);
    hostile_wrap(&certificate, 0x30, &tbs);
    buffer_put(&certificate, algorithm, sizeof algorithm - 1);
    HOSTILE_PUT(&certificate, "\x03\x09\0\x30\x06\x02\x01\x01\x02\x01\x01");
    hostile_wrap(out, 0x30, &certificate);
}

#endif
