// SPDX-License-Identifier: Apache-2.0
// SIGKILL of the real programs at random moments under load, again and again, started anew as systemd would. At the end
// everything that a caller has received is in the audit log, the log is whole, and nobody was left without an answer.
//
// qseald dies in three ways: at any moment; while it starts, at each call that makes its log whole again; and amid a
// write, a sync or the change to the next segment (disk.c).
//
// QSEAL_LONG=1: 10000 kills, or as many as an hour has room for, in logs of 250 each.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { Callers } from './audit-load.mjs'
import { compare, readLog } from './audit-log.mjs'
import { FaultyDisk } from './disk.mjs'
import { Sandbox, pause, seconds, until } from './lib.mjs'

const long = process.env.QSEAL_LONG !== undefined
const wanted = long ? 10000 : 40
const ofOneLog = long ? 250 : wanted
const budget = long ? 3600 * 1000 : Infinity
const callers = 16
const rooms = ['qseald', 'qseal-tokend-hsm-a', 'qseal-httpd']
const ways = ['amidItsWork', 'atAnyMoment', 'amidTheChange', 'amidItsWork']
const random = (n) => Math.floor(Math.random() * n)

// Checkpoints know a token's room by the second of its start, and systemd lets half a one go by before the next.
function anotherSecond() {
  const second = () => Math.floor(Date.now() / 1000)
  const now = second()
  return until('it is another second', () => second() > now)
}

// One sandbox with its log, and who kills in it.
class Round {
  kills = { 'qseald': 0, 'qseal-tokend-hsm-a': 0, 'qseal-httpd': 0 }
  calls = new Map() // what qseald was killed at → how often
  starting = 0 // kills of a qseald that was not there yet
  ended = 0 // of one that was

  static async begin() {
    const round = new Round()
    round.box = await Sandbox.up()
    round.disk = new FaultyDisk(round.box)
    for (const room of rooms) await round.box.kill(room, 'SIGTERM')
    round.box.editConfig((text) => text.replace(/^audit: \{(.*)\}$/m, 'audit: {$1, segment_mib: 1, checkpoint_records: 300}'))
    for (const room of rooms) round.start(room)
    await round.box.ready()
    round.load = await Callers.start(round.box, callers)
    return round
  }

  get total() {
    return Object.values(this.kills).reduce((sum, n) => sum + n)
  }

  start(room) {
    return this.box.restart(room, room === 'qseald' ? this.disk.wrap : [])
  }

