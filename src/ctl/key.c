/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key generate, list, csr, import-certificate, reference. */
#include "ctl/command.h"

#include "jose/json.h"

#include <stdio.h>

enum { FILE_MAX = 64 * 1024 };

static void print_generated(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        (void)printf("%s: key %s generated in token %s, %s\n", command_text(key, "role"),
                     command_text(key, "kid"), command_text(key, "token"),
                     command_text(key, "state"));
    }
}

enum exit_code run_key_generate(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_GENERATE,
                      json_pack("{s:s, s:s*}", "role", line->words[0], "token", line->token),
                      print_generated);
}

static void print_key(const json_t *key)
{
    const char *not_after = command_text(key, "not_after");
    (void)printf("%-16s %-12s %-9s %-9s %-11s ", command_text(key, "role"),
                 command_text(key, "token"), command_text(key, "purpose"),
                 command_text(key, "type"), command_text(key, "state"));
    (void)printf("since %s  ", command_text(key, "since"));
    size_t i;
    json_t *alg;
    json_array_foreach (json_object_get(key, "algs"), i, alg) {
        (void)printf("%s%s", i == 0 ? "" : ",", json_string_value(alg));
    }
    (void)printf("  %s  %s  %s%s\n", command_text(key, "kid"), command_text(key, "created"),
                 not_after[0] == '\0' ? "no certificate" : "certificate until ", not_after);
}

static void print_keys(const json_t *result)
{
    size_t i;
    json_t *key;
    json_array_foreach (json_object_get(result, "keys"), i, key) {
        print_key(key);
    }
}

enum exit_code run_key_list(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_LIST, json_object(), print_keys);
}

/* For a file: the text alone. */
static void print_pem(const json_t *result)
{
    (void)fputs(command_text(result, "pem"), stdout);
}

enum exit_code run_key_reference(const struct command_line *line)
{
    return command_do(line, CUSTODY_KEY_REFERENCE,
                      json_pack("{s:s, s:s*, s:s*}", "role", line->words[0], "token", line->token,
                                "socket", line->callers),
                      print_pem);
}

/* On stderr, for the record of a ceremony: stdout is the request. */
static void print_request(const json_t *result)
{
    print_pem(result);
    (void)fprintf(stderr,
                  "qsealctl: profile %s, key in token %s\n"
                  "  SPKI SHA-256         %s\n"
                  "  RFC 7638 thumbprint  %s\n",
                  command_text(result, "profile"), command_text(result, "token"),
                  command_text(result, "spki_sha256"), command_text(result, "thumbprint"));
}

enum exit_code run_key_csr(const struct command_line *line)
{
    json_t *arguments = json_pack("{s:s, s:s*, s:s*}", "role", line->words[0], "token", line->token,
                                  "subject", line->subject);
    if (line->request_failed ||
        (line->request != NULL && json_object_update(arguments, line->request) != 0)) {
        json_clear_ref(&arguments);
    }
    return command_do(line, CUSTODY_KEY_CSR, arguments, print_request);
}

static void print_list(const json_t *list, const char *before, const char *between)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        (void)printf("%s%s", i == 0 ? before : between, json_string_value(item));
    }
    if (json_array_size(list) > 0) {
        (void)putchar('\n');
    }
}

void command_print_certificate(const json_t *imported)
{
    static const char *const members[] = {
        "subject", "issuer",   "serial", "not_before", "not_after", "organization_identifier",
        "qc_type", "nca_name", "nca_id", "qc_pds"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *text = command_text(imported, members[i]);
        if (text[0] != '\0') {
            (void)printf("  %-10s %s\n", members[i], text);
        }
    }
    if (json_is_true(json_object_get(imported, "qc_compliance"))) {
        (void)puts("  qc_compliance the issuer states a qualified certificate");
    }
    if (json_is_true(json_object_get(imported, "qc_sscd"))) {
        (void)puts("  qc_sscd    the issuer states a qualified device");
    }
    print_list(json_object_get(imported, "psd2_roles"), "  psd2_roles ", ", ");
    print_list(json_object_get(imported, "warnings"), "  warning: ", "\n  warning: ");
}

static void print_imported(const json_t *result)
{
    (void)printf("%s: certificate for key %s in token %s\n", command_text(result, "role"),
                 command_text(result, "kid"), command_text(result, "token"));
    command_print_certificate(result);
}

enum exit_code run_key_import(const struct command_line *line)
{
    if (line->file == NULL) {
        (void)fprintf(stderr, "usage: qsealctl key import-certificate ROLE --file CHAIN.pem\n");
        return EXIT_USAGE;
    }
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(FILE_MAX);
    enum outcome outcome = command_read_text(line->file, &chain, &why);
    if (outcome != OUTCOME_OK) {
        return command_fail(outcome, &why);
    }
    return command_do(line, CUSTODY_KEY_IMPORT,
                      json_pack("{s:s, s:s*, s:s}", "role", line->words[0], "token", line->token,
                                "chain", buffer_text(&chain)),
                      print_imported);
}
