// SPDX-License-Identifier: Apache-2.0
// tools/flow op-funds, and every lie of OP's stand-in until the customer is back.

import { lying, meetLies } from './flow-lies-op.mjs'

meetLies('flow-lies-op-funds', {
  ...lying.funds,
  steps: ['client-token', 'intent', 'redirection'],
  goOn: ({ name }) => ['front-nonce', 'front-kid-unknown', 'redirection-state', 'intent-iban', 'client-token-scope'].includes(name),
})
