/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target once over each file named on the command line: what the fuzzers once found
 * stays found in builds that have no libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4 * 1024 * 1024 };

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(INPUT_MAX);
    if (data == NULL) {
        perror("malloc");
        fclose(file);
        return 1;
    }
    size_t size = fread(data, 1, INPUT_MAX, file);
    int failed = ferror(file);
    fclose(file);
    if (!failed) {
        /* Memory of exactly this size, so that a sanitizer sees a read past its end. */
        uint8_t *exact = realloc(data, size > 0 ? size : 1);
        data = exact != NULL ? exact : data;
        failed = LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return failed != 0;
}

int main(int argc, char **argv)
{
    int failures = 0;
    if (argc < 2) {
        fputs("replay: no corpus was named\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        failures += replay_file(argv[i]);
    }
    printf("%d inputs, %d failures\n", argc - 1, failures);
    return failures != 0;
}
