// SPDX-License-Identifier: Apache-2.0
// What time does: qseald runs under libfaketime, so that a test can move its wall clock, and only that,
// while it works. Jumps stop signatures until they are confirmed or over; keys end with their
// certificate and their cryptoperiod.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, seconds, until } from './lib.mjs'

const hour = 3600
const day = 24 * hour
const years10 = 10 * 365 * day

let box
let offsetFile

// libfaketime reads the file at every look at the clock. Replaced whole: a half-written one is none.
function offset(s) {
  fs.writeFileSync(`${offsetFile}.new`, `${s < 0 ? '-' : '+'}${Math.abs(s)}\n`)
  fs.renameSync(`${offsetFile}.new`, offsetFile)
}

function libfaketime() {
  const folders = fs.readdirSync('/usr/lib').map((name) => path.join('/usr/lib', name, 'faketime/libfaketimeMT.so.1'))
  const found = folders.find((name) => fs.existsSync(name))
  if (found === undefined) throw new Error('libfaketime is not installed (Debian: faketime)')
  return found
}

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

const sign = () => box.post('/v1/client-assertion/fapi2-assertion', '{}')
const claims = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString('utf8'))

// iat of every assertion that is made, in order: it never decreases, unless a person said so.
let lastIat = 0
async function signed() {
  const answer = await sign()
  assert.equal(answer.status, 200, answer.bytes.toString())
  const { iat } = claims(answer.json.client_assertion)
  assert.ok(iat >= lastIat, `iat went back from ${lastIat} to ${iat}`)
  lastIat = iat
  return iat
}

const wall = (s) => Math.floor(Date.now() / 1000) + s
const near = (a, b) => Math.abs(a - b) <= 5 * seconds(1) / 1000

async function assertStopped(jump) {
  const answer = await sign()
  assert.equal(answer.status, 503, answer.bytes.toString())
  assert.equal(answer.json.type, 'urn:qseal:problem:clock-unconfirmed')
  assert.match(answer.json.detail, /the clock has jumped, and nothing is signed until .*qsealctl clock confirm/)
  assert.equal(answer.headers['retry-after'], '30')
  const handshake = await box.post('/v1/tls-signature/transport', Buffer.alloc(130), {
    headers: { 'Content-Type': 'application/octet-stream', 'Qseal-Signature-Scheme': 'ecdsa_secp256r1_sha256' },
  })
  assert.equal(handshake.status, 503)
  assert.equal(handshake.json.type, 'urn:qseal:problem:clock-unconfirmed')
  assert.match(handshake.json.detail, /the clock has jumped, and nothing is signed until .*qsealctl clock confirm/)
  const health = await box.get('/v1/health')
  assert.equal(health.status, 503)
  assert.equal(health.json.status, 'unready')
  assert.equal(health.json.clock, 'unconfirmed')
  const change = await box.ctl('key', 'generate', 'seal')
  assert.equal(change.code, 4)
  assert.match(change.stderr, /clock-unconfirmed: the clock has jumped, and this change would bear its time: confirm it first/)
  const { clock, status } = await box.status()
  assert.equal(status, 'unready')
  assert.equal(clock.trusted, false)
  assert.ok(near((Date.parse(clock.to) - Date.parse(clock.from)) / 1000, jump), JSON.stringify(clock))
  assert.match(await done('status'), /CLOCK NOT CONFIRMED, nothing is signed: it jumped from \S+Z to \S+Z; .*qsealctl clock confirm/)
}

