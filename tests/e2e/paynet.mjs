// SPDX-License-Identifier: Apache-2.0
// Banks of PayNet's side beside one sandbox, so that tests can run abreast: a test takes one that is free.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { start } from '../bank/paynet.mjs'
import { Control, customer, flow } from './flow.mjs'
import { Sandbox, seconds } from './lib.mjs'

const suffixes = { private_key_jwt: '', tls_client_auth: '-mtls' }
export const methods = Object.keys(suffixes)
export const asked = ['--permissions', 'read_accounts,read_balances', '--until', '2098-12-31T23:59:59Z']

// It ends so: with this code, and this name of what failed. Gives the answer.
export async function ended(running, code, name) {
  const answer = await running
  assert.equal(answer.code, code, answer.stdout + answer.stderr)
  if (code !== 0) assert.equal(answer.failed.name, name, answer.stderr)
  return answer
}

class Lane {
  static async open(box, dir, name) {
    fs.mkdirSync(dir)
    const bank = await start(box.dir, { name })
    return Object.assign(new Lane(), { box, dir, name, bank, control: new Control(bank), count: 0 })
  }

  folder() {
    return path.join(this.dir, `state-${this.count++}`)
  }

  bankFile(method = 'private_key_jwt') {
    return path.join(this.box.dir, `${this.name}${suffixes[method]}.json`)
  }

  consent(state, { method, browser = customer, more = [], ...rest } = {}) {
    const how = browser === null ? [] : ['--browser', browser]
    return flow(this.box, ['paynet-consent', '--bank', this.bankFile(method), '--state', state, ...asked, ...how, '--json', ...more], rest)
  }

  resume(state, ...more) {
    return flow(this.box, ['resume', '--state', state, '--json', ...(more.length > 0 ? more : ['--browser', customer])])
  }

  refresh(of, state = this.folder(), { method, more = [], ...rest } = {}) {
    return flow(this.box, ['paynet-refresh', '--bank', this.bankFile(method), '--state', state, '--consent', of, '--json', ...more], rest)
  }

  // What the bank has of it since `seen`, an answer of this; `steps` counts requests.
  async since(seen) {
    const { requests, consents } = await this.control.ledger()
    const steps = (step) => requests.slice(seen?.requests.length ?? 0).filter((one) => one.step === step).length
    return { requests, consents: consents.slice(seen?.consents.length ?? 0), steps }
  }
}

// As many tests at once as there are banks.
export const abreast = { concurrency: 3 }

export class Lanes {
  static async open(box, dir, n = abreast.concurrency) {
    const lanes = Object.assign(new Lanes(), { all: [], free: [], waiting: [] })
    for (let i = 0; i < n; i++) lanes.all.push(await Lane.open(box, path.join(dir, `bank-${i}`), `paynet-${i}`))
    lanes.free.push(...lanes.all)
    return lanes
  }

  // A bank that tells the truth when `work` begins, and is nobody else's until it ends.
  async take(work) {
    const lane = this.free.pop() ?? (await new Promise((resolve) => this.waiting.push(resolve)))
    try {
      return await work(lane)
    } finally {
      await lane.control.truth()
      await lane.bank.tls({})
      lane.bank.turn(false)
      const next = this.waiting.shift()
      if (next) next(lane)
      else this.free.push(lane)
    }
  }

  async close() {
    await Promise.all(this.all.map(({ bank }) => bank.close()))
  }
}

// The consent that a state is about.
export const idOf = (state) => JSON.parse(fs.readFileSync(path.join(state, 'asked.json'))).consent_id

// For a test file: the sandbox and its banks are there while its tests run; check(name, work) is a test that has a bank of its
// own, and a new folder for a flow's state.
export function banks() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qf-'))
  const all = { check: (name, work) => test(name, { timeout: seconds(120) }, () => all.lanes.take((lane) => work(lane, lane.folder()))) }
  before(async () => {
    all.box = await Sandbox.up()
    all.lanes = await Lanes.open(all.box, dir)
  })
  after(async () => {
    await all.lanes?.close()
    await all.box?.down()
    fs.rmSync(dir, { recursive: true, force: true })
  })
  return all
}
