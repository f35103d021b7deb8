// SPDX-License-Identifier: Apache-2.0
// tools/flow paynet-consent, and every lie of PayNet's side about tokens, consent and accounts.

import { meetLies } from './flow-lies-paynet.mjs'

// Ways to fail that are no lies are in flow-paynet.test.mjs.
const failure = /-(500|503-done|closed|closed-done)$/

meetLies('flow-lies-paynet-token', {
  only: ({ name, at }) => /^(token|accounts) /.test(at) && !failure.test(name) && !name.startsWith('id-token-'),
  table: {
    'token-no-json': [3, 'answer'],
    'token-invalid-request': [4, 'invalid_request'],
    'token-invalid-grant': [4, 'invalid_grant'],
    'token-unsupported-grant-type': [4, 'unsupported_grant_type'],
    'token-invalid-scope': [4, 'invalid_scope'],
    'token-invalid-client': [4, 'invalid_client'],
    'token-invalid-client-assertion': [4, 'invalid_client_assertion'],
    'token-unauthorized-client': [4, 'unauthorized_client'],
    'token-type': [3, 'token_type'],
    'token-type-missing': [3, 'answer'],
    'token-access-missing': [3, 'answer'],
    'token-expires-in': [3, 'expires_in'],
    'token-scope': [3, 'scope'],
    'token-details-missing': [3, 'authorization_details'],
    'token-details-twice': [3, 'authorization_details'],
    'token-details-type': [3, 'consent_type'],
    'token-consent-id': [3, 'consent_id'],
    'token-consent-status': [3, 'consent_status'],
    'token-consent-permissions': [3, 'permissions'],
    'token-consent-no-permissions': [3, 'permissions'],
    'token-consent-expiration': [3, 'expiration_datetime'],
    'token-consent-purpose': [3, 'consent_purpose'],
    'token-consent-accounts': [3, 'accounts'],
    'accounts-no-json': [3, 'answer'],
    'accounts-foreign': [3, 'accounts'],
    'accounts-missing': [3, 'accounts'],
    // The second time, with another access token.
    'accounts-invalid-token': [4, 'invalid_token', 2],
    'accounts-insufficient-scope': [4, 'insufficient_scope'],
  },
})
