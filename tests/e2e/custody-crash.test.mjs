// SPDX-License-Identifier: Apache-2.0
// SIGKILL of the real programs before every system call of every change of the keyring that touches a file
// or answers: each time the keyring is the old or the new one, whole; the service starts; each key is where it
// was or where it should go; and the command, given once more, ends what it had begun. What is signed then
// verifies with npm's jose.
//
// QSEAL_LONG=1: three times over, and at every call of a token's own files.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { compactVerify, createLocalJWKSet } from 'jose'

import { bodies, door } from './bodies.mjs'
import { Killer } from './killer.mjs'
import { Sandbox, run, seconds, until } from './lib.mjs'

const long = process.env.QSEAL_LONG !== undefined
const repetitions = long ? 3 : 1
const tokenKills = long ? Infinity : 8 // of the calls that a module makes for one key, spread over them all
const role = 'seal-ec'
const token = 'hsm-a'
const profile = 'op-jar-cof'
const tokend = `qseal-tokend-${token}`
const already = /it is in that state already/

// What each command is given and does. `key`: the key of `stage` it is for; `to`: where keys of the stage go;
// `again`: what it says of a change that is in force (not there: it is done once more). A command more is a
// line more.
const changes = {
  generate: { made: 'generated', args: () => [role] },
  'import-certificate': { key: 'generated', to: { generated: 'certified' }, args: () => [role, '--file', certificate] },
  publish: { key: 'generated', to: { generated: 'published' }, again: already },
  activate: { key: 'published', to: { published: 'active', active: 'retiring' }, again: already },
  retire: { key: 'retiring', to: { retiring: 'retired' }, again: already },
  suspend: { key: 'published', to: { published: 'suspended' }, again: already },
  resume: { key: 'suspended', to: { suspended: 'generated' }, again: /is generated and not suspended: there is nothing to resume/ },
  compromised: { key: 'published', to: { published: 'compromised' }, again: already },
  // Nothing brings a key back into its token, so each time it is another key.
  destroy: { fresh: true, to: { fresh: 'destroyed' }, again: already },
}

let box
let killer
let certificate
let input
const stage = {} // name (its state) → thumbprint
const at = (...parts) => path.join(box.dir, ...parts)
const state = (...parts) => at('state', 'qseald', ...parts)
const keyring = () => fs.readFileSync(state('keyring.json'), 'utf8')
const log = (room) => fs.readFileSync(at('logs', `${room}.log`), 'latin1')

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl('key', ...args)
  assert.equal(code, 0, stderr)
  return stdout
}

// thumbprint → state, of the role's keys.
async function states() {
  const { keys } = JSON.parse(await done('list', '--json'))
  return Object.fromEntries(keys.filter((key) => key.role === role).map(({ kid, state: now }) => [kid, now]))
}

async function made() {
  const { keys } = JSON.parse(await done('generate', role, '--json'))
  return keys[0].kid
}

async function started(room, wrap) {
  const before = log(room).length
  const child = box.restart(room, wrap)
  let ended = false
  child.ended.then(() => (ended = true))
  await until(`${room} is ready`, () => ended || /is ready/.test(log(room).slice(before)))
  assert.ok(!ended, `${room} ended: ${log(room).slice(before)}`)
  return child
}

// As if all that happened had happened 400 days ago: no key has to wait for anything.
async function longAgo() {
  await box.kill('qseald')
  const back = (text) => new Date(Date.parse(text) - 400 * 86400000).toISOString().replace('.000', '')
  fs.writeFileSync(state('keyring.json'), keyring().replace(/(?<="(at|created)":")[^"]+/g, back))
}

async function issued(kid) {
  const file = (name) => at('private', `crash.${name}`)
  fs.writeFileSync(file('csr.pem'), await done('csr', kid))
  await run('openssl', ['x509', '-req', '-in', file('csr.pem'), '-CA', at('ca.crt.pem'), '-CAkey', at('private', 'ca.key.pem'),
    '-days', '7', '-out', file('crt.pem')])
  return file('crt.pem')
}

