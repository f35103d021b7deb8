// SPDX-License-Identifier: Apache-2.0
// tools/flow paynet-refresh, and lies of PayNet's side that are about more than a first token, or that a refresh must not
// forget.

import { meetLies } from './flow-lies-paynet.mjs'

const table = {
  'id-token-sub': [3, 'sub'],
  'id-token-nonce': [3, 'nonce'],
  'id-token-signature': [3, 'signature'],
  'id-token-kid-unknown': [3, 'key'],
  'id-token-at-hash': [3, 'hash'],
  'token-invalid-grant': [4, 'invalid_grant'],
  'token-scope': [3, 'scope'],
  'token-consent-id': [3, 'consent_id'],
  'token-consent-permissions': [3, 'permissions'],
  'token-consent-status': [3, 'consent_status'],
}

meetLies('flow-lies-paynet-refresh', { verb: 'refresh', only: ({ name }) => name in table, table })
