// SPDX-License-Identifier: Apache-2.0
// Verifying artefacts by implementations that are not ours: npm jose, and the openssl program.

import './lib.mjs' // Web Crypto on Node 18
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { compactVerify, flattenedVerify, importJWK } from 'jose'

import { run } from './lib.mjs'

export const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
export const headerText = (jws) => Buffer.from(jws.split('.')[0], 'base64url').toString('utf8')

// The one key of the set with this kid, fitting to the algorithm.
export function jwkOf(jwks, kid, alg) {
  const found = jwks.keys.filter((key) => key.kid === kid)
  assert.equal(found.length, 1, `${found.length} keys of kid ${kid} in the JWKS`)
  const [jwk] = found
  assert.equal(jwk.use, 'sig')
  assert.ok(!['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].some((name) => name in jwk), 'a private member in the JWKS')
  if (jwk.alg !== undefined) assert.equal(jwk.alg, alg)
  return jwk
}

// Returns { header, claims }; throws unless the signature is good under the published key.
export async function verifyCompact(jws, jwks, alg) {
  const { kid } = decode(jws.split('.')[0])
  const key = await importJWK(jwkOf(jwks, kid, alg), alg)
  const { payload, protectedHeader } = await compactVerify(jws, key, { algorithms: [alg] })
  return { header: protectedHeader, claims: JSON.parse(Buffer.from(payload).toString('utf8')) }
}

// A DPoP proof brings its key (RFC 9449 §4.3).
export async function verifyEmbedded(jws, alg) {
  const { jwk } = decode(jws.split('.')[0])
  const { payload, protectedHeader } = await compactVerify(jws, await importJWK(jwk, alg), { algorithms: [alg] })
  return { header: protectedHeader, claims: JSON.parse(Buffer.from(payload).toString('utf8')) }
}

// `crit`: names this verifier understands beyond the registered ones.
export async function verifyDetached(jws, body, jwks, alg, crit = []) {
  const [head, middle, signature] = jws.split('.')
  assert.equal(middle, '', 'detached: nothing in the middle')
  const header = decode(head)
  const key = await importJWK(jwkOf(jwks, header.kid, alg), alg)
  const raw = header.b64 === false
  if (raw && header.crit === undefined) return verifyWithoutCrit({ head, body, signature, header, jwks, alg })
  const options = { algorithms: [alg], crit: Object.fromEntries(crit.map((name) => [name, true])) }
  const payload = raw ? body : Buffer.from(body).toString('base64url')
  await flattenedVerify({ protected: head, payload, signature }, key, options)
  return { header }
}

// b64 false without crit is not RFC 7797, so no library of that RFC takes it (India's ReBIT does):
// the signing input is put together here, and openssl verifies it.
async function verifyWithoutCrit({ head, body, signature, header, jwks, alg }) {
  const input = Buffer.concat([Buffer.from(`${head}.`), Buffer.from(body)])
  const said = await opensslVerify(jwkOf(jwks, header.kid, alg), alg, input, Buffer.from(signature, 'base64url'))
  if (said !== 'Verified OK') throw Object.assign(new Error(said), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
  return { header }
}

// --- openssl -----------------------------------------------------------------------------------

// r || s of JOSE to the SEQUENCE of two INTEGERs that X.509 tools want (RFC 3279 §2.2.3).
export function ecdsaToDer(raw) {
  const integer = (bytes) => {
    let at = 0
    while (at < bytes.length - 1 && bytes[at] === 0) at++
    const value = bytes[at] & 0x80 ? Buffer.concat([Buffer.from([0]), bytes.subarray(at)]) : bytes.subarray(at)
    return Buffer.concat([Buffer.from([2, value.length]), value])
  }
  const half = raw.length / 2
  const content = Buffer.concat([integer(raw.subarray(0, half)), integer(raw.subarray(half))])
  return Buffer.concat([Buffer.from([0x30, content.length]), content])
}

const sigopts = {
  RS256: [],
  PS256: ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32', '-sigopt', 'rsa_mgf1_md:sha256'],
  ES256: [],
}

// Resolves with what openssl says: "Verified OK".
export async function opensslVerify(jwk, alg, input, signature) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-ssl-'))
  try {
    const file = (name, content) => {
      fs.writeFileSync(path.join(folder, name), content)
      return path.join(folder, name)
    }
    const key = file('key.pem', createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))
    const bytes = alg.startsWith('ES') ? ecdsaToDer(signature) : signature
    const args = ['dgst', '-sha256', '-verify', key, ...sigopts[alg], '-signature', file('signature', bytes), file('input', input)]
    const { stdout } = await run('openssl', args).catch((error) => ({ stdout: `${error.stdout}${error.stderr}` }))
    return stdout.trim()
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}
