// SPDX-License-Identifier: Apache-2.0
// ID tokens as banks make them, by npm jose.

import './lib.mjs' // Web Crypto on Node 18
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { parse } from 'yaml'

export const now = () => Math.floor(Date.now() / 1000)

// The left half of the digest that goes with the algorithm (OpenID Connect Core §3.1.3.6).
export function halfHash(alg, text) {
  const digest = createHash(alg === 'Ed25519' || alg.endsWith('512') ? 'sha512' : alg.endsWith('384') ? 'sha384' : 'sha256').update(text).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

export async function bank(alg, kid = 'bank-1') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig', alg }] } }
}

export const mint = ({ alg, kid, privateKey }, claims, header = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT', ...header }).sign(privateKey)

export const bindingOf = (box, profile) => parse(fs.readFileSync(path.join(box.dir, 'profiles.d', `${profile}.yaml`), 'utf8'))

// Claims that answer to what the caller will send.
export function claimsFor({ issuer, client_id }, sent, alg) {
  const hashes = { c_hash: sent.code, s_hash: sent.state, at_hash: sent.access_token, rt_hash: sent.refresh_token }
  const hashed = Object.entries(hashes).filter(([, text]) => text !== undefined)
  return {
    iss: issuer,
    sub: sent.intent_id ?? 'user-1',
    aud: client_id,
    iat: now(),
    exp: now() + 300,
    auth_time: now() - 5,
    acr: 'urn:openbanking:psd2:sca',
    ...(sent.nonce && { nonce: sent.nonce }),
    ...(sent.intent_id && { authorizationId: sent.intent_id }),
    ...Object.fromEntries(hashed.map(([name, text]) => [name, halfHash(alg, text)])),
  }
}

// An example with a token in it that is good today, and its keys.
export async function freshIdToken(box, profile, example) {
  const signer = await bank(profile.startsWith('op-') ? 'RS256' : 'PS256')
  const claims = claimsFor(bindingOf(box, profile), example, signer.alg)
  return { ...example, id_token: await mint(signer, claims), jwks: signer.jwks }
}
