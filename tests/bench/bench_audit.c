/* SPDX-License-Identifier: Apache-2.0
 * How long a verification of the audit log takes: writes a log of so many records, as a service
 * that signs does (half of them `sign`, half `done`, a checkpoint for each 10,000), and verifies
 * it. Says the time of the processor and the peak of the memory of the verification alone, which
 * is done in a process of its own. */
#include "audit/checkpoint.h"
#include "audit/listing.h"
#include "audit/record.h"
#include "audit/verify.h"
#include "base/base64url.h"
#include "base/file.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEGMENT_BYTES = 256 * 1024 * 1024, CHECKPOINT_EVERY = 10000, EC_HALF = 32 };

#define CHAIN "0f8fad5b-d9cb-469f-a165-70867728950e"
#define KID "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

struct maker {
    const char *folder;
    EVP_PKEY *pkey;
    struct public_key *key;
    FILE *file;
    uint64_t segment;
    uint64_t seq;
    uint64_t signs;
    uint64_t bytes;  /* of the segment */
    uint64_t all;    /* of all of them */
    uint64_t sealed; /* by the last checkpoint */
    int64_t time_us;
    char prev[AUDIT_HASH_SIZE];
    struct buffer line;
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_audit: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void begin_record(struct maker *maker, const char *kind)
{
    maker->time_us += 101;
    buffer_reset(&maker->line);
    audit_line_begin(&maker->line, ++maker->seq, maker->prev, maker->time_us, kind);
}

static void end_record(struct maker *maker)
{
    buffer_put_text(&maker->line, "}\n");
    must(buffer_ok(&maker->line) && sha256_text(buffer_span(&maker->line), maker->prev),
         "a record");
    must(fwrite(maker->line.data, 1, maker->line.len, maker->file) == maker->line.len,
         "writing a segment");
    maker->bytes += maker->line.len;
    maker->all += maker->line.len;
}

static void begin_segment(struct maker *maker)
{
    char name[SEGMENT_NAME_SIZE];
    char path[PATH_MAX];
    uint64_t previous = maker->bytes;
    (void)snprintf(path, sizeof path, "%s/%s", maker->folder,
                   audit_segment_name(++maker->segment, name));
    maker->file = fopen(path, "wx");
    must(maker->file != NULL, "a segment that is not there yet");
    maker->bytes = 0;
    begin_record(maker, "segment");
    buffer_put_format(&maker->line,
                      ",\"segment\":%" PRIu64 ",\"version\":1,\"chain\":\"" CHAIN
                      "\",\"cause\":\"%s\"",
                      maker->segment, maker->segment == 1 ? "begin" : "size");
    if (maker->segment > 1) {
        buffer_put_format(&maker->line, ",\"previous_bytes\":%" PRIu64, previous);
    }
    end_record(maker);
}

static void put_signature(struct maker *maker)
{
    uint64_t of = maker->seq + 1;
    maker->signs++;
    begin_record(maker, "sign");
    buffer_put_format(
        &maker->line,
        ",\"request\":\"959b27f5-ab70-4161-9305-%012" PRIx64
        "\",\"interaction\":\"7d1f0c52-6a0e-4e0b-9a53-0c6e4f9a7d11\",\"uid\":1000,\"gid\":1000,"
        "\"pid\":4711,\"caller\":\"payments\",\"operation\":\"client-assertion\","
        "\"profile\":\"paynet-assertion\",\"profile_sha256\":\"%s\",\"role\":\"seal\","
        "\"kid\":\"" KID "\",\"alg\":\"PS256\",\"token\":\"hsm-a\",\"payload_sha256\":\"%s\","
        "\"input_sha256\":\"%s\",\"jti\":\"66b4ccb6-751d-46c6-8c52-%012" PRIx64 "\"",
        of, audit_no_hash, maker->prev, maker->prev, of);
    end_record(maker);
    begin_record(maker, "done");
    buffer_put_format(&maker->line,
                      ",\"of\":%" PRIu64
                      ",\"outcome\":\"released\",\"us\":1234,\"released_sha256\":\"%s\"",
                      of, maker->prev);
    end_record(maker);
}

static size_t sign(const struct maker *maker, struct span text, uint8_t out[2 * EC_HALF])
{
    uint8_t der[SIGNATURE_MAX];
    size_t len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, maker->pkey, NULL) == 1 &&
             EVP_DigestSign(ctx, der, &len, text.data, text.len) == 1,
         "a signature");
    EVP_MD_CTX_free(ctx);
    const unsigned char *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    must(signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, EC_HALF) == EC_HALF &&
             BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + EC_HALF, EC_HALF) == EC_HALF,
         "a signature's numbers");
    ECDSA_SIG_free(signature);
    return (size_t)2 * EC_HALF;
}

