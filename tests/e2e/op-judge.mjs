// SPDX-License-Identifier: Apache-2.0
// What a TPP must find wrong in an answer of the OP bank, by npm jose and a few comparisons: none of it is ours. Each judge
// gives the name of the first rule that is broken, as docs/verify.md names them, or undefined.

import { createHash } from 'node:crypto'

import { createLocalJWKSet, flattenedVerify, jwtVerify } from './jose.mjs'

const leeway = 60
const algorithms = { id: ['RS256', 'ES256'], answer: ['ES256', 'RS256'] }
const half = (text) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

// jose's reasons by our names.
function ruleOf({ code, claim, message }) {
  const names = {
    ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature', ERR_JWKS_NO_MATCHING_KEY: 'key', ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key', ERR_JWKS_INVALID: 'key',
    ERR_JOSE_ALG_NOT_ALLOWED: 'alg', ERR_JWT_EXPIRED: 'time', ERR_JOSE_NOT_SUPPORTED: 'crit',
  }
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return { iat: 'time', exp: 'time', nbf: 'time' }[claim] ?? claim
  return names[code] ?? `? ${code} ${message}`
}

// Of the header alone: what jose leaves to its caller, or says later than it should.
function judgeHeader(head, allowed, { detached = false } = {}) {
  const header = JSON.parse(Buffer.from(head, 'base64url'))
  if (!allowed.includes(header.alg)) return 'alg'
  if (header.kid === undefined) return 'key'
  if (detached && 'b64' in header) return 'crit'
  return undefined
}

const failing = (verifying) => verifying.then(() => undefined, ruleOf)

// `expected`: issuer, clientId, nonce, intent, and `texts`: the hashes' names, and what they are of. A set that is no JWK Set is a wrong key.
export async function judgeIdToken(token, jwks, { issuer, clientId, nonce, intent, texts, maxAge = 86400 }) {
  const [head, middle] = token.split('.')
  const early = judgeHeader(head, algorithms.id) ?? judgeSet(jwks)
  if (early) return early
  const options = { algorithms: algorithms.id, issuer, audience: clientId, typ: 'JWT', clockTolerance: leeway, maxTokenAge: 600, requiredClaims: ['exp', 'iat'] }
  const broken = await failing(jwtVerify(token, createLocalJWKSet(jwks), options))
  if (broken) return broken
  const text = String(Buffer.from(middle, 'base64url'))
  const claims = JSON.parse(text)
  if (!isOnce(text)) return 'malformed'
  if (claims.aud !== clientId || (claims.azp ?? clientId) !== clientId) return 'aud'
  if (claims.nonce !== nonce) return 'nonce'
  if (claims.acr !== 'urn:openbanking:psd2:sca') return 'acr'
  if (claims.auth_time !== undefined && Date.now() / 1000 - claims.auth_time > maxAge + leeway) return 'auth_time'
  for (const [name, of] of Object.entries(texts)) if (of === undefined || claims[name] !== half(of)) return 'hash'
  if (claims.sub !== intent) return 'sub'
  return claims.authorizationId === intent ? undefined : 'intent'
}

// JSON.parse takes the last of two members; written again there would be fewer.
const isOnce = (text) => JSON.stringify(JSON.parse(text)).length === text.length

function judgeSet({ keys }) {
  const kids = keys.map(({ kid }) => kid)
  return new Set(kids).size !== kids.length || keys.some((key) => 'd' in key) ? 'key' : undefined
}

export async function judgeSignature({ headers, bytes }, jwks) {
  const jws = headers['x-jws-signature']
  if (jws === undefined) return 'jws'
  // Node puts two headers of a name into one text.
  if (jws.includes(',')) return 'header'
  const [head, middle, signature] = jws.split('.')
  if (middle !== '') return 'malformed'
  const early = judgeHeader(head, algorithms.answer, { detached: true }) ?? judgeSet(jwks)
  if (early) return early
  const whole = { protected: head, payload: bytes.toString('base64url'), signature }
  const broken = await failing(flattenedVerify(whole, createLocalJWKSet(jwks), { algorithms: algorithms.answer }))
  return broken ?? (isOnce(String(bytes)) ? undefined : 'answer')
}

// `want`: members and what they must be; a function judges.
export function judgeMembers(json, want) {
  const good = ([name, value]) => (typeof value === 'function' ? value(json[name]) : JSON.stringify(json[name]) === JSON.stringify(value))
  return Object.entries(want).find((one) => !good(one))?.[0]
}

export function judgeToken({ json }, scope) {
  const found = judgeMembers(json, {
    token_type: (type) => type === 'bearer', expires_in: (seconds) => Number(seconds) > 0, scope, access_token: (text) => typeof text === 'string' && text !== '',
  })
  return found === 'access_token' ? 'answer' : found
}
