/* SPDX-License-Identifier: Apache-2.0
 * The names of the rules of a JWS, as answers have them. */
#include "verify/parts.h"

#include <string.h>

const char *rule_of_jws(const struct reason *why)
{
    static const char *const names[] = {"malformed", "alg", "key", "crit", "signature"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t len = strlen(names[i]);
        if (strncmp(why->detail, names[i], len) == 0 && why->detail[len] == ':') {
            return names[i];
        }
    }
    return NULL;
}
