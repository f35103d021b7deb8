// SPDX-License-Identifier: Apache-2.0
// POST /oauth/token of the OP bank: client_credentials, authorization_code, refresh_token, and the assertion of the
// exemption flow; and its ID tokens.

import { createHash, timingSafeEqual } from 'node:crypto'

import { compactVerify } from '../e2e/jose.mjs'
import { compact, demand, digest, now, Refusal, secret, subjectOf } from './lib.mjs'
import { takeExemption } from './op-exemption.mjs'

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const skew = 60 // seconds
const lifetimes = { client: 86399, customer: 3599, refresh: 45 * 86400 }
const equal = (a, b) => timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())

// --- what the TPP signs ----------------------------------------------------------------------

// The claims of a JWT of the TPP, request object or assertion. `expected`: claims that must be exactly so.
export async function judgeJwt(op, jwt, expected, refuse) {
  const { payload, protectedHeader } = await compactVerify(jwt, op.tppKeys, { algorithms: ['ES256', 'RS256'] }).catch((error) =>
    refuse(`the JWT is not good: ${error.code ?? error.message}`),
  )
  if (protectedHeader.typ !== 'JWT') refuse('typ of the JWT is always JWT')
  const claims = JSON.parse(Buffer.from(payload).toString('utf8'))
  for (const [name, value] of Object.entries({ iss: op.app.id, client_id: op.app.id, aud: op.audience, ...expected })) {
    if (JSON.stringify(claims[name]) !== JSON.stringify(value)) refuse(`${name} of the JWT is not what it should be`)
  }
  if (!/^[A-Za-z0-9_-]+$/.test(claims.state ?? '')) refuse('state has characters outside of the base64url alphabet, or is missing')
  if (typeof claims.nonce !== 'string' || claims.nonce === '') refuse('nonce is missing')
  if (!Number.isInteger(claims.max_age)) refuse('max_age is a number')
  // Always demanded, though the document on payments shows JWTs without.
  if (!Number.isInteger(claims.exp) || !Number.isInteger(claims.iat)) refuse('exp and iat are numbers')
  if (claims.exp <= now() - skew || claims.iat > now() + skew || claims.exp - claims.iat > 3600) refuse('exp or iat is not of this hour')
  return claims
}

// The intent a JWT is about: named twice, both equal, and with this acr.
export function judgeIntent(op, { claims }, acr, refuse) {
  const intent = { value: claims?.id_token?.authorizationId?.value, essential: true }
  const wanted = { userinfo: { authorizationId: intent }, id_token: { authorizationId: intent, acr: { essential: true, values: [acr] } } }
  if (sorted(claims) !== sorted(wanted)) refuse('claims is not what it should be: authorizationId in userinfo and id_token, and acr')
  const found = op.intents.get(intent.value)
  if (found === undefined) refuse('there is no such authorizationId')
  return found
}

// JSON with the members of each object in order.
const sorted = (value) =>
  JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  )

// --- ID tokens -------------------------------------------------------------------------------

// The left half of the hash (OpenID Connect Core §3.1.3.6); all of it has 32 octets.
export const half = (text, octets = 16) => createHash('sha256').update(text).digest().subarray(0, octets).toString('base64url')

// `step`: front or token; `texts`: what the hashes are of, by the claim's name.
export function idToken(op, step, { intent, nonce, texts }) {
  const draft = {
    header: { typ: 'JWT', alg: 'RS256', kid: op.oidcKeys.kid },
    claims: {
      iss: op.issuer, iat: now(), sub: intent.id, acr: 'urn:openbanking:psd2:sca', authorizationId: intent.id, aud: op.app.id, nonce, exp: now() + 300,
      ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, half(text)])),
    },
    key: op.oidcKeys.privateKey,
    texts,
  }
  const lie = op.lies.at(`${step} id-token`)
  lie?.change?.(draft, op)
  const { head, payload, signature } = compact(draft.header, draft.payload ?? JSON.stringify(draft.claims), draft.key)
  const jwt = `${head}.${payload}.${signature}`
  if (step === 'front') op.frontToken = jwt
  return lie?.mangle ? lie.mangle(jwt, op) : jwt
}

// --- tokens ----------------------------------------------------------------------------------

function accessToken(op, token, lifetime) {
  const text = secret(20)
  op.tokens.set(text, { ...token, until: now() + lifetime })
  return text
}

