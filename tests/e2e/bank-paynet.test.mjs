// SPDX-License-Identifier: Apache-2.0
// tests/bank/paynet.mjs, as a bank: what it demands, each refusal by its reason. What is true of it here is what a flow that
// comes to its end has proven.

import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { start } from '../bank/paynet.mjs'
import { customer } from './flow.mjs'
import { generateKeyPair, SignJWT } from './jose.mjs'
import { Sandbox } from './lib.mjs'
import { clientCertificate, refuses, send } from './op-tpp.mjs'
import { finished } from './tls.mjs'

const type = 'urn:openfinance-ml:account-access-consent:v1.2'
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-bank-'))
let box, bank, file, ca, mine, other, stranger
before(async () => {
  box = await Sandbox.up()
  bank = await start(box.dir)
  file = JSON.parse(fs.readFileSync(bank.path))
  ca = fs.readFileSync(file.ca)
  mine = await clientCertificate(box, dir, 'mine')
  other = await clientCertificate(box, dir, 'other', '/O=Somebody else/CN=other.example')
  stranger = await generateKeyPair('PS256')
})
after(async () => {
  await bank?.close()
  await box?.down()
  fs.rmSync(dir, { recursive: true })
})

// --- a TPP with no rules of its own ----------------------------------------------------------

const now = () => Math.floor(Date.now() / 1000)
const post = (endpoint, form, client = mine) =>
  send('POST', `${file.api}/${endpoint}`, { ca, ...client, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: String(new URLSearchParams(form)) })
const assertion = async () => (await box.post('/v1/client-assertion/paynet-assertion', {})).json.parameters
const detail = (values) => ({ type, consent: { consent_id: randomUUID(), consent_purpose: 'pfm', permissions: ['read_accounts'], expiration_datetime: '2098-12-31T23:59:59Z', ...values } })
const claims = (challenge, details = [detail()]) => ({ scope: 'openid accounts', redirect_uri: file.redirect_uri, state: randomUUID(), nonce: randomUUID(), max_age: 3600,
  code_challenge: challenge, authorization_details: details })
const challengeOf = (verifier) => createHash('sha256').update(verifier).digest('base64url')
const requestObject = async (body) => (await box.post('/v1/jar/paynet-jar', body)).json.request
const anyChallenge = challengeOf('any')

// Not by the service's key: what the service would never sign.
const forged = (content, header = {}, key = stranger.privateKey) => new SignJWT(content).setProtectedHeader({ alg: 'PS256', ...header }).sign(key)

