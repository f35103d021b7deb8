/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit show: the records of a log, those that are there and those to come. */
#include "ctl/audit.h"
#include "ctl/audit_filter.h"

#include "base/fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Where the log is on a file system that tells nothing, it is looked at so often. */
enum { LOOK_AGAIN_MS = 500 };

struct show {
    struct audit_reader reader; /* owned, as is the next */
    struct audit_filter *filter;
    bool json;
    bool has_strange; /* a line that is no record */
    struct buffer words;
};

static bool read_number(const char *text, uint64_t *out)
{
    struct span left = span_of_text(text);
    *out = 0;
    return text == NULL || (audit_take_number(&left, out) && left.len == 0);
}

static enum exit_code read_wish(const struct command_line *line, struct audit_wish *wish)
{
    const struct audit_wishes *given = &line->audit;
    *wish = (struct audit_wish){.caller = given->caller,
                                .kid = given->kid,
                                .request = given->request,
                                .kind = given->kind,
                                .outcome = given->outcome};
    if (!read_number(given->after, &wish->after)) {
        (void)fprintf(stderr, "qsealctl: --after: not the number of a record\n");
        return EXIT_USAGE;
    }
    return audit_period(line, &wish->since_us, &wish->until_us);
}

/* --- printing --- */

static void print_line(struct show *show, struct span text)
{
    struct audit_line line;
    if (show->json) {
        (void)fwrite(text.data, 1, text.len, stdout);
    } else if (audit_line_read(text, &line) == NULL) {
        buffer_reset(&show->words);
        audit_words_put(&line, &show->words);
        (void)fwrite(show->words.data, 1, show->words.len, stdout);
    }
}

static void show_line(struct show *show)
{
    struct audit_line line;
    struct span first;
    const char *fault = audit_line_read(show->reader.line, &line);
    if (fault != NULL) {
        audit_say_no_record(&show->reader, fault);
        show->has_strange = true;
        return;
    }
    if (audit_filter_takes(show->filter, &line, show->reader.line, &first)) {
        if (first.len > 0) {
            print_line(show, first);
        }
        print_line(show, show->reader.line);
    }
}

/* Up to where there is nothing more now. */
static enum audit_read show_all(struct show *show)
{
    enum audit_read read;
    while ((read = audit_reader_next(&show->reader)) == AUDIT_READ_RECORD ||
           read == AUDIT_READ_CLOSED) {
        if (read == AUDIT_READ_RECORD) {
            show_line(show);
        }
        if (ferror(stdout) != 0) {
            return AUDIT_READ_END;
        }
    }
    return read;
}

/* --- following --- */

struct watch {
    int changes; /* inotify */
    int signals;
};

static bool watch_begin(const char *folder, struct watch *watch)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    *watch = (struct watch){inotify_init1(IN_CLOEXEC | IN_NONBLOCK), -1};
    if (watch->changes >= 0) { /* without it the log is looked at by the clock */
        (void)inotify_add_watch(watch->changes, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    }
    if (sigprocmask(SIG_BLOCK, &ends, NULL) == 0) {
        watch->signals = signalfd(-1, &ends, SFD_CLOEXEC);
    }
    return watch->signals >= 0;
}

/* Until something may have been written. False: to the end. */
static bool watch_wait(const struct watch *watch)
{
    uint8_t events[4096];
    struct pollfd ready[] = {{.fd = watch->signals, .events = POLLIN},
                             {.fd = STDOUT_FILENO}, /* its reader has gone: POLLERR */
                             {.fd = watch->changes, .events = POLLIN}};
    int got = poll(ready, COUNT_OF(ready), LOOK_AGAIN_MS);
    if (got < 0 && errno != EINTR) {
        return false;
    }
    if (got > 0 && (ready[0].revents != 0 || ready[1].revents != 0)) {
        return false;
    }
    while (watch->changes >= 0 && read(watch->changes, events, sizeof events) > 0) {
    }
    return true;
}

/* What is there can be interrupted as any program; what comes then ends in order. */
static enum audit_read follow(struct show *show, const char *folder)
{
    struct watch watch;
    enum audit_read read = show_all(show);
    if (read == AUDIT_READ_END && !watch_begin(folder, &watch)) {
        (void)snprintf(show->reader.why, sizeof show->reader.why, "signals: %s", strerror(errno));
        read = AUDIT_READ_FAULT;
    }
    if (read != AUDIT_READ_END) {
        return read;
    }
    do {
        read = show_all(show);
    } while (fflush(stdout) == 0 && read == AUDIT_READ_END && watch_wait(&watch));
    fd_close(&watch.changes);
    fd_close(&watch.signals);
    return read;
}

static enum exit_code show_log(struct show *show, const struct command_line *line)
{
    const char *folder = audit_folder(line);
    enum audit_read read = audit_reader_open(&show->reader, folder);
    if (read == AUDIT_READ_END && line->audit.after != NULL) {
        uint64_t after = 0;
        (void)read_number(line->audit.after, &after);
        audit_reader_seek_record(&show->reader, after);
    }
    if (read == AUDIT_READ_END) {
        read = line->audit.follow ? follow(show, folder) : show_all(show);
    }
    if (read != AUDIT_READ_END) {
        (void)fflush(stdout);
        return audit_say_ended(&show->reader, read);
    }
    return show->has_strange ? EXIT_NOT_VERIFIED : EXIT_DONE;
}

enum exit_code run_audit_show(const struct command_line *line)
{
    struct audit_wish wish;
    struct show show = {.json = line->json, .words = BUFFER_INIT(2 * AUDIT_LINE_MAX)};
    enum exit_code code = read_wish(line, &wish);
    if (code != EXIT_DONE) {
        return code;
    }
    show.filter = audit_filter_new(&wish);
    code = show.filter == NULL ? command_no_memory() : show_log(&show, line);
    audit_reader_close(&show.reader);
    audit_filter_free(show.filter);
    buffer_fini(&show.words);
    return code;
}
