/* SPDX-License-Identifier: Apache-2.0
 * Handshakes, as callers ask for them: real ones are signed and verify under OpenSSL, everything
 * else gets a reason. */
#include "signing/tls.h"

#include "base/base64url.h"
#include "check.h"
#include "folder.h"
#include "instance.h"
#include "jose/json.h"
#include "tls_client.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdio.h>

static const char octets[] = "application/octet-stream";
static const char transcript[] = "application/vnd.qseal.tls-transcript";

struct bench {
    struct instance instance;
    struct rig_identity ca; /* issues the clients' certificates, and is the rig's client */
    struct rig_identity server;
    struct rig_identity other_server;
    struct folder folder;
    char issuer[128]; /* the CA's certificate as PEM */
};

static void make_keys(struct instance *instance)
{
    static const char *const roles[] = {"transport", "wide", "rsa", "ed", "bank", "named"};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        char arguments[64];
        (void)snprintf(arguments, sizeof arguments, "{\"role\":\"%s\"}", roles[i]);
        assert_done(instance_admin(instance, CUSTODY_KEY_GENERATE, arguments, &result, &why), why);
    }
}

static void configure(struct bench *bench)
{
    static char roles[2048];
    struct instance *instance = &bench->instance;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer pin = BUFFER_INIT(64);
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    base64url_encode(&pin, span_of(bench->server.spki_sha256, sizeof bench->server.spki_sha256));
    (void)snprintf(
        roles, sizeof roles,
        "  - {name: transport, purpose: transport, certificate: optional, key: p-256, tokens: "
        "[hsm-a, hsm-b]}\n"
        "  - {name: wide, purpose: transport, certificate: optional, key: p-384, tokens: [hsm-b]}\n"
        "  - {name: rsa, purpose: transport, certificate: optional, key: rsa-2048, algorithms: "
        "[PS256], tokens: [hsm-a]}\n"
        "  - {name: ed, purpose: transport, certificate: optional, key: ed25519, tokens: [hsm-a]}\n"
        "  - {name: bank, purpose: transport, certificate: optional, key: p-256, tokens: [hsm-a], "
        "peers: [{spki: %s}]}\n"
        "  - {name: named, purpose: transport, certificate: optional, key: p-256, tokens: [hsm-a], "
        "peers: "
        "[{dns: \"*.bank.example\", issuer: %s}]}\n"
        "  - {name: empty, purpose: transport, certificate: optional, key: p-256, tokens: "
        "[hsm-a]}\n"
        "  - {name: others, purpose: transport, certificate: optional, key: p-256, tokens: "
        "[hsm-a]}\n",
        buffer_text(&pin), bench->issuer);
    instance->roles_more = roles;
    instance->caller_more = ", roles: [transport, wide, rsa, ed, bank, named, empty]";
    instance_configure(instance, "[paynet-assertion]", "[operator, custodian]");
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
}

static int setup(void **state)
{
    static struct bench bench;
    const struct rig_certificate ca = {.is_ca = true};
    const struct rig_certificate server = {.san = "DNS:api.bank.example", .issuer = &bench.ca};
    instance_init(&bench.instance, "[paynet-assertion]", "[operator, custodian]");
    rig_identity_make(RIG_P256, &ca, &bench.ca);
    rig_identity_make(RIG_P256, &server, &bench.server);
    rig_identity_make(RIG_P256, &server, &bench.other_server);
    bench.folder = folder_make();
    folder_path(&bench.folder, "ca.pem", bench.issuer);
    FILE *file = fopen(bench.issuer, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, bench.ca.certificate), 1);
    assert_int_equal(fclose(file), 0);
    configure(&bench);
    make_keys(&bench.instance);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    rig_identity_free(&bench->other_server);
    rig_identity_free(&bench->server);
    rig_identity_free(&bench->ca);
    folder_remove(&bench->folder);
    instance_fini(&bench->instance);
    return 0;
}

