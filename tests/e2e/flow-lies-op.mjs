// SPDX-License-Identifier: Apache-2.0
// tools/flow against a bank that lies: what the flow answers to each lie of tests/bank/op-lies.mjs that it meets, and that
// nothing of the lying answer was used and nothing was submitted twice, by the bank's own book. A table of it all is left
// beside the programs, in tests/.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { lies } from '../bank/op-lies.mjs'
import { start } from '../bank/op.mjs'
import { customer, flow } from './flow.mjs'
import { bin, Sandbox } from './lib.mjs'

// Flows in parallel, each with a bank of its own.
const lanes = 3
// Of a flow that is told to go on after a broken way.
const resumes = 3

// Keys are what a TPP fetches when it has something to verify.
const harmless = ['oidc-jwks', 'payments-jwks']

// The step a lie is about, as the bank's routes name it.
export const stepOf = ({ at }) => ({ front: 'redirection', token: 'code-token' })[at.split(' ')[0]] ?? at.split(' ')[0]

class Lane {
  constructor(dir, bank) {
    Object.assign(this, { dir, bank, op: bank.op })
  }

  // A run from the beginning, or where `state` stands.
  async run(verb, state, args) {
    const all = verb === 'resume' ? [verb] : [verb, '--bank', this.bank.path, ...args]
    return flow(this.box, [...all, '--state', state, '--browser', customer, '--json'])
  }

  // The flow, met by the lie: how each run ended, and the bank's book of the time since; `first` is that of the first run.
  // After a broken way the flow is resumed, and so it is after a lie if `goOn`: the bank then tells the truth.
  async meet(lie, verb, args, goOn) {
    const state = fs.mkdtempSync(path.join(this.dir, 's-'))
    const book = { requests: this.op.requests.length, transfers: this.op.transfers.length }
    const since = () => ({ requests: this.op.requests.slice(book.requests), transfers: this.op.transfers.slice(book.transfers) })
    this.op.lies.tell(lie.name, lie.error ? Number.MAX_SAFE_INTEGER : 1)
    const runs = [await this.run(verb, state, args)]
    const first = since()
    const { told } = this.op.lies.state
    while (lie.way && runs.at(-1).code === 6 && runs.length <= resumes) runs.push(await this.run('resume', state))
    this.op.lies.stop()
    if (goOn) runs.push(await this.run('resume', state))
    fs.rmSync(state, { recursive: true })
    return { runs, first, told, ...since() }
  }
}

function judgeEnd(lie, { runs, first, told, transfers }, { most, goOn, ends }) {
  const [{ code, failed, stderr }] = runs
  const said = JSON.stringify(failed ?? runs[0].stdout)
  const last = runs.at(-1)
  assert.ok(told > 0, `the flow did not meet the lie: ${said}`)
  assert.ok(transfers.length <= most, `${transfers.length} transfers`)
  assert.equal(new Set(transfers.map(({ paymentId }) => paymentId)).size, transfers.length, 'a payment was made twice')
  if (ends) assert.deepEqual([last.code, last.failed?.name], ends)
  else if (lie.way || goOn) assert.deepEqual([last.code, transfers.length], [0, most], JSON.stringify(last.failed))
  if (lie.way) return
  assert.equal(code, lie.rule ? 3 : 4, said)
  assert.ok([lie.rule ?? lie.error].flat().includes(failed.name), said)
  assert.match(stderr, new RegExp(`^tools/flow: ${failed.name}: `, 'm'))
  if (lie.error) return
  const at = first.requests.findIndex((entry) => entry.lie === lie.name)
  assert.deepEqual(first.requests.slice(at + 1).filter(({ step }) => !harmless.includes(step)), [], 'what came of a lying answer')
}

const payment = (amountEUR) => ({ payee: { iban: 'FI2112345600000785', name: 'Shop' }, payer: { iban: 'FI5850009420172322' }, message: 'two things', amountEUR })
const alone = ({ name }) => name.includes('-jws-')

// What several tests have in common. Payments: two in one authorization, or one where the lie is about a signature alone.
export const lying = {
  funds: { verb: 'op-funds', args: () => ['--iban', 'FI8659986920068681', '--amount', '4.00'], most: () => 0 },
  payments: {
    verb: 'op-payments',
    prepare(lane) {
      lane.payments = (n) => path.join(lane.dir, `payments-${lane.number}-${n}.json`)
      fs.writeFileSync(lane.payments(1), JSON.stringify(payment('4.00')))
      fs.writeFileSync(lane.payments(2), JSON.stringify([payment('4.00'), payment('7.10')]))
    },
    args: (lane, lie) => ['--payments', lane.payments(alone(lie) ? 1 : 2)],
    most: (lie) => (alone(lie) ? 1 : 2),
  },
}

// Every lie about one of `steps`. `prepare(lane)`: once; of each lie: `args(lane, lie)` of the verb; `most(lie)`: how many
// transfers a flow makes; `goOn(lie)`: whether it is told to go on after it; `ends(lie)`: exit and name of the last run.
export function meetLies(name, { verb, steps, args, most, prepare = () => {}, goOn = () => false, ends = () => undefined }) {
  const mine = lies.filter((lie) => steps.includes(stepOf(lie)))
  const rows = []
  const free = []
  const waiting = []
  let box
  let dir
  const banks = []

  before(async () => {
    box = await Sandbox.up()
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-fl-'))
    for (let n = 1; n <= lanes; n++) {
      const bank = await start(box.dir, { name: `op-${n}` })
      banks.push(bank)
      const lane = Object.assign(new Lane(dir, bank), { box, number: n })
      await prepare(lane)
      free.push(lane)
    }
  })

  after(async () => {
    await Promise.all(banks.map((bank) => bank.close()))
    await box?.down()
    fs.rmSync(dir, { recursive: true, force: true })
    put(name, rows)
  })

  const take = () => free.pop() ?? new Promise((resolve) => waiting.push(resolve))
  const give = (lane) => (waiting.length > 0 ? waiting.shift()(lane) : free.push(lane))

  describe(`${verb} meets`, { concurrency: lanes }, () => {
    for (const lie of mine) {
      test(`${lie.name}: ${lie.says}`, async () => {
        const lane = await take()
        try {
          const met = await lane.meet(lie, verb, args(lane, lie), goOn(lie))
          rows.push(rowOf(lie, met))
          judgeEnd(lie, met, { most: most(lie), goOn: goOn(lie), ends: ends(lie) })
        } finally {
          give(lane)
        }
      })
    }
  })
}

function rowOf(lie, { runs, transfers }) {
  const ends = runs.map(({ code, failed }) => (code === 0 ? '0 done' : `${code} ${failed?.name}`))
  return [lie.name, lie.says, ends.join(', then '), transfers.length]
}

function put(name, rows) {
  const folder = path.join(bin, '../tests')
  fs.mkdirSync(folder, { recursive: true })
  const all = [['lie', 'what is untrue', "the flow's exit and why", 'transfers'], ...rows.sort(([a], [b]) => (a < b ? -1 : 1))]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)))
  const lines = all.map((row) => [...widths.map((width, column) => row[column].padEnd(width)), row[3]].join('  '))
  fs.writeFileSync(path.join(folder, `${name}.txt`), `${lines.join('\n')}\n`)
  console.log(lines.join('\n'))
}
