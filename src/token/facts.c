/* SPDX-License-Identifier: Apache-2.0
 * What a token says of itself. */
#include "token/facts.h"

#include "pkcs11/module.h"

#include <assert.h>
#include <stdio.h>

static const CK_FLAGS flags[] = {
    [TOKEN_LOGIN_REQUIRED] = CKF_LOGIN_REQUIRED,
    [TOKEN_PIN_INITIALIZED] = CKF_USER_PIN_INITIALIZED,
    [TOKEN_PIN_COUNT_LOW] = CKF_USER_PIN_COUNT_LOW,
    [TOKEN_PIN_FINAL_TRY] = CKF_USER_PIN_FINAL_TRY,
    [TOKEN_PIN_LOCKED] = CKF_USER_PIN_LOCKED,
    [TOKEN_PIN_TO_BE_CHANGED] = CKF_USER_PIN_TO_BE_CHANGED,
    [TOKEN_PIN_PAD] = CKF_PROTECTED_AUTHENTICATION_PATH,
    [TOKEN_WRITE_PROTECTED] = CKF_WRITE_PROTECTED,
    [TOKEN_HAS_RANDOM] = CKF_RNG,
};
static_assert(COUNT_OF(flags) == TOKEN_FLAG_COUNT, "a bit for every flag");

static uint64_t number_of(CK_ULONG said)
{
    return said == CK_UNAVAILABLE_INFORMATION ? TOKEN_UNKNOWN : said;
}

static void put_version(CK_VERSION version, char out[TOKEN_VERSION_SIZE])
{
    (void)snprintf(out, TOKEN_VERSION_SIZE, "%u.%u", version.major, version.minor);
}

void facts_of(const struct slot *slot, struct quirks *quirks, struct token_facts *out)
{
    const CK_TOKEN_INFO *info = &slot->info;
    *out = (struct token_facts){.flags = 0};
    module_text(info->manufacturerID, sizeof info->manufacturerID, out->manufacturer,
                sizeof out->manufacturer);
    put_version(info->hardwareVersion, out->hardware);
    put_version(info->firmwareVersion, out->firmware);
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        out->flags |= (info->flags & flags[i]) != 0 ? 1U << i : 0;
    }
    out->numbers[TOKEN_SESSIONS] = number_of(info->ulSessionCount);
    out->numbers[TOKEN_SESSIONS_MAX] = info->ulMaxSessionCount == CK_EFFECTIVELY_INFINITE
                                           ? TOKEN_NO_LIMIT
                                           : number_of(info->ulMaxSessionCount);
    out->numbers[TOKEN_PUBLIC_FREE] = number_of(info->ulFreePublicMemory);
    out->numbers[TOKEN_PUBLIC_TOTAL] = number_of(info->ulTotalPublicMemory);
    out->numbers[TOKEN_PRIVATE_FREE] = number_of(info->ulFreePrivateMemory);
    out->numbers[TOKEN_PRIVATE_TOTAL] = number_of(info->ulTotalPrivateMemory);
    out->quirks_looked = atomic_load_explicit(&quirks->looked, memory_order_relaxed);
    out->quirks_found = atomic_load_explicit(&quirks->found, memory_order_relaxed);
}
