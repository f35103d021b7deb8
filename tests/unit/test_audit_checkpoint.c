/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints: what is written is read, nothing else is, and openssl(1) finds the signature good.
 */
#include "audit/checkpoint.h"
#include "base/pem.h"
#include "jose/ecdsa.h"
#include "jose_support.h"
#include "openssl_program.h"

#define CHAIN "0f8fad5b-d9cb-469f-a165-70867728950e"
#define HEAD "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define KID_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KID_B "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define FIRST "qseal audit checkpoint v1\n"
#define TOP FIRST "chain " CHAIN "\nsequence 170000\nhead " HEAD "\n"
#define NOTE TOP "time 1795287600\n"
#define USES_A "uses hsm-a " KID_A " 84211 1795200000\n"
#define USES_B "uses hsm-b " KID_B " 0 0\n"
#define SIGNATURE "signature ES256 " KID_A " AAAA\n"

static struct checkpoint example(void)
{
    struct checkpoint checkpoint = {
        .chain = CHAIN, .seq = 170000, .head = HEAD, .time = 1795287600, .n_uses = 2};
    checkpoint.uses[0] = (struct checkpoint_use){
        .token = "hsm-a", .kid = KID_A, .count = 84211, .since = 1795200000};
    checkpoint.uses[1] = (struct checkpoint_use){.token = "hsm-b", .kid = KID_B};
    return checkpoint;
}

static void the_note_is_that_of_the_documentation(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    struct checkpoint checkpoint = example();
    checkpoint_put(&checkpoint, &text);
    assert_string_equal(buffer_text(&text), NOTE USES_A USES_B);
}

static void assert_same_again(struct span note)
{
    BUFFER_CLEANUP struct buffer again = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    struct checkpoint checkpoint;
    assert_null(checkpoint_read(note, &checkpoint));
    checkpoint_put(&checkpoint, &again);
    assert_true(buffer_ok(&again) && span_equal(buffer_span(&again), note));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const char *const notes[] = {
        NOTE,
        NOTE USES_A,
        NOTE USES_A USES_B,
        NOTE "uses a " KID_A " 1 0\nuses a " KID_B " 1 0\nuses a. " KID_A " 1 0\n",
        TOP "time 0\n",
        FIRST "chain " CHAIN "\nsequence 9223372036854775807\nhead " HEAD
              "\ntime 9223372036854775807\n",
    };
    struct checkpoint read;
    for (size_t i = 0; i < COUNT_OF(notes); i++) {
        assert_same_again(span_of_text(notes[i]));
    }
    assert_null(checkpoint_read(span_of_text(NOTE USES_A USES_B), &read));
    struct checkpoint expected = example();
    assert_string_equal(read.chain, expected.chain);
    assert_int_equal(read.seq, expected.seq);
    assert_string_equal(read.head, expected.head);
    assert_int_equal(read.time, expected.time);
    assert_int_equal(read.n_uses, expected.n_uses);
    for (size_t i = 0; i < expected.n_uses; i++) {
        assert_string_equal(read.uses[i].token, expected.uses[i].token);
        assert_string_equal(read.uses[i].kid, expected.uses[i].kid);
        assert_int_equal(read.uses[i].count, expected.uses[i].count);
        assert_int_equal(read.uses[i].since, expected.uses[i].since);
    }
}

/* All that a service can have: tokens with the longest names and numbers. */
static void the_longest_note_fits(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    struct checkpoint checkpoint = example();
    checkpoint.n_uses = CHECKPOINT_USES_MAX;
    for (size_t i = 0; i < CHECKPOINT_USES_MAX; i++) {
        struct checkpoint_use *use = &checkpoint.uses[CHECKPOINT_USES_MAX - 1 - i];
        *use = (struct checkpoint_use){.kid = KID_A, .count = INT64_MAX, .since = INT64_MAX};
        memset(use->token, 'a', sizeof use->token - 1);
        use->token[0] = (char)('a' + i / 26);
        use->token[1] = (char)('a' + i % 26);
    }
    checkpoint_sort(&checkpoint);
    checkpoint_put(&checkpoint, &text);
    assert_true(buffer_ok(&text));
    assert_same_again(buffer_span(&text));
    buffer_put_text(&text, "uses z " KID_A " 1 1\n");
    assert_string_equal(checkpoint_read(buffer_span(&text), &checkpoint),
                        "more lines of uses than a checkpoint has");
}

