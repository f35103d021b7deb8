// SPDX-License-Identifier: Apache-2.0
// One caller's greed is its own affair: over its limit it is refused at once, and within its limit
// it makes nobody else wait. Two uids need root; other users have one uid, twice.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'

import { door } from './bodies.mjs'
import { request, Sandbox, seconds, slow, until } from './lib.mjs'

const isRoot = process.getuid() === 0
const workers = 24 // docs/configuration.md, `limits`
const otherUid = 65534
// RSA: the dearest request there is.
const dear = door('fapi2-assertion')

// A caller in a process of its own, which somebody else may run: it reads no file. Keeps so many
// requests in flight until it has had so many answers (0: no end) or its standard input ends, then
// prints what came of them.
const caller = `
const http = require('node:http')
const [socketPath, path, inFlight, times] = process.argv.slice(1)
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(inFlight) })
const result = { waits: [], statuses: {} }
let on = true
process.stdin.on('end', () => { on = false }).resume()
function once() {
  return new Promise((resolve) => {
    const started = process.hrtime.bigint()
    const over = (status) => {
      result.waits.push(Number(process.hrtime.bigint() - started) / 1e6)
      result.statuses[status] = (result.statuses[status] ?? 0) + 1
      resolve()
    }
    const asked = http.request({ socketPath, path, method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': 2 } }, (answer) => {
      answer.resume().on('end', () => over(answer.statusCode)).on('error', (error) => over(error.code))
    })
    asked.on('error', (error) => over(error.code)).end('{}')
  })
}
const ask = async () => { while (on && (times === '0' || result.waits.length < Number(times))) await once() }
Promise.all(Array.from({ length: Number(inFlight) }, ask)).then(() => { agent.destroy(); process.stdin.destroy(); console.log(JSON.stringify(result)) })
`

