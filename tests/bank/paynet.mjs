// SPDX-License-Identifier: Apache-2.0
// The PayNet side of the sandbox: npm's oidc-provider behind two listeners, one for the customer's browser and one that
// demands the TPP's certificate, and a layer that lies when it is told to.
//
//   node tests/bank/paynet.mjs DIR [--lie NAME]    until SIGTERM; DIR is a sandbox
//
// In DIR afterwards: paynet.json, what tools/flow must know for the client that authenticates with a signed assertion;
// paynet-mtls.json, the same for the client that does so with its certificate; paynet-control.sock.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { run, Sandbox } from '../e2e/lib.mjs'
import { certificate, Lies, listen, main, open, page, put, secret, Signer, subjectIn } from './lib.mjs'
import { lies as list, signAgain } from './paynet-lies.mjs'
import { accounts, answerAccounts, authorize, byAssertion, byCertificate, providerOf } from './paynet-provider.mjs'

const secondClient = '7d1f9a52-6a1e-4f0b-8a53-2b9f0a4c3e60'

// --- the two registrations -------------------------------------------------------------------

// The second client is another client id to the service, too: its profiles are those of the first but for that.
async function registerSecond(dir, first) {
  const folder = path.join(dir, 'profiles.d')
  let fresh = false
  for (const name of ['jar', 'id-token', 'id-token-refresh']) {
    const file = path.join(folder, `paynet-mtls-${name}.yaml`)
    const text = fs.readFileSync(path.join(folder, `paynet-${name}.yaml`), 'utf8')
    const own = text.replaceAll(first, secondClient).replace(/^profile: paynet-/m, 'profile: paynet-mtls-')
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === own) continue
    put(file, own)
    fresh = true
  }
  const [, bin] = /^QSEAL_BIN=(.*)$/m.exec(fs.readFileSync(path.join(dir, 'env'), 'utf8'))
  if (fresh) await run(path.join(bin, 'qsealctl'), ['--socket', path.join(dir, 'admin.sock'), 'reload'])
}

function bankFile(bank, client_id, auth, prefix) {
  const at = (name) => path.join(bank.dir, name)
  return {
    bank: 'paynet', issuer: bank.issuer, api: bank.api, well_known: `${bank.front}/.well-known/openid-configuration`,
    client_id, auth, redirect_uri: bank.redirectUris[0],
    ca: at('ca.crt.pem'), cert: at('transport.crt.pem'), key: at('transport.key.pem'),
    profiles: {
      jar: `${prefix}-jar`, ...(auth === 'private_key_jwt' && { assertion: `${prefix}-assertion` }),
      id_token: `${prefix}-id-token`, id_token_refresh: `${prefix}-id-token-refresh`,
    },
  }
}

// --- the customer's pages --------------------------------------------------------------------

const show = (ctx, { status, headers, body }) => {
  ctx.status = status
  ctx.set(headers)
  ctx.body = body
}

async function formOf(ctx) {
  const parts = []
  for await (const part of ctx.req) parts.push(part)
  return Object.fromEntries(new URLSearchParams(String(Buffer.concat(parts))))
}

// GET and POST /interaction/…: log in, then consent.
async function interact(bank, ctx) {
  const { provider, consents } = bank
  const { uid, prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res)
  const action = `/interaction/${uid}`
  const finish = async (answer) => ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, answer, { mergeWithLastSubmission: prompt.name === 'consent' }))
  if (prompt.name === 'login') {
    const form = page('Log in', { action, fields: [['username', 'User'], ['password', 'Password']], buttons: [['login', 'Log in']] })
    const { username, password } = ctx.method === 'POST' ? await formOf(ctx) : {}
    if (username === undefined || password !== '1122') return show(ctx, form)
    return finish({ login: { accountId: username } })
  }
  const [detail] = JSON.parse(params.authorization_details)
  const text = `${detail.consent.permissions.join(', ')} until ${detail.consent.expiration_datetime}: ${accounts.map(({ account_name }) => account_name).join(', ')}`
  if (ctx.method !== 'POST') return show(ctx, page('Share your accounts', { action, text, buttons: [['approve', 'Share'], ['deny', 'Do not share']] }))
  const { decision } = await formOf(ctx)
  if (decision !== 'approve') return finish({ error: 'access_denied', error_description: 'User denied the consent' })
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope('openid accounts')
  grant.addResourceScope(bank.api, 'openid accounts')
  grant.addRar(authorize(consents, detail, session.accountId))
  return finish({ consent: { grantId: await grant.save() } })
}

// --- the layer -------------------------------------------------------------------------------

