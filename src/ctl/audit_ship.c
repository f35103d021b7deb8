/* SPDX-License-Identifier: Apache-2.0
 * Up to which record a log has been shipped. */
#include "ctl/audit_ship.h"

#include "base/file.h"
#include "jose/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0640, FILE_MAX = 400, SAVE_MS = 1000 };

static unsigned long long wide(uint64_t number)
{
    return number;
}

/* --- the file --- */

static void put_shipped(const struct audit_shipped *shipped, struct buffer *out)
{
    buffer_put_format(out, "record %llu in segment %llu, hash %s, chain %s\n", wide(shipped->seq),
                      wide(shipped->segment), shipped->hash, shipped->chain);
}

static bool take_text(struct span *rest, const char *text)
{
    struct span wanted = span_of_text(text);
    bool is_there = span_equal(span_part(*rest, 0, wanted.len), wanted);
    *rest = span_part(*rest, is_there ? wanted.len : 0, rest->len);
    return is_there;
}

/* Up to the next `end`, this many characters. */
static bool take_word(struct span *rest, uint8_t end, size_t len, char *out)
{
    if (span_find(*rest, end) != len) {
        return false;
    }
    memcpy(out, rest->data, len);
    out[len] = '\0';
    *rest = span_part(*rest, len, rest->len);
    return true;
}

static bool take_shipped(struct span text, struct audit_shipped *out)
{
    *out = (struct audit_shipped){.seq = 0};
    return take_text(&text, "record ") && audit_take_number(&text, &out->seq) &&
           take_text(&text, " in segment ") && audit_take_number(&text, &out->segment) &&
           take_text(&text, ", hash ") && take_word(&text, ',', AUDIT_HASH_LEN, out->hash) &&
           take_text(&text, ", chain ") &&
           (take_word(&text, '\n', UUID_TEXT_LEN, out->chain) || span_find(text, '\n') == 0) &&
           span_is_text(text, "\n") && out->seq > 0 && out->segment > 0;
}

static enum exit_code read_file(struct audit_ship *ship)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    bool is_there = file_read(ship->path, &text) == 0;
    if (!is_there && errno == ENOENT) {
        return EXIT_DONE;
    }
    if (!is_there && errno != EFBIG) {
        (void)fprintf(stderr, "qsealctl: --position %s: %s\n", ship->path, strerror(errno));
        return EXIT_UNAVAILABLE;
    }
    if (!is_there || !take_shipped(buffer_span(&text), &ship->last)) {
        (void)fprintf(stderr,
                      "qsealctl: --position %s: it was not written by qsealctl: the line \"record "
                      "SEQ in segment N, hash HASH, chain CHAIN\" is wanted, or no file\n",
                      ship->path);
        ship->last = (struct audit_shipped){.seq = 0}; /* and it stays as it is */
        return EXIT_USAGE;
    }
    ship->saved = ship->last.seq;
    return EXIT_DONE;
}

/* A pipe or a socket cannot be synced, and loses what is in it with its reader. */
static bool sync_output(void)
{
    return fdatasync(STDOUT_FILENO) == 0 || errno == EINVAL || errno == EROFS ||
           errno == EOPNOTSUPP || errno == EBADF;
}

bool audit_ship_save(struct audit_ship *ship, bool now)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    if (ship->last.seq == 0 || ship->last.seq == ship->saved ||
        (!now && !deadline_passed(ship->save_at))) {
        return true;
    }
    put_shipped(&ship->last, &text);
    if (!sync_output()) {
        (void)fprintf(stderr, "qsealctl: standard output: %s\n", strerror(errno));
        return false;
    }
    if (file_replace(ship->path, buffer_span(&text), FILE_MODE) < 0) {
        (void)fprintf(stderr, "qsealctl: --position %s: %s\n", ship->path, strerror(errno));
        return false;
    }
    ship->saved = ship->last.seq;
    ship->save_at = deadline_in_ms(SAVE_MS);
    return true;
}

/* --- where it goes on --- */

void audit_chain_of(const struct audit_reader *reader, uint64_t segment, char out[UUID_TEXT_SIZE])
{
    uint8_t text[AUDIT_LINE_MAX];
    struct audit_line head;
    struct span chain;
    out[0] = '\0';
    if (audit_reader_head(reader->folder, segment, 0, text, &head) &&
        audit_line_text(&head, "chain", &chain) && chain.len == UUID_TEXT_LEN) {
        memcpy(out, chain.data, chain.len);
        out[chain.len] = '\0';
    }
}

static enum exit_code say_other_chain(const struct audit_ship *ship)
{
    (void)fprintf(stderr,
                  "qsealctl: --position %s is of chain %s, and this log of chain %s: each log has "
                  "a file of its own\n",
                  ship->path, ship->last.chain, ship->chain);
    return EXIT_NOT_VERIFIED;
}

