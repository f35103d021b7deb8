// SPDX-License-Identifier: Apache-2.0
// qsealctl audit checkpoint, and what status and metrics say of the log: of a running one, and of none.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { digest } from './audit-log.mjs'
import { Sandbox, seconds } from './lib.mjs'

let box

before(async () => {
  box = await Sandbox.up()
})

after(async () => {
  await box?.down()
})

const read = (name) => fs.readFileSync(path.join(box.dir, 'audit', name), 'latin1')

// The note of the file `checkpoint`, as its words.
function note() {
  const [, ...lines] = read('checkpoint').split('\n\n')[0].split('\n')
  return Object.fromEntries(lines.filter((line) => !line.startsWith('uses ')).map((line) => line.split(' ')))
}

async function metric(name) {
  const { code, stdout } = await box.ctl('status', '--prometheus')
  assert.equal(code, 0)
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stdout)[1])
}

test('a checkpoint that is asked for covers all that was signed before', { timeout: seconds(60) }, async () => {
  for (let i = 0; i < 5; i += 1) assert.equal((await box.post('/v1/client-assertion/fapi2-assertion', '{}')).status, 200)
  const records = await metric('qseal_audit_records')
  const { code, stdout, stderr } = await box.ctl('audit', 'checkpoint')
  assert.equal(code, 0, stderr)
  const [, covers, chain, head] = /^sealed up to record (\d+) of chain (\S+)\nhead (\S+)\n$/.exec(stdout)
  assert.ok(Number(covers) >= records)
  assert.deepEqual({ chain: note().chain, sequence: note().sequence, head: note().head }, { chain, sequence: covers, head })
  const line = read('audit-0000000001.jsonl').split('\n')[Number(covers) - 1]
  assert.equal(JSON.parse(line).seq, Number(covers))
  assert.equal(digest(`${line}\n`), head)
  assert.ok((await metric('qseal_audit_sealed_records')) >= Number(covers))
  assert.ok(Math.abs((await metric('qseal_audit_checkpoint_timestamp_seconds')) - Date.now() / 1000) < seconds(60) / 1000)
})

test('its answer as JSON has the same three', { timeout: seconds(60) }, async () => {
  const { code, stdout, stderr } = await box.ctl('audit', 'checkpoint', '--json')
  assert.equal(code, 0, stderr)
  assert.deepEqual(Object.keys(JSON.parse(stdout)), ['chain', 'covers', 'head'])
})

test('status says that the log is written, and up to where it is sealed', { timeout: seconds(60) }, async () => {
  const { code, stdout, stderr } = await box.ctl('status')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^audit log: ok since \S+Z, segment 1, \d+ records, sealed up to \d+ at \S+Z$/m)
  assert.doesNotMatch(stdout, /WARNING|no checkpoint/)
})

test('without a key to sign it the command says why, and status too', { timeout: seconds(60) }, async () => {
  const { keys } = JSON.parse((await box.ctl('audit', 'key', '--json')).stdout)
  assert.equal((await box.ctl('key', 'suspend', keys[0].kid)).code, 0)
  const refused = await box.ctl('audit', 'checkpoint')
  assert.equal(refused.code, 4)
  assert.match(refused.stderr, /audit-unavailable: no checkpoint is made: role audit has no active key/)
  assert.match((await box.ctl('status')).stdout, /^  no checkpoint is made: role audit has no active key/m)
  assert.equal((await box.post('/v1/client-assertion/fapi2-assertion', '{}')).status, 200)
})

test('a log that is off is warned of, and has nothing to be sealed', { timeout: seconds(60) }, async () => {
  await box.restartedWith((text) => text.replace(/^audit: \{/m, 'audit: {enabled: false, '))
  const { stdout } = await box.ctl('status')
  assert.match(stdout, /^audit log: off$/m)
  assert.match(stdout, /^WARNING no audit log is kept, and nothing proves what was signed/m)
  assert.equal((await box.status()).warnings[0].what, 'audit')
  assert.equal(await metric('qseal_audit_ok'), 0)
  const refused = await box.ctl('audit', 'checkpoint')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /rule-refused: there is no audit log: audit\/enabled was false when qseald started/)
  assert.equal((await box.get('/v1/health')).json.audit, 'off')
})
