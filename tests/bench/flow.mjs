// SPDX-License-Identifier: Apache-2.0
// What the service is of a whole flow: tools/flow against the banks of tests/bank, on this machine, with a clock in front of
// the service. And what the flow's handshakes would cost with the transport key in a file.

import fs from 'node:fs'
import path from 'node:path'

import { finished, configured, plainEnv, Program, sandboxAuthority } from '../e2e/tls.mjs'
import { repository, Sandbox, seconds, until } from '../e2e/lib.mjs'
import { BankClock, ServiceClock } from './clock.mjs'
import { median, row } from './table.mjs'

const at = (name) => path.join(repository, name)
const handshakesPerRound = 8
const roundsAtMost = 7 // a flow takes seconds
const payer = 'FI4950009420028730'
const payment = (amountEUR) => ({ payee: { iban: 'FI5850009420172322', name: 'Test_Person' }, payer: { iban: payer }, message: 'bench', amountEUR })
const nextYear = `${new Date().getUTCFullYear() + 1}-01-31T12:00:00Z`

// Verb → its bank, and what it is told beside the bank's file; `folder` has what prepare() puts there. The exemption is one of
// those that the authorization before it leaves.
const flows = {
  'op-funds': ['op', () => ['--iban', payer, '--amount', '4.00']],
  'op-payments': ['op', (folder) => ['--payments', path.join(folder, 'two.json'), '--customer', path.join(folder, 'payer')]],
  'op-exemption': ['op', (folder) => ['--payment', path.join(folder, 'one.json'), '--customer', path.join(folder, 'payer'),
    '--customer-ip', '192.0.2.7', '--customer-agent', 'bench', '--last-logged', 'Sun, 10 Sep 2017 19:43:31 UTC']],
  'paynet-consent': ['paynet', () => ['--permissions', 'read_accounts,read_balances', '--until', nextYear]],
}

function prepare(folder) {
  fs.mkdirSync(path.join(folder, 'payer'), { mode: 0o700 })
  fs.writeFileSync(path.join(folder, 'payer/accounts.json'), JSON.stringify([payer]))
  fs.writeFileSync(path.join(folder, 'one.json'), JSON.stringify(payment('4.00')))
  fs.writeFileSync(path.join(folder, 'two.json'), JSON.stringify([payment('4.00'), payment('5.00')]))
}

const elapsed = async (work) => {
  const begun = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - begun) / 1e6
}

class FlowStand {
  static async up() {
    const stand = new FlowStand()
    stand.box = await Sandbox.up()
    try {
      await stand.#prepare()
    } catch (error) {
      await stand.down()
      throw error
    }
    return stand
  }

