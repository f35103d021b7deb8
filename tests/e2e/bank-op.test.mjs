// SPDX-License-Identifier: Apache-2.0
// tests/bank/op.mjs, as a bank: all its ways to the end, and what it demands, each refusal by its reason. What is true of
// it here is what a flow that comes to its end has proven.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { start } from '../bank/op.mjs'
import { opClaimsCa, opClaimsSca, opPayment } from './bodies.mjs'
import { Sandbox, repository, request, until } from './lib.mjs'
import { clientCertificate, funds, payments, Tpp } from './op-tpp.mjs'
import { createLocalJWKSet, exportJWK, FlattenedSign, generateKeyPair, SignJWT } from './jose.mjs'
import { Authority } from './tls.mjs'

let box
let bank
let tpp
let dir

before(async () => {
  box = await Sandbox.up()
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-bank-'))
  bank = await start(box.dir)
  tpp = new Tpp(box, JSON.parse(fs.readFileSync(bank.path)), await clientCertificate(box, dir, 'tpp'))
})

after(async () => {
  await bank?.close()
  await box?.down()
  fs.rmSync(dir, { recursive: true })
})

const control = (method, target, body) => request(bank.socket, method, target, { body: body && JSON.stringify(body) })
const ledger = async () => (await control('GET', '/ledger')).json

// `answer` is this refusal.
async function refuses(answer, status, error, text) {
  const { json, ...got } = await answer
  assert.deepEqual([got.status, json.error], [status, error], JSON.stringify(json))
  assert.match(json.error_description, text)
}

const payment = (values) => JSON.stringify({ payee: { iban: 'FI1410093000123458', name: 'Shop' }, payer: { iban: 'FI5850009420172322' }, amountEUR: '4.00', message: 'm', ...values })
const intent = async (token, iban = 'FI8659986920068681') => (await tpp.api('POST', `${funds}/authorizations`, token, { body: JSON.stringify({ iban }) })).json
const submit = (token, paymentId, submissionId, more) => tpp.api('PUT', `${payments}/${paymentId}/submissions/${submissionId}`, token, { headers: { 'x-fapi-financial-id': null }, ...more })

// A payment that its customer has authorized: { paymentId, tokens }.
async function authorized(body) {
  const { json } = await tpp.create(await tpp.clientToken('payments'), body)
  return { ...json, ...(await tpp.authorize('op-jar-pis', json.authorizationId)) }
}

// One of the exemption flow: { paymentId, authorizationId } of a new payment, and the parameters of the assertion.
async function exemption(refresh_token, body) {
  const { json: tokens } = await tpp.token({ grant_type: 'refresh_token', refresh_token, scope: 'payments' })
  const { json } = await tpp.create(tokens.access_token, body, { headers: tpp.present })
  const { parameters } = await tpp.service('/v1/grant-assertion/op-exemption', { state: 's', nonce: randomUUID(), max_age: 86400, authorizationId: json.authorizationId })
  return { ...json, parameters, refresh_token: tokens.refresh_token, access_token: tokens.access_token }
}