before(async () => {
  box = await Sandbox.up()
  killer = new Killer(at('private', 'killer'))
  input = (await box.profiles())[profile].input
  ;[stage.retiring] = Object.keys(await states())
  stage.active = await made()
  await done('publish', stage.active)
  await longAgo()
  await started('qseald')
  await done('activate', stage.active)
  stage.published = await made()
  await done('publish', stage.published)
  stage.generated = await made()
  certificate = await issued(stage.generated)
  stage.suspended = await made()
  await done('suspend', stage.suspended)
  await longAgo()
  fs.cpSync(state(), at('stage'), { recursive: true })
}, { timeout: seconds(120) })

after(async () => {
  killer?.close()
  await box?.down()
})

// --- one kill -----------------------------------------------------------------------------------

// Signed by the key that is active, with one in the published set.
async function signsAndVerifies(now) {
  const [kid] = Object.entries(now).find(([, state]) => state === 'active')
  const body = bodies[profile](input)
  const { json } = await until('it signs', async () => {
    const answer = await box.post(door(profile), body)
    assert.ok([200, 503].includes(answer.status), answer.bytes.toString())
    return answer.status === 200 && answer
  })
  const { json: jwks } = await box.get('/v1/jwks')
  const { protectedHeader } = await compactVerify(json.request, createLocalJWKSet(jwks))
  assert.equal(protectedHeader.kid, kid)
}

// The states of before, with what the change does to them; `news` is a key that it may have made.
function changed(change, before, fresh, news) {
  const now = { ...before }
  for (const [name, to] of Object.entries(change.to ?? {})) now[name === 'fresh' ? fresh : stage[name]] = to
  if (news !== undefined) now[news] = change.made
  return now
}

const newIn = (now, before) => Object.keys(now).find((kid) => !(kid in before))

// The file is the old one to the byte, or the one after it, with every key in it. True: the new one.
function isNew(was) {
  const text = keyring()
  if (text === was) return false
  const [old, now] = [JSON.parse(was), JSON.parse(text)]
  assert.equal(now.generation, old.generation + 1)
  assert.ok(now.keys.length >= old.keys.length)
  for (const [i, key] of old.keys.entries()) {
    assert.equal(now.keys[i].spki, key.spki)
    assert.deepEqual(now.keys[i].history.slice(0, key.history.length), key.history)
  }
  return true
}

// What a custodian can learn of a key that is in the token and not in the keyring: tokend's log names it.
function namesOfLostKeys() {
  const known = new Set(JSON.parse(keyring()).keys.map((key) => key.key_id))
  return [...log(tokend).matchAll(/generating a p-256 key with CKA_ID ([0-9a-f]{32}) for role seal-ec: ok/g)].map(([, id]) => id).filter((id) => !known.has(id))
}

// A service with the stage's keyring, and one more key where the change needs it. Gives the states.
async function set(change) {
  if (box.alive('qseald')) await box.kill('qseald')
  fs.rmSync(state(), { recursive: true })
  fs.cpSync(at('stage'), state(), { recursive: true })
  if (!change.fresh) return undefined
  await started('qseald')
  const kid = await made()
  await box.kill('qseald')
  return kid
}

function command(name, change, fresh) {
  return ['key', name, ...(change.args?.() ?? [fresh ?? stage[change.key]])]
}

// Kills qseald when `left` calls of the change were made; false when it got through.
async function killedAt(name, change, left, tell) {
  const fresh = await set(change)
  const was = keyring()
  const lost = namesOfLostKeys().length
  const child = await started('qseald', killer.wrap)
  const before = await states()
  killer.arm(left)
  const said = await box.ctl(...command(name, change, fresh))
  const { call } = killer.read()
  if (call === '') {
    assert.equal(said.code, 0, said.stderr)
    return false
  }
  assert.equal(await child.ended, 'SIGKILL')
  assert.notEqual(said.code, 0, 'a change is answered for after it was made')
  tell(call, isNew(was))
  await begunAndEnded({ name, change, fresh, before, lost, isThere: isNew(was) })
  return true
}

