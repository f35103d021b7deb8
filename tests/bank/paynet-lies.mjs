// SPDX-License-Identifier: Apache-2.0
// How the PayNet bank lies and fails. Each lie is told at one moment: 'STEP before' takes the place of the server's work,
// 'STEP after' changes its answer when the work is done.

import { createHash } from 'node:crypto'

import { compact, secret, Signer } from './lib.mjs'

const now = () => Math.floor(Date.now() / 1000)

// --- ways to fail ----------------------------------------------------------------------------

const answer = (status, body) => (ctx) => {
  ctx.status = status
  ctx.body = body
}
const close = (ctx) => {
  ctx.respond = false
  ctx.req.socket.destroy()
}
const noJson = (ctx) => {
  ctx.type = 'application/json'
  ctx.body = '{"this": is not JSON'
}

const failures = (step, what) => [
  { name: `${step}-500`, at: `${step} before`, says: `${what}: 500, nothing done`, tell: answer(500, { error: 'server_error' }) },
  { name: `${step}-503-done`, at: `${step} after`, says: `${what}: 503 after the work was done`, tell: answer(503, 'busy') },
  { name: `${step}-closed`, at: `${step} before`, says: `${what}: the connection is closed, nothing done`, tell: close },
  { name: `${step}-closed-done`, at: `${step} after`, says: `${what}: the connection is closed after the work was done`, tell: close },
  { name: `${step}-no-json`, at: `${step} after`, says: `${what}: 200 and something that is no JSON`, tell: noJson },
]

// Those of the tables of the bank's documentation, and of the RFCs behind them.
const errors = (step, table) =>
  Object.entries(table).map(([error, status]) =>
    ({ name: `${step}-${error.replaceAll('_', '-')}`, at: `${step} before`, says: `refuses: ${status} ${error}`, tell: answer(status, { error, error_description: 'told to' }) }))

// --- documents -------------------------------------------------------------------------------

// What is changed is the answer, and not what the server remembers of it.
const changed = (step) => (name, says, change) => ({
  name: `${step}-${name}`, at: `${step} after`, says,
  tell(ctx, bank) {
    ctx.body = structuredClone(ctx.body)
    return change(ctx.body, bank)
  },
})

const wellKnown = changed('well-known')
const documents = [
  wellKnown('issuer', 'the well-known document is another issuer\'s', (body) => { body.issuer += '.evil.example' }),
  wellKnown('http', 'the token endpoint is not https', (body) => { body.mtls_endpoint_aliases.token_endpoint = body.token_endpoint.replace(/^https:/, 'http:') }),
  wellKnown('token-host', 'the token endpoint is at another host', (body) => { body.mtls_endpoint_aliases.token_endpoint = body.token_endpoint.replace('localhost', 'localhost.evil.example') }),
  wellKnown('par-host', 'the PAR endpoint is at another host', (body) => { body.mtls_endpoint_aliases.pushed_authorization_request_endpoint = 'https://evil.example/par' }),
  wellKnown('authorize-host', 'the authorization endpoint is at another host', (body) => { body.authorization_endpoint = 'https://evil.example/authorize' }),
  wellKnown('authorize-user', 'the authorization endpoint hides its host behind a user', (body) => { body.authorization_endpoint = 'https://localhost@evil.example/authorize' }),
  wellKnown('jwks-host', 'the keys are at another host', (body) => { body.jwks_uri = 'https://evil.example/jwks' }),
  wellKnown('no-par', 'there is no PAR endpoint', (body) => {
    delete body.pushed_authorization_request_endpoint
    delete body.mtls_endpoint_aliases
  }),
  { name: 'jwks-empty', at: 'jwks after', says: 'the JWK Set is empty', tell: answer(200, { keys: [] }) },
  { name: 'jwks-other', at: 'jwks after', says: 'another key under the kid', async tell(ctx, bank) { ctx.body = { keys: [{ ...(await Signer.create('PS256', 'x')).jwks.keys[0], kid: bank.signer.kid }] } } },
  { name: 'jwks-twice', at: 'jwks after', says: 'two keys of one kid', async tell(ctx, bank) { ctx.body = { keys: [...bank.signer.jwks.keys, { ...(await Signer.create('PS256', 'x')).jwks.keys[0], kid: bank.signer.kid }] } } },
]

