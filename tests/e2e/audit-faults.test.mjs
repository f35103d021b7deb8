// SPDX-License-Identifier: Apache-2.0
// The disk of the audit log fails under load in every way that a disk has: nothing leaves without its record, the
// reason is said everywhere, what must go on goes on, and when the disk is back so is the service, by itself. A file
// that failed is never written or synced again. One case is written down as an operator would see it.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Callers, profiles } from './audit-load.mjs'
import { compare, readLog } from './audit-log.mjs'
import { bodies, door } from './bodies.mjs'
import { FaultyDisk, SmallDisk, always } from './disk.mjs'
import { Sandbox, bin, run, seconds, until } from './lib.mjs'
import { skipped } from './persons.mjs'

const { EIO, EROFS } = os.constants.errno
const skip = skipped('audit-faults')
const deadlineMs = 3000
const callers = 8
const artefacts = path.join(bin, '../tests')
const patient = { timeout: seconds(120) }

// A sandbox whose qseald writes its log to a disk that can be told to fail, and callers who ask on and on.
class Scene {
  // `prepare` is done to the empty place of the log.
  static async set(prepare = () => {}) {
    const scene = new Scene()
    scene.box = await Sandbox.up()
    scene.disk = new FaultyDisk(scene.box)
    scene.folder = scene.disk.folder
    await scene.box.kill('qseald', 'SIGTERM')
    for (const name of fs.readdirSync(scene.folder)) fs.rmSync(path.join(scene.folder, name))
    await prepare(scene.folder)
    scene.box.editConfig((text) => text.replace(/^tokens:$/m, `limits: {deadline_ms: ${deadlineMs}}\ntokens:`))
    scene.start()
    await scene.box.ready()
    scene.load = await Callers.start(scene.box, callers, () => scene.disk.durable)
    return scene
  }

  start() {
    return this.box.restart('qseald', this.disk.wrap)
  }

  async ctl(...args) {
    const { code, stdout, stderr } = await this.box.ctl(...args)
    assert.equal(code, 0, stderr)
    return stdout
  }

  health() {
    return this.box.get('/v1/health')
  }

  // `n` signatures that were asked for from now on.
  async signs(n = 50) {
    const from = performance.now()
    await until('it signs', () => this.load.signedBetween(from, Infinity) >= n, seconds(30))
  }

  // The first answer that says so, from now on.
  async refuses(type) {
    const from = this.load.refusals.length
    return until(`a refusal as ${type}`, () => this.load.refusals.slice(from).find((refusal) => refusal.type === type))
  }

  async spareKey() {
    return JSON.parse(await this.ctl('key', 'generate', 'seal-ec', '--json')).keys[0].kid
  }

  async stateOf(kid) {
    return JSON.parse(await this.ctl('key', 'list', '--json')).keys.find((key) => key.kid === kid).state
  }

  // Ends with everything that was received held against the log; what the disk saw, too.
  async check() {
    await this.load.stop()
    await this.box.kill('qseald', 'SIGTERM')
    const log = readLog(this.folder)
    const { unlogged, breaks, ...counts } = compare(this.load.received, log)
    assert.deepEqual(unlogged, [])
    assert.deepEqual(breaks, [])
    assert.deepEqual(this.#tooEarly(log), [])
    assert.equal(this.disk.failed.touched, 0, 'a file that failed is not touched again')
    return { ...counts, failed: this.disk.failed.files, log }
  }

  // Signatures that their callers had before the disk had the record.
  #tooEarly(log) {
    const places = new Map(log.segments.flatMap(({ name, records }) => records.filter(({ kind }) => kind === 'sign').map((record) => [record.request, { name, ends: record.ends }])))
    return this.load.received.filter(({ request, seen }) => !(seen.get(places.get(request).name) >= places.get(request).ends))
  }

  async down() {
    if (this.load !== undefined) this.load.on = false
    this.disk?.close()
    await this.box?.down()
  }
}

// --- what it is like while the log cannot be written -------------------------------------------

async function nothingIsSigned(scene, detail) {
  for (const profile of profiles) {
    const { status, json, headers } = await scene.box.post(door(profile), bodies[profile](scene.load.inputs[profile]))
    assert.equal(status, 503)
    assert.equal(headers['content-type'], 'application/problem+json')
    assert.equal(headers['retry-after'], '5')
    assert.equal(json.type, 'urn:qseal:problem:audit-unavailable')
    assert.equal(json.title, 'The audit log cannot be written')
    assert.match(json.detail, /^the audit log cannot be written: /)
    assert.match(json.detail, detail)
  }
}