struct refused_text {
    const char *text;
    const char *why;
};

static const char first_line[] = "its first line is not \"qseal audit checkpoint v1\"";
static const char no_chain[] = "no chain: a UUID in lower case";
static const char no_sequence[] = "no sequence: a number from 1 on";
static const char no_head[] = "no head: a SHA-256 in base64url";
static const char no_time[] = "no time: seconds since 1970";
static const char behind_time[] = "behind the time is something else than whole lines of uses";
static const char no_uses[] = "a line of uses is not TOKEN KID COUNT SINCE";
static const char disorder[] = "the lines of uses are not in order, or one is there twice";

static void what_is_not_a_note_is_refused(void **state)
{
    (void)state;
    static const struct refused_text rows[] = {
        {"", first_line},
        {"qseal audit checkpoint v1", first_line},
        {"qseal audit checkpoint v2\n", first_line},
        {"qseal audit checkpoint v1 \n", first_line},
        {"qseal audit checkpoint v1\r\n", first_line},
        {"\n" NOTE, first_line},
        {FIRST, no_chain},
        {FIRST "sequence 1\n", no_chain},
        {FIRST "chain 0F8FAD5B-d9cb-469f-a165-70867728950e\n", no_chain},
        {FIRST "chain 0f8fad5b-d9cb-469f-a165-70867728950\n", no_chain},
        {FIRST "chain " CHAIN " \n", no_chain},
        {FIRST "chain " CHAIN, no_chain},
        {FIRST "chain  " CHAIN "\n", no_chain},
        {FIRST "chain " CHAIN "\nsequence 0\n", no_sequence},
        {FIRST "chain " CHAIN "\nsequence 01\n", no_sequence},
        {FIRST "chain " CHAIN "\nsequence -1\n", no_sequence},
        {FIRST "chain " CHAIN "\nsequence 1 \n", no_sequence},
        {FIRST "chain " CHAIN "\nsequence 9223372036854775808\n", no_sequence},
        {FIRST "chain " CHAIN "\nsequence 99999999999999999999\n", no_sequence},
        {FIRST "chain " CHAIN "\nsequence 1\nhead " HEAD "=\n", no_head},
        {FIRST "chain " CHAIN "\nsequence 1\nhead 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n",
         no_head},
        {FIRST "chain " CHAIN "\nsequence 1\nhead 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV\n",
         no_head},
        {FIRST "chain " CHAIN "\nsequence 1\nhead AAAA\n", no_head},
        {TOP, no_time},
        {TOP "time \n", no_time},
        {TOP "time 1795287600.5\n", no_time},
        {TOP "time 1795287600", no_time},
        {NOTE "\n", behind_time},
        {NOTE "note\n", behind_time},
        {NOTE "uses hsm-a " KID_A " 1 1", behind_time},
        {NOTE "uses hsm-a " KID_A " 1\n", no_uses},
        {NOTE "uses hsm-a " KID_A " 1 1 1\n", no_uses},
        {NOTE "uses hsm-a " KID_A "  1\n", no_uses},
        {NOTE "uses hsm-a " KID_A " 01 1\n", no_uses},
        {NOTE "uses hsm-a " KID_A " 1 -1\n", no_uses},
        {NOTE "uses hsm-a AAAA 1 1\n", no_uses},
        {NOTE "uses HSM " KID_A " 1 1\n", no_uses},
        {NOTE "uses  " KID_A " 1 1\n", no_uses},
        {NOTE USES_B USES_A, disorder},
        {NOTE USES_A USES_A, disorder},
        {NOTE USES_A "uses hsm-a " KID_A " 1 1\n", disorder},
    };
    struct checkpoint read;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = checkpoint_read(span_of_text(rows[i].text), &read);
        assert_non_null(fault);
        assert_string_equal(fault, rows[i].why);
    }
    assert_string_equal(checkpoint_read(span_of(FIRST "\0", sizeof FIRST), &read), no_chain);
    static uint8_t long_one[CHECKPOINT_NOTE_MAX + 1];
    assert_string_equal(checkpoint_read(span_of(long_one, sizeof long_one), &read),
                        "longer than a checkpoint");
}