const par = changed('par')
const pushed = [
  par('no-request-uri', 'no request_uri', (body) => { delete body.request_uri }),
  par('request-uri', 'a request_uri that is an address', (body) => { body.request_uri = 'https://evil.example/request' }),
  par('no-expires-in', 'no expires_in', (body) => { delete body.expires_in }),
  par('expires-in', 'an expires_in that is over', (body) => { body.expires_in = 0 }),
  par('expires-in-text', 'an expires_in that is a text', (body) => { body.expires_in = '60' }),
  { name: 'request-uri-expired', at: 'authorize before', says: 'the request_uri has expired when the customer comes', goesOn: true,
    tell: async (ctx, bank) => (await bank.provider.PushedAuthorizationRequest.find(new URL(ctx.href).searchParams.get('request_uri').split(':').at(-1)))?.destroy() },
]

// --- the way back ----------------------------------------------------------------------------

const back = (name, says, change) => ({
  name, at: 'callback after', says,
  tell(ctx, bank) {
    const url = new URL(ctx.response.get('location'))
    ctx.set('location', String(change(url.searchParams, url, bank) ?? url))
  },
})
const backError = (error) => back(`callback-${error.replaceAll('_', '-')}`, `comes back with ${error}`, (query) => {
  query.delete('code')
  query.set('error', error)
  query.set('error_description', 'told to')
})
const callbacks = [
  back('state-wrong', 'another state', (query) => query.set('state', secret(16)) ?? undefined),
  back('state-missing', 'no state', (query) => query.delete('state')),
  back('response-iss-wrong', 'another iss (RFC 9207)', (query) => query.set('iss', 'https://evil.example')),
  back('response-iss-missing', 'no iss (RFC 9207)', (query) => query.delete('iss')),
  back('code-missing', 'no code', (query) => query.delete('code')),
  back('code-twice', 'two codes', (query) => query.append('code', secret(16))),
  back('code-and-error', 'a code and an error', (query) => query.set('error', 'server_error')),
  back('redirect-elsewhere', 'the customer is sent elsewhere', (query, url) => String(url).replace(/^https:\/\/[^/]+/, 'https://evil.example')),
  back('code-of-another', 'a code that this bank never gave', (query) => query.set('code', secret(16))),
  back('denied-state-wrong', 'access_denied under another state', (query) => {
    query.delete('code')
    query.set('error', 'access_denied')
    query.set('state', secret(16))
  }),
  ...['invalid_request', 'server_error', 'temporarily_unavailable', 'something_else'].map(backError),
]

// --- the ID token ----------------------------------------------------------------------------

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
const join = ({ head, payload, signature }) => `${head}.${payload}.${signature}`
const half = (text) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

// Signs the ID token of an answer again, as `change(header, claims, body)` leaves them.
export function signAgain(body, { signer }, change = () => {}, key = signer.privateKey) {
  const [header, claims] = body.id_token.split('.').slice(0, 2).map(decode)
  header.kid = signer.kid
  change(header, claims, body)
  body.id_token = join(compact(header, JSON.stringify(claims), key))
}

