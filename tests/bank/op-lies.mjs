// SPDX-License-Identifier: Apache-2.0
// What the OP bank can be told to lie about (PUT /lie, lib.mjs): one kind each. A lie has its moment (`at`), says what is
// untrue, and names what a good TPP answers to it:
//
//   rule    it refuses the answer by this rule (docs/verify.md has those of the service), uses nothing of it, and stops
//   error   the bank refuses by this name, truly or not; it stops
//   way     the answer fails or is lost; it does nothing twice and, told to go on, comes to its end

import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'

import { now, secret } from './lib.mjs'
import { half } from './op-oauth.mjs'

const stranger = (alg) =>
  (alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })).privateKey

// A JWK of the same names, of somebody else.
const another = ({ kid, use, alg }) => ({ ...createPublicKey(stranger(alg)).export({ format: 'jwk' }), kid, use, alg })

// Another first character of the signature; the last one may have bits that do not count.
const flipped = (jws) => {
  const at = jws.lastIndexOf('.') + 1
  return `${jws.slice(0, at)}${jws[at] === 'A' ? 'B' : 'A'}${jws.slice(at + 1)}`
}

// --- ID tokens: `front`, of the redirection, and `token`, of the token endpoint --------------

// name, rule, what is untrue, and the change to { header, claims, key, texts, payload }.
const idTokenLies = [
  ['alg-none', 'alg', 'alg is none, and there is no signature', ({ header }) => (header.alg = 'none')],
  ['alg-hmac', 'alg', "alg is HS256, the key is the text of the bank's public key", (draft, op) => {
    draft.header.alg = 'HS256'
    draft.key = JSON.stringify(op.oidcKeys.jwks.keys.at(-1))
  }],
  ['alg-other', 'alg', 'alg is PS256, which the profile does not have; the signature is good', ({ header }) => (header.alg = 'PS256')],
  ['other-key', 'signature', 'signed by a key that is not the one kid names', (draft) => (draft.key = stranger())],
  ['kid-unknown', 'key', 'kid names no key of the JWK Set', ({ header }) => (header.kid = 'unknown')],
  ['kid-missing', 'key', 'there is no kid', ({ header }) => delete header.kid],
  ['payments-key', 'key', "signed by the key of the bank's answers, which is none of its ID tokens", (draft, op) => {
    Object.assign(draft.header, { alg: 'ES256', kid: op.paymentKeys.kid })
    draft.key = op.paymentKeys.privateKey
  }],
  ['crit', 'crit', 'crit names an extension that nobody knows', ({ header }) => Object.assign(header, { crit: ['urn:bank:more'], 'urn:bank:more': true })],
  ['typ', 'typ', 'typ is that of an access token', ({ header }) => (header.typ = 'at+jwt')],
  ['twice', 'malformed', 'a claim is there twice', (draft) => (draft.payload = JSON.stringify(draft.claims).replace('{', '{"aud":"somebody",'))],
  ['iss', 'iss', 'iss is another bank', ({ claims }) => (claims.iss = 'https://authorize.op.fi')],
  ['aud', 'aud', 'aud is another app', ({ claims }) => (claims.aud = 'somebody')],
  ['aud-more', 'aud', 'aud has another app, too', ({ claims }) => (claims.aud = [claims.aud, 'somebody'])],
  ['azp', 'aud', 'azp is another app', ({ claims }) => (claims.azp = 'somebody')],
  ['exp', 'time', 'exp is over', ({ claims }) => Object.assign(claims, { iat: now() - 400, exp: now() - 100 })],
  ['iat-old', 'time', 'iat is an hour ago', ({ claims }) => (claims.iat = now() - 3600)],
  ['iat-to-come', 'time', 'iat is in ten minutes', ({ claims }) => Object.assign(claims, { iat: now() + 600, exp: now() + 900 })],
  ['exp-missing', 'time', 'there is no exp', ({ claims }) => delete claims.exp],
  ['iat-missing', 'time', 'there is no iat', ({ claims }) => delete claims.iat],
  ['nbf', 'time', 'nbf is in ten minutes', ({ claims }) => Object.assign(claims, { nbf: now() + 600, exp: now() + 900 })],
  ['nonce', 'nonce', 'nonce is not the one that was sent', ({ claims }) => (claims.nonce = randomUUID())],
  ['nonce-missing', 'nonce', 'there is no nonce', ({ claims }) => delete claims.nonce],
  ['acr', 'acr', 'acr is not that of strong authentication', ({ claims }) => (claims.acr = 'urn:openbanking:psd2:ca')],
  ['acr-missing', 'acr', 'there is no acr', ({ claims }) => delete claims.acr],
  ['auth-time', 'auth_time', 'the customer was authenticated longer ago than max_age', ({ claims }) => (claims.auth_time = now() - 90000)],
  ['intent', 'intent', 'authorizationId is another one', ({ claims }) => (claims.authorizationId = randomUUID())],
  ['sub', ['intent', 'sub'], 'sub is another authorizationId', ({ claims }) => (claims.sub = randomUUID())],
  ['sub-missing', 'sub', 'there is no sub', ({ claims }) => delete claims.sub],
]