static void what_is_not_a_signed_note_is_refused(void **state)
{
    (void)state;
    static const char no_line[] = "no whole signature line behind the note";
    static const struct refused_text rows[] = {
        {"", first_line},
        {NOTE, "no empty line behind the note"},
        {NOTE SIGNATURE, behind_time},
        {TOP "\n" SIGNATURE, no_time},
        {NOTE "\n", no_line},
        {NOTE "\n\n" SIGNATURE, no_line},
        {NOTE "\nsignature ES256 " KID_A " AAAA", no_line},
        {NOTE "\n" SIGNATURE "\n", "something behind the signature line"},
        {NOTE "\n" SIGNATURE SIGNATURE, "something behind the signature line"},
        {NOTE "\nsignature ES256 " KID_A "\n",
         "the signature line is not: signature ALG KID SIGNATURE"},
        {NOTE "\nsignature HS256 " KID_A " AAAA\n",
         "the signature line names no algorithm that qseal knows"},
        {NOTE "\nsignature ES256 AAAA AAAA\n",
         "the signature line names no key: a SHA-256 in base64url"},
        {NOTE "\nsignature ES256 " KID_A " \n", "the signature is not base64url of 1 to 512 bytes"},
        {NOTE "\nsignature ES256 " KID_A " AA=\n",
         "the signature is not base64url of 1 to 512 bytes"},
        {NOTE "\nsignature ES256 " KID_A " AAAA AAAA\n",
         "the signature is not base64url of 1 to 512 bytes"},
    };
    struct checkpoint_signed read;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = checkpoint_read_signed(span_of_text(rows[i].text), &read);
        assert_non_null(fault);
        assert_string_equal(fault, rows[i].why);
    }
}

static void a_signature_may_be_as_long_as_any(void **state)
{
    (void)state;
    static const uint8_t bytes[SIGNATURE_MAX + 1] = {1};
    for (size_t len = SIGNATURE_MAX; len <= SIGNATURE_MAX + 1; len++) {
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
        struct checkpoint_signed read;
        checkpoint_put_signed(span_of_text(NOTE), ALG_PS256, KID_A, span_of(bytes, len), &text);
        assert_true(buffer_ok(&text));
        const char *fault = checkpoint_read_signed(buffer_span(&text), &read);
        if (len == SIGNATURE_MAX) {
            assert_null(fault);
            assert_int_equal(read.signature_len, len);
            assert_memory_equal(read.signature, bytes, len);
        } else {
            assert_string_equal(fault, "the signature is not base64url of 1 to 512 bytes");
        }
    }
}

/* --- signatures --- */

static const struct {
    enum key_type type;
    enum alg alg;
} kinds[] = {{KEY_P256, ALG_ES256},     {KEY_P521, ALG_ES512},      {KEY_RSA_2048, ALG_RS256},
             {KEY_RSA_2048, ALG_PS384}, {KEY_ED25519, ALG_ED25519}, {KEY_P384, ALG_ES384}};

/* A file `checkpoint` as the service writes it, by a key made for it. */
static void make_file(EVP_PKEY *pkey, const struct public_key *key, enum alg alg,
                      struct buffer *out)
{
    uint8_t signature[SIGNATURE_MAX];
    struct span note = span_of_text(NOTE USES_A);
    size_t len = sign_with(pkey, alg, -1, note, signature);
    checkpoint_put_signed(note, alg, public_key_thumbprint(key), span_of(signature, len), out);
    assert_true(buffer_ok(out));
}

/* openssl(1) over the note and the signature as they stand in the file, with the key as PEM: its
 * exit code. An auditor who has no qseal does the same. */
