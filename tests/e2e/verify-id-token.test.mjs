// SPDX-License-Identifier: Apache-2.0
// ID tokens of banks, with npm jose as the bank: POST /v1/verify/id-token for every algorithm and
// shipped profile, and the tokens that the OpenID Foundation's conformance suite sends to clients.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { verifying } from './bodies.mjs'
import { bank, bindingOf, claimsFor, freshIdToken, mint, now } from './id-tokens.mjs'
import { Sandbox, seconds, until } from './lib.mjs'

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519']
const door = '/v1/verify/id-token/'
const marker = 'SECRET-SUBJECT'
const base = { nonce: 'n-0S6_WzA2Mj', state: 'af0ifjsldkj', code: 'SplxlOBeZQQYbYS6WxSbIA', access_token: 'SlAV32hkKG' }

let box
const banks = {}
let strict // the binding of the test's own profile

const write = (name, text) => fs.writeFileSync(path.join(box.dir, name), text)

// A profile that wants all there is, under pinned keys of every algorithm.
async function bind() {
  const templates = path.join(box.dir, 'templates')
  fs.mkdirSync(templates)
  write('templates/t-id.yaml', `template: t-id\noperation: verify-id-token\nalgorithms: [${algorithms}]
id_token: {c_hash: required, s_hash: required, at_hash: when-sent, acr_values: ["urn:openbanking:psd2:sca"], response_iss: when-sent}\n`)
  write('bank.json', JSON.stringify({ keys: algorithms.flatMap((alg) => banks[alg].jwks.keys) }))
  write('profiles.d/t-id.yaml', `profile: t-id\ntemplate: t-id\njwks_file: ${box.dir}/bank.json\nissuer: https://as.example\nclient_id: tpp\nmax_age_s: 3600\n`)
  box.editConfig((text) => text.replace(/^templates: \[(.*)\]$/m, `templates: ["${templates}", $1]`))
  await box.cycle('qseald')
  await box.ready()
  strict = bindingOf(box, 't-id')
}

before(async () => {
  for (const alg of algorithms) banks[alg] = await bank(alg, `bank-${alg}`)
  box = await Sandbox.up()
  await bind()
})
after(() => box?.down())

const ask = (profile, body) => box.post(`${door}${profile}`, JSON.stringify(body))

// Asks about a token of good claims, changed so (undefined takes one out).
async function tryClaims(change, sent = {}, header = {}, signer = banks.ES256) {
  const input = { ...base, ...sent }
  const claims = { ...claimsFor(strict, input, signer.alg), sub: marker, ...change }
  return ask('t-id', { ...input, id_token: await mint(signer, claims, header) })
}

function refused(answer, rule, detail) {
  assert.equal(answer.status, 422, answer.bytes.toString())
  assert.equal(answer.json.rule, rule, answer.json.detail)
  assert.match(answer.json.detail, detail)
}

describe('good ones', () => {
  for (const alg of algorithms) {
    test(alg, { timeout: seconds(30) }, async () => {
      const answer = await tryClaims({}, {}, {}, banks[alg])
      assert.equal(answer.status, 200, answer.bytes.toString())
      const { valid, kid, claims } = answer.json
      assert.deepEqual({ valid, alg: answer.json.alg, kid, sub: claims.sub }, { valid: true, alg, kid: `bank-${alg}`, sub: marker })
    })
  }
  for (const profile of Object.keys(verifying).filter((name) => verifying[name] === 'verify-id-token')) {
    test(`the shipped profile ${profile}`, { timeout: seconds(30) }, async () => {
      const { input } = (await box.profiles())[profile]
      const all = { ...base, refresh_token: '8xLOxBtZp8', intent_id: 'i-1', iss: bindingOf(box, profile).issuer }
      const wanted = Object.fromEntries(Object.entries(all).filter(([name]) => input.required.includes(name)))
      const answer = await ask(profile, await freshIdToken(box, profile, wanted))
      assert.equal(answer.status, 200, answer.bytes.toString())
    })
  }
  const controls = {
    'aud as an array (ValidAudAsArray)': [{ aud: ['tpp'] }, {}],
    'no at_hash (NoAtHash)': [{ at_hash: undefined }, { access_token: undefined }],
    'a fraction of a second': [{ exp: now() + 299.5 }, {}],
    'the issuer in the response': [{}, { iss: 'https://as.example' }],
  }
  for (const [name, [claims, sent]] of Object.entries(controls)) {
    test(name, { timeout: seconds(30) }, async () => {
      const answer = await tryClaims(claims, sent)
      assert.equal(answer.status, 200, answer.bytes.toString())
    })
  }
})

