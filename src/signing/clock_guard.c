/* SPDX-License-Identifier: Apache-2.0
 * The wall clock against the time since boot. */
#include "signing/clock_guard.h"

#include "base/log.h"
#include "base/utc.h"

enum { HOLD_S = 60 };

/* Seconds are cut off on both sides, which makes a difference of one at most. */
static bool is_within(int64_t a, int64_t b, int64_t limit_s)
{
    return limit_s == 0 || (a > b ? a - b : b - a) <= limit_s;
}

void clock_guard_init(struct clock_guard *guard, int64_t limit_s, int64_t known, int64_t wall_s,
                      int64_t boot_s)
{
    pthread_mutex_init(&guard->lock, NULL);
    atomic_init(&guard->trusted, true);
    atomic_init(&guard->base, wall_s - boot_s);
    atomic_init(&guard->limit_s, limit_s);
    atomic_init(&guard->latest, wall_s);
    guard->known = known;
    guard->starting = true;
    clock_guard_look(guard, wall_s, boot_s);
}

void clock_guard_fini(struct clock_guard *guard)
{
    pthread_mutex_destroy(&guard->lock);
}

void clock_guard_set_limit(struct clock_guard *guard, int64_t limit_s)
{
    atomic_store(&guard->limit_s, limit_s);
}

/* The time that the clock should show, more or less. */
static int64_t expected(const struct clock_guard *guard, int64_t boot_s)
{
    return guard->starting ? guard->known : guard->base + boot_s;
}

static bool is_good(const struct clock_guard *guard, int64_t wall_s, int64_t boot_s)
{
    int64_t limit_s = guard->limit_s;
    if (guard->starting) {
        return limit_s == 0 || wall_s >= guard->known - limit_s;
    }
    return is_within(wall_s, expected(guard, boot_s), limit_s);
}

/* From here on the clock is compared with itself. */
static void believe_locked(struct clock_guard *guard, int64_t wall_s, int64_t boot_s)
{
    guard->starting = false;
    guard->base = wall_s - boot_s;
    guard->latest = wall_s;
}

static void say_jump(const struct clock_guard *guard, int64_t wall_s, int64_t boot_s)
{
    char from[UTC_SIZE];
    char to[UTC_SIZE];
    log_error("the clock is not believed: it shows %s, and %s%s; nothing is signed until it is "
              "confirmed (qsealctl clock confirm) or back",
              utc_text(wall_s, to),
              guard->starting ? "the keyring already knows " : "by the time since boot it is ",
              utc_text(expected(guard, boot_s), from));
}

static void look_locked(struct clock_guard *guard, int64_t wall_s, int64_t boot_s)
{
    bool good = is_good(guard, wall_s, boot_s);
    bool before = atomic_load(&guard->trusted);
    if (good && guard->starting) {
        believe_locked(guard, wall_s, boot_s);
    }
    if (good && !before) {
        log_info("the clock is back within its limit; signatures go on");
    }
    if (!good && before) {
        say_jump(guard, wall_s, boot_s);
    }
    atomic_store(&guard->trusted, good);
}

void clock_guard_look(struct clock_guard *guard, int64_t wall_s, int64_t boot_s)
{
    pthread_mutex_lock(&guard->lock);
    look_locked(guard, wall_s, boot_s);
    pthread_mutex_unlock(&guard->lock);
}

bool clock_guard_is_trusted(struct clock_guard *guard)
{
    return atomic_load(&guard->trusted);
}

/* The greatest time so far. A clock without limit may go back further than is worth waiting for. */
static int64_t hold(struct clock_guard *guard, int64_t wall_s)
{
    int64_t limit_s = atomic_load(&guard->limit_s);
    int64_t longest = 2 * (limit_s == 0 ? HOLD_S : limit_s);
    int64_t latest = atomic_load(&guard->latest);
    while (wall_s > latest || latest - wall_s > longest) {
        if (atomic_compare_exchange_weak(&guard->latest, &latest, wall_s)) {
            return wall_s;
        }
    }
    return latest;
}

enum outcome clock_guard_take(struct clock_guard *guard, int64_t wall_s, int64_t boot_s,
                              int64_t *now, struct reason *why)
{
    int64_t base = atomic_load(&guard->base);
    bool trusted = atomic_load(&guard->trusted);
    if (!trusted || !is_within(wall_s, base + boot_s, atomic_load(&guard->limit_s))) {
        clock_guard_look(guard, wall_s, boot_s);
        trusted = atomic_load(&guard->trusted);
    }
    if (!trusted) {
        return refuse(why, OUTCOME_CLOCK,
                      "the clock has jumped, and nothing is signed until an administrator confirms "
                      "it (qsealctl clock confirm) or it is back");
    }
    *now = hold(guard, wall_s);
    return OUTCOME_OK;
}

bool clock_guard_jump(struct clock_guard *guard, int64_t wall_s, int64_t boot_s,
                      struct clock_jump *out)
{
    pthread_mutex_lock(&guard->lock);
    look_locked(guard, wall_s, boot_s);
    bool jumped = !atomic_load(&guard->trusted);
    *out = (struct clock_jump){.from = expected(guard, boot_s), .to = wall_s};
    pthread_mutex_unlock(&guard->lock);
    return jumped;
}

enum outcome clock_guard_confirm(struct clock_guard *guard, int64_t wall_s, int64_t boot_s,
                                 struct clock_jump *out, struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    pthread_mutex_lock(&guard->lock);
    look_locked(guard, wall_s, boot_s);
    *out = (struct clock_jump){.from = expected(guard, boot_s), .to = wall_s};
    if (atomic_load(&guard->trusted)) {
        outcome = refuse(why, OUTCOME_RULE,
                         "the clock has not jumped by more than limits/clock_jump_s: there is "
                         "nothing to confirm");
    } else {
        believe_locked(guard, wall_s, boot_s);
        atomic_store(&guard->trusted, true);
    }
    pthread_mutex_unlock(&guard->lock);
    return outcome;
}
