/* SPDX-License-Identifier: Apache-2.0
 * A YAML file as a tree of nodes that know their lines, so that every complaint can say where.
 *
 * Only a plain subset of YAML exists here: one document, UTF-8, mappings with plain text keys, no
 * key twice in one mapping, no anchors, aliases, merge keys, tags, directives or tabs, depth ≤ 16,
 * at most 256 KiB. What is left means the same to every reader of it. */
#ifndef QSEAL_POLICY_YAML_TREE_H
#define QSEAL_POLICY_YAML_TREE_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_FILE_MAX = 256 * 1024, YAML_DEPTH_MAX = 16, YAML_CHILDREN_MAX = 1024 };

enum yaml_kind { YAML_KIND_SCALAR, YAML_KIND_SEQUENCE, YAML_KIND_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    unsigned int line;       /* where it starts; in a mapping, where its key is */
    char *key;               /* in a mapping; NULL elsewhere */
    char *text;              /* of a scalar, without NUL inside; NULL elsewhere */
    bool plain;              /* a scalar without quotes or block: may be a number, a bool or null */
    size_t n_children;       /* of a sequence or mapping */
    struct yaml_node *first; /* child, owned */
    struct yaml_node *last;
    struct yaml_node *next; /* sibling, owned by the parent */
    struct yaml_node *parent;
};

/* OUTCOME_RULE with "PATH:LINE: reason"; `path` is for the reason only. *root is the caller's. */
enum outcome yaml_tree_parse(const char *path, struct span text, struct yaml_node **root,
                             struct reason *why) MUST_USE;

/* The child of a mapping under this key, or NULL. */
const struct yaml_node *yaml_tree_child(const struct yaml_node *mapping, const char *key);
/* RFC 6901 look-up; the deepest node that exists on the way, so that a missing member is reported
 * at its parent. */
const struct yaml_node *yaml_tree_nearest(const struct yaml_node *root, const char *pointer);
/* The node's own JSON pointer; "" for the root; cut when it does not fit. */
void yaml_tree_pointer(const struct yaml_node *node, char out[REASON_CLAIM_SIZE]);
/* Whether a scalar says nothing: `key:`, `~`, `null`. */
bool yaml_tree_is_null(const struct yaml_node *node);

enum { YAML_SHOWN_SIZE = 64 };
/* A key as a reason may show it: it comes back to the administrator's terminal, so harmless
 * characters only, and not too many. */
void yaml_tree_printable(const char *key, char out[YAML_SHOWN_SIZE]);

/* OUTCOME_RULE and "PATH:LINE: …"; line 0 leaves the line out. A long path keeps its end. */
enum outcome yaml_tree_refuse(struct reason *why, const char *path, unsigned int line,
                              const char *format, ...) PRINTF_LIKE(4, 5);

/* Frees the tree and forgets it; accepts NULL in it. */
void yaml_tree_clear(struct yaml_node **root);
#define YAML_TREE_CLEANUP CLEANUP(yaml_tree_clear)

#endif
