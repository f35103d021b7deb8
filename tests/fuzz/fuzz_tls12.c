/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.2 handshakes that a transport key is asked to sign. What is accepted is one from
 * ClientHello to ClientKeyExchange, to the last byte. */
#include "pki/tls_guard.h"

#include "tls_recheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void recheck_order(struct span messages)
{
    static const uint8_t order[] = {1, 2, 11, 22, 12, 13, 14, 11, 16};
    size_t at = 0;
    for (size_t i = 0; i < sizeof order; i++) {
        if (order[i] == 22 && at < messages.len && messages.data[at] != 22) {
            continue; /* CertificateStatus may be left out */
        }
        MUST(at + 4 <= messages.len && messages.data[at] == order[i]);
        at += 4 + number_24(messages.data + at + 1);
    }
    MUST(at == messages.len);
    MUST(messages.data[4] == 3 && messages.data[5] == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_input input;
    struct tls_proof proof;
    struct reason why = {0};
    if (!tls_input_read(data, size, &input)) {
        return 0;
    }
    enum outcome outcome = tls_guard_check(&input.key, input.alg, input.content, &proof, &why);
    if (outcome != OUTCOME_OK) {
        MUST(outcome == OUTCOME_SHAPE);
        recheck_refusal(&proof, &why);
    } else if (proof.version == TLS_1_2) {
        recheck_order(input.content);
        recheck_proof(&input, &proof);
    }
    return 0;
}