before(async () => {
  box = await Sandbox.up()
  offsetFile = path.join(box.dir, 'offset')
  offset(0)
  Object.assign(box.started.qseald.env, {
    LD_PRELOAD: libfaketime(),
    FAKETIME_TIMESTAMP_FILE: offsetFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
  await box.cycle('qseald')
  await box.ready()
})

after(async () => {
  await box?.down()
})

test('a second more or less does nothing, and iat never decreases', { timeout: seconds(60) }, async () => {
  for (const s of [1, -1, 30, -30, 59, 0]) {
    offset(s)
    await signed()
    await signed()
  }
  assert.equal((await box.get('/v1/health')).json.clock, 'ok')
  const nothing = await box.ctl('clock', 'confirm')
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /the clock has not jumped by more than limits\/clock_jump_s: there is nothing to confirm/)
})

for (const [name, jump] of [['an hour ahead', hour], ['an hour back', -hour], ['ten years ahead', years10]]) {
  test(`${name}: nothing is signed until the clock is back`, { timeout: seconds(60) }, async () => {
    offset(0)
    await signed()
    offset(jump)
    await assertStopped(jump) // the first request after the jump, too
    offset(0)
    await signed()
    assert.equal((await box.get('/v1/health')).json.clock, 'ok')
  })
}

test('a confirmed jump is the new time', { timeout: seconds(60) }, async () => {
  offset(hour)
  await assertStopped(hour)
  const said = await done('clock', 'confirm')
  assert.match(said, /the clock's jump from \S+Z to \S+Z \(3[56]\d\d s\) is accepted; signatures go on/)
  assert.ok(near(await signed(), wall(hour)))
  assert.match(box.logs(), /the clock's jump from \S+Z to \S+Z was confirmed by uid \d+/)
  await box.ready()
  // Where it was before is now an hour back; confirmed, claims follow it.
  offset(0)
  await assertStopped(-hour)
  const result = JSON.parse(await done('clock', 'confirm', '--json'))
  assert.ok(near(result.seconds, -hour))
  lastIat = 0
  assert.ok(near(await signed(), wall(0)))
})

test('under load nothing is signed with a time that was not confirmed', { timeout: seconds(120) }, async () => {
  const load = { stop: false, iats: [], refused: 0, other: [] }
  const caller = async () => {
    while (!load.stop) {
      const answer = await sign()
      if (answer.status === 200) load.iats.push(claims(answer.json.client_assertion).iat)
      else if (answer.json.type === 'urn:qseal:problem:clock-unconfirmed') load.refused += 1
      else load.other.push(answer.bytes.toString())
    }
  }
  offset(0)
  const callers = Promise.all(Array.from({ length: 8 }, caller))
  try {
    for (const jump of [hour, -hour, years10, 2 * 60]) {
      const before = { n: load.iats.length, refused: load.refused }
      await until('signatures', () => load.iats.length > before.n + 20)
      offset(jump)
      await until('refusals', () => load.refused > before.refused + 20)
      offset(0)
    }
  } finally {
    load.stop = true
    await callers
  }
  assert.deepEqual(load.other, [])
  assert.ok(load.iats.every((iat) => near(iat, wall(0)) || (iat < wall(0) && iat > wall(-120))))
})

test('at a start the keyring knows better', { timeout: seconds(60) }, async () => {
  offset(-day)
  await box.cycle('qseald')
  await until('it answers', async () => (await box.get('/v1/health')).json.clock === 'unconfirmed')
  const { clock } = await box.status()
  assert.equal(clock.trusted, false)
  assert.match(box.logs(), /the clock is not believed: it shows \S+Z, and the keyring already knows \S+Z/)
  offset(0)
  await until('a clock set right is believed', async () => (await sign()).status === 200)
  lastIat = 0
  await signed()
})

// --- ends of keys ------------------------------------------------------------------------------

const role = (name) => new RegExp(`(name: ${name}, .*tokens: \\[[^\\]]*\\])[^}]*}`)
const withRole = (name, more) => box.editConfig((text) => text.replace(role(name), `$1${more}}`))

async function warnings(name) {
  return (await box.status()).warnings.filter(({ role }) => role === name)
}

// The clock goes there with a person's consent, where that is needed.
let at = 0
async function moveTo(s) {
  offset(s)
  if (s === at) return
  at = s
  const { code, stderr } = await box.ctl('clock', 'confirm')
  assert.equal(code, 0, stderr)
  lastIat = 0
}

test('across the end of a cryptoperiod', { timeout: seconds(120) }, async () => {
  withRole('seal', ', cryptoperiod_days: 400, warn_days: 20, at_end: warn')
  await done('reload')
  assert.deepEqual(await warnings('seal'), [])
  const lines = (pattern) => (box.logs().match(pattern) ?? []).length

  await moveTo(379 * day)
  assert.deepEqual(await warnings('seal'), [])
  await moveTo(381 * day)
  const [near] = await warnings('seal')
  assert.equal(near.what, 'cryptoperiod')
  assert.equal(near.token, 'hsm-a')
  assert.match(near.detail, /its cryptoperiod ends at \S+Z, in 1[89] days; a custodian activates another key/)
  const said = new RegExp(`key ${near.kid} of role seal in token hsm-a: its cryptoperiod ends at`, 'g')
  await until('a line in the log', () => lines(said) === 1)
  await signed()
  assert.match(await done('key', 'show', near.kid), new RegExp(`^cryptoperiod ${near.ends}$`, 'm'))
  assert.match(await done('status'), new RegExp(`WARNING key ${near.kid} of role seal in token hsm-a: its cryptoperiod ends`))

  await moveTo(401 * day)
  const [past] = await warnings('seal')
  assert.match(past.detail, /its cryptoperiod ended at \S+Z, and the key signs on; /)
  await until('another line', () => lines(new RegExp(`key ${near.kid} .*its cryptoperiod ended at`, 'g')) === 1)
  await signed()
  assert.equal((await box.get('/v1/health')).json.status, 'ready')

  withRole('seal', ', cryptoperiod_days: 400, at_end: stop')
  await done('reload')
  const refused = await sign()
  assert.equal(refused.status, 503)
  assert.equal(refused.json.type, 'urn:qseal:problem:no-active-key')
  assert.match(refused.json.detail, new RegExp(`key ${near.kid} of role seal in token hsm-a signs nothing any more: its cryptoperiod ended at ${past.ends}; a custodian activates another key`))
  assert.equal((await box.get('/v1/health')).json.status, 'degraded') // seal-ec signs
  assert.equal(lines(said), 1)

  // Another key ends it.
  await done('key', 'generate', 'seal')
  const fresh = JSON.parse(await done('key', 'list', '--json')).keys.filter(({ role }) => role === 'seal').at(-1)
  await done('key', 'publish', fresh.kid)
  await moveTo(401 * day + hour) // verifiers have fetched the JWK Set meanwhile
  await done('key', 'activate', fresh.kid)
  await signed()
  assert.deepEqual(await warnings('seal'), [])
})

test('across the end of a certificate', { timeout: seconds(120) }, async () => {
  await moveTo(0)
  const { keys } = JSON.parse(await done('key', 'list', '--json'))
  const key = keys.find(({ role }) => role === 'transport')
  const left = Math.floor((Date.parse(key.not_after) - Date.now()) / 1000)
  withRole('transport', ', warn_days: 10, at_end: warn')
  await done('reload')
  assert.deepEqual(await warnings('transport'), [])
  await moveTo(left - 9 * day)
  const [near] = await warnings('transport')
  assert.equal(near.what, 'certificate')
  assert.equal(near.ends, key.not_after)
  await moveTo(left + hour)
  const [past] = await warnings('transport')
  assert.match(past.detail, /its certificate ended at \S+Z, and the key signs on; a custodian imports a renewed one/)
  assert.equal((await handshake()).status, 200)

  withRole('transport', ', at_end: stop')
  await done('reload')
  const refused = await handshake()
  assert.equal(refused.status, 503)
  assert.match(refused.json.detail, new RegExp(`key ${key.kid} of role transport in token hsm-a signs nothing any more: its certificate ended at ${key.not_after}; a custodian imports a renewed one \\(qsealctl key csr`))
  assert.equal((await box.get('/v1/health')).json.status, 'degraded')
  // It may still ask for its renewal, and the certificate is there to be looked at.
  await done('key', 'csr', 'transport')
  assert.equal((await box.get('/v1/keys/transport/certificate')).status, 200)
  await moveTo(left - hour)
  assert.equal((await handshake()).status, 200)
})

test('a rotation over months, date by date', { timeout: seconds(120) }, async () => {
  const start = 500 * day
  const text = (s) => new Date(wall(s) * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  const states = async () => {
    const { keys } = JSON.parse(await done('key', 'list', '--json'))
    return keys.filter(({ role }) => role === 'seal-ec').map(({ state }) => state)
  }
  const published = async () => (await box.get('/v1/jwks')).json.keys.filter(({ kty }) => kty === 'EC').length
  const become = (...wanted) => until(wanted.join(), async () => (await states()).join() === wanted.join())
  await moveTo(start)
  await done('key', 'generate', 'seal-ec')
  const plan = JSON.parse(await done('rotation', 'apply', 'seal-ec', '--publish-at', text(start + 30 * day), '--activate-at', text(start + 60 * day), '--json'))
  const retirement = (Date.parse(plan.steps.find(({ state }) => state === 'retired').at) - Date.now()) / 1000
  assert.ok(retirement > start + 60 * day)

  await moveTo(start + 30 * day - hour)
  await looked()
  assert.deepEqual(await states(), ['active', 'generated'])
  assert.equal(await published(), 1)
  await moveTo(start + 30 * day + 60)
  await become('active', 'published')
  assert.equal(await published(), 2)
  await moveTo(start + 60 * day - hour)
  await looked()
  assert.deepEqual(await states(), ['active', 'published'])
  await moveTo(start + 60 * day + 60)
  await become('retiring', 'active')
  assert.equal(await published(), 2)
  assert.equal((await box.post('/v1/dpop/dpop', { htm: 'GET', htu: 'https://rs.example/a' })).status, 200)
  await moveTo(Math.floor(retirement) - 60)
  await looked()
  assert.deepEqual(await states(), ['retiring', 'active'])
  await moveTo(Math.floor(retirement) + 60)
  await become('retired', 'active')
  assert.equal(await published(), 1)
  assert.equal((await box.post('/v1/dpop/dpop', { htm: 'GET', htu: 'https://rs.example/a' })).status, 200)
})

// The clock has looked at the time that was moved to: what is due then was taken, and what is not was left.
function looked() {
  const from = wall(at) + 1
  return until('the clock has looked', async () => {
    const last = Date.parse((await box.status()).schedule.looked_at) / 1000
    return last >= from && last <= wall(at) + 1
  })
}

// A CertificateVerify of a TLS 1.3 client (RFC 8446 §4.4.3).
function handshake() {
  const content = Buffer.concat([Buffer.alloc(64, ' '), Buffer.from('TLS 1.3, client CertificateVerify\0'), Buffer.alloc(32, 7)])
  return box.post('/v1/tls-signature/transport', content, {
    headers: { 'Content-Type': 'application/octet-stream', 'Qseal-Signature-Scheme': 'ecdsa_secp256r1_sha256' },
  })
}
