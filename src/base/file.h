/* SPDX-License-Identifier: Apache-2.0
 * Whole small files: read with a limit, or replaced so that a crash leaves the old or the new one
 * and never a mixture. */
#ifndef QSEAL_BASE_FILE_H
#define QSEAL_BASE_FILE_H

#include "base/attributes.h"
#include "base/buffer.h"

#include <sys/types.h>

/* Appends the content to `out`; larger than out->max is EFBIG. 0, or -1 with errno. */
int file_read(const char *path, struct buffer *out) MUST_USE;
/* The same of an open file, from where it stands. */
int file_read_from(int fd, struct buffer *out) MUST_USE;
enum { FILE_NOT_SYNCED = 1 };
/* Writes `path`.new, syncs it, renames it over `path` and syncs the folder. 0; -1 with errno and
 * the old file in place; or FILE_NOT_SYNCED with errno: the new one is in place, but the folder
 * could not be synced, and nobody knows which of them a power cut leaves. */
int file_replace(const char *path, struct span content, mode_t mode) MUST_USE;

#endif
