/* SPDX-License-Identifier: Apache-2.0
 * What the files of the custody service share: the service itself, and one administrator's request
 * on its way through it. */
#ifndef QSEAL_CUSTODY_ACT_H
#define QSEAL_CUSTODY_ACT_H

#include "base/attributes.h"
#include "custody/local.h"
#include "custody/report.h"

#include <jansson.h>
#include <pthread.h>

struct custody {
    struct custody_room room;
    pthread_mutex_t change;     /* held by whoever makes the next view */
    pthread_mutex_t generating; /* held while a token makes a key: two would be made for one role */
    pthread_mutex_t report;     /* guards `reload` */
    struct custody_reload_report reload;
};

/* One administrator's request on its way. */
struct act {
    struct custody *custody;
    struct view *view;
    struct caller peer;
    const json_t *arguments;
    struct buffer *result;
};

/* Only members of this list, NULL-terminated, may be in the arguments, and they are strings. */
enum outcome act_check_arguments(const struct act *act, const char *const names[],
                                 struct reason *why) MUST_USE;
/* NULL when it is not there. */
const char *act_argument(const struct act *act, const char *name);
/* A key on every token of the role (or on the one named) that has none yet. */
enum outcome act_key_generate(struct act *act, struct reason *why) MUST_USE;

#endif
