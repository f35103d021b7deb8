/* SPDX-License-Identifier: Apache-2.0
 * What a whole ID token costs to verify, pinned keys, as a multiple of its bare verification by
 * OpenSSL: EVP_DigestVerify of the token's signing input (`ratio`), and EVP_PKEY_verify of its
 * digest with everything prepared beforehand (`ratio_prepared`). All in turn, slice by slice; what
 * is printed is the median of the slices' ratios. */
#include "base/base64url.h"
#include "jose/json.h"
#include "meter.h"
#include "verify/verify.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICES = 41, PER_SLICE = 400, TEXT_MAX = 16384, NOW = 1700000000 };

struct stand {
    bool rsa;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *context; /* prepared for the bare verification */
    unsigned char digest[32];
    unsigned char der[SIGNATURE_MAX];
    size_t der_len;
    struct buffer input; /* the token's signing input */
    struct buffer body;
    struct public_key *made[1];
    json_t *jwks;
    struct verification profile;
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_id_token: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static bool set_padding(const struct stand *stand, EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
           (!stand->rsa || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) > 0));
}

static void sign(struct stand *stand, struct span input)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(stand->pkey, NULL);
    stand->der_len = sizeof stand->der;
    must(EVP_Digest(input.data, input.len, stand->digest, NULL, EVP_sha256(), NULL) == 1 &&
             EVP_PKEY_sign_init(context) > 0 && set_padding(stand, context) &&
             EVP_PKEY_sign(context, stand->der, &stand->der_len, stand->digest, 32) > 0,
         "no signature");
    EVP_PKEY_CTX_free(context);
}

/* As JOSE has it: r||s for ECDSA. */
static void put_signature(const struct stand *stand, struct buffer *out)
{
    unsigned char raw[64];
    const unsigned char *at = stand->der;
    if (stand->rsa) {
        base64url_encode(out, span_of(stand->der, stand->der_len));
        return;
    }
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)stand->der_len);
    must(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32) == 32 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32) == 32,
         "no r and s");
    ECDSA_SIG_free(pair);
    base64url_encode(out, span_of(raw, sizeof raw));
}

static void make_body(struct stand *stand)
{
    static const char claims[] =
        "{\"iss\":\"https://as.example\",\"sub\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\","
        "\"aud\":\"tpp\",\"iat\":1700000000,\"exp\":1700000300,\"auth_time\":1700000000,"
        "\"nonce\":\"76fb7d3a-3a14-4bf7-96fd-e770c3c1e33e\","
        "\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\",\"acr\":\"urn:openbanking:psd2:sca\"}";
    BUFFER_CLEANUP struct buffer token = BUFFER_INIT(TEXT_MAX);
    BUFFER_CLEANUP struct buffer header = BUFFER_INIT(TEXT_MAX);
    buffer_put_format(&header, "{\"alg\":\"%s\",\"kid\":\"a\",\"typ\":\"JWT\"}",
                      stand->rsa ? "PS256" : "ES256");
    base64url_encode(&token, buffer_span(&header));
    buffer_put_text(&token, ".");
    base64url_encode(&token, span_of_text(claims));
    sign(stand, buffer_span(&token));
    stand->input = BUFFER_INIT(TEXT_MAX);
    buffer_put_span(&stand->input, buffer_span(&token));
    buffer_put_text(&token, ".");
    put_signature(stand, &token);
    stand->body = BUFFER_INIT(TEXT_MAX);
    buffer_put_format(&stand->body,
                      "{\"id_token\":\"%s\",\"nonce\":\"76fb7d3a-3a14-4bf7-96fd-e770c3c1e33e\","
                      "\"access_token\":\"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y\"}",
                      buffer_text(&token));
}

