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

/* The number that `len` digits from `at` on make; -1: they are not all digits. */
static int digits(struct span text, size_t at, size_t len)
{
    int value = 0;
    for (size_t i = at; i < at + len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to the first of that month. */
static int64_t days_to(int year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int past = year - 1; /* years that are over, and their leap days since the year 1 */
    int64_t leaps = past / 4 - past / 100 + past / 400;
    enum { LEAPS_TO_1970 = 477 };
    return 365 * (int64_t)(year - 1970) + leaps - LEAPS_TO_1970 + before[month - 1] +
           (month > 2 && is_leap(year) ? 1 : 0);
}

/* By hand: strptime(3) takes the 30th of February, and a keyring has thousands of times. */
bool utc_read(struct span text, int64_t *seconds)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    if (text.len != UTC_LEN) {
        return false;
    }
    for (size_t i = 0; i < UTC_LEN; i++) {
        if (form[i] != '0' && text.data[i] != (uint8_t)form[i]) {
            return false;
        }
    }
    int year = digits(text, 0, 4);
    int month = digits(text, 5, 2);
    int day = digits(text, 8, 2);
    int hour = digits(text, 11, 2);
    int minute = digits(text, 14, 2);
    int second = digits(text, 17, 2);
    if (year < 1000 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
        return false;
    }
    *seconds = (((days_to(year, month) + day - 1) * 24 + hour) * 60 + minute) * 60 + second;
    return true;
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
