// SPDX-License-Identifier: Apache-2.0
// A rotation of the seal role under load of 64 callers: not one request fails, and every signature verifies
// with npm's jose against the JWK Set that its caller held at that moment. Each caller has a connection and a
// set of its own, and fetches it as often as Cache-Control says and no oftener. Then a crash of qseald amid
// changes of the keyring. Counts are checked, never times.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { compactVerify } from 'jose'

import { Sandbox, pause, seconds, slow, until } from './lib.mjs'
import { Verifier } from './load.mjs'

const maxAge = 2 * slow // seconds: longer than one command takes after another
const callers = 64
let box
before(async () => {
  box = await Sandbox.up()
  await box.restartedWith((text) => `${text}limits: {jwks_max_age_s: ${maxAge}}\n`)
})
after(() => box?.down())

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

async function keys(role) {
  return JSON.parse(await done('key', 'list', '--json')).keys.filter((key) => key.role === role)
}

// One caller on one connection, who signs and verifies until told to stop. What it saw:
class Caller {
  asked = 0
  verified = 0
  failures = []
  kids = new Map() // thumbprint → signatures that verified
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  verifier = new Verifier(box, maxAge, this.#agent)

  async run(load) {
    while (!load.stop) {
      this.asked += 1
      await this.#signAndVerify().catch((error) => this.failures.push(error.message))
    }
    this.#agent.destroy()
  }

  async #signAndVerify() {
    const { status, json, bytes } = await box.post('/v1/client-assertion/fapi2-assertion', '{}', { agent: this.#agent })
    assert.equal(status, 200, bytes.toString())
    const { protectedHeader } = await compactVerify(json.client_assertion, await this.verifier.set())
    assert.equal(protectedHeader.kid, json.kid)
    this.kids.set(json.kid, this.signaturesOf(json.kid) + 1)
    this.verified += 1
  }

  signaturesOf(kid) {
    return this.kids.get(kid) ?? 0
  }
}

class Load {
  stop = false
  callers = Array.from({ length: callers }, () => new Caller())
  #ended = Promise.all(this.callers.map((caller) => caller.run(this)))

  end() {
    this.stop = true
    return this.#ended
  }

  sum(figure) {
    return this.callers.reduce((sum, caller) => sum + figure(caller), 0)
  }

  // Every caller has had that many signatures of the key.
  everybodyHas(n, kid) {
    return this.callers.every((caller) => caller.failures.length > 0 || caller.signaturesOf(kid) >= n)
  }
}

test('a rotation that nobody notices', { timeout: seconds(90) }, async (t) => {
  const load = new Load()
  try {
    await rotate(load, t)
  } finally {
    await load.end()
  }
})

async function rotate(load, t) {
  const [old] = await keys('seal')
  assert.equal(old.state, 'active')
  await until('every caller has a signature', () => load.everybodyHas(2, old.kid), seconds(30))

  await done('key', 'generate', 'seal')
  const fresh = (await keys('seal')).find(({ kid }) => kid !== old.kid)
  assert.equal(fresh.state, 'generated')
  const early = await box.ctl('key', 'activate', fresh.kid)
  assert.equal(early.code, 1)
  assert.match(early.stderr, /does not become active: publish it first/)
  await done('key', 'publish', fresh.kid, '--reason', 'rotation under load')
  const soon = await box.ctl('key', 'activate', fresh.kid)
  assert.equal(soon.code, 1)
  assert.match(soon.stderr, new RegExp(`verifiers may hold the old JWK Set for ${maxAge} s: from \\S+Z on`))
  await until('the new key may be activated', async () => (await box.ctl('key', 'activate', 'seal')).code === 0)
  await until('the new key signs for everybody', () => load.everybodyHas(2, fresh.kid), seconds(30))
  const retire = await box.ctl('key', 'retire', old.kid)
  assert.equal(retire.code, 1)
  assert.match(retire.stderr, /what it signed is valid for up to \d+ s: from \S+Z on/)

  await load.end()
  const failures = load.callers.flatMap((caller) => caller.failures)
  const [asked, verified, fetches] = ['asked', 'verified'].map((name) => load.sum((caller) => caller[name])).concat(load.sum((caller) => caller.verifier.fetches))
  const byKid = [old.kid, fresh.kid].map((kid) => load.sum((caller) => caller.signaturesOf(kid)))
  t.diagnostic(`${callers} callers: ${asked} asked, ${failures.length} failed, ${verified} verified, ${fetches} fetches of the set; ` +
    `${byKid[0]} by ${old.kid}, then ${byKid[1]} by ${fresh.kid}`)
  assert.deepEqual(failures, [])
  assert.equal(verified, asked)
  assert.equal(byKid[0] + byKid[1], verified)
  assert.ok(load.callers.every((caller) => caller.verifier.fetches >= 2))

  const after = await keys('seal')
  assert.deepEqual(after.map(({ state }) => state), ['retiring', 'active'])
  const shown = await done('key', 'show', old.kid.slice(0, 8))
  assert.match(shown, /history\n(.*\n)*.*retiring/)
  const jwks = (await box.get('/v1/jwks')).json.keys.map(({ kid }) => kid)
  assert.ok(jwks.includes(old.kid) && jwks.includes(fresh.kid))
}

test('a key that is suspended signs no more, says so, and comes back', { timeout: seconds(60) }, async () => {
  const active = (await keys('seal')).find(({ state }) => state === 'active')
  await done('key', 'suspend', active.kid, '--reason', 'looked at')
  const refused = await box.post('/v1/client-assertion/fapi2-assertion', '{}')
  assert.equal(refused.status, 503)
  assert.match(refused.json.detail, /role seal has no active key: its newest is suspended/)
  assert.ok(!(await box.get('/v1/jwks')).json.keys.some(({ kid }) => kid === active.kid))
  const listed = (await box.get('/v1/keys')).json.keys.find(({ kid }) => kid === active.kid)
  assert.equal(listed.state, 'suspended')
  await done('key', 'resume', active.kid)
  await done('key', 'activate', active.kid)
  await box.ready()
})

test('a key is destroyed in the token, and its record stays', { timeout: seconds(60) }, async () => {
  await done('key', 'generate', 'seal')
  const spare = (await keys('seal')).at(-1)
  await done('key', 'destroy', spare.kid, '--reason', 'not needed')
  assert.equal((await keys('seal')).at(-1).state, 'destroyed')
  const again = await box.ctl('key', 'destroy', spare.kid)
  assert.equal(again.code, 1)
  assert.match(again.stderr, /it is in that state already/)
  const signs = await box.post('/v1/client-assertion/fapi2-assertion', '{}')
  assert.equal(signs.status, 200)
})

test('a thumbprint may begin with a dash, or with two', async () => {
  for (const kid of [`-${'k'.repeat(42)}`, `--${'k'.repeat(41)}`, `-${'k'.repeat(7)}`]) {
    const { code, stderr } = await box.ctl('key', 'destroy', kid, '--reason', kid)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /no key whose thumbprint begins so/)
  }
})

// Each system call of a change is killed at in custody-crash.test.mjs; here it is at moments nobody chose.
test('a crash amid changes leaves the old or the new keyring', { timeout: seconds(120) }, async () => {
  const file = path.join(box.dir, 'state', 'qseald', 'keyring.json')
  const [old, active] = await keys('seal')
  for (let round = 0; round < 6; round += 1) {
    const before = JSON.parse(fs.readFileSync(file, 'utf8')).generation
    let acknowledged = before
    const changes = (async () => {
      for (let i = 0; ; i += 1) {
        const { code, stdout, stderr } = await box.ctl('key', i % 2 === 0 ? 'suspend' : 'resume', old.kid, '--json')
        if (code !== 0) return { code, stderr }
        acknowledged = JSON.parse(stdout).generation
      }
    })()
    await until('a change is acknowledged', () => acknowledged > before)
    await pause(round * 37) // any moment will do: what must hold does so at all of them
    await box.kill('qseald', 'SIGKILL')
    const { code, stderr } = await changes
    assert.equal(code, 4, stderr)
    assert.match(stderr, /qsealctl: unavailable: qseald is not there: /)
    const found = JSON.parse(fs.readFileSync(file, 'utf8'))
    assert.ok(found.generation === acknowledged || found.generation === acknowledged + 1)
    box.restart('qseald')
    await box.ready()
    const now = await keys('seal')
    assert.equal(now.find(({ kid }) => kid === active.kid).state, 'active')
    if (now.find(({ kid }) => kid === old.kid).state === 'suspended') await done('key', 'resume', old.kid)
  }
})