const token = (name, says, change) => ({ name: `id-token-${name}`, at: 'token after', says: `ID token: ${says}`, tell: (ctx, bank) => signAgain(ctx.body, bank, change) })
const idTokens = [
  { name: 'id-token-missing', at: 'token after', says: 'no ID token', tell(ctx) { delete ctx.body.id_token } },
  { name: 'id-token-malformed', at: 'token after', says: 'ID token: two parts', tell(ctx) { ctx.body.id_token = ctx.body.id_token.split('.').slice(0, 2).join('.') } },
  { name: 'id-token-signature', at: 'token after', says: 'ID token: changed after it was signed',
    tell(ctx) { ctx.body.id_token = ctx.body.id_token.replace(/\.(.)([^.]*)$/, (all, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`) } },
  { name: 'id-token-key', at: 'token after', says: 'ID token: signed by another key under the kid',
    async tell(ctx, bank) { signAgain(ctx.body, bank, undefined, (await Signer.create('PS256', 'x')).privateKey) } },
  token('alg', 'RS256', (header) => { header.alg = 'RS256' }),
  { name: 'id-token-alg-none', at: 'token after', says: 'ID token: alg none', tell: (ctx, bank) => signAgain(ctx.body, bank, (header) => { header.alg = 'none' }) },
  { name: 'id-token-alg-hs256', at: 'token after', says: 'ID token: HS256 with the public key as its secret',
    tell: (ctx, bank) => signAgain(ctx.body, bank, (header) => { header.alg = 'HS256' }, JSON.stringify(bank.signer.jwks.keys[0])) },
  token('kid-unknown', 'a kid that is in no JWK Set', (header) => { header.kid = 'paynet-unknown' }),
  token('kid-missing', 'no kid', (header) => { delete header.kid }),
  token('typ', 'typ is that of an access token', (header) => { header.typ = 'at+jwt' }),
  token('crit', 'an unknown crit', (header) => Object.assign(header, { crit: ['urn:new'], 'urn:new': true })),
  token('iss', 'another iss', (header, claims) => { claims.iss = 'https://evil.example' }),
  token('aud', 'another aud', (header, claims) => { claims.aud = 'somebody-else' }),
  token('aud-more', 'a second audience', (header, claims) => { claims.aud = [claims.aud, 'somebody-else'] }),
  token('azp', 'another azp', (header, claims) => { claims.azp = 'somebody-else' }),
  token('exp', 'expired', (header, claims) => { claims.exp = now() - 3600 }),
  token('exp-missing', 'no exp', (header, claims) => { delete claims.exp }),
  token('iat', 'iat a day ago', (header, claims) => { claims.iat = now() - 86400 }),
  token('iat-future', 'iat in an hour', (header, claims) => { claims.iat = now() + 3600 }),
  token('nonce', 'another nonce', (header, claims) => { claims.nonce = secret(16) }),
  token('auth-time', 'the customer was seen two hours ago, an hour being asked for', (header, claims) => { claims.auth_time = now() - 7200 }),
  token('at-hash', 'at_hash of another token', (header, claims) => { claims.at_hash = half('another') }),
  token('at-hash-whole', 'at_hash is the whole digest', (header, claims, body) => { claims.at_hash = createHash('sha256').update(body.access_token).digest('base64url') }),
  token('c-hash', 'c_hash of another code', (header, claims) => { claims.c_hash = half('another') }),
  token('sub-missing', 'no sub', (header, claims) => { delete claims.sub }),
  token('sub', 'another sub', (header, claims) => { claims.sub = 'somebody-else' }),
]

// --- the tokens and the consent --------------------------------------------------------------

const tokens = changed('token')
const consent = (name, says, change) => tokens(name, says, (body) => change(body.authorization_details[0].consent, body))
const granted = [
  tokens('type', 'token_type is DPoP', (body) => { body.token_type = 'DPoP' }),
  tokens('type-missing', 'no token_type', (body) => { delete body.token_type }),
  tokens('access-missing', 'no access token', (body) => { delete body.access_token }),
  tokens('expires-in', 'an access token that is over', (body) => { body.expires_in = -1 }),
  tokens('scope', 'more scope than was asked for', (body) => { body.scope += ' payments' }),
  tokens('details-missing', 'no authorization_details', (body) => { delete body.authorization_details }),
  tokens('details-twice', 'a second consent', (body) => { body.authorization_details.push(body.authorization_details[0]) }),
  tokens('details-type', 'a consent of another type', (body) => { body.authorization_details[0].type = 'urn:openfinance-ml:payment-consent:v1.2' }),
  consent('consent-id', 'another consent_id', (given) => { given.consent_id = '550e8400-e29b-41d4-a716-446655440099' }),
  consent('consent-status', 'a consent that is not authorized', (given) => { given.status = 'awaiting_authorization' }),
  consent('consent-permissions', 'more permissions than were asked for', (given) => { given.permissions = [...given.permissions, 'initiate_payments'] }),
  consent('consent-no-permissions', 'no permission', (given) => { given.permissions = [] }),
  consent('consent-expiration', 'a consent that lasts longer', (given) => { given.expiration_datetime = '2099-12-31T23:59:59Z' }),
  consent('consent-purpose', 'another purpose', (given) => { given.consent_purpose = 'marketing' }),
  consent('consent-accounts', 'no account', (given) => { given.accounts = [] }),
]

// --- the accounts ----------------------------------------------------------------------------

const resource = changed('accounts')
const read = [
  resource('foreign', 'an account that is not of the consent', (body) => { body.accounts = [...body.accounts, { account_id: 'not-shared', account_name: 'Another customer\'s' }] }),
  resource('missing', 'no list of accounts', (body) => { delete body.accounts }),
]

export const lies = [
  ...failures('well-known', 'the well-known document'), ...failures('jwks', 'the JWK Set'), ...documents,
  ...failures('par', 'PAR'), ...pushed,
  ...errors('par', { invalid_request: 400, invalid_request_object: 400, invalid_client: 401, invalid_client_assertion: 401, unauthorized_client: 403, too_many_requests: 429 }),
  ...callbacks,
  ...failures('token', 'the token endpoint'),
  ...errors('token', { invalid_request: 400, invalid_grant: 400, unsupported_grant_type: 400, invalid_scope: 400, invalid_client: 401, invalid_client_assertion: 401, unauthorized_client: 403 }),
  ...idTokens, ...granted,
  ...failures('accounts', 'the accounts'), ...read,
  ...errors('accounts', { invalid_token: 401, insufficient_scope: 403 }),
]
