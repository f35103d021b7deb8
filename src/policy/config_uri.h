/* SPDX-License-Identifier: Apache-2.0
 * Which PKCS#11 URIs (RFC 7512) name a token in a configuration. */
#ifndef QSEAL_POLICY_CONFIG_URI_H
#define QSEAL_POLICY_CONFIG_URI_H

#include "base/attributes.h"

#include <stdbool.h>

/* NULL when the URI is good, else what is wrong with it, never quoting it. It names a token by its
 * attributes, each once, and perhaps a pin-source; it holds no PIN (pin-value), names no object and
 * no module. */
const char *config_uri_fault(const char *uri) MUST_USE;
/* Whether a URI that is good has a pin-source. */
bool config_uri_has_pin_source(const char *uri) MUST_USE;

#endif
