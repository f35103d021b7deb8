/* SPDX-License-Identifier: Apache-2.0
 * Loading one module. */
#include "pkcs11/module.h"

#include "pkcs11/rv.h"

#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum outcome check_file(const char *path, struct reason *why)
{
    if (path[0] != '/') {
        return refuse(why, OUTCOME_RULE, "module %s: an absolute path is needed", path);
    }
    struct stat file;
    if (stat(path, &file) != 0) {
        return refuse(why, OUTCOME_RULE, "module %s: %s", path, strerror(errno));
    }
    if (!S_ISREG(file.st_mode)) {
        return refuse(why, OUTCOME_RULE, "module %s: not a regular file", path);
    }
    if (file.st_uid != 0 && file.st_uid != geteuid()) {
        return refuse(why, OUTCOME_RULE, "module %s: owned by uid %u, must be root or uid %u", path,
                      file.st_uid, geteuid());
    }
    if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return refuse(why, OUTCOME_RULE, "module %s: mode %04o lets others write it, must be go-w",
                      path, file.st_mode & 07777U);
    }
    return OUTCOME_OK;
}

enum outcome module_load(const char *path, struct module *out, struct reason *why)
{
    enum outcome outcome = check_file(path, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    out->calls = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED);
    if (out->calls == NULL) {
        const char *text = p11_kit_message();
        return refuse(why, OUTCOME_RULE, "module %s: %s", path,
                      text == NULL ? "cannot be loaded" : text);
    }
    return OUTCOME_OK;
}

enum outcome module_initialize(const struct module *module, struct reason *why)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = module->calls->C_Initialize(&args);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
        return rv_refuse(rv, "C_Initialize", why);
    }
    return OUTCOME_OK;
}

void module_text(const unsigned char *padded, size_t width, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < width && padded[i] != '\0'; i++) {
        len = padded[i] == ' ' ? len : i + 1;
    }
    len = len < size ? len : size - 1;
    memcpy(out, padded, len);
    out[len] = '\0';
}

void module_describe(const struct module *module, char *out, size_t size)
{
    CK_INFO info;
    memset(&info, 0, sizeof info);
    if (module->calls->C_GetInfo(&info) != CKR_OK) {
        (void)snprintf(out, size, "unknown");
        return;
    }
    char name[sizeof info.libraryDescription + 1];
    module_text(info.libraryDescription, sizeof info.libraryDescription, name, sizeof name);
    (void)snprintf(out, size, "%s %u.%u", name, info.libraryVersion.major,
                   info.libraryVersion.minor);
}
