/* SPDX-License-Identifier: Apache-2.0
 * Which names of a refused claim are ours, and may therefore stand in a log: a caller chooses the
 * others. */
#include "policy/compiled.h"
#include "policy/kinds.h"
#include "policy/template_check.h"

#include <string.h>

bool profile_knows_claim(const struct profile *profile, const char *name)
{
    const struct template_body *body = profile->template->body;
    for (size_t i = 0; i < profile->n_claims; i++) {
        const struct claim *claim = &profile->claims[i];
        if (strcmp(claim->name, name) == 0 ||
            (claim->from != NULL && strcmp(claim->from, name) == 0)) {
            return true;
        }
    }
    return name_is_service_set(name) || kinds_body_member_is_refused(name) ||
           (profile->shorthand.name != NULL && strcmp(profile->shorthand.name, name) == 0) ||
           (body != NULL &&
            template_lists(body->require_top_level, body->require_top_level_count, name));
}