// `result`: { waits, statuses }, when it has ended.
function start(box, inFlight, { uid, times = 0 } = {}) {
  const node = [process.execPath, '-e', caller, box.socket, dear, String(inFlight), String(times)]
  const [program, ...args] = uid === undefined ? node : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...node]
  const child = spawn(program, args, { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (part) => (text += part))
  const result = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the caller ended with ${code}`))))
  })
  return { result, stop: () => child.stdin.end() }
}

let box
let plain

before(async () => {
  box = await Sandbox.up()
  if (isRoot) fs.chmodSync(box.dir, 0o711)
  plain = fs.readFileSync(box.configPath, 'utf8')
})
after(() => box?.down())

async function configured(change) {
  fs.writeFileSync(box.configPath, change(plain))
  const { code, stderr } = await box.ctl('reload')
  assert.equal(code, 0, stderr)
}

const stranger = `  - {name: quiet, uid: ${otherUid}, profiles: [fapi2-assertion], in_flight: 64, connections: 64}\n`
const withQuiet = (text) => (isRoot ? text.replace(/^administrators:/m, `${stranger}administrators:`) : text)

// Who asked so often, by qseald's count.
async function asked(uid) {
  const { callers } = await box.status()
  return callers.find((row) => row.uid === uid) ?? { asked: 0, in_flight: 0, refused: 0 }
}

// A greedy caller, and, once it is at it, beside it quiet ones (of `uids`) until each has had so
// many answers.
async function beside({ greedy, uids, times }) {
  const first = start(box, greedy)
  try {
    await until('the greedy one is at it', async () => (await asked(process.getuid())).in_flight >= 1)
    const quiet = await Promise.all(uids.map((uid) => start(box, 1, { uid, times }).result))
    first.stop()
    return { quiet, greedy: await first.result }
  } finally {
    first.stop()
  }
}

const others = isRoot ? [otherUid] : [undefined]

describe('one caller does not delay another', () => {
  // Order, not time: while the token stands still, 64 questions of one caller fill the workers and queue up; then another
  // caller asks once. First come, first served would answer it last.
  test('64 in flight of one: the other one\'s turn comes first', { timeout: seconds(100), skip: isRoot ? false : 'two callers need two uids, so root' }, async (t) => {
    await configured(withQuiet)
    await box.ready()
    const order = []
    const ask = (who) => box.post(dear, '{}', { timeout: seconds(30) }).then(({ status }) => order.push(`${who} ${status}`))
    await box.freeze('qseal-tokend-hsm-a')
    const greedy = Array.from({ length: 64 }, () => ask('greedy'))
    try {
      await until('every worker is busy', async () => (await asked(process.getuid())).in_flight === workers)
      process.seteuid(otherUid) // SO_PEERCRED tells who connected
      greedy.push(ask('quiet'))
      process.seteuid(0)
      await until('the other one is connected', async () => (await asked(otherUid)).connections === 1)
    } finally {
      box.signal('qseal-tokend-hsm-a', 'SIGCONT')
    }
    await Promise.all(greedy)
    const before = order.indexOf('quiet 200')
    t.diagnostic(`${before} of 64 were answered before the one of the other`)
    assert.deepEqual([...new Set(order)].sort(), ['greedy 200', 'quiet 200'])
    assert.ok(before < 2 * workers, `${before} of 64 were answered before it`)
  })

  test('one that is over its limit all the time costs the other nothing', { timeout: seconds(100) }, async (t) => {
    await configured((text) => withQuiet(text).replace('in_flight: 256', `in_flight: ${isRoot ? 2 : 256}`))
    const { quiet: [quiet], greedy } = await beside({ greedy: 16, uids: others, times: 60 })
    t.diagnostic(`greedy: ${JSON.stringify(greedy.statuses)}; quiet: ${JSON.stringify(quiet.statuses)}`)
    assert.deepEqual(Object.keys(quiet.statuses), ['200'], JSON.stringify(quiet.statuses))
    if (isRoot) assert.deepEqual(Object.keys(greedy.statuses), ['200', '429'], JSON.stringify(greedy.statuses))
  })
})

describe('requests in flight', () => {
  const limit = 3
  const more = 20
  const room = 'qseal-tokend-hsm-a'

  // Again while refused: an answer may have arrived here and not yet be counted as over there.
  async function admitted() {
    for (;;) {
      const answer = await box.post(dear, '{}')
      if (answer.status !== 429) return answer
    }
  }

  // Asks `more` times over the limit while the token does not move, which keeps what is within the
  // limit in flight; then `body`; then the token moves again. Resolves with the answers within.
  async function overTheLimit(body) {
    let within
    await box.freeze(room)
    try {
      within = Array.from({ length: limit }, admitted)
      await until('the limit is in flight', async () => (await asked(process.getuid())).in_flight === limit)
      const refused = await Promise.all(Array.from({ length: more }, () => box.post(dear, '{}')))
      assert.deepEqual(refused.map(({ status }) => status), Array(more).fill(429))
      await body(refused)
    } finally {
      box.signal(room, 'SIGCONT')
    }
    return Promise.all(within)
  }

  before(() => configured((text) => text.replace('in_flight: 256', `in_flight: ${limit}`)))

  test('over the limit: 429 at once with Retry-After; those within it are answered', { timeout: seconds(60) }, async () => {
    const within = await overTheLimit(async (refused) => {
      for (const answer of refused) {
        assert.equal(answer.headers['content-type'], 'application/problem+json')
        assert.equal(answer.json.type, 'urn:qseal:problem:limit-exceeded')
        assert.equal(answer.headers['retry-after'], '1')
        assert.equal(answer.json.request_id, answer.headers['qseal-request-id'])
        assert.ok(answer.ms < 500 * slow, `it took ${answer.ms} ms`)
      }
      // What needs no token is refused as well: the limit is on requests, not on signatures.
      assert.equal((await box.get('/v1/jwks')).status, 429)
    })
    assert.deepEqual(within.map(({ status }) => status), Array(limit).fill(200))
    assert.equal((await box.post(dear, '{}')).status, 200, 'and it goes on')
  })

  test('over the limit on a kept connection: refused, and the connection is usable', { timeout: seconds(60) }, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const kept = () => request(box.socket, 'POST', dear, { body: '{}', agent })
    const first = await kept()
    assert.equal(first.status, 200)
    await overTheLimit(async () => {
      const answer = await kept()
      assert.equal(answer.status, 429)
      assert.notEqual(answer.headers.connection, 'close')
    })
    assert.equal((await kept()).status, 200)
    agent.destroy()
  })

  test('more connections than allowed: turned away, and the service goes on', { timeout: seconds(60) }, async () => {
    await configured((text) => text.replace('connections: 1024', 'connections: 5'))
    await until('what was open before is closed', async () => (await asked(process.getuid())).connections === 0)
    const open = () =>
      new Promise((resolve) => {
        const socket = net.connect(box.socket)
        socket.closed_ = new Promise((end) => socket.on('close', () => end('closed')).on('error', () => {}))
        socket.on('connect', () => resolve(socket)).resume()
      })
    const sockets = []
    for (let i = 0; i < 5; i++) sockets.push(await open())
    await until('five are connected', async () => (await asked(process.getuid())).connections === 5)
    const sixth = await open()
    assert.equal(await Promise.race([sixth.closed_, until('closed', () => false, seconds(5)).catch(() => 'open')]), 'closed')
    sockets.pop().destroy()
    await until('one may come again', async () => (await box.post(dear, '{}').catch(() => ({}))).status === 200)
    for (const socket of sockets) socket.destroy()
  })
})