/* A copy of the public key, alive as long as the caller likes. */
static struct public_key *key_of(struct bench *bench, const char *role, const char *token)
{
    struct view *view = view_cell_get(bench->instance.views);
    const struct key *key = keyring_active(view->keyring, role, token);
    assert_non_null(key);
    struct public_key *copy = public_key_ref(key->public_key);
    view_unref(view);
    return copy;
}

struct signature_request {
    const char *role;
    const char *scheme;
    const char *content_type;
    const char *kid;
    struct span body;
};

static struct signing_answer ask(struct bench *bench, const struct signature_request *how)
{
    struct signing_request request = {
        .connection = bench->instance.connection,
        .route = ROUTE_TLS_SIGNATURE,
        .body = how->body,
    };
    struct signing_answer answer;
    (void)snprintf(request.name, sizeof request.name, "%s", how->role);
    (void)snprintf(request.scheme, sizeof request.scheme, "%s", how->scheme);
    (void)snprintf(request.content_type, sizeof request.content_type, "%s", how->content_type);
    (void)snprintf(request.kid, sizeof request.kid, "%s", how->kid == NULL ? "" : how->kid);
    signing_ask(&bench->instance.signing, bench->instance.worker, &request, &answer);
    return answer;
}

static void assert_problem(const struct signing_answer *answer, enum outcome want,
                           const char *fragment)
{
    JSON_CLEANUP json_t *problem = NULL;
    struct reason why = {0};
    assert_int_equal(answer->media, MEDIA_PROBLEM);
    assert_string_equal(answer->peer, "");
    assert_done(json_parse_object(answer->body, &problem, &why), why);
    (void)snprintf(why.detail, sizeof why.detail, "%s",
                   json_string_value(json_object_get(problem, "detail")));
    assert_refused(answer->outcome, want, why, fragment);
}

static void assert_ask_refused(struct bench *bench, const struct signature_request *how,
                               enum outcome want, const char *fragment)
{
    struct signing_answer answer = ask(bench, how);
    assert_problem(&answer, want, fragment);
}

