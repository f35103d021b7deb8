/* SPDX-License-Identifier: Apache-2.0
 * The signing service, done here: what qseald does with a question of httpd. */
#ifndef QSEAL_SIGNING_LOCAL_H
#define QSEAL_SIGNING_LOCAL_H

#include "audit/audit.h"
#include "base/attributes.h"
#include "base/log.h"
#include "signing/callers.h"
#include "signing/signing.h"
#include "signing/view.h"
#include "signing/watch.h"

/* Shared by all workers; borrowed parts. */
struct signing {
    struct view_cell *views;
    struct callers *callers;
    struct watch *watch;
    struct audit *audit;        /* NULL: no log is kept */
    struct log_limit *refusals; /* lines about refused requests */
};

/* One thread's own: connections to the tokens and memory that is used again. */
struct signing_worker;

/* NULL: out of memory. */
struct signing_worker *signing_worker_new(void) MUST_USE;
/* Accepts NULL. */
void signing_worker_free(struct signing_worker *worker);

/* Answers one question. The answer's body is borrowed from the worker until its next question. */
void signing_ask(const struct signing *signing, struct signing_worker *worker,
                 const struct signing_request *request, struct signing_answer *answer);

#endif
