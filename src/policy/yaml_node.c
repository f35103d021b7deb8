/* SPDX-License-Identifier: Apache-2.0
 * Finding, naming and complaining of nodes of a YAML tree. */
#include "policy/yaml_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum outcome yaml_tree_refuse(struct reason *why, const char *path, unsigned int line,
                              const char *format, ...)
{
    enum { PATH_SHOWN = 160 };
    char text[REASON_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = strlen(path);
    const char *shown = len > PATH_SHOWN ? path + (len - PATH_SHOWN) : path;
    if (line == 0) {
        return refuse(why, OUTCOME_RULE, "%s: %s", shown, text);
    }
    return refuse(why, OUTCOME_RULE, "%s:%u: %s", shown, line, text);
}

void yaml_tree_printable(const char *key, char out[YAML_SHOWN_SIZE])
{
    size_t i = 0;
    for (; key[i] != '\0' && i < YAML_SHOWN_SIZE - 4; i++) {
        out[i] = key[i] >= ' ' && key[i] <= '~' ? key[i] : '?';
    }
    memcpy(out + i, key[i] != '\0' ? "..." : "", key[i] != '\0' ? 4 : 1);
}

const struct yaml_node *yaml_tree_child(const struct yaml_node *mapping, const char *key)
{
    for (const struct yaml_node *child = mapping->first; child != NULL; child = child->next) {
        if (child->key != NULL && strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

/* One reference token of a pointer, unescaped (RFC 6901 §4), against a key. */
static bool token_is(const char *token, size_t len, const char *key)
{
    for (size_t i = 0; i < len; i++, key++) {
        char c = token[i];
        if (c == '~' && i + 1 < len) {
            c = token[++i] == '1' ? '/' : '~';
        }
        if (*key != c) {
            return false;
        }
    }
    return *key == '\0';
}

static const struct yaml_node *step(const struct yaml_node *node, const char *token, size_t len)
{
    size_t index = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", index++);
        if (token_is(token, len, child->key != NULL ? child->key : number)) {
            return child;
        }
    }
    return NULL;
}

const struct yaml_node *yaml_tree_nearest(const struct yaml_node *root, const char *pointer)
{
    const struct yaml_node *node = root;
    while (*pointer == '/') {
        size_t len = strcspn(pointer + 1, "/");
        const struct yaml_node *child = step(node, pointer + 1, len);
        if (child == NULL) {
            return node;
        }
        node = child;
        pointer += len + 1;
    }
    return node;
}

static size_t index_of(const struct yaml_node *node)
{
    size_t index = 0;
    for (const struct yaml_node *at = node->parent->first; at != node; at = at->next) {
        index++;
    }
    return index;
}

/* RFC 6901 §3; at most two characters for each of the token's, and the slash. */
static size_t put_token(char *out, const char *token)
{
    size_t at = 0;
    out[at++] = '/';
    for (; *token != '\0'; token++) {
        bool special = *token == '~' || *token == '/';
        if (special) {
            out[at++] = '~';
        }
        out[at++] = (char)(*token == '~' ? '0' : *token == '/' ? '1' : *token);
    }
    out[at] = '\0';
    return at;
}

void yaml_tree_pointer(const struct yaml_node *node, char out[REASON_CLAIM_SIZE])
{
    const struct yaml_node *way[YAML_DEPTH_MAX + 1];
    size_t n = 0;
    for (; node->parent != NULL && n < YAML_DEPTH_MAX + 1; node = node->parent) {
        way[n++] = node;
    }
    size_t at = 0;
    out[0] = '\0';
    while (n-- > 0 && at < REASON_CLAIM_SIZE - 2 * YAML_SHOWN_SIZE) {
        char token[YAML_SHOWN_SIZE];
        if (way[n]->key != NULL) {
            yaml_tree_printable(way[n]->key, token);
        } else {
            (void)snprintf(token, sizeof token, "%zu", index_of(way[n]));
        }
        at += put_token(out + at, token);
    }
}

bool yaml_tree_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_KIND_SCALAR && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcasecmp(node->text, "null") == 0);
}
