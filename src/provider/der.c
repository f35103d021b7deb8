/* SPDX-License-Identifier: Apache-2.0
 * Tag, length, content. */
#include "provider/der.h"

/* X.690 §10.1: the shortest form; *used is how many bytes it takes. */
static bool read_length(struct span in, size_t *length, size_t *used)
{
    if (in.len < 1) {
        return false;
    }
    if (in.data[0] < 0x80) {
        *length = in.data[0];
        *used = 1;
        return true;
    }
    if (in.data[0] == 0x81 && in.len >= 2 && in.data[1] >= 0x80) {
        *length = in.data[1];
        *used = 2;
        return true;
    }
    if (in.data[0] == 0x82 && in.len >= 3 && in.data[1] != 0) {
        *length = (size_t)in.data[1] << 8 | in.data[2];
        *used = 3;
        return true;
    }
    return false;
}

bool der_take(struct span *in, enum der_tag tag, struct span *out)
{
    size_t length;
    size_t used;
    if (in->len < 1 || in->data[0] != tag ||
        !read_length(span_part(*in, 1, in->len), &length, &used) || in->len - 1 - used < length) {
        return false;
    }
    *out = span_part(*in, 1 + used, length);
    *in = span_part(*in, 1 + used + length, in->len);
    return true;
}

bool der_take_positive(struct span *in, struct span *out)
{
    if (!der_take(in, DER_INTEGER, out) || out->len == 0 || out->data[0] >= 0x80) {
        return false;
    }
    if (out->data[0] == 0) {
        *out = span_part(*out, 1, out->len);
        return out->len > 0 && out->data[0] >= 0x80;
    }
    return true;
}