describe('refused, by rule', () => {
  const cases = {
    InvalidIss: ['iss', /to the octet/, { iss: 'https://as.example/' }],
    InvalidMissingIss: ['iss', /must be there/, { iss: undefined }],
    InvalidAud: ['aud', /client_id/, { aud: 'other' }],
    InvalidMissingAud: ['aud', /client_id/, { aud: undefined }],
    InvalidSecondaryAud: ['aud', /does not trust/, { aud: ['tpp', 'other'], azp: 'tpp' }],
    'another azp': ['aud', /azp/, { azp: 'other' }],
    InvalidExpiredExp: ['time', /expired/, { exp: now() - 300 }],
    InvalidMissingExp: ['time', /exp must be there/, { exp: undefined }],
    IatIsWeekInPast: ['time', /longer ago/, { iat: now() - 7 * 86400 }],
    InvalidNonce: ['nonce', /not the one/, { nonce: 'other' }],
    InvalidMissingNonce: ['nonce', /not there/, { nonce: undefined }],
    'another acr': ['acr', /one of the profile's/, { acr: 'urn:openbanking:psd2:ca' }],
    'no auth_time': ['auth_time', /not there/, { auth_time: undefined }],
    'an old auth_time': ['auth_time', /longer ago/, { auth_time: now() - 7200 }],
    InvalidSHash: ['hash', /s_hash/, { s_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    InvalidMissingSHash: ['hash', /s_hash is not there/, { s_hash: undefined }],
    InvalidCHash: ['hash', /c_hash/, { c_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    'a wrong at_hash': ['hash', /at_hash/, { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    InvalidAuthorizationResponseIss: ['mixup', /authorization response/, {}, { iss: 'https://evil.example' }],
    'another subject': ['sub', /seen before/, {}, { sub: 'other' }],
    'an access token': ['typ', /"JWT"/, {}, {}, { typ: 'at+jwt' }],
    'kid of nobody': ['key', /no key of the set/, {}, {}, { kid: 'bank-2' }],
    'kid of another curve': ['key', /does not make ES256|"alg" is not/, {}, {}, { kid: 'bank-ES384' }],
  }
  for (const [name, [rule, detail, claims, sent, header]] of Object.entries(cases)) {
    test(name, { timeout: seconds(30) }, async () => refused(await tryClaims(claims, sent, header), rule, detail))
  }

  test('InvalidNullAlg, InvalidAlternateAlg, InvalidSignature', { timeout: seconds(30) }, async () => {
    const good = await mint(banks.ES256, { ...claimsFor(strict, base, 'ES256'), sub: marker })
    const [, payload, signature] = good.split('.')
    const head = (header) => Buffer.from(JSON.stringify(header)).toString('base64url')
    refused(await ask('t-id', { ...base, id_token: `${head({ alg: 'none' })}.${payload}.` }), 'alg', /not one of/)
    refused(await ask('t-id', { ...base, id_token: `${head({ alg: 'PS256', kid: 'bank-ES256' })}.${payload}.${signature}` }), 'key', /"alg" is not the header's/)
    refused(await ask('t-id', { ...base, id_token: `${good.slice(0, -8)}AAAAAAAA` }), 'signature', /does not verify/)
    const fapi = await freshIdToken(box, 'fapi2-id-token', { nonce: 'n', iss: bindingOf(box, 'fapi2-id-token').issuer })
    const other = await bank('RS256')
    refused(await ask('fapi2-id-token', { ...fapi, id_token: await mint(other, {}), jwks: other.jwks }), 'alg', /not one of/)
  })

  test('OP: another intent, and the whole hash of its text', { timeout: seconds(30) }, async () => {
    const sent = { nonce: 'n', state: 's', code: 'c', intent_id: 'i-1' }
    const signer = await bank('RS256')
    const claims = claimsFor(bindingOf(box, 'op-id-token-front'), sent, 'RS256')
    const front = async (change) => ask('op-id-token-front', { ...sent, id_token: await mint(signer, { ...claims, ...change }), jwks: signer.jwks })
    refused(await front({ authorizationId: 'i-2' }), 'intent', /authorizationId/)
    refused(await front({ sub: 'i-2' }), 'intent', /sub/)
    refused(await front({ s_hash: 'BDn3q0KAVYHEqBmCEbXJ6ux_FQ9Awa0WxDcn-ZLMTSo' }), 'hash', /left half/)
  })

  test('what is no request names no rule', async () => {
    for (const [sent, status, claim] of [['{', 400], ['{"nonce":"n"}', 422, '/id_token'], ['{"id_token":"a.b.c","aud":"x"}', 422, '/aud']]) {
      const answer = await box.post(`${door}t-id`, sent)
      assert.equal(answer.status, status, answer.bytes.toString())
      assert.equal(answer.json.claim, claim)
      assert.equal(answer.json.rule, undefined)
    }
    assert.equal((await box.post(`${door}op-response-jws`, '{}')).status, 404)
  })
})

test('the log has refusals by profile, and nothing of what was verified', async () => {
  await until('a refusal is in the log', () => box.logs().includes('verify-id-token t-id'))
  for (const secret of [marker, base.nonce, base.code, base.access_token, Buffer.from(`"sub":"${marker}`).toString('base64url').slice(4, 20)]) assert.ok(!box.logs().includes(secret), secret)
})