async function everybodySaysWhy(scene, detail) {
  const { status, json } = await scene.health()
  assert.equal(status, 503)
  assert.equal(json.status, 'unready')
  assert.equal(json.audit, 'failed')
  assert.match(json.audit_detail, detail)
  const said = await scene.box.status()
  assert.equal(said.status, 'unready')
  assert.equal(said.audit, 'failed')
  assert.match(said.audit_log.detail, detail)
  assert.match(await scene.ctl('status'), /audit.* failed/i)
  assert.match(scene.box.logs(), /<3>audit log: .*; nothing is signed until it can be written/)
}

async function administrators(scene, detail, spare) {
  for (const verb of [['key', 'list'], ['key', 'show', spare], ['jwks'], ['token', 'list'], ['report', '--json']]) await scene.ctl(...verb)
  assert.equal((await scene.box.get('/v1/jwks')).status, 200)
  for (const verb of [['reload'], ['key', 'generate', 'seal-ec'], ['key', 'publish', spare], ['token', 'unlock', 'hsm-a']]) {
    const { code, stderr } = await scene.box.ctl(...verb)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /^qsealctl: audit-unavailable: the audit log cannot be written: /)
    assert.match(stderr, detail)
  }
  assert.equal(await scene.stateOf(spare), 'generated', 'what was refused is not done')
  await scene.ctl('key', 'suspend', spare)
  assert.equal(await scene.stateOf(spare), 'suspended')
  assert.match(scene.box.logs(), /<4>qsealctl key suspend by uid \d+ is carried out without an audit record: the audit log cannot be written/)
}

// From the first refusal to the end of the fault no caller has a signature; then they have some again, and the log
// goes on in a segment that says what was.
async function stopsAndResumes(scene, { begin, end, detail }) {
  const spare = await scene.spareKey()
  await scene.signs()
  const { segment } = (await scene.box.status()).audit_log
  try {
    await begin()
    const { got } = await scene.refuses('audit-unavailable')
    await nothingIsSigned(scene, detail)
    await everybodySaysWhy(scene, detail)
    await administrators(scene, detail, spare)
    assert.equal(scene.load.signedBetween(got, Infinity), 0)
  } finally {
    await end()
  }
  await scene.signs()
  const { status, json } = await scene.health()
  assert.equal(status, 200)
  assert.equal(json.audit, 'ok')
  const { audit, audit_log: now } = await scene.box.status()
  assert.equal(audit, 'ok')
  assert.equal(now.detail, '')
  assert.ok(now.segment > segment)
  assert.doesNotMatch(await scene.ctl('status'), /audit.* failed/i)
}

// --- faults on cue -----------------------------------------------------------------------------

describe('a disk that fails on cue', () => {
  let scene
  before(async () => {
    scene = await Scene.set()
  })
  after(() => scene?.down())

  const faults = [
    ['EIO in a write', ['write', always, EIO], /audit-\d{10}\.jsonl: (writing it: )?Input\/output error/],
    ['EROFS in a write, as after an error of the file system', ['write', always, EROFS], /audit-\d{10}\.jsonl: (writing it: )?Read-only file system/],
    ['EIO in a sync', ['sync', always, EIO], /audit-\d{10}\.jsonl: (writing it: )?Input\/output error/],
  ]
  for (const [what, fault, detail] of faults) {
    test(what, patient, async () => {
      await stopsAndResumes(scene, { begin: () => scene.disk.set(...fault), end: () => scene.disk.set('none'), detail })
    })
  }

  // The kernel tells of a lost page once; whoever syncs once more believes that all is well.
  for (const [what, fault] of [['write', ['write', 1, EIO]], ['sync', ['sync', 1, EIO]]]) {
    test(`a ${what} that fails once: its batch is refused, and no other`, patient, async () => {
      await scene.signs()
      const { failed } = scene.disk
      scene.disk.set(...fault)
      const { detail, status, retry } = await scene.refuses('audit-unavailable')
      assert.equal(status, 503)
      assert.equal(retry, '5')
      assert.match(detail, /^the audit log cannot be written: audit-\d{10}\.jsonl: writing it: Input\/output error$/)
      await scene.signs()
      assert.equal(scene.disk.seen.counted, 1)
      assert.deepEqual(scene.disk.failed, { files: failed.files + 1, touched: 0 })
    })
  }

  test('writes that come to half of what they should: nobody notices', patient, async () => {
    await scene.signs()
    const refused = scene.load.refusals.length
    scene.disk.set('short')
    await scene.signs(200)
    assert.ok(scene.disk.seen.counted > 0)
    scene.disk.set('none')
    assert.equal(scene.load.refusals.length, refused)
  })

  test('a sync takes a second: callers wait for it, and have their signatures', patient, async () => {
    const from = scene.load.received.length
    scene.disk.set('slow', always, 1000)
    await scene.signs(3 * callers)
    const { counted } = scene.disk.seen
    const signed = scene.load.received.length - from
    scene.disk.set('none')
    assert.ok(counted >= 2)
    // Those before it began, those of each sync, and those whose sync ends now.
    assert.ok(signed <= (counted + 2) * callers, `${signed} signatures with ${counted} syncs`)
    assert.equal((await scene.health()).json.audit, 'ok')
  })

  test('a sync takes longer than a request may: 504, and no signature', patient, async () => {
    await scene.signs()
    scene.disk.set('slow', always, 2 * deadlineMs)
    const { status, detail } = await until('the deadline passes', () => scene.load.refusals.find(({ type }) => type === 'deadline'))
    assert.equal(status, 504)
    assert.match(detail, /^(the audit record was not on the disk before|no answer within) the deadline$/, 'qseald and httpd look at the same clock')
    assert.match(scene.box.logs(), /deadline: the audit record was not on the disk before the deadline/)
    const token = (await scene.health()).json.tokens[0]
    assert.equal(token.state, 'ready', 'it is not the token’s fault')
    scene.disk.set('none')
    await scene.signs()
  })

  test('qseald killed while its log has failed: it goes on with what the disk has', patient, async () => {
    await scene.signs()
    scene.disk.set('sync', always, EIO)
    await scene.refuses('audit-unavailable')
    await scene.box.kill('qseald')
    scene.disk.set('none')
    scene.start()
    await scene.signs()
  })

  test('all that was received is in the log', patient, async (t) => {
    const { log, ...counts } = await scene.check()
    const begun = log.segments.map(({ records }) => records[0]).filter(({ cause }) => cause === 'fault')
    assert.ok(begun.length >= faults.length + 2)
    for (const { fault, unrecorded } of begun) {
      assert.match(fault, /Input\/output error|Read-only file system/)
      assert.ok(Number.isInteger(unrecorded))
    }
    assert.ok(begun.some(({ unrecorded }) => unrecorded > 0))
    assert.ok(log.segments.some(({ behind }) => behind > 0), 'a sync that failed left what nobody counts')
    t.diagnostic(JSON.stringify(counts))
  })
})

