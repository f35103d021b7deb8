/* SPDX-License-Identifier: Apache-2.0
 * The custody service from far: qsealctl's side. The verb is the kind of the frame. */
#include "custody/custody.h"

#include "jose/json.h"
#include "wire/channel.h"

#include <stdint.h>

static enum outcome read_result(struct reader *answer, json_t **result, struct reason *why)
{
    struct span text = reader_bytes(answer, CUSTODY_RESULT_MAX);
    if (!reader_done(answer)) {
        return refuse(why, OUTCOME_INTERNAL, "qseald answered in an unknown form");
    }
    return json_parse_own(text, CUSTODY_VALUES_MAX, result, why);
}

enum outcome custody_ask(const char *socket_path, enum custody_verb verb, const json_t *arguments,
                         struct deadline deadline, json_t **result, struct reason *why)
{
    return custody_ask_with(socket_path, verb, arguments, -1, deadline, result, why);
}

enum outcome custody_ask_with(const char *socket_path, enum custody_verb verb,
                              const json_t *arguments, int pin, struct deadline deadline,
                              json_t **result, struct reason *why)
{
    struct channel channel;
    struct reader answer;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CUSTODY_ARGUMENTS_MAX);
    channel_init(&channel, socket_path, "qseald");
    if (arguments != NULL) {
        json_put(&text, arguments);
    } else {
        buffer_put_text(&text, "{}");
    }
    buffer_put_bytes(channel_begin(&channel, (uint8_t)verb), buffer_span(&text));
    channel_pass(&channel, pin);
    enum outcome outcome = channel_call(&channel, deadline, &answer, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_result(&answer, result, why);
    }
    channel_fini(&channel);
    return outcome;
}
