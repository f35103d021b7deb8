// SPDX-License-Identifier: Apache-2.0
// The tests' own reader of the audit log (audit-log.mjs) is seen to find what is not so.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { compare, digest, readLog } from './audit-log.mjs'

const chain = '0f8fad5b-d9cb-469f-a165-70867728950e'
const digests = (n) => ({ payload_sha256: digest(`payload ${n}`), input_sha256: digest(`input ${n}`) })
const received = [1, 2].map((n) => ({ request: `request ${n}`, kid: 'kid', alg: 'ES256', jti: `jti ${n}`, ...digests(n), released_sha256: digest(`signature ${n}`) }))

// A log of two segments: a signature in each, the second without its done.
function records() {
  const sign = (n) => ({ kind: 'sign', request: `request ${n}`, kid: 'kid', alg: 'ES256', ...digests(n), jti: `jti ${n}` })
  return [
    [{ kind: 'segment', segment: 1, version: 1, chain, cause: 'begin' }, sign(1), { kind: 'done', of: 2, outcome: 'released', us: 1, released_sha256: digest('signature 1') }, { kind: 'end', cause: 'stop' }],
    [{ kind: 'segment', segment: 2, version: 1, chain, cause: 'start' }, sign(2)],
  ]
}

// The segments as texts, each record chained to the one before.
function textsOf(segments) {
  let [seq, prev] = [0, 'A'.repeat(43)]
  const texts = []
  for (const segment of segments) {
    const lines = segment.map((record) => {
      const about = record.kind === 'segment' && texts.length > 0 ? { ...record, previous_bytes: texts.at(-1).length } : record
      const line = `${JSON.stringify({ seq: ++seq, prev, time: '2026-11-21T19:07:46.123456Z', ...about })}\n`
      prev = digest(line)
      return line
    })
    texts.push(lines.join(''))
  }
  return texts
}

let folder
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-'))
})
after(() => fs.rmSync(folder, { recursive: true }))

function found(texts, files = {}) {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name))
  for (const [i, text] of texts.entries()) fs.writeFileSync(path.join(folder, `audit-000000000${i + 1}.jsonl`), text, 'latin1')
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
  return compare(received, readLog(folder))
}

test('a good log', () => {
  const [one, two] = textsOf(records())
  const counts = { released: 2, records: 6, segments: 2, unlogged: [], breaks: [], withoutDone: 1, torn: 0, repairs: 0 }
  assert.deepEqual(found([one, two]), counts)
  assert.deepEqual(found([one, `${two}\0\0\0`]), counts, 'NULs that were filled in')
})

// What somebody has changed who can make a chain, so that the records themselves must be looked at.
for (const [what, change, unlogged] of [
  ['no record', (all) => all[1].pop(), /^request request 2: no record$/],
  ['another input', (all) => (all[0][1].input_sha256 = digest('x')), /^request request 1: record 2 has another input_sha256$/],
  ['another jti', (all) => (all[1][1].jti = 'x'), /record 6 has another jti$/],
  ['not released', (all) => Object.assign(all[0][2], { outcome: 'deadline', released_sha256: undefined }), /record 3 says deadline$/],
  ['another signature', (all) => (all[0][2].released_sha256 = digest('x')), /record 3 is of another signature$/],
]) {
  test(`a signature with ${what}`, () => {
    const all = records()
    change(all)
    const { breaks, unlogged: [said, ...more] } = found(textsOf(all))
    assert.deepEqual(breaks, [])
    assert.match(said, unlogged)
    assert.deepEqual(more, [])
  })
}

const firstSign = /(?<=\n).*"sign".*\n/
for (const [what, change, said] of [
  ['a letter changed', ([one, two]) => [one.replace('jti 1', 'jti 7'), two], /^record 3 does not have the hash of the one before$/],
  ['a record removed', ([one, two]) => [one.replace(firstSign, ''), two], /^audit-0000000001\.jsonl: \d+ bytes, and the next one says \d+$/],
  ['something behind a segment', ([one, two]) => [`${one}x`, two], /1 bytes more than the next one says, without a fault$/],
  ['a record cut short', ([one, two]) => [one, two.slice(0, -5)], /^audit-0000000002\.jsonl: \d+ bytes at its end are no record$/],
  ['a space', ([one, two]) => [one, two.replace('"sign",', '"sign", ')], /^audit-0000000002\.jsonl: byte \d+: not a record: /],
  ['the first segment gone', ([, two]) => [two], /its first record is of segment 2/],
]) {
  test(`a log with ${what}`, () => {
    assert.ok(found(change(textsOf(records()))).breaks.some((text) => said.test(text)))
  })
}

for (const [what, change, said] of [
  ['another chain', (all) => (all[1][0].chain = 'x'), /^audit-0000000002\.jsonl: another chain$/],
  ['a wrong cause', (all) => (all[1][0].cause = 'size'), /cause size after an end of stop$/],
  ['a done of nothing', (all) => (all[0][2].of = 1), /^record 3 is done of 1$/],
  ['a repair of nothing', (all) => all[1].push({ kind: 'repair', segment: 1, kept_bytes: 7, cut_bytes: 3 }), /^record 7: segment 1 has \d+ bytes, its torn end undefined$/],
]) {
  test(`a chain with ${what}`, () => {
    const all = records()
    change(all)
    assert.ok(found(textsOf(all)).breaks.some((text) => said.test(text)))
  })
}

test('a torn end of which nothing is on record', () => {
  const { breaks, torn, repairs } = found(textsOf(records()), { 'audit-0000000001.torn': 'abc' })
  assert.deepEqual(breaks, ['segment 1 has a torn end of which there is no record'])
  assert.deepEqual([torn, repairs], [1, 0])
})
