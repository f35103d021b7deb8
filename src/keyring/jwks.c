/* SPDX-License-Identifier: Apache-2.0
 * The published key set. */
#include "keyring/store.h"

#include "base/base64url.h"
#include "base/pem.h"
#include "jose/sha256.h"

static bool is_in_set(const struct key *key)
{
    return key->purpose == PURPOSE_SEAL && key_state_may(key->state, KEY_ACT_JWKS);
}

/* Whether an earlier entry is the same key, on another token. */
static bool is_shown(const struct keyring *keyring, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_in_set(&keyring->keys[i]) && key_is_twin(&keyring->keys[i], &keyring->keys[index])) {
            return true;
        }
    }
    return false;
}

/* RFC 7517 §4.4: "alg" says the one algorithm of the key; with more than one there is none to say.
 * Ed25519 is named so (RFC 9864 §2.2). */
static void put_alg(uint32_t algs, struct buffer *out)
{
    enum alg only;
    if (alg_only_one(algs, &only)) {
        buffer_put_format(out, ",\"alg\":\"%s\"", alg_name(only));
    }
}

static void put_digest(struct span leaf, struct buffer *out)
{
    char digest[SHA256_TEXT_SIZE];
    if (sha256_text(leaf, digest)) { /* OPTIONAL (RFC 7517 §4.9), and x5c says the same */
        buffer_put_format(out, ",\"x5t#S256\":\"%s\"", digest);
    }
}

static void put_certificates(const char *chain_pem, struct buffer *out)
{
    struct span rest = span_of_text(chain_pem);
    size_t leaf_len = 0;
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(KEYRING_CHAIN_MAX);
    buffer_put_text(out, ",\"x5c\":[");
    for (size_t before = 0; rest.len > 0 && pem_take(&rest, "CERTIFICATE", &der);
         before = der.len) {
        leaf_len = before == 0 ? der.len : leaf_len;
        buffer_put_text(out, before == 0 ? "\"" : ",\"");
        base64_encode(out, span_part(buffer_span(&der), before, der.len - before));
        buffer_put_text(out, "\"");
    }
    buffer_put_text(out, "]");
    put_digest(span_part(buffer_span(&der), 0, leaf_len), out);
}

void keyring_put_jwks(const struct keyring *keyring, struct buffer *out)
{
    const char *comma = "";
    buffer_put_text(out, "{\"keys\":[");
    for (size_t i = 0; i < keyring->n_keys; i++) {
        const struct key *key = &keyring->keys[i];
        if (!is_in_set(key) || is_shown(keyring, i)) {
            continue;
        }
        struct span jwk = span_of_text(public_key_jwk(key->public_key));
        buffer_put_text(out, comma);
        buffer_put_span(out, span_part(jwk, 0, jwk.len - 1)); /* all but its closing brace */
        buffer_put_format(out, ",\"kid\":\"%s\",\"use\":\"sig\"",
                          public_key_thumbprint(key->public_key));
        put_alg(key->algs, out);
        if (key->chain_pem != NULL) {
            put_certificates(key->chain_pem, out);
        }
        buffer_put_text(out, "}");
        comma = ",";
    }
    buffer_put_text(out, "]}");
}
