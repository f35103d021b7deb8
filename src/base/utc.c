/* SPDX-License-Identifier: Apache-2.0
 * Times as text. */
#include "base/utc.h"

#include <string.h>
#include <time.h>

const char *utc_text(int64_t seconds, char out[UTC_SIZE])
{
    time_t when = (time_t)seconds;
    struct tm utc = {0};
    out[0] = '\0';
    if (gmtime_r(&when, &utc) == NULL ||
        strftime(out, UTC_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) != UTC_LEN) {
        out[0] = '\0';
    }
    return out;
}

/* It is written back and compared, since strptime(3) takes the 30th of February. */
bool utc_read(struct span text, int64_t *seconds)
{
    char copy[UTC_SIZE] = "";
    char again[UTC_SIZE];
    struct tm utc = {0};
    if (text.len != UTC_LEN) {
        return false;
    }
    memcpy(copy, text.data, UTC_LEN);
    const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (end == NULL || *end != '\0') {
        return false;
    }
    *seconds = timegm(&utc);
    return strcmp(copy, utc_text(*seconds, again)) == 0;
}