// --- a disk of its own -------------------------------------------------------------------------

describe('a file system of the log’s own', { skip }, () => {
  let scene, small
  const full = /No space left on device/
  const readOnly = /Read-only file system/
  before(async () => {
    scene = await Scene.set(async (folder) => {
      small = await SmallDisk.mount(folder, 16)
    })
  })
  after(async () => {
    if (scene?.box.alive('qseald')) await scene.box.kill('qseald')
    await small?.end()
    await scene?.down()
  })

  test('it is full', patient, () => stopsAndResumes(scene, { begin: () => small.fill(), end: () => small.free(), detail: full }))

  // Nobody can make it read-only while a segment is open for writing.
  test('it is full, and then read-only', patient, async () => {
    const begin = async () => {
      await until('it is read-only before the log goes on', async () => {
        small.fill()
        await scene.refuses('audit-unavailable')
        small.free()
        await small.remount('ro')
        return true
      })
      await until('it is seen', async () => readOnly.test((await scene.health()).json.audit_detail))
    }
    await stopsAndResumes(scene, { begin, end: () => small.remount('rw'), detail: readOnly })
  })

  for (const [what, detail, begin, end] of [
    ['full', full, () => small.fill(), () => small.free()],
    ['read-only', readOnly, () => small.remount('ro'), () => small.remount('rw')],
  ]) {
    test(`qseald starts while it is ${what}: it says why it does not sign, and signs when it can`, patient, async () => {
      await scene.signs()
      await scene.box.kill('qseald')
      await begin()
      scene.start()
      await until('it answers', async () => (await scene.health()).json?.audit === 'failed')
      await until('tokens are seen', async () => (await scene.health()).json.tokens[0].state === 'ready')
      await nothingIsSigned(scene, detail)
      await everybodySaysWhy(scene, detail)
      await end()
      await scene.signs()
    })
  }

  // What an operator sees and does, docs/production.md.
  test('the transcript', patient, async () => {
    const lines = []
    const shell = async (line) => {
      const { stdout, stderr } = await run('bash', ['-c', `. ${scene.box.dir}/env; PATH=$QSEAL_BIN:$PATH; audit=${scene.folder}; ${line}`]).catch((error) => error)
      lines.push(`$ ${line}\n${stdout}${stderr}`)
      return `${stdout}${stderr}`
    }
    const ask = 'curl -s -i --unix-socket $QSEAL_SOCKET -H "Content-Type: application/json" -d {} http://localhost/v1/client-assertion/fapi2-assertion | grep -v -i -e ^date -e "^{\\"client"'
    const health = 'curl -s --unix-socket $QSEAL_SOCKET http://localhost/v1/health; echo'
    const spare = await scene.spareKey()
    await scene.load.stop()
    assert.match(await shell(ask), /^HTTP\/1\.1 200 /)
    small.fill()
    await shell('df --output=size,avail,pcent,target $audit')
    await until('it has no room for a record', async () => (await scene.box.post(door('fapi2-assertion'), '{}')).status === 503)
    assert.match(await shell(ask), /^HTTP\/1\.1 503 [\s\S]*retry-after: 5[\s\S]*audit-unavailable/i)
    assert.match(await shell(health), full)
    assert.match(await shell('qsealctl status --json | jq "{status, audit, audit_log}"'), full)
    assert.match(await shell('qsealctl key generate seal-ec; echo "exit code $?"'), /exit code 4/)
    assert.match(await shell(`qsealctl key suspend ${spare}; echo "exit code $?"`), /exit code 0/)
    lines.push(`$ rm ${small.ballast}\n`)
    small.free()
    await until('it signs again', async () => (await scene.box.post(door('fapi2-assertion'), '{}')).status === 200)
    await shell('df --output=size,avail,pcent,target $audit')
    assert.match(await shell(health), /"audit":"ok"/)
    assert.match(await shell('qsealctl status | grep "^qseal "'), /: ready$/m)
    assert.match(await shell('head -n 1 $(ls $audit/*.jsonl | tail -n 1)'), /"cause":"fault","previous_bytes":\d+,"fault":"audit-\d{10}\.jsonl: (writing it: )?No space left on device","unrecorded":\d+/)
    fs.mkdirSync(artefacts, { recursive: true })
    fs.writeFileSync(path.join(artefacts, 'audit-disk-full-transcript.txt'), lines.join('\n'))
  })

  test('all that was received is in the log', patient, async (t) => {
    const { log, ...counts } = await scene.check()
    assert.ok(log.segments.some(({ records: [{ fault }] }) => full.test(fault)))
    t.diagnostic(JSON.stringify(counts))
  })
})

