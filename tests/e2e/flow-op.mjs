// SPDX-License-Identifier: Apache-2.0
// A sandbox, OP's stand-in and tools/flow, for the tests of OP's flows.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { start } from '../bank/op.mjs'
import { Control, customer, flow } from './flow.mjs'
import { Sandbox } from './lib.mjs'

// Of customer 88888881, but for the last.
export const accounts = ['FI8659986920068681', 'FI4950009420028730']
export const stranger = 'FI2112345600000785'

export const order = (amountEUR, more = {}) => ({ payee: { iban: stranger, name: 'Zoë "Q" Test' }, payer: { iban: accounts[0] }, message: 'test payment', amountEUR, ...more })

export class OpStand {
  #count = 0

  static async up() {
    const stand = new OpStand()
    stand.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qf-'))
    stand.box = await Sandbox.up()
    try {
      stand.bank = await start(stand.box.dir)
      stand.control = new Control(stand.bank)
    } catch (error) {
      await stand.down()
      throw error
    }
    return stand
  }

  async down() {
    await this.bank?.close()
    await this.box.down()
    fs.rmSync(this.dir, { recursive: true, force: true })
  }

  // A name of its own in the test's folder.
  fresh(name) {
    return path.join(this.dir, `${name}-${this.#count++}`)
  }

  file(content) {
    const name = this.fresh('orders')
    fs.writeFileSync(name, typeof content === 'string' ? content : JSON.stringify(content))
    return name
  }

  // A customer's folder; `ledger`: the exemption payments that are in it, in cents.
  customer({ owns = accounts, ledger, refresh } = {}) {
    const folder = this.fresh('customer')
    fs.mkdirSync(folder, { mode: 0o700 })
    fs.writeFileSync(path.join(folder, 'accounts.json'), JSON.stringify(owns))
    if (refresh !== undefined) fs.writeFileSync(path.join(folder, 'refresh'), refresh, { mode: 0o600 })
    if (ledger !== undefined) this.setLedger(folder, ledger)
    return folder
  }

  setLedger(folder, cents) {
    fs.writeFileSync(path.join(folder, 'ledger.json'), JSON.stringify(cents.map((one, i) => ({ flow: `flow-${i}`, cents: one, kind: 'small' }))))
  }

  ledgerOf(folder) {
    return JSON.parse(fs.readFileSync(path.join(folder, 'ledger.json'))).map(({ cents, kind }) => [cents, kind])
  }

  // `mode` is --json, --quiet or ''; `bank` another bank file.
  run(verb, state, args, { browser = customer, mode = '--json', bank = this.bank.path, ...rest } = {}) {
    const all = [verb, '--bank', bank, '--state', state, ...args, ...(browser ? ['--browser', browser] : []), ...(mode ? [mode] : [])]
    return flow(this.box, all, rest)
  }

  funds(state, { amount = '4.00', ...more } = {}) {
    return this.run('op-funds', state, ['--iban', accounts[0], '--amount', amount, ...(more.args ?? [])], more)
  }

  payments(state, orders, { folder, ...more } = {}) {
    const args = ['--payments', this.file(orders), ...(folder ? ['--customer', folder] : []), ...(more.args ?? [])]
    return this.run('op-payments', state, args, more)
  }

  exemption(state, folder, one, more = {}) {
    const present = ['--customer-ip', '192.0.2.1', '--customer-agent', 'test', '--last-logged', 'Sun, 10 Sep 2017 19:43:31 UTC']
    return this.run('op-exemption', state, ['--customer', folder, '--payment', this.file(one), ...present, ...(more.args ?? [])], { browser: '', ...more })
  }

  resume(state, args = ['--browser', customer], rest) {
    return flow(this.box, ['resume', '--state', state, '--json', ...args], rest)
  }

  async status(state) {
    const { code, stdout, stderr } = await flow(this.box, ['status', '--state', state, '--json'])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }

  // The money that moved for the payments of a flow, as [amount, payee], in their order.
  async moved(result) {
    const { transfers } = await this.control.ledger()
    return result.payments.map(({ paymentId }) => transfers.filter((one) => one.paymentId === paymentId).map((one) => [one.amountEUR, one.payee]))
  }

  payOnce(state, more) {
    return this.payments(state, order('4.00'), more)
  }

  // Where it stands after it has ended badly, and that it says so everywhere.
  async assertStands(state, answer, where, repeat) {
    const { stands, repeat: safe } = await this.status(state)
    assert.equal(stands, where)
    assert.match(safe, repeat)
    assert.deepEqual([answer.failed.stands, answer.failed.repeat], [stands, safe])
    assert.ok(answer.stderr.includes(`it stands at: ${stands}\n  to repeat: ${safe}\n`), answer.stderr)
  }

  // Told to go on, it comes to its end, and each payment was made once.
  async goesOn(state, moved = once) {
    const { result } = await ended(this.resume(state), 0)
    assert.deepEqual(await this.moved(result), moved)
    const { transfers, payments } = await this.control.ledger()
    // Nor under the ids of an authorization that was given up.
    assert.ok(transfers.every(({ paymentId }) => payments.some((one) => one.paymentId === paymentId)))
    return result
  }

  async movedInAll() {
    return (await this.control.ledger()).transfers.length
  }

  async requests() {
    return (await this.control.ledger()).requests
  }
}

// What moves when order('4.00') is paid once.
export const once = [[['4.00', stranger]]]

// For a curl in the way of the flow's: $config is what it reads, $what is "PUT https://…", with the grant of a form.
export const whatIsAsked = `config=; case " $* " in *' --config - '*) config=$(cat) ;; esac
what="$(sed -n 's/^request = "\\(.*\\)"$/\\1/p' <<<"$config") $(sed -n 's/^url = "\\(.*\\)"$/\\1/p' <<<"$config") $(sed -n 's/^data-raw = "grant_type=\\([a-z_]*\\).*/\\1/p' <<<"$config")"`

// The flow ended with this code, and named this; resolves with its answer.
export async function ended(running, code, name) {
  const answer = await running
  assert.equal(answer.code, code, answer.stdout + answer.stderr)
  if (name !== undefined) assert.equal(answer.failed?.name, name, answer.stdout + answer.stderr)
  return answer
}
