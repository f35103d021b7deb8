/* SPDX-License-Identifier: Apache-2.0
 * What every unit test includes: cmocka with the headers it wants before it, and checks of outcomes
 * with their reasons. */
#ifndef QSEAL_TESTS_CHECK_H
#define QSEAL_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/outcome.h"

/* The outcome, and a fragment of the reason: a refusal for another reason is a failure. */
#define assert_refused(got, want, why, fragment)                                                   \
    do {                                                                                           \
        enum outcome outcome_ = (got);                                                             \
        if (outcome_ != (want) || strstr((why).detail, (fragment)) == NULL) {                      \
            print_error("got %s \"%s\" at \"%s\", want %s with \"%s\"\n", outcome_name(outcome_),  \
                        (why).detail, (why).claim, outcome_name(want), (fragment));                \
        }                                                                                          \
        assert_int_equal(outcome_, want);                                                          \
        assert_non_null(strstr((why).detail, fragment));                                           \
    } while (0)

#define assert_done(got, why)                                                                      \
    do {                                                                                           \
        enum outcome outcome_ = (got);                                                             \
        if (outcome_ != OUTCOME_OK) {                                                              \
            print_error("got %s: %s at \"%s\"\n", outcome_name(outcome_), (why).detail,            \
                        (why).claim);                                                              \
        }                                                                                          \
        assert_int_equal(outcome_, OUTCOME_OK);                                                    \
    } while (0)

#endif
