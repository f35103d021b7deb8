/* SPDX-License-Identifier: Apache-2.0
 * What delegation costs a TLS client: connect, full handshake, one tiny request, close, in a closed
 * loop. Whether the key is in a file or in the service is decided by the key file and OPENSSL_CONF
 * alone, as for every program. Other work (--work) shows what the provider costs those who do not
 * use it. */
#include "crew.h"
#include "tls_client.h"

#include <getopt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASHED_LEN = 16 * 1024 };

enum work { WORK_HANDSHAKE, WORK_KEYGEN, WORK_HASH, WORK_COUNT };
static const char *const work_names[] = {"handshake", "keygen", "hash"};

struct options {
    struct tls_client_choice tls;
    enum work work;
    const char *name;
    size_t threads;
    struct crew crew;
};

static bool generate_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_free(key);
    return key != NULL;
}

static bool hash_some(const unsigned char *data)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    return EVP_Digest(data, HASHED_LEN, digest, &len, EVP_sha256(), NULL) == 1;
}

static void *work_handshakes(void *argument)
{
    struct crew_member *member = argument;
    while (crew_works(member->crew)) {
        int64_t begun = meter_now_ns();
        if (!tls_client_exchange(member->own)) {
            ERR_print_errors_fp(stderr);
            if (crew_measures(member->crew)) {
                member->failed++;
            }
        }
        crew_record(member, meter_now_ns() - begun);
    }
    return NULL;
}

static void *work_keygen(void *argument)
{
    struct crew_member *member = argument;
    while (crew_works(member->crew)) {
        int64_t begun = meter_now_ns();
        member->failed += generate_key() ? 0 : 1;
        crew_record(member, meter_now_ns() - begun);
    }
    return NULL;
}

static void *work_hash(void *argument)
{
    static const unsigned char data[HASHED_LEN];
    struct crew_member *member = argument;
    while (crew_works(member->crew)) {
        int64_t begun = meter_now_ns();
        member->failed += hash_some(data) ? 0 : 1;
        crew_record(member, meter_now_ns() - begun);
    }
    return NULL;
}

static void usage(void)
{
    (void)fputs("usage: bench_tls [--work handshake|keygen|hash] [--socket PATH --ca FILE]\n"
                "  [--cert FILE --key FILE] [--tls 1.2|1.3] [--threads 1] [--seconds 1]\n"
                "  [--warm-up 0.2] [--count N] [--name TEXT] [--pids A,B,...]\n",
                stderr);
    exit(2);
}

static enum work work_of(const char *name)
{
    for (int i = 0; i < WORK_COUNT; i++) {
        if (strcmp(name, work_names[i]) == 0) {
            return (enum work)i;
        }
    }
    usage();
    return WORK_COUNT;
}

static void set_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 's':
        options->tls.socket = value;
        return;
    case 'a':
        options->tls.ca = value;
        return;
    case 'c':
        options->tls.cert = value;
        return;
    case 'k':
        options->tls.key = value;
        return;
    case 'v':
        options->tls.version = strcmp(value, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        return;
    case 'w':
        options->work = work_of(value);
        return;
    case 'T':
        options->threads = strtoul(value, NULL, 10);
        return;
    default:
        if (!crew_option(&options->crew, option, value, &options->name)) {
            usage();
        }
    }
}

static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"socket", 1, NULL, 's'},  {"ca", 1, NULL, 'a'},  {"cert", 1, NULL, 'c'},
        {"key", 1, NULL, 'k'},     {"tls", 1, NULL, 'v'}, {"work", 1, NULL, 'w'},
        {"threads", 1, NULL, 'T'}, CREW_OPTIONS,          {0}};
    struct options options = {
        .name = "tls", .threads = 1, .crew = CREW_DEFAULTS, .tls = {.version = TLS1_3_VERSION}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        set_option(&options, option, optarg);
    }
    bool has_place = options.tls.socket != NULL && options.tls.ca != NULL;
    if ((options.work == WORK_HANDSHAKE && !has_place) || options.threads == 0 ||
        options.threads > CREW_MAX || (options.tls.cert == NULL) != (options.tls.key == NULL)) {
        usage();
    }
    return options;
}

int main(int argc, char **argv)
{
    static void *(*const works[])(void *) = {work_handshakes, work_keygen, work_hash};
    struct options options = parse(argc, argv);
    struct tls_client *client = NULL;
    (void)signal(SIGPIPE, SIG_IGN); /* the server closes first, and we say goodbye all the same */
    if (options.work == WORK_HANDSHAKE && (client = tls_client_new(&options.tls)) == NULL) {
        ERR_print_errors_fp(stderr);
        return EXIT_FAILURE;
    }
    struct crew_member *members = calloc(options.threads, sizeof *members);
    for (size_t i = 0; members != NULL && i < options.threads; i++) {
        members[i].own = client;
    }
    bool good = members != NULL && crew_run(&options.crew, options.name, works[options.work],
                                            members, options.threads);
    free(members);
    tls_client_free(client);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
