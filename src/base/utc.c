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

/* Seconds of a unit's letter, 0 for any other. */
static int64_t seconds_of(uint8_t unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return 0;
    }
}

bool utc_read_from(struct span text, int64_t now, int64_t *seconds)
{
    enum { DIGITS_MAX = 9 };
    if (text.len == 0 || text.data[0] != '+') {
        return utc_read(text, seconds);
    }
    size_t digits = text.len - 2;
    if (text.len < 3 || digits > DIGITS_MAX) {
        return false;
    }
    int64_t n = 0;
    for (size_t i = 1; i <= digits; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9') {
            return false;
        }
        n = n * 10 + (c - '0');
    }
    int64_t unit = seconds_of(text.data[text.len - 1]);
    *seconds = now + n * unit;
    return unit != 0;
}
