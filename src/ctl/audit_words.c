/* SPDX-License-Identifier: Apache-2.0
 * Records in words. What a record says is printable ASCII already, and stays escaped as it is. */
#include "ctl/audit.h"

#include "audit/kind.h"

/* A member between two texts; they are left out with it when there is no such member. */
struct piece {
    const char *text;
    const char *member;
    const char *behind;
};

enum { PIECES_MAX = 12 };

/* Who asks is in front: the caller's name, or the uid. */
static const struct words {
    bool has_who;
    struct piece pieces[PIECES_MAX];
} words[AUDIT_KINDS] = {
    [AUDIT_KIND_SIGN] = {true,
                         {{": ", "operation", ""},
                          {", profile ", "profile", ""},
                          {", role ", "role", ""},
                          {", ", "alg", ""},
                          {" in ", "token", ""},
                          {", key ", "kid", ""},
                          {", to ", "peer", ""},
                          {", jti ", "jti", ""},
                          {", request ", "request", ""},
                          {", interaction ", "interaction", ""}}},
    [AUDIT_KIND_DONE] = {false,
                         {{"record ", "of", ""}, {": ", "outcome", ""}, {", after ", "us", " us"}}},
    [AUDIT_KIND_REFUSED] = {true,
                            {{": ", "operation", ""},
                             {", profile ", "profile", ""},
                             {", role ", "role", ""},
                             {": ", "outcome", ""},
                             {" at ", "claim", ""},
                             {": ", "detail", ""},
                             {", ", "count", " times"},
                             {", request ", "request", ""},
                             {", interaction ", "interaction", ""}}},
    [AUDIT_KIND_ADMIN] = {true,
                          {{": ", "verb", ""},
                           {" ", "arguments", ""},
                           {", approved by uid ", "approver", ""}}},
    [AUDIT_KIND_CHECKPOINT] = {false,
                               {{"covers all up to record ", "covers", ""},
                                {", ", "alg", ""},
                                {", signed by key ", "kid", ""}}},
    [AUDIT_KIND_SEGMENT] = {false,
                            {{"segment ", "segment", ""},
                             {" of the chain ", "chain", ""},
                             {", cause ", "cause", ""},
                             {": ", "fault", ""},
                             {", ", "unrecorded", " not recorded"}}},
    [AUDIT_KIND_END] = {false, {{"the segment ends: ", "cause", ""}}},
    [AUDIT_KIND_START] = {false,
                          {{"", "program", ""},
                           {" begins, pid ", "pid", ""},
                           {", profiles ", "profiles", ""},
                           {", keyring generation ", "keyring_generation", ""}}},
    [AUDIT_KIND_POLICY] = {false,
                           {{"generation ", "generation", ""},
                            {" is in force, profiles ", "profiles", ""},
                            {", keyring generation ", "keyring_generation", ""}}},
    [AUDIT_KIND_REPAIR] = {false,
                           {{"segment ", "segment", ""},
                            {" was cut at byte ", "kept_bytes", ""},
                            {", ", "cut_bytes", " bytes set aside"}}},
    [AUDIT_KIND_KEYRING] = {false, {{"generation ", "generation", ""}, {": ", "steps", ""}}},
    [AUDIT_KIND_RETENTION] = {false,
                              {{"segment ", "segment", ""},
                               {" is removed, records ", "first", ""},
                               {" to ", "last", ""}}},
};

static bool put_value(const struct audit_line *line, const char *member, struct buffer *out)
{
    struct span value;
    if (!audit_line_text(line, member, &value) && !audit_line_value(line, member, &value)) {
        return false;
    }
    buffer_put_span(out, value);
    return true;
}

static void put_who(const struct audit_line *line, struct buffer *out)
{
    if (!put_value(line, "caller", out)) {
        buffer_put_text(out, "uid ");
        if (!put_value(line, "uid", out)) {
            buffer_put_text(out, "?");
        }
    }
}

static void put_piece(const struct audit_line *line, const struct piece *piece, struct buffer *out)
{
    struct span value;
    if (audit_line_value(line, piece->member, &value)) {
        buffer_put_text(out, piece->text);
        (void)put_value(line, piece->member, out);
        buffer_put_text(out, piece->behind);
    }
}

void audit_words_put(const struct audit_line *line, struct buffer *out)
{
    enum audit_kind kind = audit_kind_of(line->kind);
    const struct words *how = &words[kind];
    buffer_put_span(out, line->time);
    buffer_put_format(out, " %llu ", (unsigned long long)line->seq);
    buffer_put_span(out, line->kind);
    buffer_put_text(out, " ");
    if (kind == AUDIT_KIND_OTHER) {
        buffer_put_span(out, span_part(line->rest, 1, line->rest.len));
    }
    if (how->has_who) {
        put_who(line, out);
    }
    for (size_t i = 0; i < PIECES_MAX && how->pieces[i].member != NULL; i++) {
        put_piece(line, &how->pieces[i], out);
    }
    buffer_put_text(out, "\n");
}