const hashLies = (name) => [
  [`${name}-other`, 'hash', `${name} is of another text`, ({ claims }) => (claims[name] = half(secret()))],
  [`${name}-whole`, 'hash', `${name} is the whole hash, not its left half`, ({ claims, texts }) => (claims[name] = half(texts[name], 32))],
  [`${name}-missing`, 'hash', `there is no ${name}`, ({ claims }) => delete claims[name]],
]

function ofIdToken(step, where, hashes) {
  const all = [...idTokenLies, ...hashes.flatMap(hashLies)]
  const changed = all.map(([name, rule, says, change]) => ({ name: `${step}-${name}`, rule, says: `${where}: ${says}`, change }))
  const mangled = { name: `${step}-signature`, rule: 'signature', says: `${where}: the signature is not good`, mangle: flipped }
  return [...changed, mangled].map((lie) => ({ at: `${step} id-token`, ...lie }))
}

// --- the redirection -------------------------------------------------------------------------

const replaced = (error) => (draft) => {
  const state = draft.parameters.get('state')
  Object.assign(draft, { mark: '?', parameters: new URLSearchParams({ state, error }) })
}

const redirectionLies = [
  ['state', { rule: 'state' }, 'state is not the one that was sent', ({ parameters }) => parameters.set('state', randomUUID())],
  ['state-missing', { rule: 'state' }, 'there is no state', ({ parameters }) => parameters.delete('state')],
  ['iss', { rule: 'iss' }, 'iss, beside the code, is another bank (RFC 9207)', ({ parameters }) => parameters.set('iss', 'https://authorize.op.fi')],
  ['code', { rule: 'hash' }, 'the code is not the one of the ID token', ({ parameters }) => parameters.set('code', secret())],
  ['code-missing', { rule: 'redirect' }, 'there is no code', ({ parameters }) => parameters.delete('code')],
  ['code-twice', { rule: 'redirect' }, 'there are two codes', ({ parameters }) => parameters.append('code', secret())],
  ['id-token-missing', { rule: 'redirect' }, 'there is no ID token', ({ parameters }) => parameters.delete('id_token')],
  ['query', { rule: 'redirect' }, 'the answer is in the query, where servers log it', (draft) => (draft.mark = '?')],
  ['elsewhere', { rule: 'redirect' }, 'the customer is sent to another address', (draft) => (draft.uri = 'https://tpp.example/other')],
  ['invalid-request', { error: 'invalid_request' }, 'the bank does not take the request', replaced('invalid_request')],
  ['unauthorized-client', { error: 'unauthorized_client' }, 'the app may not do this', replaced('unauthorized_client')],
  ['temporarily-unavailable', { way: true }, 'the bank is busy', replaced('temporarily_unavailable')],
  ['server-error', { way: true }, 'the bank has failed', replaced('server_error')],
].map(([name, answer, says, change]) => ({ name: `redirection-${name}`, at: 'redirection', ...answer, says: `the redirection: ${says}`, change }))

// --- answers of the token endpoint -----------------------------------------------------------

