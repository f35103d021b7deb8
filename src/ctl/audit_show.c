/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit show: the records of a log, those that are there and those to come. */
#include "ctl/audit.h"
#include "ctl/audit_filter.h"
#include "ctl/audit_journal.h"
#include "ctl/audit_ship.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the log is on a file system that tells nothing, it is looked at so often. */
enum { LOOK_AGAIN_MS = 500 };

struct show {
    struct audit_reader reader; /* owned, as is the next */
    struct audit_filter *filter;
    bool json;
    bool journal;
    bool has_strange;        /* a line that is no record */
    struct audit_ship *ship; /* with --position; or NULL */
    enum exit_code code;     /* why no more is shown; EXIT_DONE: it goes on */
    struct buffer words;
    uint64_t chain_of; /* the segment that `chain` was read from */
    char chain[UUID_TEXT_SIZE];
};

static bool read_number(const char *text, uint64_t *out)
{
    struct span left = span_of_text(text);
    *out = 0;
    return text == NULL || (audit_take_number(&left, out) && left.len == 0);
}

static enum exit_code say_usage(const char *what)
{
    (void)fprintf(stderr, "qsealctl: %s\n", what);
    return EXIT_USAGE;
}

/* A log that was shipped in parts has gaps by itself, and its receiver finds none. */
static bool is_chosen(const struct audit_wishes *given)
{
    return given->caller != NULL || given->kid != NULL || given->request != NULL ||
           given->kind != NULL || given->outcome != NULL || given->since != NULL ||
           given->until != NULL;
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
        return say_usage("--after: not the number of a record");
    }
    if (given->journal && line->json) {
        return say_usage("--journal and --json: an entry of the journal has the record as it "
                         "stands in the log, in QSEAL_AUDIT_RECORD; one of the two");
    }
    if (given->position != NULL && is_chosen(given)) {
        return say_usage("--position: it ships all records; --since, --until, --caller, --kid, "
                         "--request, --kind and --outcome choose some");
    }
    return audit_period(line, &wish->since_us, &wish->until_us);
}

/* --- printing --- */

/* What is shipped goes out in whole lines: who is killed leaves none that is torn. */
static void put_out(struct show *show, struct span text)
{
    if (show->ship == NULL) {
        (void)fwrite(text.data, 1, text.len, stdout);
        return;
    }
    while (text.len > 0 && show->code == EXIT_DONE) {
        ssize_t put = write(STDOUT_FILENO, text.data, text.len);
        if (put < 0 && errno != EINTR) {
            (void)fprintf(stderr, "qsealctl: standard output: %s\n", strerror(errno));
            show->code = EXIT_UNAVAILABLE;
        }
        text = span_part(text, put > 0 ? (size_t)put : 0, text.len);
    }
}

static void put_journal(struct show *show, const struct audit_line *line, struct span text)
{
    char why[AUDIT_JOURNAL_WHY_SIZE];
    if (show->chain_of != show->reader.segment) {
        audit_chain_of(&show->reader, show->reader.segment, show->chain);
        show->chain_of = show->reader.segment;
    }
    const struct audit_entry entry = {line, text, buffer_span(&show->words), show->chain};
    if (!audit_journal_put(&entry, why)) {
        (void)fprintf(stderr, "qsealctl: record %llu: %s\n", (unsigned long long)line->seq, why);
        show->code = EXIT_UNAVAILABLE;
    }
}

static void print_line(struct show *show, struct span text)
{
    struct audit_line line;
    if (show->json) {
        put_out(show, text);
    } else if (audit_line_read(text, &line) == NULL) {
        buffer_reset(&show->words);
        audit_words_put(&line, &show->words);
        if (show->journal) {
            put_journal(show, &line, text);
        } else {
            put_out(show, buffer_span(&show->words));
        }
    }
}

/* Whether the position says that the record goes out. */
static bool is_to_ship(struct show *show, const struct audit_line *line)
{
    enum audit_ship_step step =
        show->ship == NULL ? AUDIT_SHIP_RECORD : audit_ship_next(show->ship, &show->reader, line);
    if (step == AUDIT_SHIP_STOP) {
        show->code = show->ship->code;
    }
    return step == AUDIT_SHIP_RECORD;
}

