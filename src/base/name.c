/* SPDX-License-Identifier: Apache-2.0
 * Names. */
#include "base/name.h"

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool name_is_valid(struct span name)
{
    if (name.len == 0 || name.len > NAME_LEN_MAX || name.data[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte(name.data[i])) {
            return false;
        }
    }
    return true;
}
