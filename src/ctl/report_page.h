/* SPDX-License-Identifier: Apache-2.0
 * The register as a page for an auditor. */
#ifndef QSEAL_CTL_REPORT_PAGE_H
#define QSEAL_CTL_REPORT_PAGE_H

#include "base/buffer.h"

#include <jansson.h>

enum { REPORT_DAYS = 90 /* certificates that end within so many days are shown first */ };

/* What stands at its top. */
struct report_summary {
    size_t keys;
    size_t live;      /* neither retired, destroyed nor compromised */
    size_t ending;    /* live, with a certificate that ends within REPORT_DAYS */
    size_t ended;     /* live, with one that has ended */
    size_t no_backup; /* live, without a record of a backup */
    size_t warned;    /* live, with a certificate that somebody should look at */
};

/* All of it is from the register (docs/report.md), which was made printable (printable.h). */
void report_summarize(const json_t *report, struct report_summary *out);
/* Appends one HTML document that is also XML: no scripts, nothing from elsewhere, for A4 too. */
void report_put_page(const json_t *report, struct buffer *out);

/* Parts of it, report_page_keys.c. */
void report_put_keys(const json_t *report, struct buffer *out);
/* Whether the key may still do anything, and when its certificate ends; false: it has none. */
bool report_key_is_live(const json_t *key);
bool report_key_ends(const json_t *key, int64_t *at) MUST_USE;
/* What keys of the purpose of this name are for. */
const char *report_purpose_text(const char *purpose);
int64_t report_made_at(const json_t *report);

/* A member as text, "" when there is none; numbers in digits, times without letters. */
void report_put_member(const json_t *object, const char *member, struct buffer *out);
/* <tag class="…">member</tag>, of which the class may be NULL. */
void report_put_cell(const char *tag, const char *class, const json_t *object, const char *member,
                     struct buffer *out);
/* The strings of a list with commas between them, "none" when it is empty. */
void report_put_list(const json_t *list, struct buffer *out);

#endif