/* It went out, or was not asked for. */
static void note_shipped(struct show *show, const struct audit_line *line)
{
    if (show->ship != NULL && show->code == EXIT_DONE &&
        (!audit_ship_done(show->ship, &show->reader, line) ||
         !audit_ship_save(show->ship, false))) {
        show->code = EXIT_UNAVAILABLE;
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
        show->code = show->ship == NULL ? show->code : EXIT_NOT_VERIFIED;
        return;
    }
    if (!is_to_ship(show, &line)) {
        return;
    }
    if (audit_filter_takes(show->filter, &line, show->reader.line, &first)) {
        if (first.len > 0) {
            print_line(show, first);
        }
        print_line(show, show->reader.line);
    }
    note_shipped(show, &line);
}

/* Up to where there is nothing more now. */
static enum audit_read show_all(struct show *show)
{
    enum audit_read read;
    while ((read = audit_reader_next(&show->reader)) == AUDIT_READ_RECORD ||
           read == AUDIT_READ_CLOSED) {
        if (read == AUDIT_READ_RECORD) {
            show_line(show);
        } else if (show->ship != NULL) {
            audit_ship_closed(show->ship, &show->reader);
        }
        if (ferror(stdout) != 0 || show->code != EXIT_DONE) {
            return AUDIT_READ_END;
        }
    }
    if (read == AUDIT_READ_END && show->ship != NULL &&
        audit_ship_end(show->ship) == AUDIT_SHIP_STOP) {
        show->code = show->ship->code;
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

/* All that came is out, and it is noted how far it is when it is time for that. */
static bool goes_on(struct show *show)
{
    if (show->ship != NULL && show->code == EXIT_DONE && !audit_ship_save(show->ship, false)) {
        show->code = EXIT_UNAVAILABLE;
    }
    return fflush(stdout) == 0 && show->code == EXIT_DONE;
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
    if (read != AUDIT_READ_END || show->code != EXIT_DONE) {
        return read;
    }
    do {
        read = show_all(show);
    } while (goes_on(show) && read == AUDIT_READ_END && watch_wait(&watch));
    fd_close(&watch.changes);
    fd_close(&watch.signals);
    return read;
}

/* A line that a full disk or a power cut has torn is no part of the next one. */
static void end_torn_line(void)
{
    struct stat status;
    char last = '\n';
    FD_CLEANUP int fd = open("/proc/self/fd/1", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n') {
        (void)!write(STDOUT_FILENO, "\n", 1);
    }
}

/* To the segment where it begins. */
static enum audit_read find_begin(struct show *show, const struct command_line *line,
                                  struct audit_ship *ship)
{
    enum audit_read read = audit_reader_open(&show->reader, audit_folder(line));
    uint64_t after = 0;
    if (read != AUDIT_READ_END) {
        return read;
    }
    if (line->audit.after != NULL) {
        (void)read_number(line->audit.after, &after);
        audit_reader_seek_record(&show->reader, after);
    }
    if (line->audit.position != NULL) {
        show->ship = ship;
        show->code = audit_ship_begin(ship, line->audit.position, &show->reader);
        end_torn_line();
    }
    return read;
}

static enum exit_code show_log(struct show *show, const struct command_line *line)
{
    struct audit_ship ship;
    enum audit_read read = find_begin(show, line, &ship);
    if (read == AUDIT_READ_END && show->code == EXIT_DONE) {
        read = line->audit.follow ? follow(show, audit_folder(line)) : show_all(show);
    }
    if (show->ship != NULL && !audit_ship_save(show->ship, true)) {
        show->code = EXIT_UNAVAILABLE;
    }
    show->ship = NULL;
    if (read != AUDIT_READ_END) {
        (void)fflush(stdout);
        return audit_say_ended(&show->reader, read);
    }
    if (show->code != EXIT_DONE) {
        return show->code;
    }
    return show->has_strange ? EXIT_NOT_VERIFIED : EXIT_DONE;
}

enum exit_code run_audit_show(const struct command_line *line)
{
    struct audit_wish wish;
    struct show show = {.json = line->json,
                        .journal = line->audit.journal,
                        .code = EXIT_DONE,
                        .words = BUFFER_INIT(2 * AUDIT_LINE_MAX)};
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
