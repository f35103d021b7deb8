/* SPDX-License-Identifier: Apache-2.0
 * Inside src/jose only: what a value of a flat text is. */
#ifndef QSEAL_JOSE_JSON_FLAT_PARTS_H
#define QSEAL_JOSE_JSON_FLAT_PARTS_H

#include "jose/json_flat.h"

enum flat_type { FLAT_OBJECT, FLAT_ARRAY, FLAT_STRING, FLAT_INTEGER, FLAT_OTHER };

/* Small, since there are some hundred of them for each key of a keyring. The names of members are
 * strings in front of their values. */
struct json_flat {
    union {
        const uint8_t *text; /* of a string */
        int64_t integer;
        size_t places; /* of a container: how many places it takes with all that is inside */
    } is;
    unsigned int type : 4;  /* enum flat_type */
    unsigned int size : 28; /* bytes of a string, members, elements */
};

/* Reads the string whose opening quote is in front of *at, up to and with its closing one. What is
 * written with escapes goes to *room, which has as much of it as the text is long; anything else
 * stays where it is. False when it is no string. */
bool flat_take_string(const uint8_t **at, const uint8_t *end, uint8_t **room,
                      struct json_flat *out) MUST_USE;
/* Reads the number that begins at *at. False when it is none, or out of json_parse_own()'s bounds.
 */
bool flat_take_number(const uint8_t **at, const uint8_t *end, struct json_flat *out) MUST_USE;

#endif
