/* SPDX-License-Identifier: Apache-2.0
 * Compiler attributes used by every header: one spelling for each. */
#ifndef QSEAL_BASE_ATTRIBUTES_H
#define QSEAL_BASE_ATTRIBUTES_H

#define MUST_USE __attribute__((warn_unused_result))
#define CLEANUP(function) __attribute__((cleanup(function)))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
