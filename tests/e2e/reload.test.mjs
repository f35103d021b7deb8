// SPDX-License-Identifier: Apache-2.0
// A reload loses no request, and says what every room runs with and which of them must be restarted
// for what it could not change.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, test } from 'node:test'

import { compactVerify, createLocalJWKSet } from 'jose'

import { Sandbox, seconds, until } from './lib.mjs'

const callers = 16
const reloads = 20

let box
before(async () => {
  box = await Sandbox.up('--tokens', '2')
})
after(() => box?.down())

async function reload() {
  const { code, stdout, stderr } = await box.ctl('reload', '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

const roomOf = ({ rooms }, name) => rooms.find(({ room }) => room === name)

test(`${reloads} reloads under ${callers} callers: no request fails`, { timeout: seconds(120) }, async (t) => {
  const keys = createLocalJWKSet((await box.get('/v1/jwks')).json)
  const signed = async () => (await box.status()).callers[0].signed
  const before = await signed()
  const seen = { asked: 0, verified: 0, failures: [], stop: false }
  const caller = async () => {
    while (!seen.stop) {
      seen.asked++
      try {
        const { status, json, bytes } = await box.post('/v1/client-assertion/fapi2-assertion', '{}')
        assert.equal(status, 200, bytes.toString())
        await compactVerify(json.client_assertion, keys)
        seen.verified++
      } catch (error) {
        seen.failures.push(error.message)
      }
    }
  }
  const ended = Promise.all(Array.from({ length: callers }, caller))
  const generations = []
  try {
    for (let i = 0; i < reloads; i++) {
      // Each one reads another configuration, and has requests before and behind it.
      box.editConfig((text) => (i % 2 === 0 ? text.replace('in_flight: 256', 'in_flight: 255') : text.replace('in_flight: 255', 'in_flight: 256')))
      generations.push((await reload()).generation)
      const from = seen.verified
      await until('signatures go on', () => seen.verified >= from + callers || seen.failures.length > 0)
    }
  } finally {
    seen.stop = true
    await ended
  }
  t.diagnostic(`${seen.asked} asked, ${seen.verified} verified, ${seen.failures.length} failed, ${reloads} reloads`)
  assert.deepEqual(seen.failures, [])
  assert.equal(seen.verified, seen.asked)
  assert.equal((await signed()) - before, seen.verified)
  assert.deepEqual(generations, generations.map((_, i) => generations[0] + i))
})

test('every room says what it runs with', async () => {
  const { generation, keyring_generation: keyring, rooms } = await reload()
  assert.deepEqual(rooms.map(({ room, unit, state }) => [room, unit, state]), [
    ['qseald', 'qseald', 'ready'],
    ['httpd', 'qseal-httpd', 'connected'],
    ['tokend hsm-a', 'qseal-tokend@hsm-a', 'ready'],
    ['tokend hsm-b', 'qseal-tokend@hsm-b', 'ready'],
  ])
  assert.deepEqual([rooms[0].generation, rooms[0].keyring_generation], [generation, keyring])
  const { version } = await box.status()
  for (const room of rooms) {
    assert.equal(room.version, version)
    assert.ok(Date.parse(room.started) <= Date.now())
    assert.deepEqual(room.restart, [])
  }
  assert.deepEqual((await box.status()).rooms, rooms)
})

test('what a reload cannot change is said with the unit to restart', { timeout: seconds(60) }, async () => {
  const before = box.editConfig((text) =>
    `${text.replace(/(state: "[^"]*\/hsm-a")/, '$1\n    sessions: 4\n    mechanisms: token-hash')}limits: {head_ms: 3000, jwks_max_age_s: 200}\n`)
  const text = (await box.ctl('reload')).stdout
  assert.match(text, /^generation \d+ is in force, keyring generation \d+$/m)
  assert.match(text, /^qseald: ready, version \S+, since 20\S+\n {2}restart qseald to take the new limits\/head_ms: 3000\nhttpd/m)
  assert.match(text, /^tokend hsm-a: .*\n {2}restart qseal-tokend@hsm-a to take the new sessions: 4\n {2}restart qseal-tokend@hsm-a to take the new mechanisms: token-hash\ntokend hsm-b/m)
  assert.match((await box.ctl('status')).stdout, /^ {2}restart qseal-tokend@hsm-a to take the new sessions: 4$/m)
  // In force at once:
  assert.match((await box.get('/v1/jwks')).headers['cache-control'], /max-age=200/)

  await box.cycle('qseal-tokend-hsm-a')
  await until('hsm-a runs with what the file says', async () => roomOf(await box.status(), 'tokend hsm-a').restart?.length === 0)
  assert.equal((await box.status()).tokens[0].sessions, 4)
  await box.cycle('qseald')
  await box.ready()
  assert.deepEqual(roomOf(await box.status(), 'qseald').restart, [])

  fs.writeFileSync(box.configPath, before)
  assert.deepEqual(roomOf(await reload(), 'tokend hsm-a').restart, ['sessions: 8', 'mechanisms: auto'])
  await box.cycle('qseal-tokend-hsm-a')
  await box.cycle('qseald')
  await box.ready()
})

test('of a room that is away nothing is made up', { timeout: seconds(60) }, async () => {
  await box.kill('qseal-tokend-hsm-b')
  const away = await until('hsm-b is known to be down', async () => {
    const room = roomOf(await reload(), 'tokend hsm-b')
    return room.state === 'down' && room
  })
  assert.deepEqual(Object.keys(away), ['room', 'unit', 'state', 'detail'])
  assert.match((await box.ctl('reload')).stdout, /^tokend hsm-b: down, nobody says what it runs with: .*hsm-b/m)
  box.restart('qseal-tokend-hsm-b')
  await box.ready()
  const started = roomOf(await reload(), 'httpd').started
  await box.kill('qseal-httpd', 'SIGTERM')
  const none = await until('httpd is known to be away', async () => {
    const room = roomOf(await reload(), 'httpd')
    return room.state === 'absent' && room
  })
  assert.deepEqual(none, { room: 'httpd', unit: 'qseal-httpd', state: 'absent', detail: 'it is not connected' })
  box.restart('qseal-httpd')
  await box.ready()
  assert.ok(Date.parse(roomOf(await reload(), 'httpd').started) >= Date.parse(started))
})

test('a token that the configuration no longer names is said', { timeout: seconds(60) }, async () => {
  const before = box.editConfig((text) => text.replace(/ {2}- name: hsm-b\n(?: {4}.*\n)+/, '').replace(/hsm-a,hsm-b/g, 'hsm-a'))
  const answer = await reload()
  assert.deepEqual(answer.stop, ['qseal-tokend@hsm-b'])
  assert.equal(roomOf(answer, 'tokend hsm-b'), undefined)
  fs.writeFileSync(box.configPath, before)
  assert.deepEqual((await reload()).stop, [])
  assert.equal((await box.ctl('reload')).code, 0)
})
