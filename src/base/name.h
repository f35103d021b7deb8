/* SPDX-License-Identifier: Apache-2.0
 * The names that people give: of profiles, templates, roles and tokens. They stand in paths, file
 * names and URIs as they are. */
#ifndef QSEAL_BASE_NAME_H
#define QSEAL_BASE_NAME_H

#include "base/attributes.h"
#include "base/span.h"

enum { NAME_LEN_MAX = 63 };

/* 1 to 63 of a-z 0-9 - _ . and no dot in front. */
bool name_is_valid(struct span name) MUST_USE;

#endif
