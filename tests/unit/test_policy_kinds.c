/* SPDX-License-Identifier: Apache-2.0
 * The table of kinds: for every operation, the changes that would make its artefact another one. */
#include "policy_support.h"

#include "policy/kinds.h"

static struct test_files files;

static enum outcome load(const char *path, const char *name, struct reason *why)
{
    TEMPLATE_CLEANUP struct template *template = NULL;
    return template_load(path, name, NULL, &template, why);
}

#define ISS "{name: iss, rule: config, config: client_id}"
#define AUD "{name: aud, rule: config, config: issuer}"
#define ANY "  - {name: state, rule: caller"
#define PERMIT(names)                                                                              \
    "op-detached", "[amountEUR, payee]", "[payee]\n  permit_top_level: [" names "]"
#define EXTRA(claim) "  - {name: " claim "}\n" ANY

static const struct change changes[] = {
    /* forms */
    {"br-body", "compact", "detached", "body-jwt is always compact"},
    {"fapi2-jar", "serialization: compact\npayload: claims",
     "serialization: compact\npayload: body-b64", "claims, nested and lifetime go with payload"},
    {"uk-314", "serialization: detached", "serialization: compact",
     "detached-jws is always detached"},
    {"op-detached", "payload: body-b64", "payload: claims", "body goes with payload"},
    {"op-detached", "operation: detached-jws", "operation: jar", "jar is always compact"},
    {"fapi2-jar", "operation: jar", "operation: detached-jws", "detached-jws is always detached"},

    /* typ */
    {"fapi2-jar", "value: oauth-authz-req+jwt", "value: JWT", NULL},
    {"fapi2-jar", "  - {name: typ, source: const, value: oauth-authz-req+jwt}\n", "", NULL},
    {"fapi2-jar", "value: oauth-authz-req+jwt", "value: client-authentication+jwt", "this typ"},
    {"fapi2-jar", "value: oauth-authz-req+jwt", "value: dpop+jwt", "this typ"},
    {"fapi2-jar", "value: oauth-authz-req+jwt", "value: at+jwt", "this typ"},
    {"fapi2-assertion", "value: client-authentication+jwt", "value: oauth-authz-req+jwt",
     "this typ"},
    {"br-body", "value: JWT", "value: dpop+jwt", "this typ"},
    {"dpop", "value: dpop+jwt", "value: JWT", "this typ"},
    {"dpop", "  - {name: typ, source: const, value: dpop+jwt}\n", "", "this typ"},
    {"uk-314", "{name: typ, source: const, value: JOSE}", "{name: typ, source: const, value: JWT}",
     "this typ"},
    {"fapi2-jar", "value: oauth-authz-req+jwt", "json: '{}'", "this typ"},
    {"paynet-jar", "enum: [\"oauth-authz-req+jwt\", JWT]", "enum: [dpop+jwt]", "this typ"},
    {"paynet-jar", "enum: [\"oauth-authz-req+jwt\", JWT], ", "", "needs a binding with an enum"},

    /* header */
    {"fapi2-jar", "  - {name: kid, source: kid}\n", "", "jar needs the header member kid"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: jwk, source: jwk}\n", "belongs to dpop alone"},
    {"dpop", "  - {name: jwk, source: jwk}\n", "", "belongs to dpop alone"},
    {"br-body", "{name: typ, source: const, value: JWT}", "{name: cty, source: const, value: JWT}",
     "cty in a JWT"},

    /* claims that are always there */
    {"fapi2-jar", "  - " ISS "\n", "", "jar always has the claim iss"},
    {"fapi2-jar", "  - " AUD "\n", "", "jar always has the claim aud"},
    {"fapi2-jar", "  - {name: iat, rule: generated, generated: iat}\n", "",
     "jar always has the claim iat"},
    {"fapi2-jar", "  - {name: response_type, rule: const, value: code}\n", "",
     "jar always has the claim response_type"},
    {"fapi2-jar", "{name: client_id, rule: config, config: client_id}",
     "{name: client_id, rule: config, config: issuer}", "iss and client_id must have the same"},
    {"fapi2-jar", "{name: client_id, type: text,", "{name: client_id, type: text, required: false,",
     "jar always has the claim iss"},
    {"fapi2-assertion", "  - {name: jti, rule: generated, generated: jti}\n", "",
     "client-assertion always has the claim jti"},
    {"fapi2-assertion", "{name: sub, rule: config, config: client_id}",
     "{name: sub, rule: config, config: issuer}", "iss and sub must have the same config"},
    {"op-exemption", "  - {name: aud, rule: config, config: audience}\n", "",
     "grant-assertion always has the claim aud"},
    {"dpop", "  - {name: htm, rule: caller, type: string, pattern: '[A-Z]+', max_length: 16}\n", "",
     "dpop always has the claim htm"},
    {"dpop", "max_length: 16}", "max_length: 16, required: false}",
     "dpop always has the claim htm"},

    /* claims that are never there */
    {"fapi2-jar", ANY, EXTRA("sub, rule: config, config: client_id"), "jar never has this claim"},
    {"fapi2-jar", ANY, EXTRA("request, rule: caller, type: string"), "jar never has this claim"},
    {"fapi2-jar", ANY, EXTRA("request_uri, rule: const, value: x"), "jar never has this claim"},
    {"fapi2-jar", ANY, EXTRA("software_statement, rule: caller, type: string"),
     "jar never has this claim"},
    {"fapi2-jar", ANY, EXTRA("sub, rule: forbidden"), NULL},
    {"fapi2-assertion", "  - {name: jti,",
     "  - {name: scope, rule: caller, type: string}\n  - "
     "{name: jti,",
     "client-assertion never has this claim"},
    {"fapi2-assertion", "  - {name: jti,",
     "  - {name: response_type, rule: const, value: code}\n  - {name: jti,",
     "client-assertion never has this claim"},
    {"op-exemption", "{name: redirect_uri, rule: forbidden}",
     "{name: redirect_uri, rule: caller, type: string}", "grant-assertion never has this claim"},
    {"op-exemption", "{name: redirect_uri, rule: forbidden}",
     "{name: sub, rule: config, config: client_id}", "grant-assertion never has this claim"},
    {"op-registration", "{name: jwks, rule: forbidden}",
     "{name: response_type, rule: const, value: code}", "registration never has this claim"},
    {"op-registration", "{name: jwks, rule: forbidden}",
     "{name: sub, rule: config, config: issuer}", "registration never has this claim"},
    {"br-body", "  - {name: data,",
     "  - {name: sub, rule: config, config: organisation_id}\n"
     "  - {name: data,",
     "body-jwt never has this claim"},
    {"br-body", "  - {name: data,",
     "  - {name: response_type, rule: const, value: code}\n"
     "  - {name: data,",
     "body-jwt never has this claim"},
    {"br-body", "  - {name: data,",
     "  - {name: events, rule: caller, type: object}\n"
     "  - {name: data,",
     "body-jwt never has this claim"},
    {"dpop", "  - {name: htm,", "  - {name: sub, rule: config, config: x}\n  - {name: htm,",
     "config names no binding"},
    {"dpop", "  - {name: htm,", "  - {name: scope, rule: caller, type: string}\n  - {name: htm,",
     "dpop never has this claim"},

    /* claims that are never the caller's */
    {"fapi2-jar", "  - " ISS "\n", "  - {name: iss, rule: caller, type: string}\n",
     "are set by the service"},
    {"fapi2-jar", "  - " ISS "\n", "  - {name: iss, rule: const, value: x}\n",
     "are set by the service"},
    {"fapi2-jar", "  - " AUD "\n", "  - {name: aud, rule: caller, type: string}\n",
     "are set by the service"},
    {"fapi2-jar", "  - " AUD "\n", "  - {name: aud, rule: choice, enum: [a, b]}\n", NULL},
    {"fapi2-jar", "{name: jti, rule: generated, generated: jti}",
     "{name: jti, rule: caller, type: string}", "are set by the service"},
    {"fapi2-jar", "{name: iat, rule: generated, generated: iat}",
     "{name: iat, rule: const, json: '1'}", "are set by the service"},
    {"fapi2-jar", "{name: jti, rule: generated, generated: jti}",
     "{name: nbf2, rule: generated, generated: nbf}", "generated under their own name"},
    {"fapi2-jar", ANY, EXTRA("kid, rule: const, value: x"), "are set by the service"},
    {"fapi2-jar", ANY, EXTRA("alg, rule: caller, type: string"), "are set by the service"},
    {"fapi2-assertion", "  - " AUD "\n", "  - {name: aud, rule: choice, enum: [a, b]}\n",
     "client-assertion always has the claim aud, set by another rule"},
    {"fapi2-assertion", AUD, "{name: aud, rule: config, config: issuer, as: array1}",
     "aud is one bound text"},
    {"fapi2-assertion", "{name: issuer, type: text,", "{name: issuer, type: list,",
     "aud is one bound text"},

    /* response_type: finding F6 */
    {"fapi2-jar", "value: code}", "value: token}", "response_type: a JAR has"},
    {"fapi2-jar", "value: code}", "value: \"code token\"}", "response_type: a JAR has"},
    {"fapi2-jar", "value: code}", "value: code id_token}", NULL},
    {"fapi2-jar", "rule: const, value: code}", "rule: caller, type: string}",
     "response_type: a JAR has"},
    {"op-jar", "enum: [\"code id_token\", code]", "enum: [code, token]",
     "response_type: a JAR has"},
    {"op-jar", "enum: [\"code id_token\", code]", "enum_from: redirect_uris",
     "response_type: a JAR has"},
    {"op-exemption", "value: token}", "value: code}", "a grant assertion the value \"token\""},
    {"op-exemption", "rule: const, value: token}", "rule: choice, enum: [token]}",
     "a grant assertion the value \"token\""},

    {"op-exemption", "{name: client_id, rule: config, config: client_id}",
     "{name: client_id, rule: caller, type: string}", "client_id is bound"},

    /* a grant assertion is not for ever */
    {"op-exemption", "  - {name: iat, rule: generated, generated: iat}\n", "",
     "grant-assertion always has the claim iat"},
    {"op-exemption", "  - {name: exp, rule: generated, generated: exp}\n", "", "no claim exp"},

    /* lifetimes */
    {"fapi2-jar", "exp_after_s: 290", "exp_after_s: 3590", NULL},
    {"fapi2-jar", "exp_after_s: 290", "exp_after_s: 3591", "valid for 3600 s at most"},
    {"fapi2-jar", "nbf_before_s: 10", "nbf_before_s: 3600", "valid for 3600 s at most"},
    {"fapi2-assertion", "exp_after_s: 60", "exp_after_s: 601", "valid for 600 s at most"},
    {"op-exemption", "exp_after_s: 60", "exp_after_s: 601", "valid for 600 s at most"},
    {"op-registration", "exp_after_s: 300", "exp_after_s: 3601", "valid for 3600 s at most"},
    {"ksa-body", "exp_after_s: 290", "exp_after_s: 591", "valid for 600 s at most"},
    {"fapi2-jar", "nbf_before_s: 10", "nbf_before_s: 10, iat_offset_s: -60", NULL},
    {"fapi2-jar", "nbf_before_s: 10", "nbf_before_s: 10, iat_offset_s: 1", "from -60 to 0"},
    {"fapi2-jar", "nbf_before_s: 10", "nbf_before_s: 10, iat_offset_s: -61", "from -60 to 0"},

    /* bodies: finding F1 */
    {PERMIT("events"), NULL},
    {PERMIT("scope"), NULL},
    {PERMIT("nonce"), NULL},
    {PERMIT("request"), NULL},
    {PERMIT("client_id"), NULL},
    {PERMIT("client_id, scope"), "two begin an authorization request"},
    {PERMIT("client_id, nonce"), "two begin an authorization request"},
    {PERMIT("request, client_id"), "two begin an authorization request"},
    {PERMIT("scope, nonce"), "two begin an authorization request"},
    {PERMIT("events, client_id"), "two begin an authorization request"},
    {PERMIT("client_id, redirect_uri"), "only scope, nonce"},
    {PERMIT("client_id, redirect_uris"), "only scope, nonce"},
    {PERMIT("client_id, redirect_uri, scope, nonce, redirect_uris, events, request"),
     "only scope, nonce"},
    {PERMIT("redirect_uri"), "only scope, nonce"},
    {PERMIT("redirect_uris"), "only scope, nonce"},
    {PERMIT("sub"), "only scope, nonce"},
    {PERMIT("iss"), "only scope, nonce"},
    {PERMIT("aud"), "only scope, nonce"},
    {PERMIT("exp"), "only scope, nonce"},
    {PERMIT("iat"), "only scope, nonce"},
    {PERMIT("jti"), "only scope, nonce"},
    {PERMIT("software_statement"), "only scope, nonce"},
    {PERMIT("response_type"), "only scope, nonce"},
};

