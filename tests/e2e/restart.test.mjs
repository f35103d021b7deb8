// SPDX-License-Identifier: Apache-2.0
// httpd is restarted in order while callers ask on and on: nobody notices.

import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before, test } from 'node:test'

import { bodies, door } from './bodies.mjs'
import { Sandbox, seconds, until } from './lib.mjs'

let box
before(async () => {
  box = await Sandbox.up()
})
after(() => box?.down())

// Callers that open a connection for each request, and callers that keep theirs; none of them tries
// anything twice.
function startLoad(profile) {
  const load = { on: true, signed: 0, failed: [] }
  const caller = async (agent) => {
    while (load.on) {
      try {
        const answer = await box.post(door('op-jar-cof'), bodies['op-jar-cof'](profile.input), { agent, timeout: seconds(20) })
        if (answer.status === 200) load.signed++
        else load.failed.push(`${answer.status} ${answer.bytes}`)
      } catch (error) {
        load.failed.push(String(error.code ?? error.message))
      }
    }
    if (agent) agent.destroy()
  }
  const keeping = () => new http.Agent({ keepAlive: true, maxSockets: 1 })
  load.done = Promise.all([0, 1, 2, 3].flatMap(() => [caller(false), caller(keeping())]))
  return load
}

test('httpd restarted five times under load: no request fails', { timeout: seconds(180) }, async () => {
  await box.kill('qseal-httpd', 'SIGTERM')
  let child = box.restart('qseal-httpd')
  await box.ready()
  const load = startLoad((await box.profiles())['op-jar-cof'])
  const more = async (n) => {
    const from = load.signed
    await until(`${n} more signatures`, () => load.signed >= from + n, seconds(30))
  }
  for (let round = 0; round < 5; round++) {
    await more(50)
    child.kill('SIGTERM')
    assert.equal(await child.ended, 0)
    child = box.restart('qseal-httpd')
  }
  await more(50)
  load.on = false
  await load.done
  assert.deepEqual(load.failed, [])
})

test('the next httpd comes while the old one finishes: no request fails', { timeout: seconds(180) }, async () => {
  await box.kill('qseal-httpd', 'SIGTERM')
  let child = box.restart('qseal-httpd')
  await box.ready()
  const load = startLoad((await box.profiles())['op-jar-cof'])
  for (let round = 0; round < 5; round++) {
    const from = load.signed
    await until('50 more signatures', () => load.signed >= from + 50, seconds(30))
    const old = child
    old.kill('SIGTERM')
    child = box.restart('qseal-httpd')
    assert.equal(await old.ended, 0)
  }
  load.on = false
  await load.done
  assert.deepEqual(load.failed, [])
})