const tokenSteps = {
  'client-token': 'the token of the app', 'code-token': 'the tokens for the code', 'refresh-token': 'the tokens for the refresh token',
  'exemption-token': 'the token for the assertion',
}

// A change to the body of a good answer.
const body = (change) => (reply) => {
  const changed = structuredClone(reply.body)
  return { ...reply, body: change(changed) ?? changed }
}

const tokenLies = [
  ['type', 'token_type', 'token_type is not bearer', body((answer) => void (answer.token_type = 'mac'))],
  ['scope', 'scope', 'scope is another one', body((answer) => void (answer.scope = 'openid accounts'))],
  ['expires', 'expires_in', 'expires_in is no number', body((answer) => void (answer.expires_in = 'soon'))],
  ['none', 'answer', 'there is no access token', body((answer) => void delete answer.access_token)],
  ['no-json', 'answer', 'the answer is no JSON', (reply) => ({ ...reply, body: '<html>' })],
  ['found', 'status', 'the answer is a redirection', () => ({ status: 302, headers: { location: 'https://tpp.example/' } })],
  ['interaction', 'interaction-id', 'the answer has the interaction id of another request', (reply) => ({
    ...reply, headers: { 'x-fapi-interaction-id': randomUUID() },
  })],
]

const ofTokens = Object.entries(tokenSteps).flatMap(([step, what]) =>
  tokenLies.map(([name, rule, says, answer]) => ({ name: `${step}-${name}`, at: `${step} after`, rule, says: `${what}: ${says}`, answer })),
)

const ofCode = [
  ['no-id-token', 'answer', 'there is no ID token', 'id_token'],
  ['no-refresh-token', 'hash', 'there is no refresh token, though rt_hash is of one', 'refresh_token'],
].map(([name, rule, says, member]) => ({
  name: `code-token-${name}`, at: 'code-token after', rule, says: `${tokenSteps['code-token']}: ${says}`, answer: body((answer) => void delete answer[member]),
}))

// --- the payments' answers, which are signed -------------------------------------------------

// A change to { header, body, payload, key }: what is sent is `body`, what is signed `payload`.
const signatureLies = [
  ['other-bytes', 'signature', 'the signature is over other bytes: the same JSON, written otherwise', (draft) => {
    draft.payload = JSON.stringify(draft.body, undefined, 1)
  }],
  ['other-key', 'signature', 'signed by a key that is not the one kid names', (draft) => (draft.key = stranger('ES256'))],
  ['oidc-key', 'key', "signed by the key of the bank's ID tokens, which is none of its answers", (draft, op) => {
    Object.assign(draft.header, { alg: 'RS256', kid: op.oidcKeys.kid })
    draft.key = op.oidcKeys.privateKey
  }],
  ['kid-unknown', 'key', 'kid names no key of the JWK Set', ({ header }) => (header.kid = 'unknown')],
  ['kid-missing', 'key', 'there is no kid', ({ header }) => delete header.kid],
  ['alg-none', 'alg', 'alg is none, and there is no signature', ({ header }) => (header.alg = 'none')],
  ['alg-hmac', 'alg', "alg is HS256, the key is the text of the bank's public key", (draft, op) => {
    draft.header.alg = 'HS256'
    draft.key = JSON.stringify(op.paymentKeys.jwks.keys.at(-1))
  }],
  ['member-twice', 'answer', 'well signed, but a member is there twice, and parsers differ in which they take', (draft) => {
    draft.payload = draft.bytes = JSON.stringify(draft.body).replace('{', '{"amountEUR":"0.01",').replace(/}$/, ',"amountEUR":"0.01"}')
  }],
  ['b64', 'crit', 'b64 is false: the signature is over the bytes as they are', ({ header }) => Object.assign(header, { b64: false, crit: ['b64'] })],
  ['b64-without-crit', 'crit', 'b64 is false, and crit does not say so', ({ header }) => (header.b64 = false)],
  ['crit', 'crit', 'crit names an extension that nobody knows', ({ header }) => Object.assign(header, { crit: ['urn:bank:more'], 'urn:bank:more': true })],
]

