/* SPDX-License-Identifier: Apache-2.0
 * From libyaml's events to a tree; whatever is outside the plain subset ends here. */
#include "policy/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct builder {
    const char *path;
    struct reason *why;
    struct yaml_node *root;
    struct yaml_node *top; /* innermost open sequence or mapping */
    char *key;             /* of `top`, waiting for its value; owned */
    unsigned int key_line;
    unsigned int depth;
    unsigned int documents;
};

static void node_free(struct yaml_node *node)
{
    free(node->key);
    free(node->text);
    free(node);
}

/* Goes down to a leaf and back up, so that the depth costs no stack. */
static void tree_free(struct yaml_node *root)
{
    struct yaml_node *node = root;
    while (node != NULL) {
        if (node->first != NULL) {
            struct yaml_node *child = node->first;
            node->first = child->next;
            node = child;
            continue;
        }
        struct yaml_node *parent = node == root ? NULL : node->parent;
        node_free(node);
        node = parent;
    }
}

void yaml_tree_clear(struct yaml_node **root)
{
    tree_free(*root);
    *root = NULL;
}

static unsigned int line_of(const yaml_event_t *event)
{
    return (unsigned int)event->start_mark.line + 1;
}

static enum outcome out_of_memory(struct builder *builder)
{
    return refuse(builder->why, OUTCOME_INTERNAL, "%.200s: out of memory", builder->path);
}

/* Takes the key that waits, and links the node last into its parent. */
static enum outcome attach(struct builder *builder, struct yaml_node *node)
{
    struct yaml_node *parent = builder->top;
    node->parent = parent;
    if (parent == NULL) {
        builder->root = node;
        return OUTCOME_OK;
    }
    if (parent->kind == YAML_KIND_MAPPING) {
        node->key = builder->key;
        node->line = builder->key_line;
        builder->key = NULL;
    }
    *(parent->first == NULL ? &parent->first : &parent->last->next) = node;
    parent->last = node;
    if (++parent->n_children > YAML_CHILDREN_MAX) {
        return yaml_tree_refuse(builder->why, builder->path, node->line,
                                "more than %d entries in one place", YAML_CHILDREN_MAX);
    }
    return OUTCOME_OK;
}

static bool key_is_due(const struct builder *builder)
{
    return builder->top != NULL && builder->top->kind == YAML_KIND_MAPPING && builder->key == NULL;
}

static enum outcome take_key(struct builder *builder, const yaml_event_t *event)
{
    const char *key = (const char *)event->data.scalar.value;
    unsigned int line = line_of(event);
    if (strcmp(key, "<<") == 0) {
        return yaml_tree_refuse(builder->why, builder->path, line,
                                "merge keys (<<) are not taken; write the members out");
    }
    const struct yaml_node *twin = yaml_tree_child(builder->top, key);
    if (twin != NULL) {
        char shown[YAML_SHOWN_SIZE];
        yaml_tree_printable(key, shown);
        return yaml_tree_refuse(builder->why, builder->path, line,
                                "key \"%s\" is there twice; first in line %u", shown, twin->line);
    }
    builder->key = strdup(key);
    builder->key_line = line;
    return builder->key == NULL ? out_of_memory(builder) : OUTCOME_OK;
}

static enum outcome take_scalar(struct builder *builder, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        return yaml_tree_refuse(builder->why, builder->path, line_of(event), "a NUL in a text");
    }
    if (key_is_due(builder)) {
        return take_key(builder, event);
    }
    struct yaml_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return out_of_memory(builder);
    }
    node->kind = YAML_KIND_SCALAR;
    node->line = line_of(event);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    enum outcome outcome = attach(builder, node);
    node->text = strdup(text);
    return outcome == OUTCOME_OK && node->text == NULL ? out_of_memory(builder) : outcome;
}

static enum outcome open_node(struct builder *builder, const yaml_event_t *event,
                              enum yaml_kind kind)
{
    unsigned int line = line_of(event);
    if (key_is_due(builder)) {
        return yaml_tree_refuse(builder->why, builder->path, line, "a key must be plain text");
    }
    if (builder->depth == YAML_DEPTH_MAX) {
        return yaml_tree_refuse(builder->why, builder->path, line, "nested deeper than %d",
                                YAML_DEPTH_MAX);
    }
    struct yaml_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return out_of_memory(builder);
    }
    node->kind = kind;
    node->line = line;
    enum outcome outcome = attach(builder, node);
    builder->top = node;
    builder->depth++;
    return outcome;
}