static void put_checkpoint(struct maker *maker)
{
    struct checkpoint note = {.seq = maker->seq, .time = maker->time_us / 1000000, .n_uses = 1};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    BUFFER_CLEANUP struct buffer spelled = BUFFER_INIT(2 * SIGNATURE_MAX);
    uint8_t signature[2 * EC_HALF];
    memcpy(note.chain, CHAIN, sizeof note.chain);
    memcpy(note.head, maker->prev, sizeof note.head);
    note.uses[0] = (struct checkpoint_use){"hsm-a", KID, maker->signs, 1795200000};
    checkpoint_put(&note, &text);
    size_t len = sign(maker, buffer_span(&text), signature);
    begin_record(maker, "checkpoint");
    base64url_encode(&spelled, span_of(signature, len));
    record_put_number(&maker->line, "covers", (int64_t)note.seq);
    record_put_text(&maker->line, "head", note.head);
    record_put_text(&maker->line, "kid", public_key_thumbprint(maker->key));
    record_put_text(&maker->line, "alg", "ES256");
    record_put_long_text(&maker->line, "note", buffer_span(&text));
    record_put_long_text(&maker->line, "signature", buffer_span(&spelled));
    end_record(maker);
    maker->sealed = note.seq;
}

static void make_log(struct maker *maker, uint64_t records)
{
    begin_segment(maker);
    while (maker->seq < records) {
        if (maker->seq - maker->sealed >= CHECKPOINT_EVERY) {
            put_checkpoint(maker);
        } else if (maker->bytes >= SEGMENT_BYTES) {
            begin_record(maker, "end");
            buffer_put_text(&maker->line, ",\"cause\":\"size\"");
            end_record(maker);
            must(fclose(maker->file) == 0, "writing a segment");
            begin_segment(maker);
        } else {
            put_signature(maker);
        }
    }
    put_checkpoint(maker);
    must(fclose(maker->file) == 0, "writing a segment");
}

static void make_key(struct maker *maker)
{
    unsigned char *der = NULL;
    struct reason why;
    maker->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    must(maker->pkey != NULL, "a key");
    int len = i2d_PUBKEY(maker->pkey, &der);
    must(len > 0 &&
             public_key_from_spki(span_of(der, (size_t)len), &maker->key, &why) == OUTCOME_OK,
         "a public key");
    OPENSSL_free(der);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* In a process of its own, whose use of the machine is nobody else's. */
static void time_verify(const struct maker *maker)
{
    struct rusage used;
    pid_t child = fork();
    must(child >= 0, "a process");
    if (child == 0) {
        struct audit_report report;
        const struct audit_verify_options options = {
            .folder = maker->folder, .keys = (struct public_key *const *)&maker->key, .n_keys = 1};
        bool is_good = audit_verify(&options, &report) == AUDIT_GOOD;
        if (!is_good) {
            (void)fprintf(stderr, "%s\n", report.problem.what);
        }
        _exit(is_good ? 0 : 1);
    }
    int status = 0;
    must(waitpid(child, &status, 0) == child && status == 0, "the log is not good");
    must(getrusage(RUSAGE_CHILDREN, &used) == 0, "getrusage");
    double cpu = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    (void)printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"bytes_per_record\":%.0f,"
                 "\"cpu_s\":%.2f,\"user_s\":%.2f,\"cpu_s_per_10_million\":%.1f,"
                 "\"peak_rss_kib\":%ld}\n",
                 maker->seq, maker->all, (double)maker->all / (double)maker->seq, cpu,
                 seconds_of(used.ru_utime), cpu / (double)maker->seq * 1e7, used.ru_maxrss);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"records", required_argument, NULL, 'n'},
                                            {"folder", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    struct maker maker = {.line = BUFFER_INIT(AUDIT_LINE_MAX), .time_us = 1795288066123456};
    uint64_t records = 1000000;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'n') {
            records = strtoull(optarg, NULL, 10);
        } else if (option == 'f') {
            maker.folder = optarg;
        } else {
            maker.folder = NULL;
            break;
        }
    }
    if (maker.folder == NULL || records == 0) {
        (void)fprintf(stderr, "usage: bench_audit --folder EMPTY_FOLDER [--records N]\n");
        return 2;
    }
    memcpy(maker.prev, audit_no_hash, sizeof maker.prev);
    make_key(&maker);
    make_log(&maker, records);
    time_verify(&maker);
    buffer_fini(&maker.line);
    public_key_free(maker.key);
    EVP_PKEY_free(maker.pkey);
    return 0;
}