  async #gone(child, room) {
    assert.equal(await child.ended, 'SIGKILL', `${room} ended by itself: ${this.box.logs().slice(-2000)}`)
    this.kills[room] += 1
  }

  async killed(room) {
    const child = this.box.children[room]
    child.kill('SIGKILL')
    await this.#gone(child, room)
  }

  // At its `left`th call in the log's folder from now on; what it was.
  async #killedAt(left, child, ms) {
    const call = () => this.disk.seen.call
    await until(`qseald makes ${left} calls`, () => call() !== '', ms).catch(() => {})
    if (call() === '') child.kill('SIGKILL')
    await this.#gone(child, 'qseald')
    this.calls.set(call(), (this.calls.get(call()) ?? 0) + 1)
  }

  // It comes back, and dies before it is whole: at a call that repairs, or writes the first records.
  async startedInVain() {
    const left = random(16)
    this.disk.reset()
    this.disk.set('kill', left)
    this.starting += 1
    await this.#killedAt(left, this.start('qseald'), seconds(2))
  }

  async atAnyMoment() {
    await pause(random(150)) // a random moment is what is wanted
    await this.killed('qseald')
  }

  async amidItsWork() {
    const left = random(20)
    this.disk.set('kill', left)
    await this.#killedAt(left, this.box.children.qseald, seconds(2))
  }

  // The segment is full: its checkpoint, its end, and the beginning of the next one are at hand.
  async amidTheChange() {
    const isFull = ({ name, written }) => name.endsWith('.jsonl') && written > 1024 * 1024 - 4096
    await until('a segment is full', () => this.disk.files.some(isFull), seconds(60))
    const left = random(40)
    this.disk.set('kill', left)
    await this.#killedAt(left, this.box.children.qseald, seconds(8))
  }

  // A token's room is killed when it has answered: two logins without an answer would lock the token, as they should.
  async working() {
    const { received } = this.load
    const from = received.length
    await until('it signs again', () => received.length > from + callers, seconds(30))
  }

  async step(room) {
    await this.working()
    if (room !== 'qseald') {
      await pause(random(50)) // as above
      await this.killed(room)
      if (room !== 'qseal-httpd') await anotherSecond()
    } else {
      await this[ways[this.ended++ % ways.length]]()
      for (let again = random(3); again > 0; again -= 1) await this.startedInVain()
      this.disk.reset()
    }
    this.start(room)
  }

  async #ctl(...args) {
    const { code, stdout, stderr } = await this.box.ctl(...args)
    assert.equal(code, 0, `${stdout}${stderr}`)
    return stdout
  }

  // Two readers look at the log, and qsealctl's at the checkpoints, too.
  async end() {
    await this.working()
    await this.load.stop()
    await this.box.cycle('qseald')
    await until('there is somebody to ask', async () => (await this.box.ctl('status')).code === 0)
    const keys = path.join(this.box.dir, 'audit-keys.pem')
    fs.writeFileSync(keys, await this.#ctl('audit', 'key', '--all'))
    await this.box.kill('qseald', 'SIGTERM')
    const folder = path.join(this.box.dir, 'audit')
    await this.#ctl('audit', 'verify', folder, '--key', keys)
    const log = readLog(folder)
    return { ...compare(this.load.received, log), refused: this.load.refusals.length, broken: this.load.broken }
  }

  async down() {
    this.disk.close()
    await this.box.down()
  }
}

async function killInOneLog(kills, deadline) {
  const round = await Round.begin()
  try {
    while (round.total < kills && Date.now() < deadline) await round.step(rooms[round.total < rooms.length ? round.total : random(rooms.length)])
    return { round, found: await round.end() }
  } finally {
    round.load.on = false
    await round.down()
  }
}

function figures(rounds) {
  const sum = (get) => rounds.reduce((total, one) => total + get(one), 0)
  const found = (name) => sum((one) => one.found[name].length ?? one.found[name])
  const calls = new Map()
  for (const { round } of rounds) for (const [call, n] of round.calls) calls.set(call, (calls.get(call) ?? 0) + n)
  return [
    `kills: ${sum(({ round }) => round.total)} (${rooms.map((room) => `${room} ${sum(({ round }) => round.kills[room])}`).join(', ')}), ${sum(({ round }) => round.starting)} of them while qseald started`,
    `qseald killed at: ${[...calls].map(([call, n]) => `${call || 'no call'} ${n}`).join(', ')}`,
    `signatures released: ${found('released')}, refused: ${found('refused')}, connections closed: ${found('broken')}`,
    `records: ${found('records')} in ${found('segments')} segments, signs without done: ${found('withoutDone')}`,
    `unlogged: ${found('unlogged')}, chain breaks: ${found('breaks')}, torn ends set aside: ${found('torn')}, repairs recorded: ${found('repairs')}`,
  ]
}

test(`${wanted} kills under load: what was released is in the log`, { timeout: long ? 2 * budget : seconds(240) }, async (t) => {
  const deadline = Date.now() + budget
  const rounds = []
  const total = () => rounds.reduce((sum, { round }) => sum + round.total, 0)
  while (total() < wanted && Date.now() < deadline) {
    rounds.push(await killInOneLog(Math.min(ofOneLog, wanted - total()), deadline))
    const { found } = rounds.at(-1)
    assert.deepEqual(found.unlogged, [])
    assert.deepEqual(found.breaks, [])
  }
  for (const line of figures(rounds)) t.diagnostic(line)
  assert.ok(rounds.every(({ round }) => rooms.every((room) => round.kills[room] > 0)))
})