  async #prepare() {
    const { dir, transport } = this.box
    this.dir = path.join(dir, 'bench')
    fs.mkdirSync(this.dir)
    this.banks = ['op', 'paynet'].map((name) => new Program(this.dir, name, [process.execPath, at(`tests/bank/${name}.mjs`), dir]))
    for (const bank of this.banks) {
      await until(`the bank ${bank.name} listens`, () => bank.how !== undefined || fs.existsSync(path.join(dir, `${bank.name}.json`)))
      if (bank.how !== undefined) throw new Error(`${bank.name} ended with ${bank.how}: ${bank.log}`)
    }
    const place = path.join(dir, 'clock.sock')
    this.service = await ServiceClock.start(place, this.box.socket)
    this.bank = await BankClock.start()
    this.file = { ...(await sandboxAuthority(this.box, this.dir).issue('client', { usage: 'clientAuth' })), ca: transport.ca }
    this.env = { ...plainEnv, OPENSSL_CONF: configured(this.box, this.dir, 'clock', `[qseal_provider]\nsocket = ${place}\n`), QSEAL_SOCKET: place, https_proxy: this.bank.url }
    this.#customer()
    prepare(this.dir)
  }

  // The customer takes as long as customers do: their time is not the flow's. What is called writes down when.
  #customer() {
    this.visits = path.join(this.dir, 'visits')
    this.browser = path.join(this.dir, 'customer')
    const lines = ['#!/bin/bash', `printf '%s ' "$EPOCHREALTIME" >>${this.visits}`, `${at('tests/bank/customer')} --ca ${this.box.transport.ca} "$@"`, `printf '%s\\n' "$EPOCHREALTIME" >>${this.visits}`, '']
    fs.writeFileSync(this.browser, lines.join('\n'), { mode: 0o755 })
  }

  async down() {
    await this.service?.end()
    await this.bank?.end()
    for (const bank of this.banks ?? []) await bank.end()
    await this.box.down()
  }

  // One flow from its beginning to its end; milliseconds, and how many of which request.
  async flow(verb) {
    const [bank, options] = flows[verb]
    const state = fs.mkdtempSync(path.join(this.dir, 'state-'))
    fs.writeFileSync(this.visits, '')
    Object.assign(this.service, { requests: [] })
    Object.assign(this.bank, { ms: 0, connections: 0 })
    const args = [verb, '--bank', path.join(this.box.dir, `${bank}.json`), '--state', state, '--browser', this.browser, '--quiet', ...options(this.dir)]
    let ended
    const wall = await elapsed(async () => {
      ended = await finished(at('tools/flow'), args, { env: this.env, cwd: this.dir, timeout: seconds(60) })
    })
    if (ended.code !== 0) throw new Error(`tools/flow ${verb} ended with ${ended.code}: ${ended.stdout}${ended.stderr}`)
    const visits = fs.readFileSync(this.visits, 'utf8').trim().split('\n').filter(Boolean).map((line) => line.split(' ').map(Number))
    const customer = visits.reduce((sum, [came, left]) => sum + (left - came) * 1000, 0)
    return { wall: wall - customer, bank: this.bank.ms, ...this.#asked() }
  }

  #asked() {
    const of = (...kinds) => this.service.requests.filter(({ kind }) => kinds.includes(kind))
    const sum = (requests) => requests.reduce((total, { ms }) => total + ms, 0)
    return {
      handshakes: of('handshake').length, signatures: of('signature').length, verifications: of('verification').length,
      shaking: sum(of('handshake')), signing: sum(of('signature')), verifying: sum(of('verification')), looking: sum(of('look')),
    }
  }

  // A handshake of curl's, a process each, with a bank that has nothing at this address.
  handshake(client, conf) {
    const { api } = JSON.parse(fs.readFileSync(path.join(this.box.dir, 'op.json'), 'utf8'))
    const args = ['-q', '--silent', '--show-error', '--output', '/dev/null', '--cacert', client.ca, '--cert', client.cert, '--key', client.key, `${api}/nothing`]
    return elapsed(async () => {
      const { code, stderr } = await finished('curl', args, { env: conf === undefined ? plainEnv : { ...plainEnv, OPENSSL_CONF: conf } })
      if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`)
    })
  }

  // Both kinds in turn; milliseconds.
  async handshakes() {
    const { transport } = this.box
    const taken = { reference: [], file: [] }
    for (let i = 0; i < handshakesPerRound; i++) {
      taken.reference.push(await this.handshake(transport, transport.conf))
      taken.file.push(await this.handshake(this.file))
    }
    return { reference: median(taken.reference), file: median(taken.file) }
  }
}

// --- figures -----------------------------------------------------------------------------------

const service = (one) => one.shaking + one.signing + one.verifying + one.looking

function rowsOf(verb, rounds) {
  const over = (figure) => median(rounds.map(({ [verb]: one, handshakes }) => figure(one, handshakes)))
  const dearer = (one, { reference, file }) => one.handshakes * (reference - file)
  const [{ [verb]: { handshakes, signatures, verifications } }] = rounds
  return [
    row(`${verb}: the service's share of the flow's time`, over((one) => service(one) / one.wall), '<=', 0.1),
    row(`${verb}: its share of what is left without processes and customer`, over((one) => service(one) / (one.bank + service(one) - one.shaking))),
    row(`${verb}: the flow's time / with the transport key in a file`, over((one, base) => one.wall / (one.wall - dearer(one, base)))),
    row(`${verb}: in the service (${handshakes} handshakes, ${signatures} signatures, ${verifications} verifications)`, over(service), undefined, undefined, 'ms'),
    row(`${verb}: the flow without the customer`, over((one) => one.wall), undefined, undefined, 'ms'),
  ]
}

export async function onFlow(settings, report, { progress }) {
  const stand = await FlowStand.up()
  const rounds = []
  try {
    const n = Math.min(settings.rounds, roundsAtMost)
    for (let i = 1; i <= n; i++) {
      progress(`flows, round ${i} of ${n}`)
      const round = { handshakes: await stand.handshakes() }
      for (const verb of Object.keys(flows)) round[verb] = await stand.flow(verb)
      rounds.push(round)
    }
  } finally {
    await stand.down()
  }
  report.flows = rounds
  report.rows.push(
    ...Object.keys(flows).flatMap((verb) => rowsOf(verb, rounds)),
    row('a handshake of curl, process and all: reference / key in a file', median(rounds.map(({ handshakes }) => handshakes.reference / handshakes.file))),
  )
}
