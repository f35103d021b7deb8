/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as qseal.yaml, as a template and as a binding: refused with a reason, or good. */
#include "policy/binding.h"
#include "policy/config.h"
#include "policy/config_check.h"
#include "policy/template.h"
#include "policy/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good)
{
    if (!good) {
        abort();
    }
}

/* A refusal says why, in characters that are safe on a terminal. */
static void expect_reason(enum outcome outcome, const struct reason *why)
{
    expect(outcome == OUTCOME_RULE && why->detail[0] != '\0');
    for (const char *c = why->detail; *c != '\0'; c++) {
        expect(*c >= ' ' && *c <= '~');
    }
}

static void as_config(const char *path)
{
    struct config *config = NULL;
    struct reason why = {0};
    enum outcome outcome = config_load(path, &config, &why);
    if (outcome != OUTCOME_OK) {
        expect_reason(outcome, &why);
        expect(config == NULL);
        return;
    }
    expect(config_check(config, &why) == OUTCOME_OK);
    expect(config->n_tokens > 0 && config->n_roles > 0);
    config_free(config);
}

/* Each node is found again by its own pointer. */
static void walk(const struct yaml_node *root, const struct yaml_node *node)
{
    char pointer[REASON_CLAIM_SIZE];
    yaml_tree_pointer(node, pointer);
    expect(yaml_tree_nearest(root, pointer) != NULL);
    expect(node->line > 0);
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        expect(child->parent == node);
        walk(root, child);
    }
}

/* A file names itself; the loaders want to hear the name too. */
static void as_policy(const char *path, const struct yaml_node *root)
{
    const struct yaml_node *template_name = yaml_tree_child(root, "template");
    const struct yaml_node *profile_name = yaml_tree_child(root, "profile");
    struct reason why = {0};
    if (template_name != NULL && template_name->text != NULL) {
        TEMPLATE_CLEANUP struct template *template = NULL;
        enum outcome outcome = template_load(path, template_name->text, NULL, &template, &why);
        expect(outcome == OUTCOME_OK || why.detail[0] != '\0');
    }
    if (profile_name != NULL && profile_name->text != NULL) {
        BINDING_CLEANUP struct binding *binding = NULL;
        enum outcome outcome = binding_load(path, profile_name->text, NULL, &binding, &why);
        expect(outcome == OUTCOME_OK || why.detail[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    expect(fd >= 0);
    expect(write(fd, data, size) == (ssize_t)size);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    as_config(path);
    YAML_TREE_CLEANUP struct yaml_node *root = NULL;
    struct reason why = {0};
    enum outcome outcome = yaml_tree_parse("F", span_of(data, size), &root, &why);
    if (outcome == OUTCOME_OK) {
        walk(root, root);
        as_policy(path, root);
    } else {
        expect_reason(outcome, &why);
    }
    (void)close(fd);
    return 0;
}
