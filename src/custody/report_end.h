/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what time does, as JSON: the ends of keys, and the clock itself. */
#ifndef QSEAL_CUSTODY_REPORT_END_H
#define QSEAL_CUSTODY_REPORT_END_H

#include "audit/audit.h"
#include "base/buffer.h"
#include "signing/view.h"
#include "signing/watch.h"

/* "clock":{"trusted":true}, or {"trusted":false,"from":…,"to":…} with what it jumped from and to.
 */
void report_clock(struct buffer *out, struct clock_guard *clock);
/* "warnings":[{"role","token","kid","what":"certificate|cryptoperiod","ends","detail"}] of keys
 * that near their end or are past it, none of these while the clock is not believed; and before
 * them that of the audit log. */
void report_warnings(struct buffer *out, const struct view *view, struct clock_guard *clock,
                     struct audit *audit);
/* "ends":{"certificate":…,"cryptoperiod":…} of a key of the view, those it has. */
void report_ends(struct buffer *out, const struct view *view, const struct key *key);

#endif