// Tokens of a customer. `openid`: with an ID token. The refresh token before stays good until the new one is used: an
// answer that was lost is no reason to ask the customer again.
function customerTokens(op, { intent, customer, scope, nonce, replaces }) {
  const access_token = accessToken(op, { scope, customer, intent, user: true }, lifetimes.customer)
  const refresh_token = secret(30)
  const granted = replaces?.granted ?? scope
  op.refreshTokens.set(refresh_token, { granted, customer, intent, nonce, replaces, until: now() + lifetimes.refresh })
  const openid = scope.split(' ').includes('openid')
  const id_token = openid ? { id_token: idToken(op, 'token', { intent, nonce, texts: { at_hash: access_token, rt_hash: refresh_token } }) } : {}
  return { access_token, refresh_token, ...id_token, scope, token_type: 'bearer', expires_in: lifetimes.customer }
}

const grants = {
  client_credentials(op, { scope }) {
    demand(['payments', 'fundsconfirmations'].includes(scope), 400, 'invalid_scope', 'scope is one of payments, fundsconfirmations')
    // As the document prints it: a text.
    return { token_type: 'bearer', access_token: accessToken(op, { scope }, lifetimes.client), scope, status: 'approved', expires_in: String(lifetimes.client) }
  },

  authorization_code(op, { code, redirect_uri }) {
    const grant = op.codes.get(code ?? '')
    demand(grant !== undefined && grant.until > now(), 400, 'invalid_grant', 'there is no such code, or its time is over')
    if (grant.used) {
      // RFC 6749 §4.1.2: who uses a code twice may be a thief; what was given for it is taken back.
      for (const list of [op.tokens, op.refreshTokens]) for (const [text, { intent }] of list) if (intent === grant.intent) list.delete(text)
      throw new Refusal(400, 'invalid_grant', 'the code was used before')
    }
    demand(redirect_uri === grant.jar.redirect_uri, 400, 'invalid_grant', 'redirect_uri is not that of the authorization request')
    grant.used = true
    const { intent } = grant
    return customerTokens(op, { intent, customer: intent.customer, scope: grant.jar.scope, nonce: grant.jar.nonce })
  },

  refresh_token(op, { refresh_token, scope }) {
    const grant = op.refreshTokens.get(refresh_token ?? '')
    demand(grant !== undefined && grant.until > now(), 400, 'invalid_grant', 'there is no such refresh token, or its time is over')
    const wanted = scope ?? grant.granted
    const within = wanted.split(' ').every((name) => grant.granted.split(' ').includes(name))
    demand(within, 400, 'invalid_scope', 'scope is more than was granted')
    for (const [text, other] of op.refreshTokens) if (other === grant.replaces) op.refreshTokens.delete(text)
    return customerTokens(op, { ...grant, scope: wanted, replaces: grant })
  },

  async [jwtBearer](op, { assertion, response_type, scope }) {
    const refuse = (text) => {
      throw new Refusal(400, 'invalid_grant', text)
    }
    demand(response_type === 'token' && scope === 'payments', 400, 'invalid_request', 'response_type is token, scope is payments')
    const claims = await judgeJwt(op, assertion ?? '', { response_type, scope }, refuse)
    if ('redirect_uri' in claims) refuse('an exemption has no redirect_uri')
    const intent = judgeIntent(op, claims, 'urn:openbanking:psd2:ca', refuse)
    if (op.assertions.has(digest(assertion))) refuse('the assertion was used before')
    takeExemption(op, intent, refuse)
    op.assertions.add(digest(assertion))
    const token = { scope, customer: intent.customer, intent, user: true }
    return { access_token: accessToken(op, token, lifetimes.customer), scope, token_type: 'bearer', expires_in: lifetimes.customer }
  },
}

const steps = { client_credentials: 'client-token', authorization_code: 'code-token', refresh_token: 'refresh-token', [jwtBearer]: 'exemption-token' }

// The client: its certificate, which the handshake has proven, its id and its secret.
function judgeClient(op, { incoming, form }) {
  demand(form !== undefined, 400, 'invalid_request', 'the body is application/x-www-form-urlencoded')
  const known = form.client_id === op.app.id && equal(form.client_secret ?? '', op.app.secret)
  demand(known, 401, 'invalid_client', 'client_id and client_secret are not those of an app')
  judgeCertificate(op, incoming)
}

export function judgeCertificate(op, incoming) {
  demand(subjectOf(incoming) === op.subject, 401, 'invalid_client', 'the client certificate is not that of the registered TPP')
}

export const tokenRoutes = (op) => [
  {
    step: 'token',
    method: 'POST',
    path: '/oauth/token',
    stepOf: ({ form }) => steps[form?.grant_type] ?? 'token',
    async act(call) {
      judgeClient(op, call)
      const grant = Object.hasOwn(grants, call.form.grant_type ?? '') ? grants[call.form.grant_type] : undefined
      demand(grant !== undefined, 400, 'unsupported_grant_type', `grant_type is one of ${Object.keys(grants).join(', ')}`)
      return { status: 200, body: await grant(op, call.form) }
    },
  },
]