describe('ways to the end', () => {
  test('confirmation of funds', async () => {
    const token = await tpp.clientToken('fundsconfirmations')
    const { authorizationId, status } = await intent(token)
    assert.equal(status, 'Unauthorized')
    const { sent, answer, tokens } = await tpp.authorize('op-jar-cof', authorizationId)
    assert.ok(answer.fragment)
    const common = { nonce: sent.nonce, intent_id: authorizationId }
    const front = await tpp.judgeIdToken('op-id-token-front', { ...common, id_token: answer.id_token, state: sent.state, code: answer.code })
    assert.equal(front.valid, true, JSON.stringify(front))
    const { access_token, refresh_token, id_token } = tokens
    assert.equal((await tpp.judgeIdToken('op-id-token', { ...common, id_token, access_token, refresh_token })).valid, true)
    const ask = async (amountEUR) => (await tpp.api('POST', `${funds}/funds-confirmations`, access_token, { body: JSON.stringify({ amountEUR }) })).json
    assert.deepEqual([await ask('1000.00'), await ask('1000.01')], [{ fundsAvailable: true }, { fundsAvailable: false }])
    assert.equal((await tpp.api('GET', `${funds}/authorizations/${authorizationId}`, token)).json.status, 'Authorized')
    assert.equal((await tpp.api('DELETE', `${funds}/authorizations/${authorizationId}`, token)).status, 204)
    await refuses(tpp.api('POST', `${funds}/funds-confirmations`, access_token, { body: '{"amountEUR":"1.00"}' }), 401, 'invalid_token', /no access token that is good/)
    await refuses(tpp.token({ grant_type: 'refresh_token', refresh_token }), 400, 'invalid_grant', /no such refresh token/)
  })

  test('two payments in one authorization, signed answers, the same submission twice', async () => {
    const token = await tpp.clientToken('payments')
    const first = await tpp.create(token)
    const { authorizationId, paymentId } = first.json
    const second = await tpp.create(token, payment({ authorizationId, amountEUR: '7.10' }))
    assert.equal(second.json.authorizationId, authorizationId)
    const third = await tpp.create(token, payment({ authorizationId }))
    assert.equal((await tpp.api('DELETE', `${payments}/${third.json.paymentId}`, token)).status, 204)
    const bundle = await tpp.api('GET', `/payments-psd2/v1/authorizations/${authorizationId}`, token)
    assert.deepEqual(bundle.json.payments.map((one) => one.amountEUR), ['4.00', '7.10'])
    const { tokens } = await tpp.authorize('op-jar-pis', authorizationId)
    const done = [await submit(tokens.access_token, paymentId, 'a'), await submit(tokens.access_token, paymentId, 'a'), await submit(tokens.access_token, second.json.paymentId, 'b')]
    assert.deepEqual(done[0].json, done[1].json)
    const looks = []
    for (let i = 0; i < 3; i++) looks.push(await tpp.api('GET', `${payments}/${paymentId}`, tokens.access_token))
    assert.deepEqual(looks.map(({ json }) => json.status), ['Pending', 'Completed', 'Completed'])
    for (const answer of [first, second, bundle, ...done, ...looks]) assert.equal((await tpp.judgeAnswer(answer)).valid, true)
    const { transfers, payments: list } = await ledger()
    assert.deepEqual(transfers.map(({ submissionId, amountEUR }) => [submissionId, amountEUR]), [['a', '4.00'], ['b', '7.10']])
    assert.deepEqual(list.find((one) => one.paymentId === paymentId).submissions, { a: 2 })
  })

  test('the exemption, from the refresh token of an earlier payment', async () => {
    const { tokens } = await authorized()
    const { parameters, paymentId } = await exemption(tokens.refresh_token, payment())
    const { status, json } = await tpp.token(parameters)
    assert.deepEqual([status, json.scope, 'refresh_token' in json], [200, 'payments', false])
    assert.equal((await submit(json.access_token, paymentId, '111')).json.status, 'Submitted')
  })

  test('a code without an ID token comes in the query', async () => {
    const { authorizationId } = await intent(await tpp.clientToken('fundsconfirmations'))
    const { parameters } = await tpp.jar('op-jar-cof', authorizationId, { response_type: 'code' })
    const answer = Tpp.answer(await tpp.visit(parameters))
    assert.deepEqual([answer.fragment, Object.keys(answer)], [false, ['state', 'code', 'fragment']])
  })

  test('both versions of TLS, and one at will', async () => {
    const ask = (tls) => tpp.token({ grant_type: 'client_credentials', scope: 'payments' }, tls)
    assert.equal((await ask()).protocol, 'TLSv1.3')
    assert.equal((await ask({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2')
    await control('PUT', '/tls', { max: '1.2' })
    assert.equal((await ask()).protocol, 'TLSv1.2')
    await control('PUT', '/tls', { min: '1.3' })
    await assert.rejects(ask({ maxVersion: 'TLSv1.2' }), /protocol version/)
    await control('PUT', '/tls', {})
    assert.equal((await ask({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2')
  })

  test('new keys of the bank are beside the old ones', async () => {
    for (const uri of [bank.file.jwks_uri, bank.file.response_jwks_uri]) {
      const old = await tpp.jwks(uri)
      await control('POST', '/rotate')
      const { keys } = await tpp.jwks(uri)
      assert.deepEqual(keys.slice(0, -1), old.keys)
      assert.notEqual(keys.at(-1).kid, keys.at(-2).kid)
      assert.ok(keys.every((key) => !('d' in key)))
    }
    const answer = await tpp.create(await tpp.clientToken('payments'))
    assert.equal((await tpp.judgeAnswer(answer)).kid, bank.op.paymentKeys.kid)
  })

  test('as a program: writes its file when it listens, and ends by SIGTERM', async () => {
    const other = await Sandbox.up()
    const file = path.join(other.dir, 'op.json')
    const child = spawn('node', [path.join(repository, 'tests/bank/op.mjs'), other.dir, '--lie', 'client-token-none'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    try {
      await until('the bank file', () => fs.existsSync(file))
      const read = JSON.parse(fs.readFileSync(file))
      for (const name of ['client_secret_file', 'api_key_file']) assert.equal(fs.statSync(read[name]).mode & 0o777, 0o600)
      const answer = await new Tpp(other, read, await clientCertificate(other, dir, 'other')).token({ grant_type: 'client_credentials', scope: 'payments' })
      assert.equal(answer.json.access_token, undefined)
      child.kill()
      assert.equal(await ended, 0)
      for (const name of ['op.json', 'op-control.sock', 'op.api-key']) assert.equal(fs.existsSync(path.join(other.dir, name)), false)
    } finally {
      child.kill('SIGKILL')
      await other.down()
    }
  })
})

describe('the customer', () => {
  let authorizationId
  before(async () => {
    ;({ authorizationId } = await intent(await tpp.clientToken('fundsconfirmations')))
  })
  const goes = async (...options) => {
    const { parameters, state } = await tpp.jar('op-jar-cof', authorizationId)
    return { back: await tpp.visit(parameters, ...options), state }
  }

  test('rejects', async () => {
    const { back, state } = await goes('--deny')
    assert.deepEqual(Tpp.answer(back), { state, error: 'access_denied', fragment: false })
  })
  test('does not own the account', async () => {
    const { back, state } = await goes('--user', '88888882')
    assert.deepEqual(Tpp.answer(back), { state, error: 'access_denied', fragment: false })
  })
  for (const option of ['--nobody', '--wrong-password', '--lose']) {
    test(`${option}: nothing comes back`, async () => {
      assert.equal((await goes(option)).back, '')
      const { authorizations } = await ledger()
      const { status } = authorizations.find((one) => one.authorizationId === authorizationId)
      assert.equal(status, option === '--lose' ? 'Authorized' : 'Unauthorized')
    })
  }
  test('comes for what is authorized', async () => {
    const { back, state } = await goes()
    assert.deepEqual(Tpp.answer(back), { state, error: 'invalid_request', fragment: false })
  })
  test('comes with what is no request', async () => {
    await assert.rejects(tpp.visit({ request: 'x' }), /invalid_request_object: the JWT is not good/)
  })
})

describe('who asks', () => {
  const form = { grant_type: 'client_credentials', scope: 'payments' }
  test('no client certificate', () => assert.rejects(tpp.token(form, { client: {} }), /certificate required/))
  test('no client certificate, TLS 1.2', () => assert.rejects(tpp.token(form, { client: {}, maxVersion: 'TLSv1.2' }), /handshake failure/))
  test('a certificate of another CA', async () => {
    const { cert, key } = await (await Authority.create(dir)).issue('stranger', { usage: 'clientAuth' })
    await assert.rejects(tpp.token(form, { client: { cert: fs.readFileSync(cert), key: fs.readFileSync(key) } }), /socket hang up/)
  })
  test('the certificate of another TPP', async () => {
    const client = await clientCertificate(box, dir, 'another', '/C=FI/O=Another TPP/CN=another.example')
    await refuses(tpp.token(form, { client }), 401, 'invalid_client', /certificate is not that of the registered TPP/)
    await refuses(tpp.api('POST', payments, await tpp.clientToken('payments'), { client, body: opPayment }), 401, 'invalid_client', /certificate is not that/)
  })
  const clientCases = [
    ['another secret', { client_secret: 'x' }, 401, 'invalid_client', /client_id and client_secret/],
    ['another app', { client_id: 'x' }, 401, 'invalid_client', /client_id and client_secret/],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type', /grant_type is one of/],
    ['two scopes', { scope: 'payments fundsconfirmations' }, 400, 'invalid_scope', /scope is one of/],
  ]
  for (const [name, change, ...expected] of clientCases) test(name, () => refuses(tpp.token({ ...form, ...change }), ...expected))
  test('no form', () => refuses(tpp.token(form, { headers: { 'content-type': 'application/json' } }), 400, 'invalid_request', /x-www-form-urlencoded/))
  test('a parameter twice', () => {
    const body = `${new URLSearchParams(form)}&scope=payments`
    return refuses(tpp.token(form, { body }), 400, 'invalid_request', /twice/)
  })

  const apiCases = [
    ['no API key', { 'x-api-key': null }, 401, 'unauthorized', /x-api-key/],
    ['another financial id', { 'x-fapi-financial-id': 'x' }, 400, 'invalid_request', /x-fapi-financial-id is test/],
    ['no token', { authorization: null }, 401, 'invalid_token', /no access token/],
    ['an unknown token', { authorization: 'Bearer x' }, 401, 'invalid_token', /no access token/],
  ]
  for (const [name, headers, ...expected] of apiCases) {
    test(name, async () => refuses(tpp.create(await tpp.clientToken('payments'), undefined, { headers }), ...expected))
  }
  test('a token whose time is over', async () => {
    const token = await tpp.clientToken('payments')
    bank.op.tokens.get(token).until = 0
    await refuses(tpp.create(token), 401, 'invalid_token', /no access token/)
  })
  test('a token for another API', async () => refuses(tpp.create(await tpp.clientToken('fundsconfirmations')), 403, 'insufficient_scope', /not for payments/))
  test('the token of the app in place of the customer', async () => {
    const token = await tpp.clientToken('fundsconfirmations')
    await refuses(tpp.api('POST', `${funds}/funds-confirmations`, token, { body: '{}' }), 403, 'insufficient_scope', /tokens of a customer/)
  })
  test('what there is not', async () => {
    await refuses(tpp.api('GET', '/none', 'x'), 404, 'not_found', /no such resource/)
    await refuses(tpp.api('PATCH', payments, 'x'), 405, 'not_found', /not with this method/)
    await refuses(tpp.api('GET', `${payments}/x`, await tpp.clientToken('payments')), 404, 'not_found', /no such resource/)
  })
})

describe('payments', () => {
  let token
  before(async () => {
    token = await tpp.clientToken('payments')
  })
  const withJws = (jws, body = opPayment) => tpp.create(token, body, { headers: { 'x-jws-signature': jws } })
  const refusesJws = (jws, text) => refuses(withJws(jws), 400, 'invalid_signature', text)

  test('no signature', () => refusesJws(null, /is missing/))
  test('a signature over the same JSON, written otherwise', async () => refusesJws(await tpp.sign(JSON.stringify(JSON.parse(opPayment))), /SIGNATURE_VERIFICATION_FAILED/))
  test('a JWS that is not detached', async () => refusesJws((await tpp.sign(opPayment)).replace('..', '.e30.'), /not a detached JWS/))
  test('by a key that is not the TPP\'s', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    const { kid } = JSON.parse(Buffer.from((await tpp.sign(opPayment)).split('.')[0], 'base64url'))
    const signed = async (header) => {
      const jws = await new FlattenedSign(Buffer.from(opPayment)).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey)
      return `${jws.protected}..${jws.signature}`
    }
    await refusesJws(await signed({ kid }), /SIGNATURE_VERIFICATION_FAILED/)
    await refusesJws(await signed({ kid: 'x' }), /NO_MATCHING_KEY/)
  })
  test('no idempotency key', () => refuses(tpp.create(token, undefined, { headers: { 'x-idempotency-key': null } }), 400, 'invalid_request', /x-idempotency-key is missing/))
  test('an idempotency key again', async () => {
    const headers = { 'x-idempotency-key': randomUUID() }
    const answers = [await tpp.create(token, undefined, { headers }), await tpp.create(token, undefined, { headers })]
    assert.deepEqual(answers[0].bytes, answers[1].bytes)
    await refuses(tpp.create(token, payment(), { headers }), 409, 'conflict', /with another body/)
    assert.equal((await ledger()).payments.find((one) => one.paymentId === answers[0].json.paymentId).orders, 2)
  })
  const bodies = [
    ['an amount without cents', { amountEUR: '4' }, /amountEUR is a text/],
    ['nothing', { amountEUR: '0.00' }, /amountEUR is a text/],
    ['no payee', { payee: { name: 'Shop' } }, /payee has an iban/],
    ['no SEPA payment', { paymentOrder: 'EXPRESS' }, /only SEPA/],
    ['an unknown authorization', { authorizationId: 'x' }, /no such authorizationId/],
  ]
  for (const [name, change, text] of bodies) test(name, () => refuses(tpp.create(token, payment(change)), 400, 'invalid_request', text))
  test('one more in what is authorized', async () => {
    const { authorizationId } = await authorized()
    await refuses(tpp.create(token, payment({ authorizationId })), 409, 'conflict', /is Authorized/)
  })
  test('submissions', async () => {
    const { paymentId, tokens } = await authorized()
    const other = await authorized()
    const open = (await tpp.create(token)).json
    await refuses(submit(token, paymentId, 'a'), 403, 'insufficient_scope', /tokens of a customer/)
    await refuses(submit(other.tokens.access_token, paymentId, 'a'), 403, 'insufficient_scope', /of another authorization/)
    await refuses(submit(tokens.access_token, open.paymentId, 'a'), 403, 'insufficient_scope', /of another authorization/)
    await refuses(submit(tokens.access_token, paymentId, 'a', { body: '{}' }), 400, 'invalid_request', /no body/)
    await refuses(submit(tokens.access_token, paymentId, 'a.b'), 400, 'invalid_request', /submissionId has/)
    assert.equal((await submit(tokens.access_token, paymentId, 'a')).status, 200)
    await refuses(submit(tokens.access_token, paymentId, 'b'), 409, 'conflict', /under another submissionId/)
    await refuses(tpp.api('DELETE', `${payments}/${paymentId}`, token), 409, 'conflict', /is submitted/)
  })
})

describe('request objects', () => {
  // Good but for one thing, signed by a key that the bank takes for the TPP's.
  let intentId
  let key
  let trusted
  before(async () => {
    ;({ authorizationId: intentId } = await intent(await tpp.clientToken('fundsconfirmations')))
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    key = privateKey
    trusted = bank.op.tppKeys
    bank.op.tppKeys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
  })
  after(() => {
    bank.op.tppKeys = trusted
  })

  const now = Math.floor(Date.now() / 1000)
  const good = () => ({
    aud: 'https://mtls.apis.op.fi', iss: bank.file.client_id, client_id: bank.file.client_id, response_type: 'code id_token', redirect_uri: bank.file.redirect_uri,
    scope: 'openid fundsconfirmations', state: 's', nonce: 'n', max_age: 86400, iat: now, exp: now + 900, claims: opClaimsSca(intentId),
  })
  const asks = async (change = {}, { query = {}, header = {} } = {}) => {
    const { response_type, client_id, scope, ...rest } = { ...good(), ...change }
    const request = await new SignJWT({ response_type, client_id, scope, ...rest }).setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: 'k', ...header }).sign(key)
    return tpp.front(tpp.url({ request, response_type, client_id, scope, ...query }))
  }

  test('is good, and the bank shows its page', async () => assert.match((await asks()).text, /Log in/))
  const cases = [
    ['another audience', { aud: 'https://authorize.psd2-sandbox.op.fi' }, {}, /aud of the JWT/],
    ['another issuer', { iss: 'x' }, {}, /iss of the JWT/],
    ['another client', { client_id: 'x' }, {}, /client_id of the JWT/],
    ['a redirect_uri that is not registered', { redirect_uri: 'https://evil.example/' }, {}, /redirect_uri is not registered/],
    ['another response type', { response_type: 'token' }, {}, /response_type is code/],
    ['two APIs', { scope: 'openid payments fundsconfirmations' }, {}, /scope is openid and one of/],
    ['the scope of another API', { scope: 'openid payments' }, {}, /not of the API that scope names/],
    ['state of other characters', { state: 'a b' }, {}, /base64url alphabet/],
    ['no nonce', { nonce: undefined }, {}, /nonce is missing/],
    ['max_age as a text', { max_age: '86400' }, {}, /max_age is a number/],
    ['no exp', { exp: undefined }, {}, /exp and iat are numbers/],
    ['over', { iat: now - 900, exp: now - 100 }, {}, /not of this hour/],
    ['to come', { iat: now + 300 }, {}, /not of this hour/],
    ['for a day', { exp: now + 86400 }, {}, /not of this hour/],
    ['an unknown intent', { claims: opClaimsSca('x') }, {}, /no such authorizationId/],
    ['the acr of an exemption', () => ({ claims: opClaimsCa(intentId) }), {}, /claims is not what it should be/],
    ['two intents', () => ({ claims: { ...opClaimsSca(intentId), userinfo: opClaimsSca('x').userinfo } }), {}, /claims is not what it should be/],
    ['another typ', {}, { header: { typ: 'oauth-authz-req+jwt' } }, /typ of the JWT is always JWT/],
    ['an unknown kid', {}, { header: { kid: 'x' } }, /NO_MATCHING_KEY/],
    ['another scope in the query', {}, { query: { scope: 'openid payments' } }, /scope of the query is not that/],
    ['another response type in the query', {}, { query: { response_type: 'code' } }, /response_type of the query is not that/],
    ['another client in the query', {}, { query: { client_id: 'x' } }, /client_id of the query is not that/],
  ]
  for (const [name, change, more, text] of cases) {
    test(name, async () => {
      const { status, text: shown, headers } = await asks(typeof change === 'function' ? change() : change, more)
      assert.deepEqual([status, headers.location], [400, undefined])
      assert.match(shown, text)
    })
  }
})

describe('grants', () => {
  const spend = (code, redirect_uri = bank.file.redirect_uri) => tpp.token({ grant_type: 'authorization_code', code, redirect_uri })
  async function code() {
    const { json } = await tpp.create(await tpp.clientToken('payments'))
    return Tpp.answer(await tpp.visit((await tpp.jar('op-jar-pis', json.authorizationId)).parameters)).code
  }

  test('an unknown code', () => refuses(spend('x'), 400, 'invalid_grant', /no such code/))
  test('a code for another redirect_uri', async () => refuses(spend(await code(), bank.op.app.redirectUris[1]), 400, 'invalid_grant', /redirect_uri is not that/))
  test('a code whose time is over', async () => {
    const text = await code()
    bank.op.codes.get(text).until = 0
    await refuses(spend(text), 400, 'invalid_grant', /its time is over/)
  })
  test('a code twice: what was given for it is taken back', async () => {
    const text = await code()
    const { json } = await spend(text)
    await refuses(spend(text), 400, 'invalid_grant', /used before/)
    await refuses(tpp.api('GET', `${payments}/x`, json.access_token), 401, 'invalid_token', /no access token/)
    await refuses(tpp.token({ grant_type: 'refresh_token', refresh_token: json.refresh_token }), 400, 'invalid_grant', /no such refresh token/)
  })
  test('a refresh token is good until the next one is used', async () => {
    const refresh = (refresh_token, scope) => tpp.token({ grant_type: 'refresh_token', refresh_token, ...(scope && { scope }) })
    const { tokens } = await authorized()
    const second = (await refresh(tokens.refresh_token)).json
    assert.ok('id_token' in second)
    assert.equal((await refresh(tokens.refresh_token, 'payments')).status, 200)
    assert.equal((await refresh(second.refresh_token)).status, 200)
    await refuses(refresh(tokens.refresh_token), 400, 'invalid_grant', /no such refresh token/)
    await refuses(refresh(second.refresh_token, 'openid fundsconfirmations'), 400, 'invalid_scope', /more than was granted/)
  })
})

describe('exemptions', () => {
  let refresh_token
  const next = async (body) => {
    const made = await exemption(refresh_token, body)
    ;({ refresh_token } = made)
    return made
  }
  const grant = async (body) => tpp.token((await next(body)).parameters)
  // The next limits begin at nothing.
  const again = async () => {
    refresh_token = (await authorized()).tokens.refresh_token
  }
  before(again)

  test('30 EUR', () => refuses(grant(payment({ amountEUR: '30.00' })), 400, 'invalid_grant', /not less than 30 EUR/))
  test('between two accounts of the customer there is no limit', async () => {
    assert.equal((await grant(payment({ amountEUR: '500.00', payee: { iban: 'FI4950009420028730', name: 'Me' } }))).status, 200)
  })
  test('the account of somebody else', () => refuses(grant(payment({ payer: { iban: 'FI2112345600000785' } })), 400, 'invalid_grant', /not owned by the customer/))
  test('five payments, and then none', async () => {
    for (let i = 0; i < 5; i++) assert.equal((await grant(payment({ amountEUR: '1.00' }))).status, 200)
    await refuses(grant(payment({ amountEUR: '1.00' })), 400, 'invalid_grant', /five exemption payments/)
    await again()
    assert.equal((await grant(payment({ amountEUR: '1.00' }))).status, 200)
  })
  test('less than 100 EUR in sum', async () => {
    await again()
    for (let i = 0; i < 3; i++) assert.equal((await grant(payment({ amountEUR: '29.99' }))).status, 200)
    await refuses(grant(payment({ amountEUR: '10.03' })), 400, 'invalid_grant', /sum since the last strong authentication/)
    assert.equal((await grant(payment({ amountEUR: '10.02' }))).status, 200)
  })
  test('an assertion twice', async () => {
    await again()
    const { parameters } = await next(payment())
    assert.equal((await tpp.token(parameters)).status, 200)
    await refuses(tpp.token(parameters), 400, 'invalid_grant', /is Authorized|used before/)
  })
  test('an assertion for a payment of the default flow', async () => {
    const { json } = await tpp.create(await tpp.clientToken('payments'))
    const { parameters } = await tpp.service('/v1/grant-assertion/op-exemption', { state: 's', nonce: 'n', max_age: 1, authorizationId: json.authorizationId })
    await refuses(tpp.token(parameters), 400, 'invalid_grant', /created with a token of its customer/)
  })
  test('what the token endpoint wants beside it', async () => {
    const { parameters } = await next(payment())
    await refuses(tpp.token({ ...parameters, response_type: 'code' }), 400, 'invalid_request', /response_type is token/)
    await refuses(tpp.token({ ...parameters, assertion: 'x' }), 400, 'invalid_grant', /the JWT is not good/)
  })
  test('no bundle, and only when the customer is there', async () => {
    const { access_token, authorizationId } = await next(payment())
    await refuses(tpp.create(access_token, payment({ authorizationId }), { headers: tpp.present }), 400, 'invalid_request', /not bundled/)
    await refuses(tpp.create(access_token, payment()), 400, 'invalid_request', /x-fapi-customer-ip-address is missing/)
  })
})
