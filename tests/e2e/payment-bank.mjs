// SPDX-License-Identifier: Apache-2.0
// A small bank: mutual TLS, a pushed authorization request with a signed request object and a client assertion, a payment
// order with a detached JWS, and an answer with one. It verifies by npm jose, with the keys that the service publishes.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import https from 'node:https'

import { FlattenedSign } from 'jose'

import { bank as signer } from './id-tokens.mjs'
import { verifyCompact, verifyDetached } from './verify.mjs'

const clientId = 'tpp-client-1'
const issuer = 'https://as.bank.example' // what the sandbox's profiles are bound to
const answerText = '{"status":"booked", "paymentId":"p-1"}'

export class PaymentBank {
  #seen = []
  #lie = {}

  // `server`: { cert, key } of the authority that the sandbox's clients believe.
  static async start(box, server) {
    const bank = new PaymentBank()
    Object.assign(bank, { box, keys: await signer('ES256') })
    const files = { cert: fs.readFileSync(server.cert), key: fs.readFileSync(server.key), ca: fs.readFileSync(box.transport.ca) }
    bank.server = https.createServer({ ...files, requestCert: true, rejectUnauthorized: true }, (request, response) =>
      bank.#answer(request).then(
        ([status, body, headers = {}]) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body),
        (error) => response.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: error.message })),
      ))
    await new Promise((resolve) => bank.server.listen(0, '127.0.0.1', resolve))
    bank.port = bank.server.address().port
    return bank
  }

  end() {
    this.server.closeAllConnections()
    return new Promise((resolve) => this.server.close(resolve))
  }

  // How much it has seen; or what it saw since then.
  seen(since) {
    return since === undefined ? this.#seen.length : this.#seen.slice(since)
  }

  // Meanwhile answers are signed over `change(body)`, or by another key.
  async lying(lie, use) {
    this.#lie = lie
    try {
      return await use()
    } finally {
      this.#lie = {}
    }
  }

  async #answer(request) {
    const parts = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts)
    const { json: jwks } = await this.box.get('/v1/jwks')
    switch (`${request.method} ${request.url}`) {
      case 'POST /par':
        return this.#push(new URLSearchParams(body.toString()), jwks)
      case 'POST /payments':
        return this.#pay(body, request.headers['x-jws-signature'], jwks)
      case 'GET /jwks.json':
        return [200, JSON.stringify(this.keys.jwks)]
      default:
        return [404, '{}']
    }
  }

  async #push(form, jwks) {
    const assertion = await verifyCompact(form.get('client_assertion'), jwks, 'PS256')
    assert.deepEqual([assertion.claims.iss, assertion.claims.sub, assertion.claims.aud], [clientId, clientId, issuer])
    const { claims } = await verifyCompact(form.get('request'), jwks, 'PS256')
    assert.deepEqual([claims.client_id, claims.aud, form.get('client_id')], [clientId, issuer, clientId])
    this.#seen.push(`PAR of ${clientId}`)
    return [201, '{"request_uri":"urn:bank:1","expires_in":60}']
  }

  async #pay(body, signature, jwks) {
    await verifyDetached(signature, body, jwks, 'ES256')
    this.#seen.push(`order of ${JSON.parse(body).amountEUR}`)
    const { change = (text) => text, privateKey = this.keys.privateKey } = this.#lie
    const jws = await new FlattenedSign(Buffer.from(change(answerText))).setProtectedHeader({ alg: 'ES256', kid: this.keys.kid }).sign(privateKey)
    return [201, answerText, { 'x-jws-signature': `${jws.protected}..${jws.signature}` }]
  }
}