/* By OpenSSL, over what TLS signs, in the form TLS has it. */
static bool verifies(const struct public_key *key, enum alg alg, struct span content,
                     struct span signature)
{
    static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
    size_t digest = alg_digest_len(alg);
    struct span spki = public_key_spki(key);
    const unsigned char *at = spki.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    assert_int_equal(EVP_DigestVerifyInit_ex(ctx, &pctx,
                                             digest == 0 ? NULL : digests[(digest - 32) / 16], NULL,
                                             NULL, pkey, NULL),
                     1);
    if (alg_family(alg) == FAMILY_RSA_PSS) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, (int)digest), 1);
    }
    bool good =
        EVP_DigestVerify(ctx, signature.data, signature.len, content.data, content.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

static void assert_signs(struct bench *bench, const struct signature_request *how,
                         const struct public_key *key, struct span content)
{
    enum tls_scheme scheme;
    struct signing_answer answer = ask(bench, how);
    if (answer.outcome != OUTCOME_OK) {
        fail_msg("%s: %.*s", how->role, (int)answer.body.len, (const char *)answer.body.data);
    }
    assert_int_equal(answer.media, MEDIA_OCTETS);
    assert_int_equal(answer.max_age_s, 0);
    assert_true(tls_scheme_from_name(span_of_text(how->scheme), &scheme));
    assert_true(verifies(key, tls_scheme_alg(scheme), content, answer.body));
}

static const uint8_t hash[48] = {9, 8, 7};

static void each_kind_of_key_signs_tls13(void **state)
{
    static const struct {
        const char *role;
        const char *token;
        const char *scheme;
        size_t hash_len;
    } rows[] = {
        {"transport", "hsm-a", "ecdsa_secp256r1_sha256", 32},
        {"transport", "hsm-a", "ecdsa_secp256r1_sha256", 48},
        {"wide", "hsm-b", "ecdsa_secp384r1_sha384", 32},
        {"rsa", "hsm-a", "rsa_pss_rsae_sha256", 48},
        {"rsa", "hsm-a", "rsa_pss_pss_sha256", 32},
        {"ed", "hsm-a", "ed25519", 48},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
        struct public_key *key = key_of(bench, rows[i].role, rows[i].token);
        rig_content(&content, "client", hash, rows[i].hash_len);
        const struct signature_request how = {.role = rows[i].role,
                                              .scheme = rows[i].scheme,
                                              .content_type = octets,
                                              .body = buffer_span(&content)};
        assert_signs(bench, &how, key, buffer_span(&content));
        public_key_free(key);
    }
}

static void a_thumbprint_chooses_the_key(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
    struct public_key *key = key_of(bench, "transport", "hsm-b");
    rig_content(&content, "client", hash, 32);
    struct signature_request how = {.role = "transport",
                                    .scheme = "ecdsa_secp256r1_sha256",
                                    .content_type = octets,
                                    .kid = public_key_thumbprint(key),
                                    .body = buffer_span(&content)};
    assert_signs(bench, &how, key, buffer_span(&content));
    how.role = "wide";
    assert_ask_refused(bench, &how, OUTCOME_NOT_FOUND,
                       "role wide has no active key of this thumbprint");
    public_key_free(key);
}

static void tls12_is_signed_with_any_digest_and_proves_the_peer(void **state)
{
    static const char *const schemes[] = {"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384",
                                          "ecdsa_secp521r1_sha512"};
    static const char *const roles[][2] = {{"transport", "hsm-a"}, {"wide", "hsm-b"}};
    struct bench *bench = *state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        BUFFER_CLEANUP struct buffer messages = BUFFER_INIT(RIG_INPUT_MAX);
        struct public_key *key = key_of(bench, roles[i][0], roles[i][1]);
        tls_client_transcript(TLS1_2_VERSION, &bench->server, &bench->ca, public_key_spki(key),
                              &messages);
        for (size_t j = 0; j < COUNT_OF(schemes); j++) {
            const struct signature_request how = {.role = roles[i][0],
                                                  .scheme = schemes[j],
                                                  .content_type = octets,
                                                  .body = buffer_span(&messages)};
            assert_signs(bench, &how, key, buffer_span(&messages));
            struct signing_answer answer = ask(bench, &how);
            BUFFER_CLEANUP struct buffer peer = BUFFER_INIT(256);
            buffer_put_text(&peer, "spki=");
            base64url_encode(&peer,
                             span_of(bench->server.spki_sha256, sizeof bench->server.spki_sha256));
            buffer_put_text(&peer, "; claimed-sni=api.bank.example");
            assert_string_equal(answer.peer, buffer_text(&peer));
        }
        public_key_free(key);
    }
}

/* The content is built here, from the transcript; its signature is over what libssl would sign. */
static void a_tls13_transcript_is_signed_and_proves_the_peer(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer messages = BUFFER_INIT(RIG_INPUT_MAX);
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
    struct public_key *key = key_of(bench, "bank", "hsm-a");
    uint8_t digest[48];
    tls_client_transcript(TLS1_3_VERSION, &bench->server, &bench->ca, public_key_spki(key),
                          &messages);
    assert_int_equal(EVP_Digest(messages.data, messages.len, digest, NULL, EVP_sha384(), NULL), 1);
    rig_content(&content, "client", digest, sizeof digest); /* TLS_AES_256_GCM_SHA384 */
    const struct signature_request how = {.role = "bank",
                                          .scheme = "ecdsa_secp256r1_sha256",
                                          .content_type = transcript,
                                          .body = buffer_span(&messages)};
    assert_signs(bench, &how, key, buffer_span(&content));
    struct signing_answer answer = ask(bench, &how);
    assert_non_null(strstr(answer.peer, "; claimed-sni=api.bank.example"));
    public_key_free(key);
}

