// SPDX-License-Identifier: Apache-2.0
// tools/flow op-funds, and every lie of OP's stand-in when the customer is back.

import { lying, meetLies } from './flow-lies-op.mjs'

meetLies('flow-lies-op-tokens', {
  ...lying.funds,
  steps: ['code-token', 'oidc-jwks', 'funds'],
  // The code is used by then: the customer is asked again.
  goOn: ({ name }) => ['token-at_hash-other', 'code-token-scope', 'oidc-jwks-empty', 'funds-text'].includes(name),
})