// --- damage ------------------------------------------------------------------------------------

describe('a log that is damaged where it had been acknowledged', () => {
  let scene
  before(async () => {
    scene = await Scene.set()
  })
  after(() => scene?.down())

  // A record of the last segment, in the middle of it, has another letter; as on a disk that lies. `isForm`: it is no
  // record any more; else only the next one's hash tells.
  async function damaged(isForm) {
    await scene.signs(100)
    await scene.load.stop()
    await scene.box.kill('qseald')
    const { name, records } = readLog(scene.folder).segments.at(-1)
    const at = records.findIndex((record, i) => i > records.length / 3 && record.done?.outcome === 'released')
    const file = path.join(scene.folder, name)
    const good = fs.readFileSync(file)
    const bad = Buffer.from(good)
    bad[isForm ? records[at - 1].ends : records[at].ends - 10] ^= 1
    fs.writeFileSync(file, bad)
    const { ends, seq } = records[isForm ? at - 1 : at]
    return { file, good, bad, detail: new RegExp(`${name} is damaged at byte ${ends}, after record ${seq}, where records had been acknowledged; nothing was cut`) }
  }

  async function doesNotSign({ file, bad, detail }) {
    scene.start()
    await until('it answers', async () => (await scene.health()).json?.audit === 'failed')
    await until('tokens are seen', async () => (await scene.health()).json.tokens[0].state === 'ready')
    await nothingIsSigned(scene, detail)
    await everybodySaysWhy(scene, detail)
    assert.ok(fs.readFileSync(file).equals(bad), 'nothing was cut')
    assert.deepEqual(fs.readdirSync(scene.folder).filter((name) => !name.endsWith('.jsonl')), ['.lock'])
  }

  test('it says which file and byte, and signs when the file is right again', patient, async () => {
    const damage = await damaged(true)
    await doesNotSign(damage)
    fs.writeFileSync(damage.file, damage.good)
    const { received } = scene.load
    scene.load = await Callers.start(scene.box, callers, () => scene.disk.durable)
    scene.load.received.push(...received)
    await scene.signs()
  })

  test('the files in another place, and a new chain begins', patient, async () => {
    const damage = await damaged(false)
    await doesNotSign(damage)
    const kept = path.join(scene.box.dir, 'kept')
    fs.mkdirSync(kept)
    for (const name of fs.readdirSync(scene.folder)) fs.renameSync(path.join(scene.folder, name), path.join(kept, name))
    const before = scene.load
    scene.load = await Callers.start(scene.box, callers, () => scene.disk.durable)
    await scene.signs()
    const { log } = await scene.check()
    assert.equal(log.records[0].cause, 'begin')
    fs.writeFileSync(path.join(kept, path.basename(damage.file)), damage.good)
    const old = readLog(kept)
    assert.notEqual(old.records[0].chain, log.records[0].chain)
    assert.deepEqual(old.breaks, [])
    assert.deepEqual(compare(before.received, old).unlogged, [])
  })
})
