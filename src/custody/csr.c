/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key csr: a certificate request, signed in the token by the key it is for. */
#include "base/log.h"
#include "custody/act_record.h"
#include "custody/self_sign.h"
#include "jose/ecdsa.h"
#include "jose/json.h"
#include "pki/request.h"

#include <stdio.h>

enum { CSR_DEADLINE_MS = 30000, SUBJECT_SIZE = ROLE_NAME_MAX + 5, PEM_MAX = 16384 };

static enum outcome put_request(const struct key *key, enum alg alg, struct span info,
                                struct span raw, struct buffer *pem, struct reason *why)
{
    uint8_t der[ECDSA_DER_MAX];
    struct span signature = raw;
    if (alg_family(alg) == FAMILY_ECDSA) {
        signature = span_of(der, ecdsa_to_der(public_key_type(key->public_key), raw, der));
    }
    request_put_pem(pem, info, alg, signature);
    return buffer_ok(pem) ? OUTCOME_OK
                          : refuse(why, OUTCOME_INTERNAL, "no room for the certificate request");
}

static enum outcome make(const struct act *act, const struct key *key,
                         const struct request_wish *wish, struct buffer *pem, struct reason *why)
{
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    enum alg alg = self_sign_alg(key);
    enum outcome outcome = request_put_info(&info, wish, public_key_spki(key->public_key), why);
    if (outcome == OUTCOME_OK) {
        const struct self_signer signer = act_signer(act, act->view, "certificate-request");
        outcome = self_sign(&signer, key, buffer_span(&info), deadline_in_ms(CSR_DEADLINE_MS),
                            &signature, why);
    }
    return outcome == OUTCOME_OK
               ? put_request(key, alg, buffer_span(&info), buffer_span(&signature), pem, why)
               : outcome;
}

static enum outcome check_arguments(const struct act *act, struct reason *why)
{
    const char *names[3 + REQUEST_VALUES + 1] = {"role", "token", "profile"};
    for (unsigned int value = 0; value < REQUEST_VALUES; value++) {
        names[3 + value] = request_value_member((enum request_value)value);
    }
    return act_check_arguments(act, names, why);
}

static enum outcome read_wish(const struct act *act, const struct key *key,
                              struct request_wish *wish, struct reason *why)
{
    const char *profile = act_argument(act, "profile");
    *wish = (struct request_wish){.profile = PROFILE_PLAIN, .purpose = key->purpose};
    if (profile != NULL && !request_profile_from_name(span_of_text(profile), &wish->profile)) {
        return refuse(
            why, OUTCOME_RULE,
            "--profile: it is one of plain, psd2-qseal, psd2-qwac, obseal, obwac, br-seal "
            "and br-cac");
    }
    for (unsigned int value = 0; value < REQUEST_VALUES; value++) {
        wish->values[value] = act_argument(act, request_value_member((enum request_value)value));
    }
    return OUTCOME_OK;
}

/* With what a ceremony's record holds about the key. */
static void put_result(struct buffer *out, const struct key *key, enum request_profile profile,
                       struct span pem)
{
    const char *kid = public_key_thumbprint(key->public_key);
    const uint8_t *digest = public_key_spki_sha256(key->public_key);
    buffer_put_format(out,
                      "{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"profile\":\"%s\","
                      "\"thumbprint\":\"%s\",\"spki_sha256\":\"",
                      key->role, key->token, kid, request_row(profile)->name, kid);
    for (size_t i = 0; i < SPKI_SHA256_LEN; i++) {
        buffer_put_format(out, "%02x", digest[i]);
    }
    buffer_put_text(out, "\",\"pem\":");
    json_put_string(out, pem);
    buffer_put_text(out, "}");
}

enum outcome act_key_csr(struct act *act, struct reason *why)
{
    const struct key *key = NULL;
    struct request_wish wish;
    enum outcome outcome = check_arguments(act, why);
    if (outcome == OUTCOME_OK) {
        outcome = act_choose_for_csr(act, &key, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_wish(act, key, &wish, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    char otherwise[SUBJECT_SIZE];
    (void)snprintf(otherwise, sizeof otherwise, "/CN=%s", key->role);
    if (wish.profile == PROFILE_PLAIN && wish.values[REQUEST_SUBJECT] == NULL) {
        wish.values[REQUEST_SUBJECT] = otherwise;
    }
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(PEM_MAX);
    outcome = make(act, key, &wish, &pem, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    log_info("a certificate request of profile %s for key %s of role %s was made for uid %u",
             request_row(wish.profile)->name, public_key_thumbprint(key->public_key), key->role,
             act->peer.uid);
    put_result(act->result, key, wish.profile, buffer_span(&pem));
    return OUTCOME_OK;
}
