/* SPDX-License-Identifier: Apache-2.0
 * The subject of a certificate request. */
#include "pki/request_parts.h"

#include "pki/psd2.h"

#include <openssl/err.h>

#include <stdio.h>
#include <string.h>

enum { SUBJECT_MAX = 2048 };

/* One "type=value", unescaped; *at moves behind it. */
static bool take_part(const char **at, char part[SUBJECT_MAX], const char **value)
{
    size_t len = 0;
    *value = NULL;
    for (; **at != '\0' && **at != '/'; (*at)++) {
        if (**at == '=' && *value == NULL) {
            part[len++] = '\0';
            *value = part + len;
            continue;
        }
        if (**at == '\\' && (*at)[1] != '\0') {
            (*at)++;
        }
        part[len++] = **at;
    }
    part[len] = '\0';
    return *value != NULL && part[0] != '\0' && (*value)[0] != '\0';
}

static enum outcome read_subject(const char *subject, X509_NAME *name, struct reason *why)
{
    if (strlen(subject) >= SUBJECT_MAX) {
        return refuse(why, OUTCOME_RULE, "subject: longer than %d bytes", SUBJECT_MAX - 1);
    }
    const char *at = subject;
    size_t n = 0;
    for (; *at == '/' && at[1] != '\0'; n++) {
        char part[SUBJECT_MAX];
        const char *value = NULL;
        at++;
        if (!take_part(&at, part, &value)) {
            return refuse(why, OUTCOME_RULE, "subject: part %zu is not NAME=VALUE", n + 1);
        }
        if (X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                       -1, 0) != 1) {
            ERR_clear_error();
            return refuse(why, OUTCOME_RULE,
                          "subject: part %zu has a name that is not known, or a value that it does "
                          "not take",
                          n + 1);
        }
    }
    return n > 0 && *at == '\0'
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "subject: it is written like /C=MY/O=Bank/CN=name");
}

static const char *value_of(const X509_NAME *name, int nid, char *out, size_t size)
{
    int len = X509_NAME_get_text_by_NID((X509_NAME *)name, nid, out, (int)size);
    return len < 0 || (size_t)len != strlen(out) ? "" : out;
}

static enum outcome add(X509_NAME *name, const char *type, const char *value, struct reason *why)
{
    if (value == NULL) {
        return OUTCOME_OK;
    }
    if (X509_NAME_get_index_by_NID(name, OBJ_txt2nid(type), -1) >= 0) {
        return refuse(why, OUTCOME_RULE, "subject: %s is given by an option already", type);
    }
    return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "subject: %s does not take its value", type);
}

