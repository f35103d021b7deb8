/* SPDX-License-Identifier: Apache-2.0
 * Reading a PIN. */
#include "pkcs11/pin.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIN_MAX = 255 };

static const char file_scheme[] = "file:";
static const char credential_scheme[] = "credential:";

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum outcome credential_path(const char *name, char out[PATH_MAX], struct reason *why)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == NULL || folder[0] != '/') {
        return refuse(why, OUTCOME_RULE,
                      "pin-source credential:%.64s: CREDENTIALS_DIRECTORY is not set (the unit "
                      "needs LoadCredential=)",
                      name);
    }
    if (!name_is_valid(span_of_text(name))) {
        return refuse(why, OUTCOME_RULE, "pin-source: not the name of a credential");
    }
    (void)snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return OUTCOME_OK;
}

static enum outcome source_path(const char *source, char out[PATH_MAX], struct reason *why)
{
    if (has_prefix(source, credential_scheme)) {
        return credential_path(source + strlen(credential_scheme), out, why);
    }
    const char *path = has_prefix(source, file_scheme) ? source + strlen(file_scheme) : source;
    path = has_prefix(path, "///") ? path + 2 : path; /* file:///etc/pin (RFC 8089 §2) */
    if (path[0] != '/' || path[1] == '/') {
        return refuse(why, OUTCOME_RULE,
                      "pin-source: must be file:/absolute/path, /absolute/path or credential:NAME");
    }
    (void)snprintf(out, PATH_MAX, "%s", path);
    return OUTCOME_OK;
}

static enum outcome open_file(const char *path, int *out, struct reason *why)
{
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0) {
        return refuse(why, OUTCOME_RULE, "pin-source %s: %s", path, strerror(errno));
    }
    if (!S_ISREG(file.st_mode)) {
        return refuse(why, OUTCOME_RULE, "pin-source %s: not a regular file", path);
    }
    if ((file.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        return refuse(why, OUTCOME_RULE,
                      "pin-source %s: mode %04o is too wide, must be 0600, 0400 or 0440", path,
                      file.st_mode & 07777U);
    }
    *out = fd_steal(&fd);
    return OUTCOME_OK;
}

static bool read_all(int fd, struct secret *pin)
{
    while (pin->len < pin->room) {
        ssize_t got = read(fd, pin->page + pin->len, pin->room - pin->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0;
        }
        pin->len += (size_t)got;
    }
    return true;
}

/* What the descriptor has, to its end. */
static enum outcome take_pin(int fd, const char *what, struct secret *out, struct reason *why)
{
    SECRET_CLEANUP struct secret pin = {0};
    if (!secret_make(&pin) || !read_all(fd, &pin)) {
        return refuse(why, OUTCOME_RULE, "%s: %s", what, strerror(errno));
    }
    if (!pin.locked) {
        log_warning("the PIN's page cannot be locked into memory");
    }
    if (pin.len > 0 && pin.page[pin.len - 1] == '\n') {
        pin.len--;
    }
    if (pin.len == 0 || pin.len > PIN_MAX) {
        return refuse(why, OUTCOME_RULE, "%s: %s", what,
                      pin.len == 0 ? "empty" : "too long for a PIN");
    }
    *out = pin;
    pin = (struct secret){0};
    return OUTCOME_OK;
}

enum outcome pin_read(const char *source, struct secret *out, struct reason *why)
{
    char path[PATH_MAX];
    enum outcome outcome = source_path(source, path, why);
    FD_CLEANUP int fd = -1;
    if (outcome == OUTCOME_OK) {
        outcome = open_file(path, &fd, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    char what[PATH_MAX + 16];
    (void)snprintf(what, sizeof what, "pin-source %s", path);
    return take_pin(fd, what, out, why);
}

enum outcome pin_read_pipe(int fd, struct secret *out, struct reason *why)
{
    struct stat file;
    if (fstat(fd, &file) != 0 || !S_ISFIFO(file.st_mode)) {
        return refuse(why, OUTCOME_RULE, "the PIN does not come in a pipe");
    }
    /* Whoever typed it has closed the other end; nobody is waited for. */
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        return refuse(why, OUTCOME_RULE, "the PIN's pipe: %s", strerror(errno));
    }
    return take_pin(fd, "the typed PIN", out, why);
}
