// SPDX-License-Identifier: Apache-2.0
// What tests/bank/op.mjs demands of request objects, codes, refresh tokens and exemptions, each refusal by its reason.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { opClaimsCa, opClaimsSca } from './bodies.mjs'
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from './jose.mjs'
import { BankStand, payment, payments, refuses, Tpp } from './op-tpp.mjs'

const stand = new BankStand()
let bank
let tpp

before(async () => {
  await stand.up()
  ;({ bank, tpp } = stand)
})
after(() => stand.down())

describe('request objects', () => {
  // Good but for one thing, signed by a key that the bank takes for the TPP's.
  let intentId
  let key
  let trusted
  before(async () => {
    ;({ authorizationId: intentId } = await tpp.intent(await tpp.clientToken('fundsconfirmations')))
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
    const { tokens } = await tpp.authorized()
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
    const made = await tpp.exemption(refresh_token, body)
    ;({ refresh_token } = made)
    return made
  }
  const grant = async (body) => tpp.token((await next(body)).parameters)
  // The next limits begin at nothing.
  const again = async () => {
    refresh_token = (await tpp.authorized()).tokens.refresh_token
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
