/* SPDX-License-Identifier: Apache-2.0
 * What the options of qsealctl key csr wish for. */
#include "ctl/command.h"

#include "jose/json.h"

void command_take_request(struct command_line *line, const char *member, bool is_list,
                          const char *value)
{
    if (line->request == NULL) {
        line->request = json_object();
    }
    const char *before = json_string_value(json_object_get(line->request, member));
    json_t *text =
        is_list && before != NULL ? json_sprintf("%s,%s", before, value) : json_string(value);
    if (text == NULL || json_object_set_new(line->request, member, text) != 0) {
        line->request_failed = true; /* no UTF-8 */
    }
}
