/* SPDX-License-Identifier: Apache-2.0
 * What a transport key signs: the two doors, and the choice between the versions. */
#include "pki/tls_guard.h"

#include "pki/tls13_content.h"
#include "pki/transcript.h"

static enum outcome check_job(const struct tls_key *key, enum alg alg, enum tls_version version,
                              struct span input, struct reason *why)
{
    if (input.len > TLS_INPUT_MAX) {
        return refuse(why, OUTCOME_SHAPE, "longer than 256 KB: no handshake is");
    }
    if (!alg_is_known(alg) || !key_type_is_known(key->type)) {
        return refuse(why, OUTCOME_SHAPE, "no such algorithm or key type");
    }
    if (!tls_alg_fits_key(alg, key->type, version)) {
        return refuse(why, OUTCOME_SHAPE, "%s is nothing that a key of type %s signs in TLS %s",
                      alg_name(alg), key_type_name(key->type), version == TLS_1_3 ? "1.3" : "1.2");
    }
    return OUTCOME_OK;
}

static struct transcript begin(const struct tls_key *key, enum alg alg, enum tls_version version,
                               struct span input, struct tls_proof *proof, struct reason *why)
{
    *proof = (struct tls_proof){.version = version};
    return (struct transcript){
        .key = key,
        .alg = alg,
        .version = version,
        .input = input,
        .messages = reader_of(input),
        .proof = proof,
        .why = why,
    };
}

/* What was refused proves nothing, whatever was found on the way. */
static enum outcome end(enum outcome outcome, struct tls_proof *proof)
{
    if (outcome != OUTCOME_OK) {
        *proof = (struct tls_proof){.version = proof->version};
    }
    return outcome;
}

static enum outcome check_content(const struct tls_key *key, enum alg alg, struct span input,
                                  struct tls_proof *proof, struct reason *why)
{
    *proof = (struct tls_proof){.version = TLS_1_3};
    const char *fault = tls13_content_fault(input);
    if (fault != NULL) {
        return refuse(why, OUTCOME_SHAPE, "%s", fault);
    }
    return check_job(key, alg, TLS_1_3, input, why);
}

static enum outcome check_handshake(const struct tls_key *key, enum alg alg, struct span input,
                                    struct tls_proof *proof, struct reason *why)
{
    struct transcript it = begin(key, alg, TLS_1_2, input, proof, why);
    enum outcome outcome = check_job(key, alg, TLS_1_2, input, why);
    return end(outcome == OUTCOME_OK ? tls12_transcript_check(&it) : outcome, proof);
}

enum outcome tls_guard_check(const struct tls_key *key, enum alg alg, struct span input,
                             struct tls_proof *proof, struct reason *why)
{
    /* Handshakes begin with the type of ClientHello, contents with a space. */
    if (input.len > 0 && input.data[0] == TLS_CLIENT_HELLO) {
        return check_handshake(key, alg, input, proof, why);
    }
    return check_content(key, alg, input, proof, why);
}

enum outcome tls_guard_transcript(const struct tls_key *key, enum alg alg, struct span transcript,
                                  uint8_t content[TLS_CONTENT_MAX], size_t *content_len,
                                  struct tls_proof *proof, struct reason *why)
{
    struct transcript it = begin(key, alg, TLS_1_3, transcript, proof, why);
    enum outcome outcome = check_job(key, alg, TLS_1_3, transcript, why);
    if (outcome == OUTCOME_OK) {
        outcome = tls13_transcript_check(&it, content, content_len);
    }
    return end(outcome, proof);
}