static void make_profile(struct stand *stand)
{
    unsigned char *der = NULL;
    struct reason why;
    char text[2048];
    int len = i2d_PUBKEY(stand->pkey, &der);
    must(len > 0 &&
             public_key_from_spki(span_of(der, (size_t)len), &stand->made[0], &why) == OUTCOME_OK,
         "no public key");
    OPENSSL_free(der);
    (void)snprintf(text, sizeof text, "{\"keys\":[{\"kid\":\"a\",%s]}",
                   public_key_jwk(stand->made[0]) + 1);
    must(json_parse_object(span_of_text(text), &stand->jwks, &why) == OUTCOME_OK, "no set");
    stand->profile = (struct verification){
        .kind = VERIFICATION_ID_TOKEN,
        .jwks = stand->jwks,
        .rules = {.algs = stand->rsa ? 1U << ALG_PS256 : 1U << ALG_ES256,
                  .jwks = stand->jwks,
                  .made = stand->made,
                  .require_kid = true,
                  .b64 = JWS_B64_TRUE},
        .id_token = {.issuer = "https://as.example",
                     .client_id = "tpp",
                     .leeway_s = 60,
                     .max_iat_age_s = 600,
                     .nonce = NEED_REQUIRED,
                     .auth_time = NEED_REQUIRED,
                     .response_iss = NEED_WHEN_SENT,
                     .hashes = {NEED_IF_PRESENT, NEED_IF_PRESENT, NEED_REQUIRED, NEED_IF_PRESENT}},
    };
}

static int64_t slice_bare(const struct stand *stand)
{
    int64_t begun = meter_now_ns();
    for (int i = 0; i < PER_SLICE; i++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *inner = NULL;
        must(EVP_DigestVerifyInit_ex(context, &inner, "SHA256", NULL, NULL, stand->pkey, NULL) ==
                     1 &&
                 (!stand->rsa || (EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) > 0 &&
                                  EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, 32) > 0)) &&
                 EVP_DigestVerify(context, stand->der, stand->der_len, stand->input.data,
                                  stand->input.len) == 1,
             "the bare verification fails");
        EVP_MD_CTX_free(context);
    }
    return meter_now_ns() - begun;
}

static int64_t slice_prepared(const struct stand *stand)
{
    int64_t begun = meter_now_ns();
    for (int i = 0; i < PER_SLICE; i++) {
        must(EVP_PKEY_verify(stand->context, stand->der, stand->der_len, stand->digest, 32) == 1,
             "the prepared verification fails");
    }
    return meter_now_ns() - begun;
}

static int64_t slice_whole(const struct stand *stand, struct buffer *json)
{
    const struct verify_request request = {.profile = &stand->profile,
                                           .body = buffer_span(&stand->body),
                                           .content_type = "application/json",
                                           .now = NOW};
    int64_t begun = meter_now_ns();
    for (int i = 0; i < PER_SLICE; i++) {
        struct reason why = {.detail = ""};
        const char *rule = NULL;
        buffer_reset(json);
        must(verify_id_token(&request, json, &rule, &why) == OUTCOME_OK, why.detail);
    }
    return meter_now_ns() - begun;
}

static int by_value(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

static void run(bool rsa)
{
    static double ratios[SLICES];
    static double prepared_ratios[SLICES];
    static double bare_us[SLICES];
    struct stand stand = {.rsa = rsa};
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(TEXT_MAX);
    stand.pkey = rsa ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256");
    must(stand.pkey != NULL, "no key");
    make_body(&stand);
    make_profile(&stand);
    stand.context = EVP_PKEY_CTX_new(stand.pkey, NULL);
    must(EVP_PKEY_verify_init(stand.context) > 0 && set_padding(&stand, stand.context),
         "no context");
    (void)slice_bare(&stand);
    (void)slice_whole(&stand, &json);
    for (size_t i = 0; i < SLICES; i++) {
        double bare = (double)slice_bare(&stand);
        double whole = (double)slice_whole(&stand, &json);
        bare_us[i] = bare / PER_SLICE / 1000;
        ratios[i] = whole / bare;
        prepared_ratios[i] = whole / (double)slice_prepared(&stand);
    }
    qsort(ratios, SLICES, sizeof ratios[0], by_value);
    qsort(prepared_ratios, SLICES, sizeof prepared_ratios[0], by_value);
    qsort(bare_us, SLICES, sizeof bare_us[0], by_value);
    (void)printf("{\"alg\":\"%s\",\"bare_us\":%.1f,\"ratio\":%.2f,\"ratio_prepared\":%.2f}\n",
                 rsa ? "PS256" : "ES256", bare_us[SLICES / 2], ratios[SLICES / 2],
                 prepared_ratios[SLICES / 2]);
    EVP_PKEY_CTX_free(stand.context);
    EVP_PKEY_free(stand.pkey);
    public_key_free(stand.made[0]);
    json_clear_ref(&stand.jwks);
    buffer_fini(&stand.input);
    buffer_fini(&stand.body);
}

int main(void)
{
    json_prepare();
    run(false);
    run(true);
    return EXIT_SUCCESS;
}
