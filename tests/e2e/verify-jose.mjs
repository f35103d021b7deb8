// SPDX-License-Identifier: Apache-2.0
// Verifies one artefact with npm's jose, an implementation that is not ours, and prints what it says.
// For a person or a script; the tests use verify.mjs.
//
//   node verify-jose.mjs JWKS_FILE ARTEFACT [PAYLOAD_FILE]
//
// ARTEFACT is a compact JWS, or with PAYLOAD_FILE a detached one (RFC 7515 App. F, RFC 7797).
// Prints {"header":…,"payload":…} on one line. Ends with 5 when the signature or the times do not hold.

import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { compactVerify, createLocalJWKSet, flattenedVerify } from 'jose'

// Node 18 has these, but not as globals.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const ukNames = ['iat', 'iss', 'tan'].map((name) => `http://openbanking.org.uk/${name}`)
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))

function options(header) {
  const understood = (header.crit ?? []).filter((name) => ukNames.includes(name))
  return { algorithms, crit: Object.fromEntries(understood.map((name) => [name, true])) }
}

// A header that brings its key (RFC 9449 §4.2) is believed only when the JWK Set has that key, too.
function keysFor(jwks, header) {
  if (header.jwk === undefined) return createLocalJWKSet(jwks)
  const members = (key) => JSON.stringify([key.kty, key.n, key.e, key.crv, key.x, key.y])
  return createLocalJWKSet({ keys: jwks.keys.filter((key) => members(key) === members(header.jwk)) })
}

async function verifyDetached(keys, jws, file) {
  const [encoded, middle, signature] = jws.split('.')
  if (middle !== '') throw new Error('this is not a detached JWS')
  const header = decode(encoded)
  const body = readFileSync(file)
  const payload = header.b64 === false ? body : body.toString('base64url')
  await flattenedVerify({ protected: encoded, payload, signature }, keys, options(header))
  return { header, payload: JSON.parse(body.toString('utf8')) }
}

function checkTimes(claims) {
  const now = Math.floor(Date.now() / 1000)
  if (claims.exp !== undefined && !(claims.exp > now)) throw new Error('exp is over')
  if (claims.nbf !== undefined && !(claims.nbf <= now + 10)) throw new Error('nbf is to come')
  if (claims.iat !== undefined && !(claims.iat <= now + 10)) throw new Error('iat is to come')
}

async function verifyCompact(keys, jws) {
  const { payload, protectedHeader } = await compactVerify(jws, keys, options(decode(jws.split('.')[0])))
  const claims = JSON.parse(Buffer.from(payload).toString('utf8'))
  checkTimes(claims)
  return { header: protectedHeader, payload: claims }
}

const [jwks, artefact, payloadFile] = process.argv.slice(2)
if (artefact === undefined) {
  console.error('usage: node verify-jose.mjs JWKS_FILE ARTEFACT [PAYLOAD_FILE]')
  process.exit(2)
}
try {
  const keys = keysFor(JSON.parse(readFileSync(jwks, 'utf8')), decode(artefact.split('.')[0]))
  const seen = payloadFile ? await verifyDetached(keys, artefact, payloadFile) : await verifyCompact(keys, artefact)
  console.log(JSON.stringify(seen))
} catch (error) {
  console.error(`jose: ${error.code ?? error.name}: ${error.message}`)
  process.exit(5)
}
