// SPDX-License-Identifier: Apache-2.0
// What the two banks of the sandbox share: certificates of the sandbox's CA, listeners, routes, signing
// keys, lies, the control socket, and how a bank starts and ends. Nothing here knows a flow.

import { createHash, createHmac, createPrivateKey, randomBytes, randomUUID, sign, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import path from 'node:path'

import { createLocalJWKSet, exportJWK, generateKeyPair } from '../e2e/jose.mjs'
import { request } from '../e2e/lib.mjs'
import { Authority } from '../e2e/tls.mjs'

export const now = () => Math.floor(Date.now() / 1000)
export const secret = (bytes = 32) => randomBytes(bytes).toString('base64url')
export const digest = (data) => createHash('sha256').update(data).digest('base64url')

// --- answers ---------------------------------------------------------------------------------

// Thrown by whoever judges a request: becomes {"error","error_description"}, as OAuth has it (RFC 6749 §5.2).
export class Refusal extends Error {
  constructor(status, error, text) {
    super(text)
    Object.assign(this, { status, error })
  }

  get reply() {
    return { status: this.status, body: { error: this.error, error_description: this.message } }
  }
}

export function demand(holds, status, error, text) {
  if (!holds) throw new Refusal(status, error, text)
}

// A form of one button or more; `fields` are [name, label] to be typed in, `hidden` is sent along.
export function page(title, { action, fields = [], hidden = {}, buttons = [], text = '' } = {}, status = 200) {
  const escape = (value) => String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
  const inputs = [
    ...Object.entries(hidden).map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`),
    ...fields.map(([name, label]) => `<label>${escape(label)} <input name="${escape(name)}"></label>`),
    ...buttons.map(([value, label]) => `<button name="decision" value="${escape(value)}">${escape(label)}</button>`),
  ]
  const form = action === undefined ? '' : `<form method="post" action="${escape(action)}">\n${inputs.join('\n')}\n</form>`
  const body = `<!doctype html>\n<title>${escape(title)}</title>\n<h1>${escape(title)}</h1>\n<p>${escape(text)}</p>\n${form}\n`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}

const bodyLimit = 1 << 20

function bodyOf(incoming) {
  return new Promise((resolve, reject) => {
    const parts = []
    let size = 0
    incoming.on('data', (part) => {
      size += part.length
      if (size > bodyLimit) reject(new Refusal(413, 'invalid_request', `the body has more than ${bodyLimit} bytes`))
      else parts.push(part)
    })
    incoming.on('end', () => resolve(Buffer.concat(parts)))
    incoming.on('error', reject)
  })
}

// What a form may have once only, as an object; a doubled parameter is refused (RFC 6749 §3.1).
export function once(parameters) {
  const all = [...parameters]
  const seen = new Set(all.map(([name]) => name))
  demand(seen.size === all.length, 400, 'invalid_request', 'a parameter is there twice')
  return Object.fromEntries(all)
}

// `interaction`: what the other side calls this request; it comes back with the answer.
function send(response, { status, headers = {}, body = '' }, interaction) {
  const plain = typeof body === 'string' || Buffer.isBuffer(body)
  const bytes = plain ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  const all = { ...(!plain && { 'content-type': 'application/json' }), ...(interaction && { 'x-fapi-interaction-id': interaction }), ...headers }
  response.writeHead(status, { 'cache-control': 'no-store', ...all, 'content-length': bytes.length })
  response.end(bytes)
}

// Routes: { step, method, path, act(call) }; `path` has {names}. Each answer is written to the ledger, with the
// lie that is in it. A lie about a step may replace its answer before the work is done ('STEP before') or after it ('STEP after').
export function serveRoutes({ routes, lies, ledger }) {
  const table = routes.map((route) => ({ ...route, pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`) }))

  async function answerTo(incoming) {
    const url = new URL(incoming.url, 'https://localhost')
    const here = table.filter(({ pattern }) => pattern.test(url.pathname))
    const route = here.find(({ method }) => method === incoming.method)
    if (route === undefined) {
      const reply = new Refusal(here.length > 0 ? 405 : 404, 'not_found', 'there is no such resource, or not with this method').reply
      return { reply, entry: { step: 'unknown', what: incoming.method } }
    }
    const told = lies.current?.told
    const call = { step: route.step, incoming, headers: incoming.headers, url, params: route.pattern.exec(url.pathname).groups ?? {} }
    const entry = { step: route.step, what: `${incoming.method} ${route.path}` }
    try {
      call.body = await bodyOf(incoming)
      if (/^application\/x-www-form-urlencoded\b/.test(incoming.headers['content-type'])) call.form = once(new URLSearchParams(String(call.body)))
      // The grants of the token endpoint are steps of their own.
      if (route.stepOf) entry.step = call.step = route.stepOf(call)
      const early = lies.at(`${call.step} before`)
      if (early) return { reply: early.answer(), entry }
      const reply = await route.act(call)
      const late = lies.at(`${call.step} after`)
      return { reply: late ? late.answer(reply) : reply, entry }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { reply: error.reply, entry }
    } finally {
      if (lies.current?.told > told) entry.lie = lies.current.lie.name
    }
  }

  return (incoming, response) => {
    answerTo(incoming)
      .then(({ reply, entry }) => {
        ledger.push({ ...entry, status: reply.close ? 'closed' : reply.status })
        if (reply.close) incoming.socket.destroy()
        else send(response, reply, incoming.headers['x-fapi-interaction-id'])
      })
      .catch((error) => {
        console.error(error)
        send(response, { status: 500, body: { error: 'server_error', error_description: 'a fault of the bank' } })
      })
  }
}