static void a_role_with_peers_is_for_these_alone(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
    struct public_key *key = key_of(bench, "bank", "hsm-a");
    rig_content(&content, "client", hash, 32);
    struct signature_request how = {.role = "bank",
                                    .scheme = "ecdsa_secp256r1_sha256",
                                    .content_type = octets,
                                    .body = buffer_span(&content)};
    unsigned int asked = bench->instance.tokens[0].asked;
    assert_ask_refused(
        bench, &how, OUTCOME_RULE,
        "role bank may be used with certain peers only, which TLS 1.3 hides: turn on "
        "transcript mode (docs/tls.md), or use TLS 1.2");
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        BUFFER_CLEANUP struct buffer messages = BUFFER_INIT(RIG_INPUT_MAX);
        tls_client_transcript(versions[i], &bench->other_server, &bench->ca, public_key_spki(key),
                              &messages);
        how.content_type = versions[i] == TLS1_3_VERSION ? transcript : octets;
        how.body = buffer_span(&messages);
        assert_ask_refused(
            bench, &how, OUTCOME_RULE,
            "the server is not one of the role's peers: its key is not the pinned one");
    }
    assert_int_equal(bench->instance.tokens[0].asked, asked);
    BUFFER_CLEANUP struct buffer good = BUFFER_INIT(RIG_INPUT_MAX);
    tls_client_transcript(TLS1_2_VERSION, &bench->server, &bench->ca, public_key_spki(key), &good);
    how.content_type = octets;
    how.body = buffer_span(&good);
    assert_signs(bench, &how, key, buffer_span(&good));
    public_key_free(key);
}

/* What the rule proves is told apart from what the client claims. */
static void the_name_of_the_rule_is_told(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer messages = BUFFER_INIT(RIG_INPUT_MAX);
    struct public_key *key = key_of(bench, "named", "hsm-a");
    tls_client_transcript(TLS1_2_VERSION, &bench->server, &bench->ca, public_key_spki(key),
                          &messages);
    const struct signature_request how = {.role = "named",
                                          .scheme = "ecdsa_secp256r1_sha256",
                                          .content_type = octets,
                                          .body = buffer_span(&messages)};
    assert_signs(bench, &how, key, buffer_span(&messages));
    struct signing_answer answer = ask(bench, &how);
    assert_non_null(strstr(answer.peer, "; dns=*.bank.example; claimed-sni=api.bank.example"));
    public_key_free(key);
}

static void what_is_no_client_s_handshake_is_refused(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer server = BUFFER_INIT(256);
    BUFFER_CLEANUP struct buffer longer = BUFFER_INIT(256);
    BUFFER_CLEANUP struct buffer not_ours = BUFFER_INIT(RIG_INPUT_MAX);
    BUFFER_CLEANUP struct buffer ours = BUFFER_INIT(RIG_INPUT_MAX);
    struct public_key *key = key_of(bench, "transport", "hsm-a");
    struct public_key *wide = key_of(bench, "wide", "hsm-b");
    rig_content(&server, "server", hash, 32);
    rig_content(&longer, "client", hash, 33);
    tls_client_transcript(TLS1_2_VERSION, &bench->server, &bench->ca, public_key_spki(wide),
                          &not_ours);
    tls_client_transcript(TLS1_2_VERSION, &bench->server, &bench->ca, public_key_spki(key), &ours);
    public_key_free(wide);
    public_key_free(key);
    const struct {
        struct span body;
        const char *fragment;
    } rows[] = {
        {span_of(hash, 32), "neither a TLS 1.3 client's CertificateVerify content"},
        {span_of(NULL, 0), "neither a TLS 1.3 client's CertificateVerify content"},
        {span_of_text("eyJhbGciOiJFUzI1NiJ9.e30"),
         "neither a TLS 1.3 client's CertificateVerify content"},
        {buffer_span(&server), "a TLS 1.3 server's CertificateVerify"},
        {buffer_span(&longer), "130 or 146 bytes"},
        {buffer_span(&not_ours), "the first one is not of the key that is to sign"},
        {span_part(buffer_span(&ours), 0, ours.len - 1),
         "the message that should be ClientKeyExchange does not fit"},
    };
    unsigned int asked = bench->instance.tokens[0].asked;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct signature_request how = {.role = "transport",
                                              .scheme = "ecdsa_secp256r1_sha256",
                                              .content_type = octets,
                                              .body = rows[i].body};
        assert_ask_refused(bench, &how, OUTCOME_RULE, rows[i].fragment);
    }
    const struct signature_request how = {.role = "transport",
                                          .scheme = "ecdsa_secp256r1_sha256",
                                          .content_type = transcript,
                                          .body = buffer_span(&server)};
    assert_ask_refused(bench, &how, OUTCOME_RULE, "the message that should be ClientHello");
    assert_int_equal(bench->instance.tokens[0].asked, asked);
}

