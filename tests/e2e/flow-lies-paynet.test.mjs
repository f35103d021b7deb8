// SPDX-License-Identifier: Apache-2.0
// tools/flow paynet-consent, and every lie of PayNet's side from the well-known document to the customer's way back.

import { meetLies } from './flow-lies-paynet.mjs'

// Ways to fail that are no lies are in flow-paynet.test.mjs.
const failure = /-(500|503-done|closed|closed-done)$/

meetLies('flow-lies-paynet', {
  only: ({ name, at }) => /^(well-known|jwks|par|authorize|callback) /.test(at) && !failure.test(name),
  // lie: exit, name, and how often it is told where once is not enough
  table: {
    'well-known-no-json': [3, 'answer'],
    'well-known-issuer': [3, 'issuer'],
    'well-known-http': [3, 'endpoint'],
    'well-known-token-host': [3, 'endpoint'],
    'well-known-par-host': [3, 'endpoint'],
    'well-known-authorize-host': [3, 'endpoint'],
    'well-known-authorize-user': [3, 'endpoint'],
    'well-known-jwks-host': [3, 'endpoint'],
    'well-known-no-par': [3, 'endpoint'],
    'jwks-no-json': [3, 'answer'],
    'jwks-empty': [3, 'key', 2],
    'jwks-other': [3, 'signature'],
    'jwks-twice': [3, 'key'],
    'par-no-json': [3, 'answer'],
    'par-no-request-uri': [3, 'answer'],
    'par-request-uri': [3, 'answer'],
    'par-no-expires-in': [3, 'expires_in'],
    'par-expires-in': [3, 'expires_in'],
    'par-expires-in-text': [3, 'expires_in'],
    'par-invalid-request': [4, 'invalid_request'],
    'par-invalid-request-object': [4, 'invalid_request_object'],
    'par-invalid-client': [4, 'invalid_client'],
    'par-invalid-client-assertion': [4, 'invalid_client_assertion'],
    'par-unauthorized-client': [4, 'unauthorized_client'],
    'par-too-many-requests': [6, 'too_many_requests'],
    'request-uri-expired': [7, 'no-return'],
    'state-wrong': [3, 'state'],
    'state-missing': [3, 'state'],
    'response-iss-wrong': [3, 'iss'],
    'response-iss-missing': [3, 'iss'],
    'code-missing': [3, 'redirect'],
    'code-twice': [3, 'redirect'],
    'code-and-error': [3, 'redirect'],
    'redirect-elsewhere': [3, 'redirect'],
    'code-of-another': [4, 'invalid_grant'],
    'denied-state-wrong': [3, 'state'],
    'callback-invalid-request': [4, 'invalid_request'],
    'callback-server-error': [6, 'server_error'],
    'callback-temporarily-unavailable': [6, 'temporarily_unavailable'],
    'callback-something-else': [4, 'something_else'],
  },
})
