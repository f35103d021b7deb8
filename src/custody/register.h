/* SPDX-License-Identifier: Apache-2.0
 * The register: everything an auditor asks of keys, certificates and storing devices, as JSON by
 * docs/report.schema.json. It is given in pages, since a keyring may be long. */
#ifndef QSEAL_CUSTODY_REGISTER_H
#define QSEAL_CUSTODY_REGISTER_H

#include "custody/report.h"

/* "qseal-register/N": N grows when a member goes or changes its meaning, not when one is added. */
#define REGISTER_SCHEMA "qseal-register/1"

/* A page, in bytes; the last key of one may be behind it. */
enum { REGISTER_PAGE = 256 * 1024 };

/* Appends one page: of the first everything but the keys, and of each the keys from this index on
 * until `room` bytes are used, with the index of the next page as "next", or null. */
void register_put(struct buffer *out, const struct view *view, struct watch *watch, size_t first,
                  size_t room, int64_t now);

#endif
