/* SPDX-License-Identifier: Apache-2.0
 * The doors under /v1/verify: which profile judges, and whether it is this caller's. */
#ifndef QSEAL_SIGNING_JUDGE_H
#define QSEAL_SIGNING_JUDGE_H

#include "base/attributes.h"
#include "policy/verification.h"
#include "signing/signing.h"
#include "signing/view.h"
#include "signing/watch.h"

struct judge_question {
    const struct view *view;
    struct watch *watch; /* for the clock */
    const struct config_caller *caller;
    const struct signing_request *request;
};

/* Whether the route leads to one of these doors. */
bool judge_route(enum signing_route route);
/* Its operation's name. */
const char *judge_name(enum signing_route route);
/* Appends the answer's JSON text. OUTCOME_NOT_FOUND, OUTCOME_NOT_GRANTED, OUTCOME_CLOCK, or what
 * verify/verify.h says, with the rule that was broken. Nothing is recorded of what is good. */
enum outcome judge(const struct judge_question *question, struct buffer *json, const char **rule,
                   struct reason *why) MUST_USE;

#endif
