/* SPDX-License-Identifier: Apache-2.0
 * What qseald reports, in the text exposition format of Prometheus (version 0.0.4), for the
 * textfile collector of node_exporter. docs/production.md lists the metrics. */
#ifndef QSEAL_CTL_PROMETHEUS_H
#define QSEAL_CTL_PROMETHEUS_H

#include "base/buffer.h"

#include <jansson.h>

/* `status` and `keys` are the results of CUSTODY_STATUS and CUSTODY_KEY_LIST; both NULL when there
 * was no answer: then only qseal_up is there, and it is 0. */
void prometheus_put(struct buffer *out, const json_t *status, const json_t *keys);

#endif
