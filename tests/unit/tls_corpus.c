/* SPDX-License-Identifier: Apache-2.0
 * Writes the samples as inputs of fuzz_tls12 and fuzz_tls13 (see tests/fuzz/tls_recheck.h), for
 * when their form changes: tls_corpus FOLDER makes the files of FOLDER/tls12 and FOLDER/tls13. */
#include "check.h"
#include "tls_samples.h"

#include <stdio.h>

static int write_input(const char *folder, const char *name, uint8_t how, size_t sample,
                       const struct samples *made, struct span content)
{
    char path[512];
    char file[64];
    struct tls_key key = samples_key(made, sample);
    const uint8_t head[] = {how, (uint8_t)made->transcripts[sample].alg, (uint8_t)key.type};
    (void)snprintf(file, sizeof file, "%s", name + 4);
    for (char *c = file; *c != '\0'; c++) {
        *c = *c == ' ' || *c == '#' ? '-' : *c;
    }
    (void)snprintf(path, sizeof path, "%s/tls%.1s%.1s/%s%s", folder, name, name + 2, file,
                   how == 0 && name[2] == '3' ? "-content" : "");
    FILE *out = fopen(path, "wb");
    bool good = out != NULL && fwrite(head, 1, sizeof head, out) == sizeof head &&
                fwrite(key.spki_sha256, 1, 32, out) == 32 &&
                fwrite(content.data, 1, content.len, out) == content.len;
    good = out != NULL && fclose(out) == 0 && good;
    if (!good) {
        perror(path);
    }
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct samples made;
    int failures = 0;
    if (argc != 2) {
        fputs("usage: tls_corpus FOLDER\n", stderr);
        return 2;
    }
    samples_make(&made);
    for (size_t i = 0; i < n_samples; i++) {
        const struct rig_transcript *it = &made.transcripts[i];
        bool is_12 = samples[i].version == TLS1_2_VERSION;
        failures += write_input(argv[1], samples[i].name, is_12 ? 0 : 1, i, &made,
                                buffer_span(&it->messages));
        if (!is_12 && samples[i].server == RIG_P256 && samples[i].groups == NULL) {
            failures +=
                write_input(argv[1], samples[i].name, 0, i, &made, buffer_span(&it->content));
        }
    }
    samples_free(&made);
    return failures > 0;
}
