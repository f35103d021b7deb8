/* SPDX-License-Identifier: Apache-2.0
 * provider-signature(7): whole contents in one shot, and refusals with a reason for the rest. */
#include "provider/signature.h"

#include "base/attributes.h"
#include "provider/error.h"
#include "provider/key.h"
#include "provider/param.h"
#include "provider/scheme.h"
#include "provider/transcript.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct signature {
    const struct provider *provider;
    struct key *key; /* held; NULL before init */
    enum md md;
    bool pss;
};

static void *signature_new(void *provider, const char *properties)
{
    struct signature *signature = calloc(1, sizeof(*signature));
    (void)properties;
    if (signature != NULL) {
        signature->provider = provider;
    }
    return signature;
}

static void signature_free(void *context)
{
    struct signature *signature = context;
    if (signature != NULL) {
        key_drop(signature->key);
        free(signature);
    }
}

static void *signature_dup(void *context)
{
    const struct signature *from = context;
    struct signature *signature = malloc(sizeof(*signature));
    if (signature != NULL) {
        *signature = *from;
        signature->key = from->key == NULL ? NULL : key_hold(from->key);
    }
    return signature;
}

static int refuse_parameter(const struct signature *signature, const char *name)
{
    error_raise(signature->provider, REASON_SCHEME,
                "%s is not what a TLS signature scheme has with this key", name);
    return 0;
}

static bool is_rsa(const struct signature *signature)
{
    return signature->key != NULL &&
           (signature->key->spki.kind == KIND_RSA || signature->key->spki.kind == KIND_RSA_PSS);
}

