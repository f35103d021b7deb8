// SPDX-License-Identifier: Apache-2.0
// Answers of a bank that means harm, and moments at which the flow is ended: what no list of single lies holds.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'

import { certificate, listen } from '../bank/lib.mjs'
import { customer, watched } from './flow.mjs'
import { ended, OpStand, order } from './flow-op.mjs'
import { seconds, until } from './lib.mjs'

const patient = { timeout: seconds(120) }

let stand
before(async () => {
  stand = await OpStand.up()
})
after(() => stand?.down())
afterEach(() => stand.control.truth())

// A lie of this test's own.
async function lie(at, answer, name = `own-${stand.bank.lies.list.length}`) {
  stand.bank.lies.list.push({ name, at, says: 'a lie of a test', answer })
  await stand.control.lie(name, 100)
}
const body = (change) => (reply) => ({ ...reply, body: { ...reply.body, ...change(reply.body) } })

describe('an answer without an end', () => {
  const floods = {
    body(response) {
      response.writeHead(200, { 'content-type': 'application/json' })
      const part = Buffer.alloc(1 << 16, ' ')
      const pour = () => { while (!response.destroyed && response.write(part)); response.once('drain', pour) }
      pour()
    },
    head(response) {
      const { socket } = response
      socket.write('HTTP/1.1 200 OK\r\n')
      const part = Buffer.from(`x: ${'y'.repeat(1000)}\r\n`.repeat(60))
      const pour = () => { while (!socket.destroyed && socket.write(part)); socket.once('drain', pour) }
      pour()
    },
  }
  for (const [what, pour] of Object.entries(floods)) {
    test(`of the ${what}: it is cut`, patient, async (t) => {
      let poured
      const server = await listen(({ socket }, response) => {
        socket.on('error', () => {}).once('close', () => (poured = socket.bytesWritten))
        pour(response)
      }, await certificate(stand.box.dir, 'localhost'))
      t.after(() => server.close())
      const bank = stand.file({ ...stand.bank.file, token_endpoint: `${server.url}/token` })
      await ended(stand.funds(stand.fresh('state'), { bank }), 6, 'broken')
      // What stands in the buffers of the way was sent, too.
      await until('the end of the connection', () => poured)
      assert.ok(poured < 32 << 20, `${poured} bytes`)
    })
  }
})

describe('answers that are not what they seem', () => {
  const many = Object.fromEntries(Array.from({ length: 20000 }, (_, i) => [`$(id)${i}`, '']))
  const cases = [
    ['a text with a NUL, which a shell does not see', 'intent', () => ({ status: 'U\u0000156authorized' }), 'answer', /not one JSON object/],
    ['a text with a line more', 'intent', () => ({ status: 'Unauthorized\n' }), 'answer', /status of the answer is not what it must look like/],
    ['a JWK Set that is too much for the service', 'oidc-jwks', ({ keys }) => ({ keys, ...many }), 'answer', /more than the service reads/],
    ['a refresh token that is another one to a shell', 'code-token', () => ({ refresh_token: 'r\u0000' }), 'answer', /not one JSON object/],
    ['an ID token of 300 kB', 'code-token', ({ id_token }) => ({ id_token: id_token + 'A'.repeat(300000) }), 'malformed', /base64url/],
  ]
  for (const [what, step, change, rule, said] of cases) {
    test(what, patient, async () => {
      await lie(`${step} after`, body(change))
      assert.match((await ended(stand.funds(stand.fresh('state')), 3, rule)).failed.text, said)
    })
  }

  test('members with the names of a shell', patient, async () => {
    await lie('intent after', body(() => ({ '@': 'a', '$(exit 9)': 'b', '': 'status', ']': 'c', 'a\nstatus': 'd' })))
    assert.equal((await ended(stand.funds(stand.fresh('state')), 0)).result.fundsAvailable, true)
  })
})

describe('ended in the middle', () => {
  let folder
  before(async () => {
    folder = stand.customer()
    await ended(stand.payments(stand.fresh('state'), order('4.00'), { folder }), 0)
  })

  // The flow and all it has started, when this program is to work on, or has worked on, a file of this name.
  const killed = (program, moment, name) => watched(stand.dir, [program], { [moment]: `[[ "$*" == */${name} ]] && kill -9 0` })
  const small = (state, more) => stand.exemption(state, folder, order('1.00'), more)

  test('an exemption that is about to be asked for takes its place: no other gets it', patient, async () => {
    stand.setLedger(folder, [1, 1, 1, 1])
    const state = stand.fresh('state')
    await ended(small(state, killed('mv', 'after', 'exemption-asked')), 'SIGKILL')
    await ended(small(stand.fresh('state')), 2, 'count')
    await ended(stand.resume(state, []), 0)
    assert.deepEqual(stand.ledgerOf(folder).map(([cents]) => cents), [1, 1, 1, 1, 100])
  })

  test('an exemption that was asked for before the customer authenticated again is judged with those since', patient, async () => {
    stand.setLedger(folder, [])
    await stand.control.lie('exemption-token-closed', 3)
    const state = stand.fresh('state')
    await ended(small(state), 6, 'broken')
    await stand.control.truth()
    stand.setLedger(folder, [1, 1, 1, 1, 1])
    await ended(stand.resume(state, []), 2, 'count')
    stand.setLedger(folder, [1, 1, 1, 1])
    await ended(stand.resume(state, []), 0)
  })

  test('an authorization that was given up, and not all of it forgotten', patient, async () => {
    const state = stand.fresh('state')
    await ended(stand.payments(state, order('4.00'), { browser: `${customer} --lose` }), 7, 'no-return')
    await ended(stand.resume(state, undefined, killed('rm', 'before', 'asked')), 'SIGKILL')
    const { result } = await ended(stand.resume(state), 0)
    assert.equal((await stand.moved(result)).flat().length, 1)
  })

  test('another bank in the bank file: it gets nothing of the first one', patient, async () => {
    const state = stand.fresh('state')
    const bank = stand.file(stand.bank.file)
    await ended(stand.funds(state, { bank, browser: `${customer} --deny` }), 7)
    const before = (await stand.requests()).length
    fs.writeFileSync(bank, JSON.stringify({ ...stand.bank.file, issuer: 'https://bank.example' }))
    assert.match((await ended(stand.resume(state), 2)).failed.text, /has another issuer or client_id than when the flow began/)
    assert.equal((await stand.requests()).length, before)
    fs.writeFileSync(bank, JSON.stringify(stand.bank.file))
    await ended(stand.resume(state), 0)
  })
})
