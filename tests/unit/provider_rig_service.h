/* SPDX-License-Identifier: Apache-2.0
 * The service of provider_rig.h. */
#ifndef QSEAL_TESTS_UNIT_PROVIDER_RIG_SERVICE_H
#define QSEAL_TESTS_UNIT_PROVIDER_RIG_SERVICE_H

/* Thread body: serves connections to rig->listener one after the other until it is shut down. */
void *rig_serve(void *rig);

#endif
