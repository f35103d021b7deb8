// SPDX-License-Identifier: Apache-2.0
// A good request for every profile of the sandbox, as a flow engine would send it: the values are
// those of the banks' own documents where they print some.

import { createHash, randomBytes, randomUUID } from 'node:crypto'

const verifier = () => randomBytes(32).toString('base64url')
export const challenge = (text = verifier()) => createHash('sha256').update(text).digest('base64url')
export const opPayment =
  '{"payee":{"iban":"FI4950009420028730", "name":"Test_Person"}, "payer":{"iban":"FI4950009420028730"}, "message":"test_payment", "amountEUR":"4.00"}'
export const opIntent = '976da7b0-1db2-410d-a5c9-e3a37bc4d7a1'

// What the caller may choose from is published: the first of the enum, or the constant.
export function choice(input, name) {
  const schema = input.properties?.[name]
  return schema?.enum?.[0] ?? schema?.const
}

const opClaims = (acr, id = opIntent) => ({
  userinfo: { authorizationId: { value: id, essential: true } },
  id_token: {
    authorizationId: { value: id, essential: true },
    acr: { essential: true, values: [acr] },
  },
})
export const opClaimsSca = (id) => opClaims('urn:openbanking:psd2:sca', id)
export const opClaimsCa = (id) => opClaims('urn:openbanking:psd2:ca', id)

const opJar = (input) => ({
  response_type: 'code id_token',
  redirect_uri: choice(input, 'redirect_uri'),
  state: randomUUID(),
  nonce: randomUUID(),
  max_age: 86400,
  claims: opClaimsSca(),
})

const consent = () => [
  {
    type: 'urn:openfinance-ml:account-access-consent:v1.2',
    consent: {
      consent_id: randomUUID(),
      consent_purpose: 'pfm',
      permissions: ['read_accounts', 'read_balances', 'read_transactions'],
      expiration_datetime: '2026-12-31T23:59:59Z',
    },
  },
]

const codeFlow = (input, scope) => ({
  scope,
  state: randomUUID(),
  nonce: randomUUID(),
  redirect_uri: choice(input, 'redirect_uri'),
  code_challenge: challenge(),
})

const ukPayment = '{"Data":{"ConsentId":"58923","Initiation":{"InstructionIdentification":"ACME412","InstructedAmount":{"Amount":"165.88","Currency":"GBP"}}},"Risk":{}}'

// profile → body(input schema); text is sent byte for byte, values as JSON.
export const bodies = {
  'op-jar-cof': opJar,
  'op-jar-pis': opJar,
  'op-exemption': () => ({
    state: '1234',
    nonce: 'ttpp1573632173204',
    max_age: 86400,
    claims: opClaimsCa('26c71e03-e5e9-43b9-b913-36f30baf26d2'),
  }),
  'op-detached': () => opPayment,
  'op-registration': (input) => ({
    redirect_uris: [input.properties.redirect_uris.items.enum[0]],
    software_statement: 'eyJhbGciOiJFUzI1NiJ9.eyJvcmciOiJUUFAifQ.c2ln',
  }),
  'paynet-jar': (input) => ({
    ...codeFlow(input, 'openid accounts'),
    max_age: 3600,
    authorization_details: consent(),
  }),
  'paynet-assertion': () => ({}),
  'fapi2-jar': (input) => codeFlow(input, 'openid accounts'),
  'fapi2-assertion': () => ({}),
  'uk-314': () => ukPayment,
  'uk-313': () => ukPayment,
  'br-body': (input) => ({ aud: choice(input, 'aud'), data: { loggedUser: { document: { identification: '11111111111', rel: 'CPF' } }, permissions: ['ACCOUNTS_READ'] } }),
  'ksa-body': () => ({ message: { Data: { Permissions: ['ReadAccountsBasic'], Purpose: ['Account Aggregation'] } } }),
  rebit: () => '{"ver":"2.0.0","timestamp":"2026-11-20T10:00:00.000Z","txnid":"0b811819-9044-4856-b0ee-8c88035f8858","ConsentId":"XXXX0-XXXX-XXXX"}',
  dpop: () => ({ htm: 'POST', htu: 'https://as.example.com/token' }),
}

export const operations = {
  'op-jar-cof': 'jar',
  'op-jar-pis': 'jar',
  'op-exemption': 'grant-assertion',
  'op-detached': 'detached-jws',
  'op-registration': 'registration',
  'paynet-jar': 'jar',
  'paynet-assertion': 'client-assertion',
  'fapi2-jar': 'jar',
  'fapi2-assertion': 'client-assertion',
  'uk-314': 'detached-jws',
  'uk-313': 'detached-jws',
  'br-body': 'body-jwt',
  'ksa-body': 'body-jwt',
  rebit: 'detached-jws',
  dpop: 'dpop',
}

export const door = (name) => `/v1/${operations[name]}/${name}`
export const detached = Object.keys(operations).filter((name) => operations[name] === 'detached-jws')

// Where the answer holds the artefact.
export const artefactMember = {
  jar: 'request',
  'client-assertion': 'client_assertion',
  'grant-assertion': 'assertion',
  registration: 'jwt',
  'body-jwt': 'jwt',
  dpop: 'dpop',
  'detached-jws': 'jws',
}

// Profiles that verify, which have no role and no artefact.
export const verifying = {
  'op-response-jws': 'verify-detached-jws',
  'op-id-token': 'verify-id-token',
  'op-id-token-front': 'verify-id-token',
  'fapi2-id-token': 'verify-id-token',
  'paynet-id-token': 'verify-id-token',
  'paynet-id-token-refresh': 'verify-id-token',
}
