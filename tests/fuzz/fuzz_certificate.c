/* SPDX-License-Identifier: Apache-2.0
 * Bytes that come with certificates: behind an even first byte the value of a qcStatements
 * extension, behind an odd one what a key is asked to sign about itself. What is read of statements
 * is the same when it is written and read again; what passes the shape guard names a public key
 * inside it, with attributes behind. */
#include "base/buffer.h"
#include "model/shape_csr.h"
#include "pki/psd2.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : abort())

static void try_statements(struct span der)
{
    struct qc_statements first;
    struct qc_statements second;
    BUFFER_CLEANUP struct buffer written = BUFFER_INIT(QC_STATEMENTS_MAX);
    const char *fault = qc_statements_read(der, &first);
    if (fault != NULL) {
        MUST(fault[0] != '\0');
        return;
    }
    MUST(first.type <= QC_TYPE_WEB && first.roles < 1U << PSD2_ROLES);
    if (first.has_psd2) {
        MUST(psd2_name_fault(span_of_text(first.nca_name)) == NULL);
        MUST(psd2_name_fault(span_of_text(first.nca_id)) == NULL);
        MUST(first.roles != 0 || first.role_unknown);
    }
    qc_statements_put(&written, &first);
    MUST(buffer_ok(&written));
    fault = qc_statements_read(buffer_span(&written), &second);
    if (first.has_psd2 && first.roles == 0) {
        MUST(fault != NULL); /* unknown roles are not written */
        return;
    }
    MUST(fault == NULL);
    MUST(second.type == first.type && second.has_psd2 == first.has_psd2);
    MUST(second.roles == first.roles && !second.roles_flattened && !second.role_disagrees);
    MUST(strcmp(second.nca_name, first.nca_name) == 0 && strcmp(second.nca_id, first.nca_id) == 0);
}

static void try_request(struct span info)
{
    struct span spki;
    struct reason why = {0};
    enum outcome outcome = shape_csr_check(info, &spki, &why);
    if (outcome != OUTCOME_OK) {
        MUST(outcome == OUTCOME_SHAPE && why.detail[0] != '\0');
        return;
    }
    MUST(spki.len > 2 && spki.data > info.data && spki.data[0] == 0x30);
    MUST(spki.data + spki.len < info.data + info.len);
    const uint8_t *behind = spki.data + spki.len;
    MUST(*behind == 0xa0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct span input = span_of(data + 1, size - 1);
    if (data[0] % 2 == 0) {
        try_statements(input);
    } else {
        try_request(input);
    }
    return 0;
}