// --- listeners -------------------------------------------------------------------------------

// A server certificate of the sandbox's CA, for localhost.
export async function certificate(dir, name) {
  const authority = new Authority(path.join(dir, 'private'), path.join(dir, 'ca.crt.pem'), path.join(dir, 'private/ca.key.pem'))
  const { cert, key } = await authority.issue(name)
  return { cert: fs.readFileSync(cert), key: fs.readFileSync(key) }
}

// TLS at a port of the kernel's choice. `clients`: the CA in which client certificates must end; undefined where none is wanted.
export async function listen(handler, { cert, key, clients }) {
  const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }
  const trust = clients === undefined ? {} : { ca: clients, requestCert: true, rejectUnauthorized: true }
  const server = https.createServer({ cert, key, ...trust, ...versions }, handler)
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  return {
    url: `https://localhost:${port}`,
    // For connections to come; those that are open are closed.
    versions({ min = '1.2', max = '1.3' }) {
      server.setSecureContext({ cert, key, ...trust, minVersion: `TLSv${min}`, maxVersion: `TLSv${max}` })
      server.closeAllConnections()
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

// Who the client of the connection is, by its certificate: the subject, one RDN a line.
export const subjectOf = (incoming) => incoming.socket.getPeerX509Certificate()?.subject
export const subjectIn = (file) => new X509Certificate(fs.readFileSync(file)).subject

// --- keys ------------------------------------------------------------------------------------

// A key of the bank; after rotate() a new one signs, and both are published.
export class Signer {
  constructor(alg, prefix) {
    Object.assign(this, { alg, prefix, keys: [] })
  }

  static async create(alg, prefix) {
    const signer = new Signer(alg, prefix)
    await signer.rotate()
    return signer
  }

  async rotate() {
    const { publicKey, privateKey } = await generateKeyPair(this.alg, { extractable: true })
    const kid = `${this.prefix}-${secret(6)}`
    const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: this.alg }
    this.keys.push({ kid, jwk, privateKey: createPrivateKey({ key: await exportJWK(privateKey), format: 'jwk' }) })
  }

  get kid() {
    return this.keys.at(-1).kid
  }

  get privateKey() {
    return this.keys.at(-1).privateKey
  }

  get jwks() {
    return { keys: this.keys.map(({ jwk }) => jwk) }
  }
}

const signatures = {
  RS256: (input, key) => sign('sha256', input, key),
  PS256: (input, key) => sign('sha256', input, { key, padding: 6 /* RSA_PKCS1_PSS_PADDING */, saltLength: 32 }),
  ES256: (input, key) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }),
  HS256: (input, key) => createHmac('sha256', key).update(input).digest(),
  none: () => Buffer.alloc(0),
}

// A compact JWS of exactly this header and payload; by hand, since no library makes the wrong ones that a liar needs.
export function compact(header, payload, key) {
  const raw = header.b64 === false
  const head = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.`
  const middle = Buffer.from(payload)
  const input = Buffer.concat([Buffer.from(head), raw ? middle : Buffer.from(middle.toString('base64url'))])
  const signature = signatures[header.alg](input, key).toString('base64url')
  return { head: head.slice(0, -1), payload: middle.toString('base64url'), signature }
}

// The public keys of the TPP, as from its registered jwks_uri: here the service's own door. A copy is good for some
// seconds; an unknown kid is looked for once more.
export function keysOfTpp(dir) {
  const keepFor = 5 // seconds
  let copy
  const fetch = async () => {
    const { status, json } = await request(path.join(dir, 'qseal.sock'), 'GET', '/v1/jwks')
    if (status !== 200) throw new Error(`the TPP's JWK Set: ${status}`)
    copy = { set: createLocalJWKSet(json), at: now() }
  }
  return async (header, token) => {
    if (copy === undefined || now() - copy.at >= keepFor) await fetch()
    try {
      return await copy.set(header, token)
    } catch (error) {
      if (error.code !== 'ERR_JWKS_NO_MATCHING_KEY') throw error
      await fetch()
      return copy.set(header, token)
    }
  }
}

