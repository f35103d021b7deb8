/* SPDX-License-Identifier: Apache-2.0
 * What others signed, for a caller. */
#include "signing/judge.h"

#include "base/clock.h"
#include "verify/verify.h"

bool judge_route(enum signing_route route)
{
    return route == ROUTE_VERIFY_DETACHED_JWS || route == ROUTE_VERIFY_ID_TOKEN;
}

static enum verification_kind kind_of(enum signing_route route)
{
    return route == ROUTE_VERIFY_ID_TOKEN ? VERIFICATION_ID_TOKEN : VERIFICATION_DETACHED_JWS;
}

const char *judge_name(enum signing_route route)
{
    return verification_kind_name(kind_of(route));
}

enum outcome judge(const struct judge_question *question, struct buffer *json, const char **rule,
                   struct reason *why)
{
    const struct signing_request *request = question->request;
    const struct verification *profile = profiles_verification(
        question->view->policy->profiles, kind_of(request->route), request->name);
    if (profile == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND,
                      "there is no profile %s of the operation %s; GET /v1/profiles lists yours",
                      request->name, judge_name(request->route));
    }
    if (!config_caller_is_granted(question->caller, request->name)) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "the profile %s is not granted to caller %s (uid %u)", request->name,
                      question->caller->name, question->caller->uid);
    }
    struct verify_request verify = {
        .profile = profile, .body = request->body, .content_type = request->content_type};
    if (profile->kind == VERIFICATION_DETACHED_JWS) {
        return verify_detached_jws(&verify, json, rule, why);
    }
    enum outcome outcome = clock_guard_take(watch_clock(question->watch), clock_wall_s(),
                                            clock_boot_s(), &verify.now, why);
    return outcome != OUTCOME_OK ? outcome : verify_id_token(&verify, json, rule, why);
}