static void each_refusal_has_its_reason(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
    rig_content(&content, "client", hash, 32);
    const struct {
        struct signature_request how;
        enum outcome outcome;
        const char *fragment;
    } rows[] = {
        {{"no-such", "ed25519", octets, NULL, {0}},
         OUTCOME_NOT_FOUND,
         "there is no transport role no-such"},
        {{"seal", "ed25519", octets, NULL, {0}},
         OUTCOME_NOT_FOUND,
         "there is no transport role seal"},
        {{"others", "ed25519", octets, NULL, {0}},
         OUTCOME_NOT_GRANTED,
         "transport key others is not granted to caller flow (uid "},
        {{"transport", "ed25519", "", NULL, {0}},
         OUTCOME_MEDIA_TYPE,
         "takes application/octet-stream (the whole content to be signed) or "
         "application/vnd.qseal.tls-transcript"},
        {{"transport", "ed25519", "application/octet-stream;x=1", NULL, {0}},
         OUTCOME_MEDIA_TYPE,
         "takes application/octet-stream"},
        {{"transport", "", octets, NULL, {0}},
         OUTCOME_MALFORMED,
         "Qseal-Signature-Scheme must name the TLS signature scheme"},
        {{"transport", "rsa_pkcs1_sha1", octets, NULL, {0}},
         OUTCOME_RULE,
         "not a signature scheme that is known here: rsa_pkcs1_sha256, "},
        {{"transport", "ES256", octets, NULL, {0}}, OUTCOME_RULE, "rsa_pss_pss_sha512"},
        {{"transport", "ed25519", octets, NULL, {0}},
         OUTCOME_RULE,
         "the key of role transport is of type p-256, which does not make ed25519"},
        {{"rsa", "rsa_pss_rsae_sha384", octets, NULL, {0}},
         OUTCOME_RULE,
         "the key of role rsa was not granted PS384, which rsa_pss_rsae_sha384 needs"},
        {{"wide", "ecdsa_secp256r1_sha256", octets, NULL, {0}}, OUTCOME_RULE, "TLS 1.3"},
        {{"empty", "ecdsa_secp256r1_sha256", octets, NULL, {0}},
         OUTCOME_NO_KEY,
         "qsealctl key generate empty"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct signature_request how = rows[i].how;
        how.body = buffer_span(&content);
        assert_ask_refused(bench, &how, rows[i].outcome, rows[i].fragment);
    }
}

static void a_stranger_is_told_its_uid(void **state)
{
    struct bench *bench = *state;
    struct caller nobody = {.uid = 65534};
    struct reason why = {0};
    uint64_t mine = bench->instance.connection;
    assert_done(
        callers_connect(bench->instance.callers, &nobody, NULL, &bench->instance.connection, &why),
        why);
    const struct signature_request how = {
        .role = "transport", .scheme = "ed25519", .content_type = octets};
    assert_ask_refused(bench, &how, OUTCOME_NOT_GRANTED, "transport key not granted to uid 65534");
    bench->instance.connection = mine;
}

static void a_token_that_fails_is_replaced_and_a_spoilt_signature_withheld(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
    struct public_key *key = key_of(bench, "transport", "hsm-b");
    rig_content(&content, "client", hash, 32);
    const struct signature_request how = {.role = "transport",
                                          .scheme = "ecdsa_secp256r1_sha256",
                                          .content_type = octets,
                                          .body = buffer_span(&content)};
    bench->instance.tokens[0].flip_a_bit = true;
    assert_signs(bench, &how, key, buffer_span(&content));
    bench->instance.tokens[1].flip_a_bit = true;
    assert_ask_refused(bench, &how, OUTCOME_VERIFY, "does not verify; it was withheld");
    /* What tokend refuses that was good here is a fault of ours. */
    bench->instance.tokens[0].outcome = OUTCOME_SHAPE;
    assert_ask_refused(bench, &how, OUTCOME_SHAPE, "hsm-a was told to fail");
    public_key_free(key);
}

static struct signing_answer look(struct bench *bench, enum signing_route route, const char *role,
                                  const char *kid)
{
    struct signing_request request = {.connection = bench->instance.connection, .route = route};
    struct signing_answer answer;
    (void)snprintf(request.name, sizeof request.name, "%s", role);
    (void)snprintf(request.kid, sizeof request.kid, "%s", kid);
    signing_ask(&bench->instance.signing, bench->instance.worker, &request, &answer);
    return answer;
}

static void set_chain(struct bench *bench, const struct public_key *key, const char *pem)
{
    struct view *view = view_cell_get(bench->instance.views);
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_done(keyring_set_chain(view->keyring, key, pem, NULL, 0, &next, &why), why);
    struct view *changed = NULL;
    assert_done(view_new(policy_ref(view->policy), next, &changed, &why), why);
    view_cell_set(bench->instance.views, changed);
    view_unref(view);
}

static void the_certificate_is_shown_when_there_is_one(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(8192);
    struct public_key *a = key_of(bench, "transport", "hsm-a");
    struct public_key *b = key_of(bench, "transport", "hsm-b");
    struct signing_answer answer = look(bench, ROUTE_CERTIFICATE, "transport", "");
    assert_problem(&answer, OUTCOME_NOT_FOUND,
                   "role transport has no certificate yet: qsealctl key import-certificate");
    X509 *certificate = tls_client_certificate(public_key_spki(b), &bench->ca);
    tls_client_put_pem(certificate, &pem);
    X509_free(certificate);
    set_chain(bench, b, buffer_text(&pem));
    answer = look(bench, ROUTE_CERTIFICATE, "transport", public_key_thumbprint(b));
    assert_int_equal(answer.outcome, OUTCOME_OK);
    assert_int_equal(answer.media, MEDIA_PEM_CHAIN);
    assert_true(span_equal(answer.body, buffer_span(&pem)));
    answer = look(bench, ROUTE_CERTIFICATE, "transport", public_key_thumbprint(a));
    assert_problem(&answer, OUTCOME_NOT_FOUND, "has no certificate yet");
    bench->instance.tokens[0].state = TOKEN_LOCKED;
    instance_wait_state(&bench->instance, "hsm-a", TOKEN_LOCKED);
    answer = look(bench, ROUTE_CERTIFICATE, "transport", ""); /* of hsm-b, which is up */
    assert_int_equal(answer.outcome, OUTCOME_OK);
    public_key_free(a);
    public_key_free(b);
}

static void certificates_and_references_are_for_those_who_may_sign(void **state)
{
    struct bench *bench = *state;
    struct signing_answer answer = look(bench, ROUTE_CERTIFICATE, "others", "");
    assert_problem(&answer, OUTCOME_NOT_GRANTED, "transport key others is not granted");
    answer = look(bench, ROUTE_CERTIFICATE, "seal-ec", "");
    assert_problem(&answer, OUTCOME_NOT_GRANTED, "no profile of role seal-ec is granted");
    answer = look(bench, ROUTE_CERTIFICATE, "seal", ""); /* paynet-assertion's, without a key */
    assert_problem(&answer, OUTCOME_NO_KEY, "qsealctl key generate seal");
    answer = look(bench, ROUTE_CERTIFICATE, "no-such", "");
    assert_problem(&answer, OUTCOME_NOT_FOUND, "there is no role no-such");
    answer =
        look(bench, ROUTE_CERTIFICATE, "transport", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_problem(&answer, OUTCOME_NOT_FOUND, "no active key of this thumbprint");
    answer = look(bench, ROUTE_REFERENCE, "others", "");
    assert_problem(&answer, OUTCOME_NOT_GRANTED, "transport key others is not granted");
    answer = look(bench, ROUTE_REFERENCE, "seal", "");
    assert_problem(&answer, OUTCOME_NOT_FOUND, "there is no transport role seal");
    answer = look(bench, ROUTE_REFERENCE, "empty", "");
    assert_problem(&answer, OUTCOME_NO_KEY, "qsealctl key generate empty");
}

static void the_reference_is_a_pem_without_a_secret(void **state)
{
    static const char head[] = "-----BEGIN QSEAL KEY REFERENCE-----\n";
    struct bench *bench = *state;
    struct signing_answer answer = look(bench, ROUTE_REFERENCE, "transport", "");
    assert_int_equal(answer.outcome, OUTCOME_OK);
    assert_int_equal(answer.media, MEDIA_PEM);
    assert_true(span_is_text(span_part(answer.body, 0, sizeof head - 1), head));
}

/* "empty" and "others" have no key: what they are for cannot be done. */
static void health_counts_the_roles_for_handshakes(void **state)
{
    struct bench *bench = *state;
    static const char *const rest[] = {"seal", "seal-ec", "empty", "others"};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    for (size_t i = 0; i <= COUNT_OF(rest); i++) {
        JSON_CLEANUP json_t *health = NULL;
        char arguments[64];
        (void)instance_ask(&bench->instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &health);
        assert_string_equal(json_string_value(json_object_get(health, "status")),
                            i < COUNT_OF(rest) ? "degraded" : "ready");
        if (i < COUNT_OF(rest)) {
            (void)snprintf(arguments, sizeof arguments, "{\"role\":\"%s\"}", rest[i]);
            assert_done(
                instance_admin(&bench->instance, CUSTODY_KEY_GENERATE, arguments, &result, &why),
                why);
        }
    }
}

static void keys_for_handshakes_are_listed_with_their_expiry(void **state)
{
    struct bench *bench = *state;
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(8192);
    struct public_key *key = key_of(bench, "wide", "hsm-b");
    X509 *certificate = tls_client_certificate(public_key_spki(key), &bench->ca);
    tls_client_put_pem(certificate, &pem);
    X509_free(certificate);
    set_chain(bench, key, buffer_text(&pem));
    JSON_CLEANUP json_t *keys = NULL;
    (void)instance_ask(&bench->instance, ROUTE_KEYS, OPERATION_JAR, "", "", &keys);
    size_t listed = 0;
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(keys, "keys"), i, row) {
        const char *role = json_string_value(json_object_get(row, "role"));
        const char *until = json_string_value(json_object_get(row, "not_after"));
        listed++;
        if (strcmp(role, "wide") != 0) {
            assert_null(until);
            continue;
        }
        assert_string_equal(json_string_value(json_object_get(row, "kid")),
                            public_key_thumbprint(key));
        assert_non_null(until);
        assert_int_equal(strlen(until), strlen("2026-01-01T00:00:00Z"));
    }
    assert_int_equal(listed, 7);
    public_key_free(key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_of_key_signs_tls13),
        TEST(a_thumbprint_chooses_the_key),
        TEST(tls12_is_signed_with_any_digest_and_proves_the_peer),
        TEST(a_tls13_transcript_is_signed_and_proves_the_peer),
        TEST(a_role_with_peers_is_for_these_alone),
        TEST(the_name_of_the_rule_is_told),
        TEST(what_is_no_client_s_handshake_is_refused),
        TEST(each_refusal_has_its_reason),
        TEST(a_stranger_is_told_its_uid),
        TEST(a_token_that_fails_is_replaced_and_a_spoilt_signature_withheld),
        TEST(the_certificate_is_shown_when_there_is_one),
        TEST(certificates_and_references_are_for_those_who_may_sign),
        TEST(the_reference_is_a_pem_without_a_secret),
        TEST(health_counts_the_roles_for_handshakes),
        TEST(keys_for_handshakes_are_listed_with_their_expiry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