// --- lies ------------------------------------------------------------------------------------

// A bank that is told to lie does so at the lie's own moment, the first `times` times that it comes; all else stays true.
export class Lies {
  constructor(list) {
    this.list = list
  }

  tell(name, times = 1) {
    const lie = this.list.find((one) => one.name === name)
    demand(lie !== undefined, 404, 'unknown_lie', 'GET /lies has those there are')
    demand(Number.isInteger(times) && times > 0, 400, 'invalid_request', 'times is a number from 1')
    this.current = { lie, left: times, told: 0 }
  }

  stop() {
    this.current = undefined
  }

  // The lie to tell at this moment; counted.
  at(moment) {
    const { current } = this
    if (current === undefined || current.left === 0 || current.lie.at !== moment) return undefined
    current.left--
    current.told++
    return current.lie
  }

  get state() {
    return this.current && { lie: this.current.lie.name, left: this.current.left, told: this.current.told }
  }
}

// HTTP on a unix socket: what a test, or a person with curl, tells the bank to do.
//   PUT /lie {"lie","times"}   DELETE /lie   GET /lies   GET /ledger   PUT /tls {"min","max"}   POST /rotate
async function control(file, bank) {
  const acts = {
    'PUT /lie': ({ lie, times }) => bank.lies.tell(lie, times),
    'DELETE /lie': () => bank.lies.stop(),
    'GET /lies': () => ({ lies: bank.lies.list.map(({ name, at, says }) => ({ name, at, says })), current: bank.lies.state }),
    'GET /ledger': () => bank.ledger(),
    'PUT /tls': (versions) => bank.tls(versions),
    'POST /rotate': () => bank.rotate(),
  }
  const server = http.createServer(async (incoming, response) => {
    try {
      const act = acts[`${incoming.method} ${incoming.url}`]
      const body = await bodyOf(incoming)
      demand(act !== undefined, 404, 'not_found', `there are: ${Object.keys(acts).join(', ')}`)
      send(response, { status: 200, body: (await act(body.length > 0 ? JSON.parse(body) : {})) ?? {} })
    } catch (error) {
      send(response, (error instanceof Refusal ? error : new Refusal(400, 'invalid_request', error.message)).reply)
    }
  })
  fs.rmSync(file, { force: true })
  await new Promise((resolve, reject) => server.once('error', reject).listen(file, resolve))
  return server
}

// --- a bank's life ---------------------------------------------------------------------------

// A file that is there as a whole or not at all.
export function put(file, text, mode = 0o644) {
  const fresh = `${file}.${randomUUID()}`
  fs.writeFileSync(fresh, text, { mode })
  fs.renameSync(fresh, file)
  return file
}

// A bank beside the sandbox in `dir`: { file, lies, ledger(), tls(), rotate(), close() }. Its control socket is opened, and
// `file`, what a TPP knows of it, is written to DIR/NAME.json when it listens.
export async function open(dir, name, bank, lie) {
  if (lie !== undefined) bank.lies.tell(lie, Number.MAX_SAFE_INTEGER)
  const socket = path.join(dir, `${name}-control.sock`)
  const server = await control(socket, bank)
  const file = put(path.join(dir, `${name}.json`), `${JSON.stringify(bank.file, undefined, 2)}\n`)
  return {
    ...bank,
    path: file,
    socket,
    async close() {
      fs.rmSync(file, { force: true })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await bank.close()
    },
  }
}

// `node tests/bank/NAME.mjs DIR [--lie NAME]`: until SIGTERM or SIGINT.
export async function main(name, start) {
  const [dir, ...rest] = process.argv.slice(2)
  const lie = rest[0] === '--lie' ? rest[1] : undefined
  if (dir === undefined || (rest.length > 0 && (lie === undefined || rest.length > 2))) {
    console.error(`usage: node tests/bank/${name}.mjs DIR [--lie NAME]`)
    process.exit(2)
  }
  if (!fs.existsSync(path.join(dir, '.qseal-sandbox'))) {
    console.error(`${name}.mjs: ${dir} is not a sandbox; tools/sandbox up ${dir} makes one`)
    process.exit(1)
  }
  try {
    const bank = await start(path.resolve(dir), { lie })
    console.log(`${bank.path}: the bank listens at ${bank.file.api}`)
    const end = () => bank.close().then(() => process.exit(0))
    process.once('SIGTERM', end).once('SIGINT', end)
  } catch (error) {
    console.error(`${name}.mjs: ${error.message}`)
    process.exit(1)
  }
}
