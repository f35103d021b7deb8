/* SPDX-License-Identifier: Apache-2.0
 * What one verification costs by itself: EVP_PKEY_verify over a 32-byte digest with everything
 * prepared beforehand. A service that verifies before release cannot be cheaper than C_Sign and
 * this. */
#include "crew.h"

#include <getopt.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_LEN = 32, SIGNATURE_MAX = 512 };

struct verifier {
    EVP_PKEY_CTX *context;
    unsigned char signature[SIGNATURE_MAX];
    size_t signature_len;
};

static const unsigned char digest[DIGEST_LEN] = {1, 2, 3};

static bool set_padding(EVP_PKEY_CTX *context, bool rsa)
{
    if (EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) <= 0) {
        return false;
    }
    /* RFC 7518 §3.5: the salt is as long as the digest. */
    return !rsa || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(context, DIGEST_LEN) > 0);
}

static bool sign_once(EVP_PKEY *key, bool rsa, struct verifier *verifier)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    verifier->signature_len = sizeof verifier->signature;
    bool good = context != NULL && EVP_PKEY_sign_init(context) > 0 && set_padding(context, rsa) &&
                EVP_PKEY_sign(context, verifier->signature, &verifier->signature_len, digest,
                              sizeof digest) > 0;
    EVP_PKEY_CTX_free(context);
    return good;
}

static bool prepare(EVP_PKEY *key, bool rsa, struct verifier *verifier)
{
    if (key == NULL || !sign_once(key, rsa, verifier)) {
        return false;
    }
    verifier->context = EVP_PKEY_CTX_new(key, NULL);
    return verifier->context != NULL && EVP_PKEY_verify_init(verifier->context) > 0 &&
           set_padding(verifier->context, rsa);
}

static void *work(void *argument)
{
    struct crew_member *member = argument;
    struct verifier *verifier = member->own;
    while (crew_works(member->crew)) {
        int64_t begun = meter_now_ns();
        if (EVP_PKEY_verify(verifier->context, verifier->signature, verifier->signature_len, digest,
                            sizeof digest) != 1) {
            member->broken = true;
            return NULL;
        }
        crew_record(member, meter_now_ns() - begun);
    }
    return NULL;
}

static void usage(void)
{
    (void)fputs("usage: bench_verify [--alg ES256|PS256] [--seconds 1] [--warm-up 0.2]"
                " [--name TEXT]\n",
                stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"alg", 1, NULL, 'a'}, CREW_OPTIONS, {0}};
    struct crew crew = CREW_DEFAULTS;
    const char *name = "verify";
    const char *alg = "ES256";
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'a') {
            alg = optarg;
        } else if (!crew_option(&crew, option, optarg, &name)) {
            usage();
        }
    }
    bool rsa = strcmp(alg, "PS256") == 0;
    if (!rsa && strcmp(alg, "ES256") != 0) {
        usage();
    }
    EVP_PKEY *key = rsa ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256");
    struct verifier verifier = {0};
    static struct crew_member member;
    member.own = &verifier;
    bool good = prepare(key, rsa, &verifier) && crew_run(&crew, name, work, &member, 1);
    EVP_PKEY_CTX_free(verifier.context);
    EVP_PKEY_free(key);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
