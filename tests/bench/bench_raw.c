/* SPDX-License-Identifier: Apache-2.0
 * The physical limit: C_SignInit + C_Sign over a 32-byte digest in a closed loop, one session per
 * thread, session and key handle kept. With p11-kit-client.so as the module it measures
 * `p11-kit server` instead (P11_KIT_SERVER_ADDRESS says where). */
#include "crew.h"
#include "token_key.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGEST_LEN = 32, SIGNATURE_MAX = 512 };

struct signer {
    const struct token_key *key;
    CK_SESSION_HANDLE session;
};

struct options {
    struct token_key_choice key;
    const char *name;
    const char *generate; /* "rsa" or "ec": make the key and end */
    size_t threads;
    struct crew crew;
};

static CK_RV sign(const struct signer *signer, CK_MECHANISM *mechanism, CK_BYTE *digest)
{
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof signature;
    CK_RV rv = signer->key->module->C_SignInit(signer->session, mechanism, signer->key->key);
    if (rv != CKR_OK) {
        return rv;
    }
    return signer->key->module->C_Sign(signer->session, digest, DIGEST_LEN, signature, &len);
}

static void *work(void *argument)
{
    struct crew_member *member = argument;
    struct signer *signer = member->own;
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, DIGEST_LEN};
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    if (signer->key->type == CKK_RSA) {
        mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, sizeof pss};
    }
    CK_BYTE digest[DIGEST_LEN] = {0};
    while (crew_works(member->crew)) {
        digest[0]++;
        int64_t begun = meter_now_ns();
        CK_RV rv = sign(signer, &mechanism, digest);
        if (rv != CKR_OK) {
            (void)fprintf(stderr, "bench: signing: 0x%lx\n", rv);
            member->broken = true;
            return NULL;
        }
        crew_record(member, meter_now_ns() - begun);
    }
    return NULL;
}

static void usage(void)
{
    (void)fputs("usage: bench_raw --module PATH --token LABEL --pin PIN (--label KEY | --id HEX)\n"
                "  [--threads 1] [--seconds 1] [--warm-up 0.2] [--count N] [--name TEXT]\n"
                "  [--pids A,B,...] [--session-copy] [--generate rsa|ec]\n",
                stderr);
    exit(2);
}

static void set_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'm':
        options->key.module = value;
        return;
    case 't':
        options->key.token = value;
        return;
    case 'p':
        options->key.pin = value;
        return;
    case 'l':
        options->key.label = value;
        return;
    case 'i':
        options->key.id = value;
        return;
    case 'c':
        options->key.session_copy = true;
        return;
    case 'g':
        options->generate = value;
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
    static const struct option known[] = {{"module", 1, NULL, 'm'},
                                          {"token", 1, NULL, 't'},
                                          {"pin", 1, NULL, 'p'},
                                          {"label", 1, NULL, 'l'},
                                          {"id", 1, NULL, 'i'},
                                          {"session-copy", 0, NULL, 'c'},
                                          {"generate", 1, NULL, 'g'},
                                          {"threads", 1, NULL, 'T'},
                                          CREW_OPTIONS,
                                          {0}};
    struct options options = {.name = "raw", .threads = 1, .crew = CREW_DEFAULTS};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        set_option(&options, option, optarg);
    }
    const struct token_key_choice *key = &options.key;
    bool key_named = key->label != NULL || (key->id != NULL && options.generate == NULL);
    if (key->module == NULL || key->token == NULL || key->pin == NULL || !key_named ||
        options.threads == 0 || options.threads > CREW_MAX) {
        usage();
    }
    return options;
}

static bool measure(struct options *options, const struct token_key *key)
{
    struct crew_member *members = calloc(options->threads, sizeof *members);
    struct signer *signers = calloc(options->threads, sizeof *signers);
    bool good = members != NULL && signers != NULL;
    for (size_t i = 0; good && i < options->threads; i++) {
        signers[i].key = key;
        members[i].own = &signers[i];
        /* The session that logged in signs too: a token may grant no more than are wanted. */
        signers[i].session = key->login;
        good = i == 0 || token_key_session(key, &signers[i].session);
    }
    good = good && crew_run(&options->crew, options->name, work, members, options->threads);
    free(signers);
    free(members);
    return good;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct token_key key = {0};
    bool good = false;
    if (options.generate != NULL) {
        good = token_key_generate(&key, &options.key, strcmp(options.generate, "rsa") == 0);
    } else {
        good = token_key_open(&key, &options.key) && measure(&options, &key);
    }
    if (key.module != NULL) {
        (void)key.module->C_Finalize(NULL);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