static bool span_is_word(struct span text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

/* libssl sends the number, openssl pkeyutl and configuration files the name. */
static bool set_padding(struct signature *signature, const OSSL_PARAM *param)
{
    enum { RSA_PKCS1 = 1, RSA_PSS = 6 };
    int mode = 0;
    struct span text;
    if (param_get_text(param, &text)) {
        mode = span_is_word(text, "pss") ? RSA_PSS : span_is_word(text, "pkcs1") ? RSA_PKCS1 : 0;
    } else if (!param_get_int(param, &mode)) {
        return false;
    }
    if (mode == RSA_PKCS1 && signature->key->spki.kind == KIND_RSA_PSS) {
        return false;
    }
    signature->pss = mode == RSA_PSS;
    return mode == RSA_PSS || mode == RSA_PKCS1;
}

static bool salt_is_digest_size(const struct signature *signature, const OSSL_PARAM *param)
{
    enum { SALT_DIGEST = -1 };
    int size;
    struct span text;
    if (param_get_text(param, &text)) {
        size = 0;
        for (size_t i = 0; i < text.len && text.len <= 3; i++) {
            size = text.data[i] < '0' || text.data[i] > '9' ? -2 : size * 10 + text.data[i] - '0';
        }
        return span_is_word(text, "digest") || span_is_word(text, "-1") ||
               (text.len > 0 && size == scheme_md_size(signature->md));
    }
    return param_get_int(param, &size) &&
           (size == SALT_DIGEST || size == scheme_md_size(signature->md));
}

static bool is_same_md(const struct signature *signature, const OSSL_PARAM *param)
{
    char name[32];
    struct span text;
    enum md md;
    if (!param_get_text(param, &text) || text.len >= sizeof(name)) {
        return false;
    }
    memcpy(name, text.data, text.len);
    name[text.len] = '\0';
    return scheme_md_from_name(name, &md) && md == signature->md;
}

static int signature_set(void *context, const OSSL_PARAM *params)
{
    struct signature *signature = context;
    const OSSL_PARAM *pad = param_find_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    const OSSL_PARAM *salt = param_find_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    const OSSL_PARAM *mgf1 = param_find_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
    const OSSL_PARAM *md = param_find_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
    if (pad != NULL && (!is_rsa(signature) || !set_padding(signature, pad))) {
        return refuse_parameter(signature, "this padding");
    }
    if (salt != NULL && (!signature->pss || !salt_is_digest_size(signature, salt))) {
        return refuse_parameter(signature, "a salt of another length than the digest's");
    }
    if (mgf1 != NULL && !is_same_md(signature, mgf1)) {
        return refuse_parameter(signature, "another digest for MGF1");
    }
    if (md != NULL && !is_same_md(signature, md)) {
        return refuse_parameter(signature, "another digest");
    }
    return 1;
}

static const OSSL_PARAM *signature_settable(void *context, void *provider)
{
    static const OSSL_PARAM rsa[] = {
        PARAM_KIND(OSSL_SIGNATURE_PARAM_DIGEST, OSSL_PARAM_UTF8_STRING),
        PARAM_KIND(OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PARAM_UTF8_STRING),
        PARAM_KIND(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PARAM_UTF8_STRING),
        PARAM_KIND(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, OSSL_PARAM_UTF8_STRING), PARAM_LAST};
    static const OSSL_PARAM other[] = {
        PARAM_KIND(OSSL_SIGNATURE_PARAM_DIGEST, OSSL_PARAM_UTF8_STRING), PARAM_LAST};
    (void)provider;
    return context == NULL || is_rsa(context) ? rsa : other;
}

static bool get_padding(const struct signature *signature, OSSL_PARAM *params)
{
    OSSL_PARAM *pad = param_find(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (pad == NULL) {
        return true;
    }
    if (pad->data_type == OSSL_PARAM_UTF8_STRING) {
        return param_set_text(params, OSSL_SIGNATURE_PARAM_PAD_MODE,
                              signature->pss ? "pss" : "pkcs1");
    }
    return param_set_int(params, OSSL_SIGNATURE_PARAM_PAD_MODE, signature->pss ? 6 : 1);
}

static bool get_salt(const struct signature *signature, OSSL_PARAM *params)
{
    OSSL_PARAM *salt = param_find(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (salt != NULL && salt->data_type == OSSL_PARAM_UTF8_STRING) {
        return param_set_text(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN, "digest");
    }
    return param_set_int(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN, scheme_md_size(signature->md));
}

static int signature_get(void *context, OSSL_PARAM *params)
{
    const struct signature *signature = context;
    /* X509_sign() and its kin take a length that nobody set for an answer. */
    if (param_find(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID) != NULL) {
        error_raise(signature->provider, REASON_ONE_SHOT,
                    "certificates and requests are not signed; qsealctl key csr makes a request");
        return 0;
    }
    return get_padding(signature, params) && get_salt(signature, params) &&
           param_set_text(params, OSSL_SIGNATURE_PARAM_DIGEST, scheme_md_name(signature->md)) &&
           param_set_text(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, scheme_md_name(signature->md));
}

static const OSSL_PARAM *signature_gettable(void *context, void *provider)
{
    return signature_settable(context, provider);
}

/* Also libssl's way to ask which digests a key can have. */
static int signature_init(void *context, const char *md_name, void *data, const OSSL_PARAM *params)
{
    struct signature *signature = context;
    struct key *key = data;
    if (key != NULL) {
        key_drop(signature->key);
        signature->key = key_hold(key);
    }
    if (signature->key == NULL || signature->key->is_empty) {
        return 0;
    }
    const struct spki *spki = &signature->key->spki;
    bool known = scheme_md_from_name(md_name, &signature->md);
    if (known && signature->md == MD_NONE && spki->kind != KIND_ED25519) {
        signature->md = spki->mandatory == MD_NONE ? MD_SHA256 : spki->mandatory;
    }
    signature->pss = spki->kind == KIND_RSA_PSS;
    if (!known || scheme_name(spki->kind, signature->md, signature->pss) == NULL ||
        (spki->mandatory != MD_NONE && spki->mandatory != signature->md)) {
        error_raise(signature->provider, REASON_SCHEME, "digest %s does not go with this key",
                    md_name);
        return 0;
    }
    return signature_set(context, params);
}

/* The hash in a TLS 1.3 client's content (RFC 8446 §4.4.3), empty for any other content. */
static struct span hash_of_content(struct span content)
{
    static const char context[] = "TLS 1.3, client CertificateVerify";
    enum { PADDING = 64, BEFORE = PADDING + sizeof(context) };
    bool fits = content.len == BEFORE + SHA256_SIZE || content.len == BEFORE + SHA384_SIZE;
    if (!fits || memcmp(content.data + PADDING, context, sizeof(context)) != 0) {
        return span_of(NULL, 0);
    }
    return span_part(content, BEFORE, content.len);
}

static enum qseal_result ask(const struct signature *signature, struct span content,
                             bool is_transcript, struct qseal_answer *answer)
{
    const struct provider *provider = signature->provider;
    const struct key *key = signature->key;
    struct qseal_options options = {.size = sizeof(options),
                                    .socket = provider->socket[0] != '\0' ? provider->socket
                                                                          : key->socket,
                                    .timeout_ms = provider->timeout_ms};
    struct qseal_tls_content question = {
        .role = key->role,
        .scheme = scheme_name(key->spki.kind, signature->md, signature->pss),
        .key = key->thumbprint,
        .content = content.data,
        .content_len = content.len,
        .is_transcript = is_transcript,
    };
    return qseal_tls_sign(&options, &question, answer);
}

/* Shows the transcript if this thread has just hashed it. */
static enum qseal_result ask_for(const struct signature *signature, struct span content,
                                 struct qseal_answer *answer)
{
    struct transcript transcript;
    struct span hash = hash_of_content(content);
    if (!signature->provider->transcript || hash.len == 0 ||
        !transcript_take(signature->provider, hash, &transcript)) {
        return ask(signature, content, false, answer);
    }
    enum qseal_result result =
        ask(signature, span_of(transcript.data, transcript.len), true, answer);
    transcript_drop(&transcript);
    return result;
}

static int sign_content(const struct signature *signature, unsigned char *out, size_t *out_len,
                        size_t room, struct span content)
{
    struct qseal_answer answer;
    enum qseal_result result = ask_for(signature, content, &answer);
    int done = 0;
    if (result != QSEAL_OK) {
        error_raise_answer(signature->provider, result, &answer);
    } else if (answer.body_len == 0 || answer.body_len > room ||
               answer.body_len > (size_t)signature->key->spki.max_size) {
        error_raise(signature->provider, REASON_PROTOCOL,
                    "a signature of %zu bytes cannot be right", answer.body_len);
    } else {
        memcpy(out, answer.body, answer.body_len);
        *out_len = answer.body_len;
        done = 1;
    }
    qseal_answer_free(&answer);
    return done;
}

static int signature_sign(void *context, unsigned char *out, size_t *out_len, size_t room,
                          const unsigned char *content, size_t content_len)
{
    const struct signature *signature = context;
    if (signature->key == NULL) {
        return 0;
    }
    if (out == NULL) {
        *out_len = (size_t)signature->key->spki.max_size;
        return 1;
    }
    if (signature->provider->complaint[0] != '\0') {
        error_raise(signature->provider, REASON_SETTING, "%s", signature->provider->complaint);
        return 0;
    }
    if (content_len > QSEAL_MAX_REQUEST) {
        error_raise(signature->provider, REASON_TOO_LONG, "%zu bytes are over %u", content_len,
                    QSEAL_MAX_REQUEST);
        return 0;
    }
    return sign_content(signature, out, out_len, room, span_of(content, content_len));
}

static int refuse_update(void *context, const unsigned char *data, size_t len)
{
    const struct signature *signature = context;
    (void)data;
    (void)len;
    error_raise(signature->provider, REASON_ONE_SHOT, "use EVP_DigestSign()");
    return 0;
}

static int refuse_final(void *context, unsigned char *out, size_t *out_len, size_t room)
{
    (void)out;
    (void)out_len;
    (void)room;
    return refuse_update(context, NULL, 0);
}

static int refuse_digest_init(void *context, void *key, const OSSL_PARAM *params)
{
    const struct signature *signature = context;
    (void)key;
    (void)params;
    error_raise(signature->provider, REASON_BARE_DIGEST,
                "this key signs TLS handshakes only, as a whole");
    return 0;
}

static int refuse_digest(void *context, unsigned char *out, size_t *out_len, size_t room,
                         const unsigned char *digest, size_t digest_len)
{
    (void)out;
    (void)out_len;
    (void)room;
    (void)digest;
    (void)digest_len;
    return refuse_digest_init(context, NULL, NULL);
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }

static const OSSL_DISPATCH functions[] = {
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
    FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
    FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, signature_dup),
    FUNCTION(OSSL_FUNC_SIGNATURE_SIGN_INIT, refuse_digest_init),
    FUNCTION(OSSL_FUNC_SIGNATURE_SIGN, refuse_digest),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_init),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_sign),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, refuse_update),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, refuse_final),
    FUNCTION(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, signature_get),
    FUNCTION(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, signature_gettable),
    FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signature_set),
    FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signature_settable),
    {0, NULL}};

const OSSL_ALGORITHM *signature_algorithms(void)
{
    static const OSSL_ALGORITHM list[] = {
        {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=qseal", functions,
         "delegated RSA signature"},
        {"ECDSA", "provider=qseal", functions, "delegated ECDSA signature"},
        {"ED25519:1.3.101.112", "provider=qseal", functions, "delegated Ed25519 signature"},
        {NULL, NULL, NULL, NULL}};
    return list;
}
