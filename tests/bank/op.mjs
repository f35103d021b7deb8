// SPDX-License-Identifier: Apache-2.0
// A bank that behaves as OP Financial Group's PSD2 sandbox does in its documents: confirmation of funds, payments
// and the exemption flow. It has the identifiers of the shipped profiles (hsm-config/profiles.d/op-*.yaml), and
// addresses of this machine.
//
//   node tests/bank/op.mjs DIR [--lie NAME]     beside the sandbox in DIR, until SIGTERM
//
// DIR/op.json is what a TPP knows of the bank; DIR/op-control.sock tells it to lie (lib.mjs). Two listeners:
//   the API, mutual TLS                                    op-oauth.mjs (tokens), op-api.mjs (funds, payments)
//   authorization and the JWK Sets, TLS                    op-authorize.mjs
// What the documents leave open is said where it is decided.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { apiRoutes } from './op-api.mjs'
import { authorizeRoutes } from './op-authorize.mjs'
import { lies } from './op-lies.mjs'
import { tokenRoutes } from './op-oauth.mjs'
import { certificate, keysOfTpp, Lies, listen, main, open, put, secret, serveRoutes, Signer, subjectIn } from './lib.mjs'

// The one app of the TPP, as registered.
const app = {
  id: 'cu096Eiii4i2c5CeThpf',
  redirectUris: ['https://localhost:8181/oauth/access_token', 'https://tpp.example/callback'],
}

// The test customers of the documents, and what they own; the IBANs are the documents', too, but for the last.
const customers = {
  88888881: { password: '1122', code: '1122', accounts: ['FI8659986920068681', 'FI4950009420028730', 'FI5850009420172322'] },
  88888882: { password: '1122', code: '1122', accounts: ['FI2112345600000785'] },
}

const profiles = {
  jar_cof: 'op-jar-cof', jar_pis: 'op-jar-pis', exemption: 'op-exemption', payment: 'op-detached',
  id_token_front: 'op-id-token-front', id_token: 'op-id-token', response: 'op-response-jws',
}

// All that the bank knows; in memory, gone with it.
export class Op {
  issuer = 'https://authorize.psd2-sandbox.op.fi'
  audience = 'https://mtls.apis.op.fi'
  financialId = 'test'
  app = { ...app, secret: secret(), apiKey: secret() }
  customers = customers
  intents = new Map() // authorizationId → { id, api, status, customer, … }
  payments = new Map() // paymentId → payment
  tokens = new Map() // access token → { scope, customer?, intent?, refreshable?, until }
  refreshTokens = new Map() // refresh token → { scope, customer, intent, nonce, used, replaces }
  codes = new Map() // authorization code → { intent, jar, used, until }
  visits = new Map() // a customer on the way: id → { jar, intent, customer? }
  assertions = new Set() // digests of those that were used
  sca = new Map() // customer → exemption payments since the last strong authentication: { count, cents }
  frontToken = undefined // the last ID token of a redirection; a liar sends it again
  requests = [] // every request that was answered, in order
  transfers = [] // the money that moved

  constructor(dir) {
    this.lies = new Lies(lies)
    this.tppKeys = keysOfTpp(dir)
    this.subject = subjectIn(path.join(dir, 'transport.crt.pem'))
  }

  ledger() {
    const counted = (payment) => ({ ...payment.content, paymentId: payment.id, authorizationId: payment.intent.id, status: payment.status,
      orders: payment.orders, submissions: Object.fromEntries(payment.submissions) })
    return {
      requests: this.requests,
      authorizations: [...this.intents.values()].map(({ id, api, status, customer = null }) => ({ authorizationId: id, api, status, customer })),
      payments: [...this.payments.values()].map(counted),
      transfers: this.transfers,
    }
  }
}

// `name`: of its files in `dir`, where there are several.
export async function start(dir, { lie, name = 'op' } = {}) {
  const op = new Op(dir)
  // Those of ID tokens and of answers are different sets, as at OP.
  op.oidcKeys = await Signer.create('RS256', 'op-oidc')
  op.paymentKeys = await Signer.create('ES256', 'op-payments')
  const serve = (routes) => serveRoutes({ routes, lies: op.lies, ledger: op.requests })
  const server = await certificate(dir, name)
  const api = await listen(serve([...tokenRoutes(op), ...apiRoutes(op)]), { ...server, clients: fs.readFileSync(path.join(dir, 'ca.crt.pem')) })
  const front = await listen(serve(authorizeRoutes(op)), server)
  const at = (file) => path.join(dir, file)
  const secrets = [put(at(`${name}.client-secret`), op.app.secret, 0o600), put(at(`${name}.api-key`), op.app.apiKey, 0o600)]
  const file = {
    bank: 'op',
    issuer: op.issuer,
    api: api.url,
    token_endpoint: `${api.url}/oauth/token`,
    authorization_endpoint: `${front.url}/oauth/authorize`,
    jwks_uri: `${front.url}/oauth/jwks/PSD2_OIDC`,
    response_jwks_uri: `${front.url}/psd2/sandbox/jwks/payments/jwks.json`,
    client_id: op.app.id,
    client_secret_file: secrets[0],
    api_key_file: secrets[1],
    redirect_uri: op.app.redirectUris[0],
    financial_id: op.financialId,
    ca: at('ca.crt.pem'),
    cert: at('transport.crt.pem'),
    key: at('transport.key.pem'),
    profiles,
  }
  const bank = {
    op,
    file,
    lies: op.lies,
    ledger: () => op.ledger(),
    tls: (versions) => api.versions(versions),
    rotate: () => Promise.all([op.oidcKeys.rotate(), op.paymentKeys.rotate()]),
    async close() {
      for (const one of secrets) fs.rmSync(one, { force: true })
      await Promise.all([api.close(), front.close()])
    },
  }
  return open(dir, name, bank, lie)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main('op', start)