// A change to the header's text; two of it are two headers.
const headerLies = [
  ['missing', 'jws', 'there is no x-jws-signature', () => undefined],
  ['flipped', 'signature', 'the signature is not good', flipped],
  ['doubled', 'header', 'there are two x-jws-signature', (jws) => [jws, jws]],
  ['whole', 'malformed', 'the JWS is not detached', (jws, bytes) => jws.replace('..', `.${bytes.toString('base64url')}.`)],
]

const contentLies = {
  create: [
    ['amount', 'payment', 'the amount is another one', (answer) => (answer.amountEUR = '400.00')],
    ['payee', 'payment', 'the payee is another one', (answer) => (answer.payee = { ...answer.payee, iban: 'FI1410093000123458' })],
    ['payer', 'payment', 'the payer is another one', (answer) => (answer.payer = { iban: 'FI1410093000123458' })],
    ['status', 'payment', 'the payment is done, which nobody has authorized', (answer) => (answer.status = 'Completed')],
  ],
  join: [['authorization', 'authorizationId', 'the authorization is not the one that was named', (answer) => (answer.authorizationId = randomUUID())]],
  submit: [
    ['submission', 'submissionId', 'submissionId is another one', (answer) => (answer.submissionId = randomUUID())],
    ['payment', 'paymentId', 'paymentId is another one', (answer) => (answer.paymentId = randomUUID())],
  ],
  status: [
    ['authorization', 'authorizationId', 'the authorization is another one', (answer) => (answer.authorizationId = randomUUID())],
    ['amount', 'payment', 'the amount is another one', (answer) => (answer.amountEUR = '400.00')],
    ['payee', 'payment', 'the payee is another one', (answer) => (answer.payee = { ...answer.payee, iban: 'FI1410093000123458' })],
    ['payment', 'paymentId', 'paymentId is another one', (answer) => (answer.paymentId = randomUUID())],
    ['unknown', 'payment', 'the status is one that nobody knows', (answer) => (answer.status = 'Perhaps')],
    ['again', 'payment', 'the payment, which is submitted, is unauthorized again', (answer) => (answer.status = 'Unauthorized')],
  ],
}

const signedSteps = {
  create: 'the answer to a payment',
  join: 'the answer to a payment that joins another',
  submit: 'the answer to a submission',
  status: 'the status of a payment',
}

function ofSignature(step, what) {
  const lie = ([name, rule, says]) => ({ name: `${step}-jws-${name}`, at: `${step} signature`, rule, says: `${what}: ${says}` })
  return [...signatureLies.map((row) => ({ ...lie(row), change: row[3] })), ...headerLies.map((row) => ({ ...lie(row), mangle: row[3] }))]
}

const ofAnswers = Object.entries(signedSteps).flatMap(([step, what]) => [
  ...(step === 'join' ? [] : ofSignature(step, what)),
  ...contentLies[step].map(([name, rule, says, change]) => ({
    name: `${step}-${name}`, at: `${step} content`, rule, says: `${what}, well signed: ${says}`,
    change: (content) => {
      const changed = { ...content }
      change(changed)
      return changed
    },
  })),
])

// --- what is not signed ----------------------------------------------------------------------

const ofOthers = [
  ['intent-iban', 'intent', 'intent', 'the authorization: the account is another one', body((answer) => void (answer.iban = 'FI1410093000123458'))],
  ['intent-authorized', 'intent', 'intent', 'the authorization: nobody has authorized it, and it is', body((answer) => void (answer.status = 'Authorized'))],
  ['intent-none', 'intent', 'answer', 'the authorization: there is no authorizationId', body((answer) => void delete answer.authorizationId)],
  ['funds-text', 'funds', 'answer', 'the confirmation: fundsAvailable is a text', body((answer) => void (answer.fundsAvailable = 'true'))],
  ['funds-none', 'funds', 'answer', 'the confirmation: there is no fundsAvailable', body(() => ({}))],
].map(([name, step, rule, says, answer]) => ({ name, at: `${step} after`, rule, says, answer }))

const sets = { 'oidc-jwks': 'the JWK Set of ID tokens', 'payments-jwks': 'the JWK Set of answers' }