const steps = [
  [/^\/\.well-known\//, 'well-known', 'front'], [/^\/jwks$/, 'jwks', 'front'], [/^\/authorize$/, 'authorize', 'front'],
  [/^\/authorize\/|^\/interaction\//, 'browser', 'front'], [/^\/par$/, 'par', 'api'], [/^\/token$/, 'token', 'api'], [/^\/accounts$/, 'accounts', 'api'],
]

async function work(bank, step, ctx, next) {
  if (ctx.path.startsWith('/interaction/')) return interact(bank, ctx)
  if (step === 'accounts') return answerAccounts(bank.provider, bank.consents, ctx)
  await next()
  if (step === 'jwks') ctx.body = bank.signer.jwks
  // The keys of oidc-provider are those of its start.
  if (step === 'token' && ctx.body.id_token !== undefined && bank.signer.keys.length > 1) signAgain(ctx.body, bank)
}

// Before and after oidc-provider: what it does not do, the ledger, and the lies.
const layer = (bank) => async (ctx, next) => {
  const [, step, door] = steps.find(([pattern]) => pattern.test(ctx.path)) ?? []
  if (step === undefined || door !== ctx.req.door) ctx.throw(404)
  if (door === 'api' && ctx.get('x-fapi-interaction-id')) ctx.set('x-fapi-interaction-id', ctx.get('x-fapi-interaction-id'))
  const early = bank.lies.at(`${step} before`)
  if (early) await early.tell(ctx, bank)
  if (!early || early.goesOn) {
    await work(bank, step, ctx, next)
    const moment = ctx.response.get('location').startsWith(bank.redirectUris[0]) ? 'callback' : step
    // What is not good already is no occasion for a lie.
    const late = ctx.status < 400 && bank.lies.at(`${moment} after`)
    if (late) await late.tell(ctx, bank)
  }
  bank.requests.push({ step, what: `${ctx.method} ${ctx.path}`, status: ctx.respond === false ? 'closed' : ctx.status })
}

// --- the bank --------------------------------------------------------------------------------

const privateJwks = ({ keys }) => ({ keys: keys.map(({ privateKey, kid, jwk }) => ({ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: jwk.alg })) })

async function openDoors(bank) {
  const tls = await certificate(bank.dir, 'paynet-bank')
  const through = (door) => (incoming, response) => bank.handler(Object.assign(incoming, { door }), response)
  const front = await listen(through('front'), tls)
  const api = await listen(through('api'), { ...tls, clients: fs.readFileSync(path.join(bank.dir, 'ca.crt.pem')) })
  Object.assign(bank, { front: front.url, api: api.url })
  return { front, api }
}

// The clients: that of the service's profiles PREFIX-jar and so on, and for PayNet's own the second one. Gives what the TPP is
// told of them, by the name of its file.
async function register(bank, dir, name, prefix) {
  const { client_id } = new Sandbox(dir).bound(`${prefix}-jar`)
  bank.clients = [byAssertion(client_id, bank.redirectUris)]
  const files = { [name]: bankFile(bank, client_id, 'private_key_jwt', prefix) }
  if (prefix !== 'paynet') {
    delete files[name].profiles.id_token_refresh
    return files
  }
  await registerSecond(dir, client_id)
  bank.clients.push(byCertificate(secondClient, bank.redirectUris, subjectIn(path.join(dir, 'transport.crt.pem'))))
  return { ...files, [`${name}-mtls`]: bankFile(bank, secondClient, 'tls_client_auth', 'paynet-mtls') }
}

const shown = ({ accounts: shared, ...consent }) => ({ ...consent, accounts: shared.length })

// `name` is that of its files in DIR: several banks may be beside one sandbox. `prefix` is that of the service's profiles.
export async function start(dir, { lie, name = 'paynet', prefix = 'paynet' } = {}) {
  const { issuer, redirect_uris } = new Sandbox(dir).bound(`${prefix}-jar`)
  const bank = {
    // With two addresses there is none for who sends no good request: they see a page.
    dir, issuer, redirectUris: [...redirect_uris, 'https://tpp.example/another'], consents: new Map(), requests: [], turns: false,
    cookieKey: secret(), lies: new Lies(list), signer: await Signer.create('PS256', 'paynet'),
  }
  const { front, api } = await openDoors(bank)
  bank.keys = privateJwks(bank.signer)
  const { [name]: file, ...others } = await register(bank, dir, name, prefix)
  bank.provider = providerOf(bank)
  bank.provider.use(layer(bank))
  bank.handler = bank.provider.callback()
  const written = Object.entries(others).map(([other, content]) => put(path.join(dir, `${other}.json`), `${JSON.stringify(content, undefined, 2)}\n`))
  return open(dir, name, {
    file,
    lies: bank.lies,
    ledger: () => ({ requests: bank.requests, consents: [...bank.consents.values()].map(shown) }),
    tls: (versions) => api.versions(versions),
    rotate: () => bank.signer.rotate(),
    // Whether each refresh brings another refresh token, and ends the old one.
    turn: (on) => (bank.turns = on),
    async close() {
      for (const other of written) fs.rmSync(other, { force: true })
      await Promise.all([front.close(), api.close()])
    },
  }, lie)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main('paynet', start)
