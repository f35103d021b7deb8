// SPDX-License-Identifier: Apache-2.0
// tools/flow against PayNet's side when it lies: what the flow answers to each lie of tests/bank/paynet-lies.mjs, and that
// nothing was done with the lying answer, by the bank's own book. A table of it all is left beside the programs, in tests/.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, describe, test } from 'node:test'

import { lies } from '../bank/paynet-lies.mjs'
import { bin } from './lib.mjs'
import { abreast, banks } from './paynet.mjs'

const steps = ['well-known', 'jwks', 'par', 'authorize', 'token', 'accounts']
// Where it shows: keys are looked at when there is something to verify, and a bad code when it is sent.
const stepOf = ({ name, at }) => (name === 'code-of-another' ? 'token' : (({ callback: 'authorize', jwks: 'token' })[at.split(' ')[0]] ?? at.split(' ')[0]))
// What a run keeps of the bank's answers in its state, and after which step; what is kept of a refresh is the consent's.
const leaves = { 'user.json': 'token', 'consent.json': 'token', 'accounts.json': 'accounts', 'fresh.json': 'accounts', code: 'authorize', 'callback.url': 'accounts' }
const ofConsent = ['user.json', 'consent.json']

function judgeEnd(lie, [code, name], { answer, book, told, left }) {
  const said = answer.stdout + answer.stderr
  assert.ok(told > 0, `the flow did not meet the lie: ${said}`)
  assert.deepEqual([answer.code, answer.failed?.name], [code, name], said)
  if (name !== undefined) assert.match(answer.stderr, new RegExp(`^tools/flow: ${name}: `, 'm'))
  if (code === 4) assert.ok(answer.failed.advice.length > 20, 'what to do')
  const at = steps.indexOf(stepOf(lie))
  // Keys are looked at again when there is something to verify.
  const more = book.map(({ step }) => step).filter((step) => step !== 'jwks' && steps.indexOf(step) > at)
  assert.deepEqual(more, [], 'what came of a lying answer')
  for (const [file, step] of Object.entries(leaves)) {
    if (at <= steps.indexOf(step)) assert.ok(!left.includes(file), `${file} is kept`)
  }
}

// `table`: lie → [exit, name]; `only`: which lies must be in it. `verb` is consent, or refresh of a consent that was given.
export function meetLies(file, { verb = 'consent', table, only }) {
  const { check } = banks()
  const rows = []
  after(() => put(file, rows))

  test('no lie is left out', () => {
    assert.deepEqual(Object.keys(table).sort(), lies.filter(only).map(({ name }) => name).sort())
  })

  describe(`${verb} meets`, abreast, () => {
    for (const [name, [code, rule, times = 1]] of Object.entries(table)) {
      const lie = lies.find((one) => one.name === name)
      check(`${name}: ${lie.says}`, async (lane) => {
        const met = await meet(lane, verb, name, times)
        rows.push([name, lie.says, code === 0 ? '0 done' : `${met.answer.code} ${met.answer.failed?.name}`, met.answer.failed?.text ?? ''])
        judgeEnd(lie, [code, rule], met)
      })
    }
  })
}

async function meet(lane, verb, name, times) {
  const state = lane.folder()
  if (verb === 'refresh') assert.equal((await lane.consent(state)).code, 0)
  const tokens = verb === 'refresh' && fs.readFileSync(path.join(state, 'user.json'), 'utf8')
  const own = verb === 'refresh' ? lane.folder() : state
  const { requests } = await lane.control.ledger()
  await lane.control.lie(name, times)
  const answer = verb === 'refresh' ? await lane.refresh(state, own) : await lane.consent(state)
  const { told } = (await lane.control.lies()).current
  const left = fs.readdirSync(own).filter((file) => verb === 'consent' || !ofConsent.includes(file))
  assert.equal(verb === 'refresh' && fs.readFileSync(path.join(state, 'user.json'), 'utf8') !== tokens, false, 'the consent has other tokens')
  return { answer, told, book: (await lane.control.ledger()).requests.slice(requests.length), left }
}

function put(name, rows) {
  const folder = path.join(bin, '../tests')
  fs.mkdirSync(folder, { recursive: true })
  const all = [['lie', 'what is untrue', "the flow's exit and why", 'what it says'], ...rows.sort(([a], [b]) => (a < b ? -1 : 1))]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)))
  const lines = all.map((row) => [...widths.map((width, column) => row[column].padEnd(width)), row[3]].join('  ').trimEnd())
  fs.writeFileSync(path.join(folder, `${name}.txt`), `${lines.join('\n')}\n`)
  console.log(lines.join('\n'))
}
