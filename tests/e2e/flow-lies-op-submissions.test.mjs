// SPDX-License-Identifier: Apache-2.0
// tools/flow op-payments, and every lie of OP's stand-in about payments that are submitted.

import { lying, meetLies } from './flow-lies-op.mjs'

meetLies('flow-lies-op-submissions', {
  ...lying.payments,
  steps: ['submit', 'status'],
  // It is done already, and is not to be done again.
  goOn: ({ name }) => ['submit-jws-flipped', 'submit-submission', 'submit-payment', 'status-amount'].includes(name),
})
