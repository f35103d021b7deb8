/* SPDX-License-Identifier: Apache-2.0
 * A command of qsealctl, run against a qseald that the test plays; what it prints is kept. */
#ifndef QSEAL_TESTS_UNIT_CTL_SCENE_H
#define QSEAL_TESTS_UNIT_CTL_SCENE_H

#include "base/file.h"
#include "ctl/command.h"
#include "ctl_door.h"
#include "folder.h"
#include "wire/frame.h"

#include <fcntl.h>

enum { CTL_TEXT_MAX = 256 * 1024 };

struct ctl_scene {
    struct folder folder;
    char socket[128];
    char printed[128];
    struct serve *serve;
    struct buffer answer;    /* what this qseald says, */
    enum outcome refusal;    /* unless this is not OUTCOME_OK: then it refuses, */
    struct reason why;       /* and why */
    struct buffer arguments; /* what it was asked */
};

/* For rows whose room is a scene. */
static inline bool ctl_scene_answer(struct serve_call *call)
{
    struct ctl_scene *scene = call->room;
    buffer_reset(&scene->arguments);
    buffer_put_span(&scene->arguments, reader_bytes(call->request, CUSTODY_ARGUMENTS_MAX));
    frame_put_outcome(call->answer, scene->refusal, &scene->why);
    if (scene->refusal == OUTCOME_OK) {
        buffer_put_bytes(call->answer, buffer_span(&scene->answer));
    }
    return true;
}

static inline void ctl_scene_open(struct ctl_scene *scene, const struct serve_row *rows,
                                  size_t n_rows)
{
    *scene = (struct ctl_scene){.folder = folder_make(),
                                .answer = BUFFER_INIT(CTL_TEXT_MAX),
                                .arguments = BUFFER_INIT(CTL_TEXT_MAX)};
    folder_path(&scene->folder, "admin.sock", scene->socket);
    folder_path(&scene->folder, "printed", scene->printed);
    scene->serve = ctl_door(scene->socket, rows, n_rows, scene);
}

static inline void ctl_scene_close(struct ctl_scene *scene)
{
    serve_stop(scene->serve);
    buffer_fini(&scene->answer);
    buffer_fini(&scene->arguments);
    folder_remove(&scene->folder);
}

/* Runs the command, and appends what it writes to `fd`, by way of the file `printed`, to `out`. */
static inline enum exit_code ctl_captured(enum exit_code (*run)(const struct command_line *line),
                                          const struct command_line *line, int fd,
                                          const char *printed, struct buffer *out)
{
    (void)fflush(stdout);
    int kept = dup(fd);
    int file = open(printed, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && file >= 0 && dup2(file, fd) >= 0);
    enum exit_code code = run(line);
    (void)fflush(stdout);
    assert_true(dup2(kept, fd) >= 0);
    fd_close(&kept);
    fd_close(&file);
    assert_int_equal(file_read(printed, out), 0);
    return code;
}

#endif
