// SPDX-License-Identifier: Apache-2.0
// tools/flow op-payments, and every lie of OP's stand-in about payments until they are submitted.

import { lying, meetLies } from './flow-lies-op.mjs'

meetLies('flow-lies-op-payments', {
  ...lying.payments,
  steps: ['create', 'join', 'payments-jwks'],
  goOn: ({ name }) => ['create-amount', 'create-jws-missing', 'join-authorization'].includes(name),
})