static enum outcome close_node(struct builder *builder)
{
    builder->top = builder->top->parent;
    builder->depth--;
    return OUTCOME_OK;
}

static enum outcome open_document(struct builder *builder, const yaml_event_t *event)
{
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end) {
        return yaml_tree_refuse(builder->why, builder->path, line_of(event),
                                "directives (%%YAML, %%TAG) are not taken");
    }
    if (builder->documents++ > 0) {
        return yaml_tree_refuse(builder->why, builder->path, line_of(event),
                                "a second document; one file holds one");
    }
    return OUTCOME_OK;
}

static enum outcome check_plain(struct builder *builder, const yaml_event_t *event,
                                const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return yaml_tree_refuse(builder->why, builder->path, line_of(event),
                                "anchors (&name) are not taken; write the value out");
    }
    if (tag != NULL) {
        return yaml_tree_refuse(builder->why, builder->path, line_of(event),
                                "tags (!name) are not taken");
    }
    return OUTCOME_OK;
}

static enum outcome take_event(struct builder *builder, const yaml_event_t *event)
{
    enum outcome outcome = OUTCOME_OK;
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return OUTCOME_OK;
    case YAML_DOCUMENT_START_EVENT:
        return open_document(builder, event);
    case YAML_ALIAS_EVENT:
        return yaml_tree_refuse(builder->why, builder->path, line_of(event),
                                "aliases (*name) are not taken; write the value out");
    case YAML_SCALAR_EVENT:
        outcome = check_plain(builder, event, event->data.scalar.anchor, event->data.scalar.tag);
        return outcome != OUTCOME_OK ? outcome : take_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        outcome = check_plain(builder, event, event->data.sequence_start.anchor,
                              event->data.sequence_start.tag);
        return outcome != OUTCOME_OK ? outcome : open_node(builder, event, YAML_KIND_SEQUENCE);
    case YAML_MAPPING_START_EVENT:
        outcome = check_plain(builder, event, event->data.mapping_start.anchor,
                              event->data.mapping_start.tag);
        return outcome != OUTCOME_OK ? outcome : open_node(builder, event, YAML_KIND_MAPPING);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_node(builder);
    }
    return OUTCOME_INTERNAL;
}

static unsigned int line_at(struct span text, size_t offset)
{
    unsigned int line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        line += text.data[i] == '\n';
    }
    return line;
}

static enum outcome refuse_syntax(const struct builder *builder, const yaml_parser_t *parser,
                                  struct span text)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return refuse(builder->why, OUTCOME_INTERNAL, "%.200s: out of memory", builder->path);
    }
    unsigned int line = parser->error == YAML_READER_ERROR
                            ? line_at(text, parser->problem_offset)
                            : (unsigned int)parser->problem_mark.line + 1;
    return yaml_tree_refuse(builder->why, builder->path, line, "not YAML: %s",
                            parser->problem != NULL ? parser->problem : "unreadable");
}

static enum outcome build(struct builder *builder, yaml_parser_t *parser, struct span text)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            return refuse_syntax(builder, parser, text);
        }
        done = event.type == YAML_STREAM_END_EVENT;
        enum outcome outcome = take_event(builder, &event);
        yaml_event_delete(&event);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    if (builder->root == NULL) {
        return yaml_tree_refuse(builder->why, builder->path, 1, "the file is empty");
    }
    return OUTCOME_OK;
}

enum outcome yaml_tree_parse(const char *path, struct span text, struct yaml_node **root,
                             struct reason *why)
{
    if (text.len == 0) {
        return yaml_tree_refuse(why, path, 1, "the file is empty");
    }
    size_t tab = span_find(text, '\t');
    if (tab != text.len) {
        return yaml_tree_refuse(why, path, line_at(text, tab), "a tab; indent with spaces");
    }
    if (text.len > YAML_FILE_MAX) {
        return yaml_tree_refuse(why, path, 0, "larger than %d bytes", YAML_FILE_MAX);
    }
    struct builder builder = {.path = path, .why = why};
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return out_of_memory(&builder);
    }
    /* Said, not guessed: otherwise a byte order mark makes it UTF-16. */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.data, text.len);
    enum outcome outcome = build(&builder, &parser, text);
    yaml_parser_delete(&parser);
    free(builder.key);
    if (outcome != OUTCOME_OK) {
        tree_free(builder.root);
        return outcome;
    }
    *root = builder.root;
    return OUTCOME_OK;
}
