/* SPDX-License-Identifier: Apache-2.0
 * provider-digest(7) over sha2.h and transcript.h. */
#include "provider/digest.h"

#include "provider/param.h"
#include "provider/sha2.h"
#include "provider/transcript.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

struct digest {
    const struct provider *provider;
    struct transcript transcript;
    struct sha2 sha;
};

static void *new_of(void *data, enum sha2_kind kind)
{
    const struct provider *provider = data;
    struct digest *digest = malloc(sizeof(*digest));
    if (digest != NULL) {
        digest->provider = provider;
        digest->transcript = (struct transcript){.len = 0};
        sha2_init(&digest->sha, kind, provider->sha);
    }
    return digest;
}

static void *sha256_new(void *provider)
{
    return new_of(provider, SHA2_256);
}

static void *sha384_new(void *provider)
{
    return new_of(provider, SHA2_384);
}

/* HMAC and HKDF hash their keys with this. */
static void digest_free(void *context)
{
    struct digest *digest = context;
    if (digest != NULL) {
        transcript_drop(&digest->transcript);
        explicit_bzero(&digest->sha, sizeof(digest->sha));
        free(digest);
    }
}

static void *digest_dup(void *context)
{
    const struct digest *from = context;
    struct digest *digest = malloc(sizeof(*digest));
    if (digest != NULL) {
        digest->provider = from->provider;
        digest->transcript = transcript_copy(&from->transcript);
        digest->sha = from->sha;
    }
    return digest;
}

static int digest_init(void *context, const OSSL_PARAM *params)
{
    struct digest *digest = context;
    (void)params;
    transcript_drop(&digest->transcript);
    digest->transcript = (struct transcript){.len = 0};
    sha2_init(&digest->sha, digest->sha.kind, digest->provider->sha);
    return 1;
}

static int digest_update(void *context, const unsigned char *data, size_t len)
{
    struct digest *digest = context;
    transcript_feed(&digest->transcript, span_of(data, len));
    sha2_update(&digest->sha, span_of(data, len));
    return 1;
}

static int digest_final(void *context, unsigned char *out, size_t *out_len, size_t room)
{
    struct digest *digest = context;
    size_t size = sha2_size(digest->sha.kind);
    if (room < size) {
        return 0;
    }
    sha2_final(&digest->sha, out);
    *out_len = size;
    if (digest->transcript.data != NULL) {
        transcript_put(digest->provider, &digest->transcript, span_of(out, size));
    }
    return 1;
}

static int get_params_of(OSSL_PARAM *params, enum sha2_kind kind)
{
    return param_set_size(params, OSSL_DIGEST_PARAM_BLOCK_SIZE, sha2_block(kind)) &&
           param_set_size(params, OSSL_DIGEST_PARAM_SIZE, sha2_size(kind)) &&
           param_set_int(params, OSSL_DIGEST_PARAM_XOF, 0) &&
           param_set_int(params, OSSL_DIGEST_PARAM_ALGID_ABSENT, 1);
}

static int sha256_get_params(OSSL_PARAM *params)
{
    return get_params_of(params, SHA2_256);
}

static int sha384_get_params(OSSL_PARAM *params)
{
    return get_params_of(params, SHA2_384);
}

static const OSSL_PARAM *digest_gettable(void *provider)
{
    static const OSSL_PARAM list[] = {
        PARAM_KIND(OSSL_DIGEST_PARAM_BLOCK_SIZE, OSSL_PARAM_UNSIGNED_INTEGER),
        PARAM_KIND(OSSL_DIGEST_PARAM_SIZE, OSSL_PARAM_UNSIGNED_INTEGER),
        PARAM_KIND(OSSL_DIGEST_PARAM_XOF, OSSL_PARAM_INTEGER),
        PARAM_KIND(OSSL_DIGEST_PARAM_ALGID_ABSENT, OSSL_PARAM_INTEGER), PARAM_LAST};
    (void)provider;
    return list;
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }
#define DIGEST(name)                                                                               \
    {                                                                                              \
        FUNCTION(OSSL_FUNC_DIGEST_NEWCTX, name##_new),                                             \
            FUNCTION(OSSL_FUNC_DIGEST_FREECTX, digest_free),                                       \
            FUNCTION(OSSL_FUNC_DIGEST_DUPCTX, digest_dup),                                         \
            FUNCTION(OSSL_FUNC_DIGEST_INIT, digest_init),                                          \
            FUNCTION(OSSL_FUNC_DIGEST_UPDATE, digest_update),                                      \
            FUNCTION(OSSL_FUNC_DIGEST_FINAL, digest_final),                                        \
            FUNCTION(OSSL_FUNC_DIGEST_GET_PARAMS, name##_get_params),                              \
            FUNCTION(OSSL_FUNC_DIGEST_GETTABLE_PARAMS, digest_gettable),                           \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }

static const OSSL_DISPATCH sha256[] = DIGEST(sha256);
static const OSSL_DISPATCH sha384[] = DIGEST(sha384);

const OSSL_ALGORITHM *digest_algorithms(void)
{
    static const OSSL_ALGORITHM list[] = {
        {"SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", "provider=qseal,qseal.tap=yes", sha256,
         "SHA-256 that remembers TLS transcripts"},
        {"SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", "provider=qseal,qseal.tap=yes", sha384,
         "SHA-384 that remembers TLS transcripts"},
        {NULL, NULL, NULL, NULL}};
    return list;
}
