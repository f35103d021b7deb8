// SPDX-License-Identifier: Apache-2.0
// A TPP of the tests against tests/bank/op.mjs: node's https and the service, and no rules of its own. Each method is one
// request, so that a test can send a wrong one.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import https from 'node:https'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

import { start } from '../bank/op.mjs'
import { opPayment } from './bodies.mjs'
import { repository, request, run, Sandbox } from './lib.mjs'
import { makeKey, openssl } from './tls.mjs'

export const funds = '/confirmation-of-funds-psd2/v1'
export const payments = '/payments-psd2/v1/sepa-payments'
const customer = path.join(repository, 'tests/bank/customer')

// A key in a file, with a certificate of the sandbox's CA.
export async function clientCertificate(box, dir, name, subject = '/C=FI/O=Sandbox TPP/organizationIdentifier=PSDFI-FINFSA-12345678/CN=tpp.example') {
  const at = (suffix) => path.join(dir, `${name}.${suffix}`)
  await makeKey(at('key.pem'), 'p-256')
  await openssl('req', '-new', '-key', at('key.pem'), '-subj', subject, '-out', at('csr.pem'))
  fs.writeFileSync(at('ext'), 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = clientAuth\n')
  await openssl('x509', '-req', '-in', at('csr.pem'), '-CA', path.join(box.dir, 'ca.crt.pem'), '-CAkey', path.join(box.dir, 'private/ca.key.pem'),
    '-set_serial', `0x${randomUUID().replaceAll('-', '').slice(0, 30)}`, '-days', '2', '-extfile', at('ext'), '-out', at('crt.pem'))
  return { cert: fs.readFileSync(at('crt.pem')), key: fs.readFileSync(at('key.pem')) }
}

export const payment = (values) =>
  JSON.stringify({ payee: { iban: 'FI1410093000123458', name: 'Shop' }, payer: { iban: 'FI5850009420172322' }, amountEUR: '4.00', message: 'm', ...values })

// `answer` is this refusal.
export async function refuses(answer, status, error, text = /./) {
  const { json, ...got } = await answer
  assert.deepEqual([got.status, json.error], [status, error], JSON.stringify(json))
  assert.match(json.error_description, text)
}

// Resolves with { status, headers, bytes, text, json }; rejects when there is no answer. `tls` has what https.request takes.
export function send(method, url, { headers = {}, body, ...tls }) {
  return new Promise((resolve, reject) => {
    const outgoing = https.request(url, { method, headers, ...tls, agent: false, family: 4 }, (incoming) => {
      const parts = []
      incoming.on('data', (part) => parts.push(part)).on('error', reject)
      incoming.on('end', () => {
        const bytes = Buffer.concat(parts)
        resolve({ status: incoming.statusCode, headers: incoming.headers, bytes, text: String(bytes), protocol: outgoing.socket.getProtocol(), get json() { return JSON.parse(bytes) } })
      })
    })
    outgoing.on('error', reject).end(body)
  })
}

export class Tpp {
  // `bank`: the bank file; `client`: { cert, key } of the TLS client.
  constructor(box, bank, client) {
    Object.assign(this, { box, bank, client, ca: fs.readFileSync(bank.ca) })
    this.secret = fs.readFileSync(bank.client_secret_file, 'utf8')
    this.apiKey = fs.readFileSync(bank.api_key_file, 'utf8')
  }

  send(method, url, { client = this.client, ...more } = {}) {
    return send(method, url, { ca: this.ca, ...client, ...more })
  }

  // Without a client certificate.
  front(url) {
    return this.send('GET', url, { client: {} })
  }

  token(form, { headers = {}, ...more } = {}) {
    const body = String(new URLSearchParams({ client_id: this.bank.client_id, client_secret: this.secret, ...form }))
    return this.send('POST', this.bank.token_endpoint, { body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, ...more })
  }

  async clientToken(scope) {
    return (await this.token({ grant_type: 'client_credentials', scope })).json.access_token
  }

  api(method, target, token, { headers = {}, ...more } = {}) {
    const own = { 'x-api-key': this.apiKey, 'x-fapi-financial-id': this.bank.financial_id, authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const all = { ...own, ...headers }
    return this.send(method, `${this.bank.api}${target}`, { headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)), ...more })
  }

  // What the service answers, which must be a success.
  async service(target, body) {
    const { status, json } = await this.box.post(target, body)
    if (status !== 200) throw new Error(`${target}: ${status} ${JSON.stringify(json)}`)
    return json
  }

  async sign(body) {
    return (await this.service(`/v1/detached-jws/${this.bank.profiles.payment}`, body)).jws
  }

  // `headers`: null takes one away.
  async create(token, body = opPayment, { headers = {} } = {}) {
    const jws = await this.sign(body)
    return this.api('POST', payments, token, { body, headers: { 'x-jws-signature': jws, 'x-idempotency-key': randomUUID(), ...headers } })
  }

  // Of a customer who is present, as the exemption flow wants it.
  get present() {
    return { 'x-fapi-customer-ip-address': '192.0.2.1', 'x-customer-user-agent': 'test', 'x-fapi-customer-last-logged-time': 'Sun, 10 Sep 2017 19:43:31 UTC' }
  }

  // The request object of the service, and what it was made of.
  async jar(profile, authorizationId, more = {}) {
    const own = { response_type: 'code id_token', redirect_uri: this.bank.redirect_uri, state: randomUUID(), nonce: randomUUID(), max_age: 86400 }
    const sent = { ...own, authorizationId, ...more }
    const { parameters } = await this.service(`/v1/jar/${profile}`, sent)
    return { ...sent, parameters }
  }

  url(parameters) {
    return `${this.bank.authorization_endpoint}?${new URLSearchParams(parameters)}`
  }

  // The customer at the bank: the URL at which the browser ends, or ''.
  async visit(parameters, ...options) {
    const { stdout } = await run(customer, ['--ca', this.bank.ca, ...options, this.url(parameters)])
    return stdout.trim()
  }

  // The same in this process, where there are many; the customer consents.
  visitHere(parameters) {
    return createRequire(import.meta.url)(customer).visit(this.url(parameters), { user: '88888881' }, new https.Agent({ ca: this.ca }))
  }

  // The answer in a URL: its parameters, and whether they were in the fragment.
  static answer(url) {
    const { hash, search } = new URL(url)
    return { ...Object.fromEntries(new URLSearchParams(hash === '' ? search : hash.slice(1))), fragment: hash !== '' }
  }

  // From the request object to the tokens: { sent, answer, tokens }, all good.
  async authorize(profile, authorizationId) {
    const sent = await this.jar(profile, authorizationId)
    const answer = Tpp.answer(await this.visitHere(sent.parameters))
    const { status, json: tokens } = await this.token({ grant_type: 'authorization_code', code: answer.code, redirect_uri: this.bank.redirect_uri })
    if (status !== 200) throw new Error(`token endpoint: ${JSON.stringify(tokens)}`)
    return { sent, answer, tokens }
  }

  async jwks(uri) {
    return (await this.front(uri)).json
  }

  async judgeIdToken(profile, values) {
    const { status, json } = await this.box.post(`/v1/verify/id-token/${profile}`, { ...values, jwks: await this.jwks(this.bank.jwks_uri) })
    return { status, ...json }
  }

  async judgeAnswer({ headers, bytes }) {
    const { status, json } = await this.box.post(`/v1/verify/detached-jws/${this.bank.profiles.response}`, {
      jws: headers['x-jws-signature'] ?? '', payload: bytes.toString('base64url'), jwks: await this.jwks(this.bank.response_jwks_uri),
    })
    return { status, ...json }
  }
  // --- steps that go well ---

  async intent(token, iban = 'FI8659986920068681') {
    return (await this.api('POST', `${funds}/authorizations`, token, { body: JSON.stringify({ iban }) })).json
  }

  // As in the document's example.
  submit(token, paymentId, submissionId, more) {
    return this.api('PUT', `${payments}/${paymentId}/submissions/${submissionId}`, token, { headers: { 'x-fapi-financial-id': null }, ...more })
  }

  // A payment that its customer has authorized, with { sent, answer, tokens }.
  async authorized(body) {
    const { json } = await this.create(await this.clientToken('payments'), body)
    return { ...json, ...(await this.authorize('op-jar-pis', json.authorizationId)) }
  }

  // One of the exemption flow: a new payment, the parameters of its assertion, and the tokens it was made with.
  async exemption(refresh_token, body) {
    const { json: tokens } = await this.token({ grant_type: 'refresh_token', refresh_token, scope: 'payments' })
    const { json } = await this.create(tokens.access_token, body, { headers: this.present })
    const claims = { state: 's', nonce: randomUUID(), max_age: 86400, authorizationId: json.authorizationId }
    const { parameters } = await this.service('/v1/grant-assertion/op-exemption', claims)
    return { ...json, parameters, refresh_token: tokens.refresh_token, access_token: tokens.access_token }
  }
}

// A sandbox, the bank in this process, and a TPP: `box`, `bank`, `tpp`, and `dir` for files.
export class BankStand {
  async up() {
    this.box = await Sandbox.up()
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-bank-'))
    this.bank = await start(this.box.dir)
    this.tpp = new Tpp(this.box, JSON.parse(fs.readFileSync(this.bank.path)), await clientCertificate(this.box, this.dir, 'tpp'))
  }

  async down() {
    await this.bank?.close()
    await this.box?.down()
    if (this.dir) fs.rmSync(this.dir, { recursive: true })
  }

  control(method, target, body) {
    return request(this.bank.socket, method, target, { body: body && JSON.stringify(body) })
  }
}