// A code, as the customer brings it back, and the verifier that goes with it.
async function authorized(client = mine) {
  const verifier = randomBytes(32).toString('base64url')
  const pushed = await post('par', { ...(await assertion()), request: await requestObject(claims(challengeOf(verifier))) }, client)
  assert.equal(pushed.status, 201, pushed.text)
  const { stdout } = await finished(customer, ['--ca', file.ca, `${new URL(file.well_known).origin}/authorize?client_id=${file.client_id}&request_uri=${encodeURIComponent(pushed.json.request_uri)}`])
  return { request_uri: pushed.json.request_uri, verifier, code: new URL(stdout.trim()).searchParams.get('code') }
}
const redeem = async ({ code, verifier }, { client, ...form } = {}) =>
  post('token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: file.redirect_uri, ...(await assertion()), ...form }, client)
const accounts = (token, client = mine) => send('GET', `${file.api}/accounts`, { ca, ...client, headers: { authorization: `Bearer ${token}` } })

// --- what it demands -------------------------------------------------------------------------

test('the API is for who shows a certificate of the CA, and is not at the customer\'s door', async () => {
  await assert.rejects(post('par', {}, {}), /certificate required|ECONNRESET|socket hang up|EPIPE/)
  assert.equal((await send('POST', `${new URL(file.well_known).origin}/token`, { ca })).status, 404)
  assert.equal((await send('GET', `${file.api}/authorize`, { ca, ...mine })).status, 404)
})

describe('a pushed request', () => {
  test('is signed', async () => {
    await refuses(post('par', { ...(await assertion()), ...claims(anyChallenge), response_type: 'code', code_challenge_method: 'S256', authorization_details: JSON.stringify([detail()]) }),
      400, 'invalid_request', /Request Object must be used/)
  })

  test('is signed by the client', async () => {
    const content = { ...claims(anyChallenge), iss: file.client_id, client_id: file.client_id, aud: file.issuer, response_type: 'code', code_challenge_method: 'S256', nbf: now(), exp: now() + 60 }
    await refuses(post('par', { ...(await assertion()), request: await forged(content) }), 400, 'invalid_request_object', /could not validate Request Object/)
  })

  test('has a client that has authenticated', async () => {
    const request = await requestObject(claims(anyChallenge))
    await refuses(post('par', { client_id: file.client_id, request }), 401, 'invalid_client')
    const content = { iss: file.client_id, sub: file.client_id, aud: file.issuer, jti: randomUUID(), iat: now(), exp: now() + 60 }
    const { client_assertion_type, client_id } = await assertion()
    await refuses(post('par', { client_assertion_type, client_id, client_assertion: await forged(content), request }), 401, 'invalid_client')
  })

  test('takes no assertion that is for its token endpoint', async () => {
    const place = (name) => path.join(box.dir, 'profiles.d', `${name}.yaml`)
    fs.writeFileSync(place('legacy'), fs.readFileSync(place('paynet-assertion'), 'utf8').replace('profile: paynet-assertion', 'profile: legacy').replace(/(audience, value: ).*\}/, `$1"${file.api}/token"}`))
    const { code, stderr } = await box.ctl('reload')
    assert.equal(code, 0, stderr)
    const { parameters } = (await box.post('/v1/client-assertion/legacy', {})).json
    await refuses(post('par', { ...parameters, request: await requestObject(claims(anyChallenge)) }), 401, 'invalid_client')
  })

  test('takes an assertion once', async () => {
    const form = { ...(await assertion()), request: await requestObject(claims(anyChallenge)) }
    assert.equal((await post('par', form)).status, 201)
    await refuses(post('par', form), 401, 'invalid_client')
  })

  for (const [name, values, text] of [
    ['with a permission that there is not', { permissions: ['initiate_payments'] }, /permissions are some of/],
    ['without a permission', { permissions: [] }, /permissions are some of/],
    ['that is over', { expiration_datetime: '2020-01-01T00:00:00Z' }, /not in the future/],
    ['without an id', { consent_id: 'c-1' }, /not a UUID/],
  ]) {
    test(`asks for no consent ${name}`, async () => {
      await refuses(post('par', { ...(await assertion()), request: await requestObject(claims(anyChallenge, [detail(values)])) }), 400, 'invalid_authorization_details', text)
    })
  }
})

describe('a code', () => {
  test('goes with its verifier', async () => {
    await refuses(redeem({ ...(await authorized()), verifier: randomBytes(32).toString('base64url') }), 400, 'invalid_grant')
  })

  test('goes with its redirect URI', async () => {
    await refuses(redeem(await authorized(), { redirect_uri: 'https://tpp.example/another' }), 400, 'invalid_grant')
  })

  test('counts once, and what it gave ends with the second time', async () => {
    const one = await authorized()
    const { json } = await redeem(one)
    assert.equal((await accounts(json.access_token)).status, 200)
    await refuses(redeem(one), 400, 'invalid_grant')
    assert.equal((await accounts(json.access_token)).status, 401)
  })

  test('is got once for each pushed request', async () => {
    const { request_uri } = await authorized()
    const { code, stderr } = await finished(customer, ['--ca', file.ca, `${new URL(file.well_known).origin}/authorize?client_id=${file.client_id}&request_uri=${encodeURIComponent(request_uri)}`])
    assert.equal(code, 1)
    assert.match(stderr, /invalid_request_uri/)
  })
})

test('an access token is for who has the certificate', async () => {
  const { json } = await redeem(await authorized())
  assert.equal((await accounts(json.access_token)).status, 200)
  assert.equal((await accounts(json.access_token, other)).status, 401)
  assert.equal((await accounts('somebody-elses')).status, 401)
})

test('a client of tls_client_auth has the certificate of its subject', async () => {
  const second = JSON.parse(fs.readFileSync(path.join(box.dir, 'paynet-mtls.json')))
  const request = (await box.post('/v1/jar/paynet-mtls-jar', claims(anyChallenge))).json.request
  assert.equal((await post('par', { client_id: second.client_id, request }, mine)).status, 201)
  await refuses(post('par', { client_id: second.client_id, request }, other), 401, 'invalid_client')
})