static int openssl_verify(const struct checkpoint_signed *read, const struct public_key *key,
                          struct span note)
{
    struct folder folder = folder_make();
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(4096);
    char paths[3][128];
    char text[512];
    char digest[16];
    char salt[32];
    uint8_t der[ECDSA_DER_MAX];
    struct span signature = span_of(read->signature, read->signature_len);
    const char *words[16] = {"openssl", "dgst",       digest,  "-verify",
                             paths[0],  "-signature", paths[1]};
    if (alg_family(read->alg) == FAMILY_ECDSA) {
        signature = span_of(der, ecdsa_to_der(public_key_type(key), signature, der));
    }
    pem_put(&pem, "PUBLIC KEY", public_key_spki(key));
    folder_path(&folder, "key.pem", paths[0]);
    folder_path(&folder, "signature", paths[1]);
    folder_path(&folder, "note", paths[2]);
    assert_int_equal(file_replace(paths[0], buffer_span(&pem), 0600), 0);
    assert_int_equal(file_replace(paths[1], signature, 0600), 0);
    assert_int_equal(file_replace(paths[2], note, 0600), 0);
    (void)snprintf(digest, sizeof digest, "-sha%zu", alg_digest_len(read->alg) * 8);
    (void)snprintf(salt, sizeof salt, "rsa_pss_saltlen:%zu", alg_digest_len(read->alg));
    if (alg_family(read->alg) == FAMILY_EDDSA) {
        const char *const eddsa[] = {"openssl", "pkeyutl",  "-verify", "-pubin",
                                     "-inkey",  paths[0],   "-rawin",  "-in",
                                     paths[2],  "-sigfile", paths[1]};
        memcpy(words, eddsa, sizeof eddsa);
    } else if (alg_family(read->alg) == FAMILY_RSA_PSS) {
        const char *const pss[] = {"-sigopt", "rsa_padding_mode:pss", "-sigopt", salt, paths[2]};
        memcpy(words + 7, pss, sizeof pss);
    } else {
        words[7] = paths[2];
    }
    int code = openssl_run(words, text, sizeof text);
    assert_non_null(strstr(text, code == 0 ? "Verified" : "erification"));
    folder_remove(&folder);
    return code;
}

static void openssl_finds_the_signature_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        BUFFER_CLEANUP struct buffer file = BUFFER_INIT(CHECKPOINT_FILE_MAX);
        struct checkpoint_signed read;
        EVP_PKEY *pkey = make_pkey(kinds[i].type);
        struct public_key *key = public_key_of(pkey);
        make_file(pkey, key, kinds[i].alg, &file);
        assert_null(checkpoint_read_signed(buffer_span(&file), &read));
        assert_true(span_is_text(read.note, NOTE USES_A));
        assert_int_equal(read.alg, kinds[i].alg);
        assert_true(checkpoint_verify(&read, key));
        assert_int_equal(openssl_verify(&read, key, read.note), 0);
        assert_int_not_equal(openssl_verify(&read, key, span_of_text(NOTE USES_B)), 0);
        public_key_free(key);
        EVP_PKEY_free(pkey);
    }
}

static void a_changed_note_or_another_key_is_no_good(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer file = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    struct checkpoint_signed read;
    EVP_PKEY *pkey = make_pkey(KEY_P256);
    EVP_PKEY *other_pkey = make_pkey(KEY_P256);
    struct public_key *key = public_key_of(pkey);
    struct public_key *other = public_key_of(other_pkey);
    make_file(pkey, key, ALG_ES256, &file);
    assert_null(checkpoint_read_signed(buffer_span(&file), &read));
    assert_true(checkpoint_verify(&read, key));
    assert_false(checkpoint_verify(&read, other));
    read.alg = ALG_ES384;
    assert_false(checkpoint_verify(&read, key));
    read.alg = ALG_ES256;
    /* A signature that is good, by a key that the line does not name. */
    memcpy(read.kid, public_key_thumbprint(other), sizeof read.kid);
    assert_false(checkpoint_verify(&read, key));
    buffer_reset(&file);
    make_file(pkey, key, ALG_ES256, &file);
    size_t at = strlen(FIRST "chain " CHAIN "\nsequence 17000");
    file.data[at] ^= 1;
    assert_null(checkpoint_read_signed(buffer_span(&file), &read));
    assert_int_equal(read.checkpoint.seq, 170001);
    assert_false(checkpoint_verify(&read, key));
    public_key_free(key);
    public_key_free(other);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other_pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_note_is_that_of_the_documentation),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_longest_note_fits),
        cmocka_unit_test(what_is_not_a_note_is_refused),
        cmocka_unit_test(what_is_not_a_signed_note_is_refused),
        cmocka_unit_test(a_signature_may_be_as_long_as_any),
        cmocka_unit_test(openssl_finds_the_signature_good),
        cmocka_unit_test(a_changed_note_or_another_key_is_no_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
