// SPDX-License-Identifier: Apache-2.0
// The authorization server of the PayNet side: npm's oidc-provider with its FAPI 2.0 profile. Requests are pushed and
// signed, clients authenticate with a signed assertion or with their certificate, tokens are bound to that certificate,
// and what is asked for is an account access consent (RFC 9396).

import path from 'node:path'

import { request } from '../e2e/lib.mjs'
import { errors, MemoryAdapter, Provider } from '../e2e/oidc-provider.mjs'
import { now } from './lib.mjs'

export const consentType = 'urn:openfinance-ml:account-access-consent:v1.2'
const permissions = ['read_accounts', 'read_balances', 'read_transactions']

// What the customer may share.
export const accounts = [
  { account_id: '550e8400-e29b-41d4-a716-446655440005', account_number: '1234567890', account_name: 'My Savings Account' },
  { account_id: '550e8400-e29b-41d4-a716-446655440006', account_number: '0987654321', account_name: 'My Checking Account' },
]

// --- what is asked ---------------------------------------------------------------------------

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function checkDetail(consents, { consent }) {
  const wrong = (text) => {
    throw new errors.InvalidAuthorizationDetails(text)
  }
  if (typeof consent !== 'object' || consent === null) wrong('there is no consent')
  if (!uuid.test(consent.consent_id)) wrong('consent_id is not a UUID')
  if (consents.has(consent.consent_id)) wrong('there is a consent of this consent_id')
  const asked = consent.permissions
  if (!Array.isArray(asked) || asked.length === 0 || asked.some((one) => !permissions.includes(one))) wrong(`permissions are some of ${permissions.join(', ')}`)
  if (!(Date.parse(consent.expiration_datetime) > Date.now())) wrong('expiration_datetime is not in the future')
}

// The consent as the customer gave it.
export function authorize(consents, { consent }, customer) {
  const at = new Date().toISOString()
  const given = {
    ...consent, consent_type: consentType, dc_id: '550e8400-e29b-41d4-a716-446655440003', dp_id: consent.dp_id ?? '550e8400-e29b-41d4-a716-446655440004',
    status: 'authorized', accounts, created_at: at, updated_at: at,
  }
  consents.set(given.consent_id, { ...given, customer, tokens: 0, refreshed: 0, read: 0 })
  return { type: consentType, consent: given }
}

// Counts what is done under a consent.
const counting = (consents, details, what) => {
  for (const { consent } of details ?? []) consents.get(consent.consent_id)[what]++
  return details
}

// --- clients ---------------------------------------------------------------------------------

// The TPP's keys are read where it publishes them, at each look-up: a new key of the service needs nobody's help.
function adapterOf(dir, clients) {
  return class extends MemoryAdapter {
    async find(id) {
      if (this.model !== 'Client') return super.find(id)
      const client = clients.find(({ client_id }) => client_id === id)
      if (client === undefined) return undefined
      const { status, json } = await request(path.join(dir, 'qseal.sock'), 'GET', '/v1/jwks')
      if (status !== 200) throw new Error(`the TPP's JWK Set: ${status}`)
      return { ...client, jwks: json }
    }
  }
}

const registered = {
  redirect_uris: undefined,
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid accounts',
  require_pushed_authorization_requests: true,
  require_signed_request_object: true,
  request_object_signing_alg: 'PS256',
  id_token_signed_response_alg: 'PS256',
  tls_client_certificate_bound_access_tokens: true,
  authorization_details_types: [consentType],
}