// After the kill: started as ever, the change is made or is not, and is made by the same command.
async function begunAndEnded({ name, change, fresh, before, lost, isThere }) {
  if (change.made && !isThere) assert.equal(namesOfLostKeys().length, lost + 1)
  await started('qseald')
  const found = await states()
  assert.deepEqual(found, isThere ? changed(change, before, fresh, change.made && newIn(found, before)) : before)
  const offset = log('qseald').length
  const again = await box.ctl(...command(name, change, fresh))
  const now = await states()
  if (isThere && change.again) {
    assert.equal(again.code, 1, again.stdout)
    assert.match(again.stderr, change.again)
    assert.deepEqual(now, found)
  } else {
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(now, changed(change, found, fresh, change.made && newIn(now, found)))
  }
  if (fresh && !isThere) assert.match(log('qseald').slice(offset), new RegExp(`key ${fresh} of role ${role} was not in token ${token} any more`))
  assert.deepEqual(fs.readdirSync(state()).filter((file) => file.endsWith('.new')), [])
  await signsAndVerifies(now)
}

for (const [name, change] of Object.entries(changes)) {
  test(`key ${name}, killed at each of its system calls`, { timeout: seconds(300) }, async (t) => {
    const calls = []
    let news = 0
    const tell = (call, isThere) => {
      calls.push(call)
      news += isThere
    }
    for (let i = 0; i < repetitions; i += 1) {
      let left = 0
      while (await killedAt(name, change, left, tell)) left += 1
      assert.ok(left >= 12, `only ${left} calls`)
    }
    for (const call of ['openat', 'fchmod', 'write', 'fsync', 'rename', 'sendto']) assert.ok(calls.includes(call), `never at ${call}`)
    assert.ok(news > 0 && news < calls.length)
    t.diagnostic(`${calls.length} kills, ${news} with the change in force: ${calls.slice(0, calls.length / repetitions).join(' ')}`)
  })
}

// --- the token's room, killed amid its module's work on the token's files -----------------------------

async function tokenIsReady() {
  await until(`${token} is ready`, async () => (await box.status()).tokens.every(({ state: now }) => now === 'ready'))
}

async function withKiller() {
  await box.kill(tokend)
  const child = await started(tokend, killer.wrap)
  await tokenIsReady()
  return child
}

// How many calls the module makes for it; that it works with them counted.
async function callsOf(name, change) {
  const fresh = change.fresh && (await made())
  await withKiller()
  killer.arm(1000000)
  await done(...command(name, change, fresh).slice(1))
  return killer.read().counted
}

async function tokendKilledAt(name, change, left, calls) {
  const fresh = change.fresh && (await made())
  const child = await withKiller()
  const was = keyring()
  const before = await states()
  killer.arm(left)
  const said = await box.ctl(...command(name, change, fresh))
  const { call } = killer.read()
  if (call === '') return assert.equal(said.code, 0, said.stderr) // one call less than the last time
  calls.push(call)
  assert.equal(await child.ended, 'SIGKILL')
  assert.equal(said.code, 4, said.stderr)
  assert.match(said.stderr, /token-unavailable/)
  assert.equal(keyring(), was)
  await started(tokend)
  await tokenIsReady()
  await done(...command(name, change, fresh).slice(1))
  const now = await states()
  assert.deepEqual(now, changed(change, before, fresh, change.made && newIn(now, before)))
  return signsAndVerifies(now)
}

for (const [name, change] of Object.entries(changes).filter(([, { fresh, made: makes }]) => fresh || makes)) {
  test(`key ${name}, the token's room killed on the way`, { timeout: seconds(long ? 3600 : 120) }, async (t) => {
    await set({})
    await started('qseald')
    const total = await callsOf(name, change)
    const calls = []
    const kills = Math.min(tokenKills, total)
    for (let i = 0; i < kills; i += 1) await tokendKilledAt(name, change, Math.floor((i * (total - 1)) / (kills - 1)), calls)
    assert.ok(calls.length >= kills / 2)
    t.diagnostic(`${calls.length} kills at some of ${total} calls: ${calls.slice(0, 40).join(' ')}`)
  })
}
