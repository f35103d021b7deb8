/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key reference: what stands in a program's configuration in place of a transport key. */
#include "base/fd.h"
#include "custody/act.h"
#include "jose/json.h"
#include "signing/key_reference.h"

enum { REFERENCE_MAX = 4096 };

/* What qseal.so takes out of a reference. */
static bool socket_is_valid(const char *socket)
{
    struct sockaddr_un address;
    return socket[0] == '/' && span_is_visible(span_of_text(socket)) &&
           fd_unix_address(socket, &address);
}

enum outcome act_key_reference(struct act *act, struct reason *why)
{
    static const char *const names[] = {"role", "token", "socket", NULL};
    const struct key *key = NULL;
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome == OUTCOME_OK) {
        outcome = act_choose_key(act, &key, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (key->purpose != PURPOSE_TRANSPORT) {
        return refuse(why, OUTCOME_RULE,
                      "role %s is of purpose %s: only transport keys are used by reference",
                      key->role, purpose_name(key->purpose));
    }
    const char *given = act_argument(act, "socket");
    const char *socket = given == NULL ? act->view->policy->config->sockets.callers : given;
    if (!socket_is_valid(socket)) {
        return refuse(why, OUTCOME_RULE,
                      "the socket is an absolute path of at most 107 bytes (unix(7)), printable "
                      "ASCII without spaces");
    }
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(REFERENCE_MAX);
    key_reference_put(&pem, key, socket);
    if (!buffer_ok(&pem)) {
        return refuse(why, OUTCOME_INTERNAL, "no room for the key reference");
    }
    buffer_put_format(act->result,
                      "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"socket\":", key->role,
                      key->token, public_key_thumbprint(key->public_key));
    json_put_string(act->result, span_of_text(socket));
    buffer_put_text(act->result, ",\"pem\":");
    json_put_string(act->result, buffer_span(&pem));
    buffer_put_text(act->result, "}");
    return OUTCOME_OK;
}
