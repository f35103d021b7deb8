/* SPDX-License-Identifier: Apache-2.0
 * The note of a checkpoint of the audit log (docs/audit.md) as the shape guard reads it: by itself,
 * sharing nothing with those who write it. */
#ifndef QSEAL_MODEL_SHAPE_CHECKPOINT_H
#define QSEAL_MODEL_SHAPE_CHECKPOINT_H

#include "base/attributes.h"
#include "base/span.h"

/* NULL when the bytes are, to the last one, such a note in its one spelling; else what is wrong. */
const char *shape_checkpoint_fault(struct span note) MUST_USE;

#endif
