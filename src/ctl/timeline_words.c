/* SPDX-License-Identifier: Apache-2.0
 * The timeline's dates: round ones for its axis, and words for people. All in UTC, English whatever
 * the locale. */
#include "ctl/timeline.h"

#include <stdio.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY };
enum { MONDAY = 4 * DAY /* the first one of the epoch */ };

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* One of the two is 0. */
struct step {
    int64_t seconds;
    int months;
};

static const struct step steps[] = {
    {MINUTE, 0},   {5 * MINUTE, 0}, {15 * MINUTE, 0}, {30 * MINUTE, 0}, {HOUR, 0}, {3 * HOUR, 0},
    {6 * HOUR, 0}, {12 * HOUR, 0},  {DAY, 0},         {2 * DAY, 0},     {WEEK, 0}, {2 * WEEK, 0},
    {0, 1},        {0, 2},          {0, 3},           {0, 6},           {0, 12},   {0, 24},
    {0, 60},       {0, 120},        {0, 12 * 100},
};

static struct tm calendar(int64_t at)
{
    time_t when = (time_t)at;
    struct tm utc = {0};
    (void)gmtime_r(&when, &utc);
    return utc;
}

static const char *month_of(const struct tm *utc)
{
    return months[(unsigned int)utc->tm_mon % 12];
}

static int64_t month_begin(int number) /* counted from January of 1900 */
{
    struct tm utc = {.tm_year = number / 12, .tm_mon = number % 12, .tm_mday = 1};
    return timegm(&utc);
}

/* The first tick that is later than `at`. */
static int64_t tick_after(const struct step *step, int64_t at)
{
    if (step->seconds != 0) {
        int64_t origin = step->seconds >= WEEK ? MONDAY : 0;
        int64_t past = ((at - origin) % step->seconds + step->seconds) % step->seconds;
        return at - past + step->seconds;
    }
    struct tm utc = calendar(at);
    /* January of 1900 is no round year, of 2000 it is. */
    int number = utc.tm_year * 12 + utc.tm_mon - 1200;
    int past = (number % step->months + step->months) % step->months;
    return month_begin(number - past + step->months + 1200);
}

static void put_label(const struct step *step, struct timeline_tick *tick)
{
    struct tm utc = calendar(tick->at);
    int year = utc.tm_year + 1900;
    bool new_day = utc.tm_hour == 0 && utc.tm_min == 0;
    if (step->seconds == 0 && utc.tm_mon == 0) {
        (void)snprintf(tick->label, sizeof tick->label, "%d", year);
    } else if (step->seconds == 0) {
        (void)snprintf(tick->label, sizeof tick->label, "%s", month_of(&utc));
    } else if (step->seconds >= DAY || new_day) {
        (void)snprintf(tick->label, sizeof tick->label, "%d %s", utc.tm_mday, month_of(&utc));
    } else {
        (void)snprintf(tick->label, sizeof tick->label, "%02d:%02d", utc.tm_hour, utc.tm_min);
    }
}

size_t timeline_ticks(const struct timeline *timeline, size_t most,
                      struct timeline_tick out[TIMELINE_TICKS_MAX])
{
    most = most > TIMELINE_TICKS_MAX ? TIMELINE_TICKS_MAX : most;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        size_t n = 0;
        int64_t at = tick_after(&steps[i], timeline->from - 1);
        for (; at <= timeline->until && n < most; at = tick_after(&steps[i], at)) {
            out[n].at = at;
            put_label(&steps[i], &out[n++]);
        }
        if (at > timeline->until) {
            return n;
        }
    }
    return 0;
}

const char *timeline_day(int64_t at, char out[TIMELINE_WORDS_SIZE])
{
    struct tm utc = calendar(at);
    (void)snprintf(out, TIMELINE_WORDS_SIZE, "%d %s %d", utc.tm_mday, month_of(&utc),
                   utc.tm_year + 1900);
    return out;
}

const char *timeline_when(int64_t at, char out[TIMELINE_WORDS_SIZE])
{
    struct tm utc = calendar(at);
    (void)snprintf(out, TIMELINE_WORDS_SIZE, "%d %s %d %02d:%02d", utc.tm_mday, month_of(&utc),
                   utc.tm_year + 1900, utc.tm_hour, utc.tm_min);
    return out;
}

const char *timeline_range(const struct timeline *timeline, char out[TIMELINE_RANGE_SIZE])
{
    char first[TIMELINE_WORDS_SIZE];
    char last[TIMELINE_WORDS_SIZE];
    bool by_day = timeline->until - timeline->from > 3 * (int64_t)DAY;
    (void)snprintf(
        out, TIMELINE_RANGE_SIZE, "Keys from %s to %s",
        by_day ? timeline_day(timeline->from, first) : timeline_when(timeline->from, first),
        by_day ? timeline_day(timeline->until, last) : timeline_when(timeline->until, last));
    return out;
}

const char *timeline_distance(int64_t seconds, char out[TIMELINE_WORDS_SIZE])
{
    static const struct {
        int64_t from; /* used for distances as long as this */
        int64_t unit;
        const char *one;
        const char *many;
    } rows[] = {
        {730 * (int64_t)DAY, 365 * (int64_t)DAY, "year", "years"},
        {2 * DAY, DAY, "day", "days"},
        {2 * HOUR, HOUR, "hour", "hours"},
        {MINUTE, MINUTE, "minute", "minutes"},
        {0, 1, "second", "seconds"},
    };
    size_t i = 0;
    if (seconds <= 0) {
        (void)snprintf(out, TIMELINE_WORDS_SIZE, "now");
        return out;
    }
    while (rows[i].from > seconds && i + 1 < COUNT_OF(rows)) {
        i++;
    }
    long long count = (long long)(seconds / rows[i].unit);
    (void)snprintf(out, TIMELINE_WORDS_SIZE, "in %lld %s", count,
                   count == 1 ? rows[i].one : rows[i].many);
    return out;
}

const char *timeline_change_words(const struct timeline_change *change)
{
    static const char *const words[KEY_STATE_COUNT] = {
        [KEY_GENERATED] = "is generated",     [KEY_CERTIFIED] = "gets its certificate",
        [KEY_PUBLISHED] = "is published",     [KEY_ACTIVE] = "becomes active",
        [KEY_RETIRING] = "begins to retire",  [KEY_RETIRED] = "is retired",
        [KEY_DESTROYED] = "is destroyed",     [KEY_SUSPENDED] = "is suspended",
        [KEY_COMPROMISED] = "is compromised",
    };
    return change->certificate_ends ? "reaches the end of its certificate" : words[change->to];
}