/* What options say belongs into the subject. */
static enum outcome add_options(X509_NAME *name, const struct request_wish *wish,
                                struct reason *why)
{
    char organization[ORGANIZATION_ID_SIZE];
    const char *participant = wish->values[REQUEST_PARTICIPANT];
    enum outcome outcome =
        add(name, "organizationIdentifier", wish->values[REQUEST_ORGANIZATION], why);
    if (outcome == OUTCOME_OK && wish->profile == PROFILE_BR_CAC) {
        (void)snprintf(organization, sizeof organization, "OFBBR-%s", participant);
        outcome = add(name, "organizationIdentifier", organization, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    return add(name, "UID",
               wish->profile == PROFILE_BR_SEAL ? participant : wish->values[REQUEST_SOFTWARE],
               why);
}

static void list_names(const struct request_row *row, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; row->names[i] != NULL && len < size; i++) {
        len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", row->names[i]);
    }
}

/* Moves the entries of this type over; false when there is no memory. */
static bool move_entries(X509_NAME *from, int nid, X509_NAME *to, size_t *n)
{
    int at;
    for (*n = 0; (at = X509_NAME_get_index_by_NID(from, nid, -1)) >= 0; (*n)++) {
        X509_NAME_ENTRY *entry = X509_NAME_delete_entry(from, at);
        bool added = X509_NAME_add_entry(to, entry, -1, 0) == 1;
        X509_NAME_ENTRY_free(entry);
        if (!added) {
            return false;
        }
    }
    return true;
}

static enum outcome put_in_order(X509_NAME *from, const struct request_row *row, X509_NAME *to,
                                 struct reason *why)
{
    for (size_t i = 0; row->names[i] != NULL; i++) {
        size_t n = 0;
        bool many = strcmp(row->names[i], "OU") == 0;
        if (!move_entries(from, OBJ_txt2nid(row->names[i]), to, &n)) {
            return refuse(why, OUTCOME_INTERNAL, "out of memory");
        }
        if (n == 0 && !many) {
            return refuse(why, OUTCOME_RULE, "subject: profile %s needs %s", row->name,
                          row->names[i]);
        }
        if (n > 1 && !many) {
            return refuse(why, OUTCOME_RULE, "subject: %s stands there twice", row->names[i]);
        }
    }
    if (X509_NAME_entry_count(from) > 0) {
        char names[256];
        list_names(row, names, sizeof names);
        return refuse(why, OUTCOME_RULE, "subject: profile %s takes no other parts than %s",
                      row->name, names);
    }
    return OUTCOME_OK;
}

static enum outcome check_organization(const X509_NAME *name, const struct request_wish *wish,
                                       struct reason *why)
{
    const struct request_row *row = request_row(wish->profile);
    char text[ORGANIZATION_ID_SIZE];
    struct organization_id id;
    const char *value = value_of(name, NID_organizationIdentifier, text, sizeof text);
    const char *fault = organization_id_read(span_of_text(value), &id);
    if (fault != NULL) {
        return refuse(why, OUTCOME_RULE, "organizationIdentifier: %s", fault);
    }
    if (strncmp(value, row->organization, strlen(row->organization)) != 0) {
        return refuse(why, OUTCOME_RULE, "organizationIdentifier: profile %s has one of %s…",
                      row->name, row->organization);
    }
    char authority[sizeof id.country + sizeof id.nca];
    (void)snprintf(authority, sizeof authority, "%s-%s", id.country, id.nca);
    /* The directory in the United Kingdom numbers those who are not supervised itself. */
    if (row->has_psd2 && strcmp(authority, "GB-OB") != 0 &&
        strcmp(authority, wish->values[REQUEST_NCA_ID]) != 0) {
        return refuse(why, OUTCOME_RULE,
                      "organizationIdentifier names the authority %s, --nca-id another", authority);
    }
    return OUTCOME_OK;
}

/* A server's name is in the subject, too. */
static enum outcome check_common_name(const X509_NAME *name, const struct request_wish *wish,
                                      struct reason *why)
{
    char text[256];
    struct span item;
    struct span list = span_of_text(wish->values[REQUEST_DNS]);
    const char *value = value_of(name, NID_commonName, text, sizeof text);
    while (request_next(&list, &item)) {
        if (span_is_text(item, value)) {
            return OUTCOME_OK;
        }
    }
    return refuse(why, OUTCOME_RULE, "subject: CN is not one of --dns");
}

static enum outcome put_profile(X509_NAME *given, X509_NAME *name, const struct request_wish *wish,
                                struct reason *why)
{
    const struct request_row *row = request_row(wish->profile);
    enum outcome outcome = add_options(given, wish, why);
    if (outcome == OUTCOME_OK) {
        outcome = put_in_order(given, row, name, why);
    }
    if (outcome == OUTCOME_OK && row->organization != NULL) {
        outcome = check_organization(name, wish, why);
    }
    if (outcome == OUTCOME_OK && wish->values[REQUEST_DNS] != NULL) {
        outcome = check_common_name(name, wish, why);
    }
    return outcome;
}

enum outcome request_put_subject(X509_NAME *name, const struct request_wish *wish,
                                 struct reason *why)
{
    if (wish->profile == PROFILE_PLAIN) {
        return read_subject(wish->values[REQUEST_SUBJECT], name, why);
    }
    X509_NAME *given = X509_NAME_new();
    enum outcome outcome = given == NULL ? refuse(why, OUTCOME_INTERNAL, "out of memory")
                                         : read_subject(wish->values[REQUEST_SUBJECT], given, why);
    if (outcome == OUTCOME_OK) {
        outcome = put_profile(given, name, wish, why);
    }
    X509_NAME_free(given);
    return outcome;
}