static enum exit_code say_log_is_shorter(const struct audit_ship *ship,
                                         const struct audit_reader *reader)
{
    (void)fprintf(stderr,
                  "qsealctl: --position %s: record %llu was shipped out of segment %llu, and the "
                  "log ends with segment %llu\n",
                  ship->path, wide(ship->last.seq), wide(ship->last.segment),
                  wide(reader->segments.last));
    return EXIT_UNAVAILABLE;
}

enum exit_code audit_ship_begin(struct audit_ship *ship, const char *path,
                                struct audit_reader *reader)
{
    *ship = (struct audit_ship){.path = path, .save_at = deadline_in_ms(SAVE_MS)};
    enum exit_code code = read_file(ship);
    if (code != EXIT_DONE || ship->last.seq == 0) {
        ship->is_met = true;
        return code;
    }
    uint64_t segment = ship->last.segment;
    if (segment > reader->segments.last) {
        return say_log_is_shorter(ship, reader);
    }
    if (segment < reader->segments.first) { /* removed after its time: the next must follow */
        ship->is_met = true;
        segment = reader->segments.first;
    }
    audit_chain_of(reader, segment, ship->chain);
    if (ship->chain[0] != '\0' && strcmp(ship->chain, ship->last.chain) != 0) {
        return say_other_chain(ship);
    }
    audit_reader_seek(reader, segment);
    return EXIT_DONE;
}

/* A power cut has taken records that were never acknowledged, or the segment that they were in. */
static void begin_segment_anew(struct audit_ship *ship, struct audit_reader *reader)
{
    (void)fprintf(stderr,
                  "qsealctl: record %llu is not in the log as it was shipped: segment %llu is "
                  "shipped anew\n",
                  wide(ship->last.seq), wide(ship->last.segment));
    ship->is_met = true;
    ship->saved = 0;
    audit_reader_seek(reader, ship->last.segment);
    ship->last = (struct audit_shipped){.seq = 0};
}

static enum audit_ship_step meet(struct audit_ship *ship, struct audit_reader *reader,
                                 const struct audit_line *line)
{
    char hash[AUDIT_HASH_SIZE];
    if (line->seq < ship->last.seq) {
        return AUDIT_SHIP_PASS;
    }
    ship->is_met = line->seq == ship->last.seq && sha256_text(reader->line, hash) &&
                   strcmp(hash, ship->last.hash) == 0;
    if (!ship->is_met) {
        begin_segment_anew(ship, reader);
    }
    return AUDIT_SHIP_PASS;
}

static enum audit_ship_step say_does_not_follow(struct audit_ship *ship,
                                                const struct audit_line *line)
{
    bool is_gap = line->seq > ship->last.seq + 1;
    ship->code = is_gap ? EXIT_NOT_VERIFIED : EXIT_UNAVAILABLE;
    if (is_gap) {
        (void)fprintf(stderr,
                      "qsealctl: records %llu to %llu are not in the log any more, and were not "
                      "shipped; without %s it goes on with record %llu\n",
                      wide(ship->last.seq + 1), wide(line->seq - 1), ship->path, wide(line->seq));
    } else {
        (void)fprintf(stderr,
                      "qsealctl: record %llu does not follow record %llu, which was shipped: start "
                      "again\n",
                      wide(line->seq), wide(ship->last.seq));
    }
    return AUDIT_SHIP_STOP;
}

enum audit_ship_step audit_ship_next(struct audit_ship *ship, struct audit_reader *reader,
                                     const struct audit_line *line)
{
    const struct audit_shipped *last = &ship->last;
    if (!ship->is_met) {
        return meet(ship, reader, line);
    }
    if (last->seq > 0 && (line->seq != last->seq + 1 || !span_is_text(line->prev, last->hash))) {
        return say_does_not_follow(ship, line);
    }
    return AUDIT_SHIP_RECORD;
}

bool audit_ship_done(struct audit_ship *ship, const struct audit_reader *reader,
                     const struct audit_line *line)
{
    struct audit_shipped *last = &ship->last;
    if (last->segment != reader->segment || last->chain[0] == '\0') {
        audit_chain_of(reader, reader->segment, last->chain);
    }
    last->segment = reader->segment;
    last->seq = line->seq;
    if (!sha256_text(reader->line, last->hash)) {
        (void)fprintf(stderr, "qsealctl: SHA-256 cannot be computed\n");
        return false;
    }
    return true;
}

void audit_ship_closed(struct audit_ship *ship, struct audit_reader *reader)
{
    if (!ship->is_met) {
        begin_segment_anew(ship, reader);
    }
}

enum audit_ship_step audit_ship_end(struct audit_ship *ship)
{
    if (ship->is_met) {
        return AUDIT_SHIP_PASS;
    }
    (void)fprintf(stderr,
                  "qsealctl: --position %s: record %llu was shipped, and segment %llu ends before "
                  "it: qseald has not begun another one since\n",
                  ship->path, wide(ship->last.seq), wide(ship->last.segment));
    ship->code = EXIT_UNAVAILABLE;
    return AUDIT_SHIP_STOP;
}
