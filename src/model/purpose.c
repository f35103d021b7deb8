/* SPDX-License-Identifier: Apache-2.0
 * Purposes and the labels that carry them. */
#include "model/purpose.h"

#include "model/tls_scheme.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [PURPOSE_SEAL] = "seal", [PURPOSE_TRANSPORT] = "transport", [PURPOSE_AUDIT] = "audit"};
static_assert(COUNT_OF(names) == PURPOSE_COUNT, "a name for every purpose");

static const char *const key_texts[] = {[PURPOSE_SEAL] = "a seal key",
                                        [PURPOSE_TRANSPORT] = "a transport key",
                                        [PURPOSE_AUDIT] = "an audit key"};
static_assert(COUNT_OF(key_texts) == PURPOSE_COUNT, "a text for every purpose");

static const char label_prefix[] = "qseal:";

const char *purpose_name(enum purpose purpose)
{
    return names[purpose];
}

const char *purpose_key_text(enum purpose purpose)
{
    return key_texts[purpose];
}

bool purpose_from_name(struct span name, enum purpose *out)
{
    for (unsigned int i = 0; i < PURPOSE_COUNT; i++) {
        if (span_is_text(name, names[i])) {
            *out = (enum purpose)i;
            return true;
        }
    }
    return false;
}

bool purpose_is_known(unsigned int number)
{
    return number < PURPOSE_COUNT;
}

bool purpose_alg_fits_key(enum purpose purpose, enum alg alg, enum key_type type)
{
    switch (purpose) {
    case PURPOSE_SEAL:
    case PURPOSE_AUDIT:
        return alg_fits_key(alg, type);
    case PURPOSE_TRANSPORT:
        return tls_alg_fits_key(alg, type, TLS_1_2) || tls_alg_fits_key(alg, type, TLS_1_3);
    }
    return false;
}

void purpose_label(enum purpose purpose, const char *role, char out[LABEL_SIZE])
{
    (void)snprintf(out, LABEL_SIZE, "%s%s:%.*s", label_prefix, names[purpose], ROLE_NAME_MAX, role);
}

bool purpose_from_label(struct span label, enum purpose *out)
{
    size_t prefix = sizeof label_prefix - 1;
    if (!span_equal(span_part(label, 0, prefix), span_of_text(label_prefix))) {
        return false;
    }
    struct span rest = span_part(label, prefix, label.len);
    size_t colon = span_find(rest, ':');
    return colon < rest.len && purpose_from_name(span_part(rest, 0, colon), out);
}