// One client authenticates with a signed assertion, the other with the certificate of this subject (RFC 4514).
export const byAssertion = (client_id, redirect_uris) =>
  ({ ...registered, client_id, redirect_uris, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256' })
export const byCertificate = (client_id, redirect_uris, subject) =>
  ({ ...registered, client_id, redirect_uris, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: subject })

// --- the server ------------------------------------------------------------------------------

const certificateOf = (ctx) => ctx.req.socket.getPeerX509Certificate?.()

// FAPI 2.0 wants the issuer as the only audience, and as a string; oidc-provider takes the endpoint as well.
async function onlyTheIssuer(ctx, claims) {
  if (claims.aud !== ctx.oidc.issuer) throw new errors.InvalidClientAuth('aud of the client assertion is the issuer, as a string')
  if (!Number.isInteger(claims.iat) || claims.exp - claims.iat > 600) throw new errors.InvalidClientAuth('a client assertion lives for 600 seconds at most')
}

function featuresOf({ api, consents }) {
  const off = { enabled: false }
  return {
    devInteractions: off, rpInitiatedLogout: off, userinfo: off,
    claimsParameter: { enabled: true },
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    requestObjects: { request: true, requestUri: false, requireSignedRequestObject: true },
    mTLS: {
      enabled: true, certificateBoundAccessTokens: true, tlsClientAuth: true,
      getCertificate: certificateOf,
      certificateAuthorized: (ctx) => ctx.req.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn' && certificateOf(ctx).subject === expected,
    },
    richAuthorizationRequests: {
      enabled: true, ack: 'experimental-01',
      types: { [consentType]: { validate: (ctx, detail) => checkDetail(consents, detail) } },
      rarForAuthorizationCode: (ctx) => ctx.oidc.grant.rar,
      rarForCodeResponse: (ctx) => counting(consents, ctx.oidc.entities.AuthorizationCode.rar, 'tokens'),
      rarForRefreshTokenResponse: (ctx) => counting(consents, ctx.oidc.entities.RefreshToken.rar, 'refreshed'),
      rarForIntrospectionResponse: (ctx, token) => token.rar,
    },
    resourceIndicators: {
      enabled: true, defaultResource: () => api, useGrantedResource: () => true,
      getResourceServerInfo: () => ({ audience: api, scope: 'openid accounts', accessTokenFormat: 'opaque', accessTokenTTL: 3600 }),
    },
  }
}

// `bank`: { dir, issuer, api, front, keys, clients, consents, turns }. `keys` is the bank's private JWK Set.
export function providerOf(bank) {
  const { dir, issuer, api, clients, consents, keys } = bank
  const at = (endpoint) => new URL(endpoint, api).href
  const only = ['PS256']
  return new Provider(issuer, {
    adapter: adapterOf(dir, clients),
    jwks: keys,
    features: featuresOf({ api, consents }),
    scopes: ['openid', 'accounts'],
    claims: { openid: ['sub'] },
    findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    responseTypes: ['code'],
    clientAuthMethods: ['private_key_jwt', 'tls_client_auth'],
    enabledJWA: { idTokenSigningAlgValues: only, requestObjectSigningAlgValues: only, clientAuthSigningAlgValues: only },
    assertJwtClientAuthClaimsAndHeader: onlyTheIssuer,
    issueRefreshToken: () => true,
    rotateRefreshToken: () => bank.turns,
    routes: { authorization: '/authorize', token: '/token', pushed_authorization_request: '/par', jwks: '/jwks' },
    // The API's own listener, which demands a client certificate (RFC 8705 §5).
    discovery: { mtls_endpoint_aliases: { token_endpoint: at('/token'), pushed_authorization_request_endpoint: at('/par') } },
    interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400, Grant: 86400, Interaction: 900, Session: 900 },
    cookies: { keys: [bank.cookieKey] },
    renderError: (ctx, { error, error_description }) => {
      ctx.type = 'text/plain'
      ctx.body = `${error}: ${error_description}\n`
    },
  })
}

// --- what the token is for -------------------------------------------------------------------

const bearer = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i

// GET /accounts: the accounts of the consent, for whom the token is bound to (RFC 8705 §3).
export async function answerAccounts(provider, consents, ctx) {
  const refuse = (status, error) => {
    ctx.status = status
    ctx.set('www-authenticate', `Bearer error="${error}"`)
    ctx.body = { error }
  }
  const [, value] = bearer.exec(ctx.get('authorization')) ?? []
  const token = value && (await provider.AccessToken.find(value))
  if (!token || token.exp <= now()) return refuse(401, 'invalid_token')
  const certificate = certificateOf(ctx)
  if (token['x5t#S256'] === undefined || token['x5t#S256'] !== thumbprint(certificate)) return refuse(401, 'invalid_token')
  const { consent } = token.rar[0]
  if (!consent.permissions.includes('read_accounts')) return refuse(403, 'insufficient_scope')
  counting(consents, token.rar, 'read')
  ctx.body = { accounts: consent.accounts }
}

const thumbprint = (certificate) => Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
