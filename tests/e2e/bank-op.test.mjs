// SPDX-License-Identifier: Apache-2.0
// tests/bank/op.mjs, as a bank: all its ways to the end, and what it demands of who asks and of payments, each refusal by
// its reason. What is true of it here is what a flow that comes to its end has proven.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { opPayment } from './bodies.mjs'
import { FlattenedSign, generateKeyPair } from './jose.mjs'
import { Sandbox, repository, until } from './lib.mjs'
import { BankStand, clientCertificate, funds, payment, payments, refuses, Tpp } from './op-tpp.mjs'
import { Authority } from './tls.mjs'

const stand = new BankStand()
let box
let bank
let tpp

before(async () => {
  await stand.up()
  ;({ box, bank, tpp } = stand)
})
after(() => stand.down())

const ledger = () => bank.op.ledger()

describe('ways to the end', () => {
  test('confirmation of funds', async () => {
    const token = await tpp.clientToken('fundsconfirmations')
    const { authorizationId, status } = await tpp.intent(token)
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
    const pairs = [[paymentId, 'a'], [paymentId, 'a'], [second.json.paymentId, 'b']]
    const done = []
    for (const pair of pairs) done.push(await tpp.submit(tokens.access_token, ...pair))
    assert.deepEqual(done[0].json, done[1].json)
    const looks = []
    for (let i = 0; i < 3; i++) looks.push(await tpp.api('GET', `${payments}/${paymentId}`, tokens.access_token))
    assert.deepEqual(looks.map(({ json }) => json.status), ['Pending', 'Completed', 'Completed'])
    for (const answer of [first, second, bundle, ...done, ...looks]) assert.equal((await tpp.judgeAnswer(answer)).valid, true)
    const { transfers, payments: list } = ledger()
    assert.deepEqual(transfers.map(({ submissionId, amountEUR }) => [submissionId, amountEUR]), [['a', '4.00'], ['b', '7.10']])
    assert.deepEqual(list.find((one) => one.paymentId === paymentId).submissions, { a: 2 })
  })

  test('the exemption, from the refresh token of an earlier payment', async () => {
    const { tokens } = await tpp.authorized()
    const { parameters, paymentId } = await tpp.exemption(tokens.refresh_token, payment())
    const { status, json } = await tpp.token(parameters)
    assert.deepEqual([status, json.scope, 'refresh_token' in json], [200, 'payments', false])
    assert.equal((await tpp.submit(json.access_token, paymentId, '111')).json.status, 'Submitted')
  })

  test('a code without an ID token comes in the query', async () => {
    const { authorizationId } = await tpp.intent(await tpp.clientToken('fundsconfirmations'))
    const { parameters } = await tpp.jar('op-jar-cof', authorizationId, { response_type: 'code' })
    const answer = Tpp.answer(await tpp.visit(parameters))
    assert.deepEqual([answer.fragment, Object.keys(answer)], [false, ['state', 'code', 'fragment']])
  })

  test('both versions of TLS, and one at will', async () => {
    const ask = (tls) => tpp.token({ grant_type: 'client_credentials', scope: 'payments' }, tls)
    assert.equal((await ask()).protocol, 'TLSv1.3')
    assert.equal((await ask({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2')
    await stand.control('PUT', '/tls', { max: '1.2' })
    assert.equal((await ask()).protocol, 'TLSv1.2')
    await stand.control('PUT', '/tls', { min: '1.3' })
    await assert.rejects(ask({ maxVersion: 'TLSv1.2' }), /protocol version/)
    await stand.control('PUT', '/tls', {})
    assert.equal((await ask({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2')
  })

  test('new keys of the bank are beside the old ones', async () => {
    for (const uri of [bank.file.jwks_uri, bank.file.response_jwks_uri]) {
      const old = await tpp.jwks(uri)
      await stand.control('POST', '/rotate')
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
      const answer = await new Tpp(other, read, await clientCertificate(other, stand.dir, 'other')).token({ grant_type: 'client_credentials', scope: 'payments' })
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
    ;({ authorizationId } = await tpp.intent(await tpp.clientToken('fundsconfirmations')))
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
      const { authorizations } = ledger()
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
    const { cert, key } = await (await Authority.create(stand.dir)).issue('stranger', { usage: 'clientAuth' })
    await assert.rejects(tpp.token(form, { client: { cert: fs.readFileSync(cert), key: fs.readFileSync(key) } }), /socket hang up/)
  })
  test('the certificate of another TPP', async () => {
    const client = await clientCertificate(box, stand.dir, 'another', '/C=FI/O=Another TPP/CN=another.example')
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
  test('by a key that the TPP has made a moment ago', async () => {
    const kidOf = async () => JSON.parse(Buffer.from((await tpp.sign(opPayment)).split('.')[0], 'base64url')).kid
    const old = await kidOf()
    assert.equal((await tpp.create(token)).status, 201)
    await box.restartedWith((text) => `${text}limits: {jwks_max_age_s: 1}\n`)
    const { keys } = JSON.parse((await box.ctl('key', 'generate', 'seal-ec', '--json')).stdout)
    assert.equal((await box.ctl('key', 'publish', keys[0].kid)).code, 0)
    await until('it may be activated', async () => (await box.ctl('key', 'activate', keys[0].kid)).code === 0)
    assert.notEqual(await kidOf(), old)
    assert.equal((await tpp.create(token)).status, 201)
  })
  test('no idempotency key', () => refuses(tpp.create(token, undefined, { headers: { 'x-idempotency-key': null } }), 400, 'invalid_request', /x-idempotency-key is missing/))
  test('an idempotency key again', async () => {
    const headers = { 'x-idempotency-key': randomUUID() }
    const answers = [await tpp.create(token, undefined, { headers }), await tpp.create(token, undefined, { headers })]
    assert.deepEqual(answers[0].bytes, answers[1].bytes)
    await refuses(tpp.create(token, payment(), { headers }), 409, 'conflict', /with another body/)
    assert.equal(ledger().payments.find((one) => one.paymentId === answers[0].json.paymentId).orders, 2)
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
    const { authorizationId } = await tpp.authorized()
    await refuses(tpp.create(token, payment({ authorizationId })), 409, 'conflict', /is Authorized/)
  })
  test('submissions', async () => {
    const { paymentId, tokens } = await tpp.authorized()
    const other = await tpp.authorized()
    const open = (await tpp.create(token)).json
    await refuses(tpp.submit(token, paymentId, 'a'), 403, 'insufficient_scope', /tokens of a customer/)
    await refuses(tpp.submit(other.tokens.access_token, paymentId, 'a'), 403, 'insufficient_scope', /of another authorization/)
    await refuses(tpp.submit(tokens.access_token, open.paymentId, 'a'), 403, 'insufficient_scope', /of another authorization/)
    await refuses(tpp.submit(tokens.access_token, paymentId, 'a', { body: '{}' }), 400, 'invalid_request', /no body/)
    await refuses(tpp.submit(tokens.access_token, paymentId, 'a.b'), 400, 'invalid_request', /submissionId has/)
    assert.equal((await tpp.submit(tokens.access_token, paymentId, 'a')).status, 200)
    await refuses(tpp.submit(tokens.access_token, paymentId, 'b'), 409, 'conflict', /under another submissionId/)
    await refuses(tpp.api('DELETE', `${payments}/${paymentId}`, token), 409, 'conflict', /is submitted/)
  })
})
