/* SPDX-License-Identifier: Apache-2.0
 * A SoftHSM2 token for a test program. */
#include "softhsm.h"

#include "base/attributes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void join(char out[SOFTHSM_PATH_SIZE], const char *folder, const char *name)
{
    assert_true(snprintf(out, SOFTHSM_PATH_SIZE, "%.100s/%s", folder, name) < SOFTHSM_PATH_SIZE);
}

static void write_file(const char *path, const char *text)
{
    /* A reader sees the old or the new content. */
    char fresh[SOFTHSM_PATH_SIZE + 8];
    (void)snprintf(fresh, sizeof fresh, "%s.tmp", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
    assert_int_equal(rename(fresh, path), 0);
}

bool softhsm_run(const char *const *argv)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *softhsm_shim(void)
{
    return QSEAL_TEST_SHIM;
}

static void init_token(void)
{
    const char *const argv[] = {
        "softhsm2-util", "--init-token", "--free", "--label",   SOFTHSM_LABEL,
        "--so-pin",      "8765432",      "--pin",  SOFTHSM_PIN, NULL};
    assert_true(softhsm_run(argv));
}

void softhsm_make(struct softhsm *softhsm)
{
    *softhsm = (struct softhsm){.folder = "/tmp/qseal-token-XXXXXX"};
    assert_non_null(mkdtemp(softhsm->folder));
    join(softhsm->pin, softhsm->folder, "pin");
    join(softhsm->state, softhsm->folder, "state");
    join(softhsm->record, softhsm->folder, "state/pin-attempt");
    join(softhsm->log, softhsm->folder, "calls");
    join(softhsm->faults, softhsm->folder, "faults");
    char tokens[SOFTHSM_PATH_SIZE];
    join(tokens, softhsm->folder, "tokens");
    assert_int_equal(mkdir(tokens, 0700), 0);
    assert_int_equal(mkdir(softhsm->state, 0700), 0);
    char conf[SOFTHSM_PATH_SIZE];
    join(conf, softhsm->folder, "softhsm2.conf");
    char text[2 * SOFTHSM_PATH_SIZE];
    (void)snprintf(text, sizeof text, "directories.tokendir = %s\nlog.level = ERROR\n", tokens);
    write_file(conf, text);
    assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
    assert_int_equal(setenv("QSEAL_SHIM_LOG", softhsm->log, 1), 0);
    assert_int_equal(setenv("QSEAL_SHIM_FAULTS", softhsm->faults, 1), 0);
    (void)snprintf(softhsm->uri, sizeof softhsm->uri,
                   "pkcs11:token=" SOFTHSM_LABEL "?pin-source=file:%s", softhsm->pin);
    softhsm_set_pin(softhsm, SOFTHSM_PIN);
    softhsm_set_faults(softhsm, "");
    init_token();
    /* The shim was just built, perhaps under a wide umask. */
    assert_int_equal(chmod(softhsm_shim(), 0755), 0);
}

void softhsm_remove(struct softhsm *softhsm)
{
    const char *const argv[] = {"rm", "-rf", softhsm->folder, NULL};
    assert_true(softhsm_run(argv));
}

void softhsm_set_pin(const struct softhsm *softhsm, const char *pin)
{
    write_file(softhsm->pin, pin);
}

void softhsm_set_faults(const struct softhsm *softhsm, const char *text)
{
    write_file(softhsm->faults, text);
}

void softhsm_forget_calls(const struct softhsm *softhsm)
{
    write_file(softhsm->log, "");
}

unsigned int softhsm_count(const struct softhsm *softhsm, const char *call, const char *rv)
{
    FILE *file = fopen(softhsm->log, "re");
    unsigned int count = 0;
    char line[128];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char name[64];
        char code[32];
        assert_int_equal(sscanf(line, "%63s %31s", name, code), 2);
        count += strcmp(name, call) == 0 && (rv == NULL || strcmp(code, rv) == 0) ? 1 : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return count;
}

void softhsm_record(const struct softhsm *softhsm, char out[32])
{
    FILE *file = fopen(softhsm->record, "re");
    out[0] = '\0';
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%31s", out), 1);
        (void)fclose(file);
    }
}

void softhsm_clear_record(const struct softhsm *softhsm)
{
    (void)unlink(softhsm->record);
}

static void move_tokens(const struct softhsm *softhsm, const char *from, const char *to)
{
    char old_path[SOFTHSM_PATH_SIZE];
    char new_path[SOFTHSM_PATH_SIZE];
    join(old_path, softhsm->folder, from);
    join(new_path, softhsm->folder, to);
    assert_int_equal(rename(old_path, new_path), 0);
}

void softhsm_hide(const struct softhsm *softhsm)
{
    move_tokens(softhsm, "tokens", "hidden");
    char tokens[SOFTHSM_PATH_SIZE];
    join(tokens, softhsm->folder, "tokens");
    assert_int_equal(mkdir(tokens, 0700), 0);
}

void softhsm_show(const struct softhsm *softhsm)
{
    char tokens[SOFTHSM_PATH_SIZE];
    join(tokens, softhsm->folder, "tokens");
    assert_int_equal(rmdir(tokens), 0);
    move_tokens(softhsm, "hidden", "tokens");
}
