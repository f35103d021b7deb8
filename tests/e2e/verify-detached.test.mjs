// SPDX-License-Identifier: Apache-2.0
// What a bank signed, with npm jose as the bank: POST /v1/verify/detached-jws for every algorithm,
// both forms of b64, pinned keys and a caller's; each refusal by its rule, and nothing of it in logs.

import './lib.mjs' // Web Crypto on Node 18
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { exportJWK, FlattenedSign, generateKeyPair } from 'jose'

import { Sandbox, seconds, until } from './lib.mjs'

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519']
const marker = 'SECRET-IBAN-FI4950009420028730'
const body = Buffer.from(`{ "payment": "${marker}",\n "amount": 4.00 }\r\n`)
const door = '/v1/verify/detached-jws/'

let box
const banks = {}

async function bank(alg, kid = 'bank-1') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg }
  return { alg, kid, privateKey, jwks: { keys: [jwk] } }
}

async function sign({ alg, kid, privateKey }, payload = body, header = {}) {
  const { protected: head, signature } = await new FlattenedSign(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  return `${head}..${signature}`
}

const ask = (profile, jws, jwks, payload = body) =>
  box.post(`${door}${profile}`, JSON.stringify({ jws, payload: payload.toString('base64url'), ...(jwks && { jwks }) }))

function good(answer, { alg, kid }) {
  assert.equal(answer.status, 200, answer.bytes.toString())
  assert.deepEqual(answer.json, { valid: true, alg, kid, claims: { payment: marker, amount: 4 } })
}

function refused(answer, rule, detail) {
  assert.equal(answer.status, 422, answer.bytes.toString())
  assert.equal(answer.json.type, 'urn:qseal:problem:rule-refused')
  assert.equal(answer.json.rule, rule)
  assert.match(answer.json.detail, detail)
}

const raw = { b64: false, crit: ['b64'] }
const write = (name, text) => fs.writeFileSync(path.join(box.dir, name), text)

// Profiles of the test's own: every algorithm, each form of b64, a set in a file, one in the binding.
async function bind() {
  const templates = path.join(box.dir, 'templates')
  fs.mkdirSync(templates)
  const names = { 't-b64': 'body-b64', 't-raw': 'body-raw', 't-any': 'either' }
  for (const [name, payload] of Object.entries(names)) {
    write(`templates/${name}.yaml`, `template: ${name}\noperation: verify-detached-jws\nalgorithms: [${algorithms}]\ndetached: {payload: ${payload}}\n`)
    write(`profiles.d/${name}.yaml`, `profile: ${name}\ntemplate: ${name}\njwks_from_caller: true\n`)
  }
  write('bank.json', JSON.stringify(banks.ES256.jwks))
  write('profiles.d/t-file.yaml', `profile: t-file\ntemplate: t-b64\njwks_file: ${box.dir}/bank.json\n`)
  write('profiles.d/t-inline.yaml', `profile: t-inline\ntemplate: t-b64\nalgorithms: [PS256]\njwks: '${JSON.stringify(banks.PS256.jwks)}'\n`)
  box.editConfig((text) => text.replace(/^templates: \[(.*)\]$/m, `templates: ["${templates}", $1]`))
  await box.cycle('qseald')
  await box.ready()
}

before(async () => {
  for (const alg of algorithms) banks[alg] = await bank(alg)
  box = await Sandbox.up()
  await bind()
})
after(() => box?.down())

describe('good ones', () => {
  for (const alg of algorithms) {
    test(`${alg}: b64 true and false, in the set of the caller`, { timeout: seconds(30) }, async () => {
      const plain = await sign(banks[alg])
      good(await ask('t-b64', plain, banks[alg].jwks), banks[alg])
      good(await ask('t-any', plain, banks[alg].jwks), banks[alg])
      const unencoded = await sign(banks[alg], body, raw)
      good(await ask('t-raw', unencoded, banks[alg].jwks), banks[alg])
      good(await ask('t-any', unencoded, banks[alg].jwks), banks[alg])
    })
  }

  test('pinned keys, in a file and in the binding', { timeout: seconds(30) }, async () => {
    good(await ask('t-file', await sign(banks.ES256)), banks.ES256)
    good(await ask('t-inline', await sign(banks.PS256)), banks.PS256)
    // a caller's set is not looked at
    const thief = await bank('ES256')
    good(await ask('t-file', await sign(banks.ES256), thief.jwks), banks.ES256)
    refused(await ask('t-file', await sign(thief), thief.jwks), 'signature', /does not verify/)
  })

  test('the shipped profile of OP, and what the service signed itself', { timeout: seconds(30) }, async () => {
    good(await ask('op-response-jws', await sign(banks.ES256), banks.ES256.jwks), banks.ES256)
    const payment = Buffer.from('{"payee":{"iban":"FI4950009420028730"},"amountEUR":"4.00"}')
    const { json } = await box.post('/v1/detached-jws/op-detached', payment)
    const answer = await ask('op-response-jws', json.jws, (await box.get('/v1/jwks')).json, payment)
    assert.equal(answer.status, 200, answer.bytes.toString())
    assert.deepEqual(answer.json.claims, JSON.parse(payment))
  })

  test('a set that was changed counts after a reload', { timeout: seconds(30) }, async () => {
    const next = await bank('ES256', 'bank-2')
    const jws = await sign(next)
    refused(await ask('t-file', jws), 'key', /no key of the set has this kid/)
    write('bank.json', JSON.stringify({ keys: [...banks.ES256.jwks.keys, ...next.jwks.keys] }))
    assert.equal((await box.ctl('reload')).code, 0)
    good(await ask('t-file', jws), next)
  })
})

describe('refused, by rule', () => {
  const rsa = () => banks.RS256
  const cases = {
    'another octet in the body': ['signature', /does not verify/, async () => ask('t-b64', await sign(banks.ES256), banks.ES256.jwks, Buffer.concat([body, Buffer.from(' ')]))],
    'alg none': ['alg', /not one of/, async () => ask('t-b64', `${Buffer.from('{"alg":"none","kid":"bank-1"}').toString('base64url')}..AA`, banks.ES256.jwks)],
    'an algorithm the profile does not have': ['alg', /not one of/, async () => ask('t-inline', await sign(banks.ES256))],
    'a key of another type': ['key', /rsa-2048 does not make ES256/, async () => ask('t-b64', await sign(banks.ES256), { keys: [{ ...rsa().jwks.keys[0], alg: undefined }] })],
    'another curve': ['key', /p-384 does not make ES256/, async () => ask('t-b64', await sign(banks.ES256), { keys: [{ ...banks.ES384.jwks.keys[0], alg: undefined }] })],
    'a key for encryption': ['key', /"use" is not "sig"/, async () => ask('t-b64', await sign(banks.ES256), { keys: [{ ...banks.ES256.jwks.keys[0], use: 'enc' }] })],
    'no kid': ['key', /must have "kid"/, async () => ask('t-b64', await sign(banks.ES256, body, { kid: undefined }), banks.ES256.jwks)],
    'two keys of one kid': ['key', /two keys of the set/, async () => ask('t-b64', await sign(banks.ES256), { keys: [...banks.ES256.jwks.keys, ...banks.ES384.jwks.keys] })],
    'a key in the header': ['signature', /does not verify/, async () => {
      const thief = await bank('ES256')
      return ask('t-b64', await sign(thief, body, { jwk: thief.jwks.keys[0], jku: 'https://thief.example/jwks' }), banks.ES256.jwks)
    }],
    'b64 false where the profile has it true': ['crit', /may not be false/, async () => ask('t-b64', await sign(banks.ES256, body, raw), banks.ES256.jwks)],
    'b64 true where the profile has it false': ['crit', /must be false/, async () => ask('t-raw', await sign(banks.ES256), banks.ES256.jwks)],
    'a payload between the dots': ['malformed', /nothing between its dots/, async () => ask('t-b64', (await sign(banks.ES256)).replace('..', '.e30.'), banks.ES256.jwks)],
    padding: ['malformed', /not base64url/, async () => ask('t-b64', `${await sign(banks.ES256)}=`, banks.ES256.jwks)],
  }
  for (const [name, [rule, detail, request]] of Object.entries(cases)) {
    test(name, { timeout: seconds(30) }, async () => refused(await request(), rule, detail))
  }

  test('what is no request names no rule', async () => {
    for (const [sent, status, claim] of [
      ['{', 400, undefined],
      ['{"jws":"a..b"}', 422, '/payload'],
      ['{"jws":"a..b","payload":"","jwks":{"keys":[]},"kid":"x"}', 422, '/kid'],
      ['{"jws":"a..b","payload":""}', 422, '/jwks'],
    ]) {
      const answer = await box.post(`${door}t-b64`, sent)
      assert.equal(answer.status, status, answer.bytes.toString())
      assert.equal(answer.json.claim, claim)
      assert.equal(answer.json.rule, undefined)
    }
    assert.equal((await box.post(`${door}t-b64`, '{}', { headers: { 'Content-Type': 'application/jose' } })).status, 415)
    assert.equal((await box.post(`${door}op-detached`, '{}')).status, 404)
    assert.equal((await box.post('/v1/detached-jws/t-b64', '{}')).status, 404)
    assert.equal((await box.get(`${door}t-b64`)).status, 405)
  })
})

test('GET /v1/profiles has the operation and the schema of the body', async () => {
  const profiles = await box.profiles()
  const { operation, algs, input, role } = profiles['op-response-jws']
  assert.deepEqual({ operation, algs, role }, { operation: 'verify-detached-jws', algs: ['RS256', 'ES256'], role: undefined })
  assert.deepEqual(input.required, ['jws', 'payload', 'jwks'])
  assert.deepEqual(profiles['t-file'].input.required, ['jws', 'payload'])
})

test('the log has refusals by profile, and nothing of what was verified', async () => {
  await until('a refusal is in the log', () => box.logs().includes('verify-detached-jws t-b64'))
  assert.ok(!box.logs().includes(marker))
  assert.ok(!box.logs().includes(body.toString('base64url').slice(0, 40)))
})