const ofSets = Object.entries(sets).flatMap(([step, what]) =>
  [
    ['empty', 'key', 'there is no key', body(() => ({ keys: [] }))],
    ['twice', 'key', 'two keys have the same kid', body(({ keys }) => ({ keys: [...keys, ...keys] }))],
    ['private', 'key', 'the private key is there, too', body(({ keys }) => ({ keys: keys.map((key) => ({ ...key, d: secret() })) }))],
    ['other', 'signature', 'another key has the kid', body(({ keys }) => ({ keys: keys.map((key) => another(key)) }))],
    ['enc', 'key', 'the key is for encryption', body(({ keys }) => ({ keys: keys.map((key) => ({ ...key, use: 'enc' })) }))],
    ['no-json', 'answer', 'it is no JSON', (reply) => ({ ...reply, body: '<html>' })],
  ].map(([name, rule, says, answer]) => ({ name: `${step}-${name}`, at: `${step} after`, rule, says: `${what}: ${says}`, answer })),
)

// --- refusals --------------------------------------------------------------------------------

const refusals = [
  ['client-token', 401, 'invalid_client'], ['client-token', 400, 'invalid_scope'], ['client-token', 400, 'unsupported_grant_type'],
  ['client-token', 403, 'unauthorized_client'], ['code-token', 400, 'invalid_grant'], ['code-token', 400, 'invalid_request'],
  ['refresh-token', 400, 'invalid_grant'], ['exemption-token', 400, 'invalid_grant'],
  ['intent', 401, 'unauthorized'], ['intent', 400, 'invalid_request'],
  ['create', 401, 'invalid_token'], ['create', 400, 'invalid_signature'], ['create', 409, 'conflict'],
  ['submit', 401, 'invalid_token'], ['submit', 409, 'conflict'], ['status', 404, 'not_found'], ['funds', 403, 'insufficient_scope'],
].map(([step, status, error]) => ({
  name: `${step}-${error.replaceAll('_', '-')}`, at: `${step} before`, error, says: `the answer to ${step} is ${status} ${error}`,
  answer: () => ({ status, body: { error, error_description: 'the bank says so' } }),
}))

// --- ways ------------------------------------------------------------------------------------

const waySteps = ['client-token', 'intent', 'create', 'code-token', 'funds', 'submit', 'status', 'refresh-token', 'exemption-token']
const failure = (status) => () => ({ status, body: { error: 'server_error', error_description: 'the bank has failed' } })
const ways = [
  ['unavailable', 'before', 'is 503, and nothing is done', failure(503)],
  ['failed', 'after', 'is 500, and it is done', failure(500)],
  ['closed', 'before', 'is none: the connection is closed, and nothing is done', () => ({ close: true })],
  ['lost', 'after', 'is none: the connection is closed, and it is done', () => ({ close: true })],
]

const ofWays = [...waySteps, ...Object.keys(sets)].flatMap((step) =>
  ways.map(([name, moment, says, answer]) => ({ name: `${step}-${name}`, at: `${step} ${moment}`, way: true, says: `the answer to ${step} ${says}`, answer })),
)

// The documents' own slip of the pen: "hash the code value".
const ofCodeInState = {
  name: 'front-s_hash-of-code', at: 'front id-token', rule: 'hash', says: 'ID token of the redirection: s_hash is of the code',
  change: ({ claims, texts }) => (claims.s_hash = half(texts.c_hash)),
}

const ofOtherToken = {
  name: 'token-front-again', at: 'token id-token', rule: 'hash', says: 'ID token of the token endpoint: it is that of the redirection',
  mangle: (jwt, op) => op.frontToken,
}

export const lies = [
  ...ofIdToken('front', 'ID token of the redirection', ['c_hash', 's_hash']),
  ...ofIdToken('token', 'ID token of the token endpoint', ['at_hash', 'rt_hash']),
  ofCodeInState, ofOtherToken,
  ...redirectionLies, ...ofTokens, ...ofCode, ...ofAnswers, ...ofOthers, ...ofSets, ...refusals, ...ofWays,
]