static void test_every_change(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        wrong += template_fits(files.templates, &changes[i], load) ? 0 : 1;
    }
    assert_int_equal(wrong, 0);
}

#define GRANT(claims, rest)                                                                        \
    "template: g\noperation: grant-assertion\nserialization: compact\npayload: claims\n"           \
    "purpose: seal\nalgorithms: [ES256]\nbindings:\n  - {name: client_id, type: text}\nheader:\n"  \
    "  - {name: alg, source: alg}\n  - {name: kid, source: kid}\nclaims:\n"                        \
    "  - {name: iss, rule: config, config: client_id}\n  - {name: aud, rule: const, value: x}\n"   \
    "  - {name: iat, rule: generated, generated: iat}\n" claims rest
#define RESPONSE_TYPE "  - {name: response_type, rule: const, value: token}\n"
#define EXP "  - {name: exp, rule: generated, generated: exp}\n"
#define LIFETIME "lifetime: {exp_after_s: 60}\n"
#define CALLER(name) "  - {name: " name ", rule: caller, type: string}\n"
#define CLIENT "  - {name: client_id, rule: config, config: client_id}\n"

static const struct grant {
    const char *text;
    const char *detail; /* NULL: it loads */
} grants[] = {
    {GRANT("", ""), "/g.yaml:12: grant-assertion always has the claim exp"},
    {GRANT("  - {name: exp, rule: forbidden}\n", ""), "always has the claim exp"},
    {GRANT(EXP, LIFETIME), NULL},
    {GRANT(CALLER("scope") EXP, LIFETIME), NULL},
    {GRANT(CLIENT EXP, LIFETIME), "/g.yaml:12: a grant assertion with client_id, nonce"},
    {GRANT(CALLER("nonce") EXP, LIFETIME), "has response_type, const \"token\""},
    {GRANT(CALLER("state") EXP, LIFETIME), "has response_type, const \"token\""},
    {GRANT(CALLER("claims") EXP, LIFETIME), "has response_type, const \"token\""},
    {GRANT(CALLER("acr_values") EXP, LIFETIME), "has response_type, const \"token\""},
    {GRANT(CALLER("authorization_details") EXP, LIFETIME), "has response_type, const \"token\""},
    {GRANT(CLIENT RESPONSE_TYPE EXP, LIFETIME), NULL},
    {GRANT(CLIENT "  - {name: response_type, rule: forbidden}\n" EXP, LIFETIME),
     "has response_type, const \"token\""},
    {GRANT(CLIENT CALLER("response_type") EXP, LIFETIME), "a grant assertion the value \"token\""},
};

static void test_grants_that_are_requests_or_live_for_ever(void **state)
{
    (void)state;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/g.yaml", files.templates);
    for (size_t i = 0; i < COUNT_OF(grants); i++) {
        write_file(files.templates, "g.yaml", grants[i].text);
        struct reason why = {.detail = ""};
        enum outcome outcome = load(path, "g", &why);
        const char *detail = grants[i].detail;
        bool fits = detail == NULL ? outcome == OUTCOME_OK
                                   : outcome == OUTCOME_RULE && strstr(why.detail, detail) != NULL;
        if (!fits) {
            fail_msg("%s\n got %d %s\nwant %s", grants[i].text, (int)outcome, why.detail,
                     detail == NULL ? "(it loads)" : detail);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    test_files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_files_fini(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_change),
        cmocka_unit_test(test_grants_that_are_requests_or_live_for_ever),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
