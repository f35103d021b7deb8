// SPDX-License-Identifier: Apache-2.0
// tools/flow paynet-consent, and every lie of PayNet's side about the ID token.

import { meetLies } from './flow-lies-paynet.mjs'

meetLies('flow-lies-paynet-id-token', {
  // Whose customer it is shows at a refresh alone.
  only: ({ name }) => name.startsWith('id-token-') && name !== 'id-token-sub',
  table: {
    'id-token-missing': [3, 'id_token'],
    'id-token-malformed': [3, 'malformed'],
    'id-token-signature': [3, 'signature'],
    'id-token-key': [3, 'signature'],
    'id-token-alg': [3, 'alg'],
    'id-token-alg-none': [3, 'alg'],
    'id-token-alg-hs256': [3, 'alg'],
    'id-token-kid-unknown': [3, 'key'],
    'id-token-kid-missing': [3, 'key'],
    'id-token-typ': [3, 'typ'],
    'id-token-crit': [3, 'crit'],
    'id-token-iss': [3, 'iss'],
    'id-token-aud': [3, 'aud'],
    'id-token-aud-more': [3, 'aud'],
    'id-token-azp': [3, 'aud'],
    'id-token-exp': [3, 'time'],
    'id-token-exp-missing': [3, 'time'],
    'id-token-iat': [3, 'time'],
    'id-token-iat-future': [3, 'time'],
    'id-token-nonce': [3, 'nonce'],
    'id-token-auth-time': [3, 'auth_time'],
    'id-token-at-hash': [3, 'hash'],
    'id-token-at-hash-whole': [3, 'hash'],
    'id-token-c-hash': [3, 'hash'],
    'id-token-sub-missing': [3, 'sub'],
  },
})
