// SPDX-License-Identifier: Apache-2.0
// OP's flows killed in the middle, at each request and at the writes of their state, and resumed: nothing is paid twice.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { script } from './flow.mjs'
import { ended, once, OpStand, order, whatIsAsked } from './flow-op.mjs'
import { seconds, until } from './lib.mjs'
import { plainEnv } from './tls.mjs'

const patient = { timeout: seconds(120) }

let stand
before(async () => {
  stand = await OpStand.up()
})
after(() => stand?.down())

// How many wait for the lock of a state folder, as the kernel has it.
function lockWaiters(state) {
  const { ino } = fs.statSync(path.join(state, 'lock'))
  return fs.readFileSync('/proc/locks', 'utf8').split('\n').filter((line) => line.includes('-> FLOCK') && line.includes(`:${ino} `)).length
}

describe('killed, and resumed', () => {
  // Before the request is sent, and when its answer is there and nobody has seen it.
  const requests = ['POST .*/oauth/token client_credentials', 'POST .*/sepa-payments ', 'POST .*/oauth/token authorization_code', 'PUT .*/submissions/', 'GET .*/sepa-payments/']
  test('at each request of a payment, before and after: made once', { timeout: seconds(240) }, async () => {
    const folder = fs.mkdtempSync(path.join(stand.dir, 'killer-'))
    // The whole group: the flow, and what it has started.
    script(folder, 'curl', `${whatIsAsked}
[[ $WHEN == before ]] && grep -qE "^$WHERE" <<<"$what" && kill -9 0
/usr/bin/curl "$@" <<<"$config"; code=$?
[[ $WHEN == after ]] && grep -qE "^$WHERE" <<<"$what" && kill -9 0
exit $code`)
    const before = await stand.movedInAll()
    const state = stand.fresh('state')
    const file = stand.file(order('4.00'))
    const args = ['--payments', file]
    for (const WHERE of requests) {
      for (const WHEN of ['before', 'after']) {
        const env = { PATH: `${folder}:${plainEnv.PATH}`, WHEN, WHERE }
        const { code } = await stand.run('op-payments', state, args, { env })
        assert.equal(code, 'SIGKILL', `${WHEN} ${WHERE}`)
      }
    }
    const { result } = await ended(stand.run('op-payments', state, args), 0)
    assert.deepEqual(await stand.moved(result), once)
    assert.equal(await stand.movedInAll(), before + 1)
  })

  // In the long run at each, otherwise at some of them, before or after.
  const writes = process.env.QSEAL_LONG ? Array.from({ length: 40 }, (_, i) => i + 1) : [9, 23, 28]
  for (const n of writes) {
    test(`at the ${n}th time that the state is written: made once`, patient, async () => {
      const folder = fs.mkdtempSync(path.join(stand.dir, 'writer-'))
      const count = path.join(folder, 'count')
      script(folder, 'mv', `echo >>${count}; n=$(wc -l <${count})
[[ $n -eq ${n} && ${n % 2} -eq 1 ]] && kill -9 0
/usr/bin/mv "$@"
[[ $n -eq ${n} ]] && kill -9 0
exit 0`)
      const before = await stand.movedInAll()
      const state = stand.fresh('state')
      const file = stand.file(order('4.00'))
      const { code } = await stand.run('op-payments', state, ['--payments', file], { env: { PATH: `${folder}:${plainEnv.PATH}` } })
      assert.ok(code === 'SIGKILL' || (code === 0 && n > 30), `${code}`)
      const { result } = await ended(stand.run('op-payments', state, ['--payments', file]), 0)
      assert.deepEqual(await stand.moved(result), once)
      assert.equal(await stand.movedInAll(), before + 1)
    })
  }

  test('while its submission is still on the way: the next run waits for it', patient, async () => {
    const folder = fs.mkdtempSync(path.join(stand.dir, 'orphan-'))
    const held = path.join(folder, 'held')
    // The flow alone; this curl lives on, and sends when the test lets it. It ends with the test, however that ends.
    script(folder, 'curl', `${whatIsAsked}
if grep -qE '^PUT ' <<<"$what"; then
    kill -9 "$(ps -o pgid= $$ | tr -d ' ')"
    touch ${held}
    until [[ -e ${held}.go ]]; do [[ -d ${folder} ]] || exit 1; sleep 0.05; done
fi
/usr/bin/curl "$@" <<<"$config"`)
    const before = await stand.movedInAll()
    const puts = async () => (await stand.requests()).filter(({ step }) => step === 'submit').length
    const first = await puts()
    const state = stand.fresh('state')
    const killed = stand.payOnce(state, { env: { PATH: `${folder}:${plainEnv.PATH}` } })
    await until('the submission is held', () => fs.existsSync(held))
    const next = stand.resume(state)
    await until('the next run waits for the lock', () => lockWaiters(state) > 0)
    assert.equal(await stand.movedInAll(), before)
    fs.writeFileSync(`${held}.go`, '')
    const { result } = await ended(next, 0)
    assert.equal((await killed).code, 'SIGKILL')
    assert.deepEqual(await stand.moved(result), once)
    assert.equal(await puts(), first + 1)
  })
})
