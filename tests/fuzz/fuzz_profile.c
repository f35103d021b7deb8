/* SPDX-License-Identifier: Apache-2.0
 * Template and binding files, as text: a template named "t", a line "%%", a binding named "p", and,
 * behind another such line, a body. What loads makes no artefact of another kind. */
#include "base/fd.h"
#include "jose/json.h"
#include "model/shape.h"
#include "policy/compiled.h"
#include "policy_oracle.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char rule[] = "\n%%\n";

/* Takes the text up to the next rule away from `rest`. */
static struct span next_part(struct span *rest)
{
    const uint8_t *at =
        rest->len == 0 ? NULL : memmem(rest->data, rest->len, rule, sizeof rule - 1);
    size_t len = at == NULL ? rest->len : (size_t)(at - rest->data) + 1;
    struct span part = span_part(*rest, 0, len);
    *rest = span_part(*rest, at == NULL ? len : len + sizeof rule - 2, rest->len);
    return part;
}

static int file_of(struct span text, char path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(fd >= 0);
    MUST(text.len == 0 || write(fd, text.data, text.len) == (ssize_t)text.len);
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static struct profile *load(struct span template_text, struct span binding_text)
{
    char template_path[64];
    char binding_path[64];
    FD_CLEANUP int template_fd = file_of(template_text, template_path);
    FD_CLEANUP int binding_fd = file_of(binding_text, binding_path);
    MUST(template_fd >= 0 && binding_fd >= 0);
    TEMPLATE_CLEANUP struct template *template = NULL;
    BINDING_CLEANUP struct binding *binding = NULL;
    struct profile *profile = NULL;
    struct reason why = {.detail = ""};
    if (template_load(template_path, "t", NULL, &template, &why) != OUTCOME_OK ||
        binding_load(binding_path, "p", NULL, &binding, &why) != OUTCOME_OK) {
        MUST(why.detail[0] != '\0');
        return NULL;
    }
    enum outcome outcome =
        profile_compile(template, template_path, binding, binding_path, &profile, &why);
    template = NULL;
    binding = NULL;
    MUST(outcome == OUTCOME_OK || why.detail[0] != '\0');
    return profile;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct artefact artefact;
    if (artefact.signing_input.max == 0) {
        artefact_init(&artefact);
    }
    struct span rest = span_of(data, len);
    struct span template_text = next_part(&rest);
    struct span binding_text = next_part(&rest);
    struct profile *profile = load(template_text, binding_text);
    if (profile == NULL) {
        return 0;
    }
    /* Not through our own door: a schema is twice as deep as what it describes. */
    JSON_CLEANUP json_t *schema =
        json_loads(profile_input_schema(profile), JSON_REJECT_DUPLICATES, NULL);
    MUST(oracle_has(schema, "type"));
    oracle_try(profile, rest, &artefact);
    oracle_try(profile, span_of_text("{}"), &artefact);
    profile_free(profile);
    return 0;
}
