/* SPDX-License-Identifier: Apache-2.0
 * Owned texts made at load time. */
#include "policy/compiled.h"

#include "jose/json.h"
#include "policy/pointer.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256 * 1024 };

char *text_steal(struct buffer *buffer)
{
    bool ok = buffer_ok(buffer);
    char *text = ok ? strdup(buffer_text(buffer)) : NULL;
    buffer_fini(buffer);
    return text;
}

char *text_pointer(const char *name)
{
    char pointer[REASON_CLAIM_SIZE];
    (void)pointer_step(pointer, "", name);
    return strdup(pointer);
}

char *text_key(const char *name)
{
    struct buffer out = BUFFER_INIT(TEXT_MAX);
    json_put_string(&out, span_of_text(name));
    buffer_put_u8(&out, ':');
    return text_steal(&out);
}

char *text_json(const json_t *value)
{
    struct buffer out = BUFFER_INIT(TEXT_MAX);
    json_put(&out, value);
    return text_steal(&out);
}
