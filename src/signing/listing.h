/* SPDX-License-Identifier: Apache-2.0
 * The reading doors of a caller: health, profiles and keys, as JSON text. */
#ifndef QSEAL_SIGNING_LISTING_H
#define QSEAL_SIGNING_LISTING_H

#include "audit/audit.h"
#include "base/buffer.h"
#include "policy/config.h"
#include "signing/view.h"
#include "signing/watch.h"

enum health { HEALTH_READY, HEALTH_DEGRADED, HEALTH_UNREADY };

/* Ready: every role that a profile uses or that is for handshakes has an active key on each of its
 * tokens that may still sign, and these are up. Degraded: something can be signed. */
enum health listing_health(const struct view *view, struct watch *watch, struct audit *audit);
const char *health_name(enum health health);
/* {"status","tokens":[{"name","state"}],"clock","audit"}, the latter "ok", "off" or "failed", and
 * then "audit_detail" */
void listing_put_health(struct buffer *out, const struct view *view, struct watch *watch,
                        struct audit *audit, enum health health);
/* {"profiles":[…]} that this caller is granted. */
void listing_put_profiles(struct buffer *out, const struct view *view,
                          const struct config_caller *caller);
/* {"keys":[…]} of the roles its profiles use and of those granted to it for handshakes, in whatever
 * state they are, but for destroyed ones. */
void listing_put_keys(struct buffer *out, const struct view *view,
                      const struct config_caller *caller);

#endif
