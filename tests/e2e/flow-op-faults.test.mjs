// SPDX-License-Identifier: Apache-2.0
// What can go wrong on the way through OP's flows: customers who do not come back, codes and tokens that are over, a service that
// is not there. However it goes, nothing is paid twice.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'

import { customer, flow, script } from './flow.mjs'
import { ended, once, OpStand, order } from './flow-op.mjs'
import { repository, seconds, until } from './lib.mjs'
import { finished, plainEnv } from './tls.mjs'

const patient = { timeout: seconds(120) }

let stand
before(async () => {
  stand = await OpStand.up()
})
after(() => stand?.down())
afterEach(() => stand.control.truth())

describe('the customer', () => {
  test('does not come back, though they have authorized', patient, async () => {
    const state = stand.fresh('state')
    const answer = await ended(stand.payOnce(state, { browser: `${customer} --lose` }), 7, 'no-return')
    await stand.assertStands(state, answer, 'customer', /nothing is paid before the customer is back/)
    const before = await stand.movedInAll()
    await stand.goesOn(state)
    assert.equal(await stand.movedInAll(), before + 1)
  })

  test('denies, and then does not', patient, async () => {
    const state = stand.fresh('state')
    const answer = await ended(stand.payOnce(state, { browser: `${customer} --deny` }), 7, 'access_denied')
    await stand.assertStands(state, answer, 'customer', /resume makes a new request for the same payments/)
    const intent = fs.readFileSync(path.join(state, 'intent'), 'utf8')
    assert.equal((await stand.goesOn(state)).authorizationId, intent, 'the same authorization')
  })

  test('comes back later, with the URL in a file', patient, async () => {
    const state = stand.fresh('state')
    const came = path.join(stand.dir, 'came')
    const late = script(stand.dir, 'late', `exec ${customer} "$1" >${came}`)
    await ended(stand.payOnce(state, { browser: late }), 7, 'no-return')
    const { result } = await ended(stand.resume(state, ['--callback', came]), 0)
    assert.deepEqual(await stand.moved(result), once)
  })

  test('is sent by hand: the URL is shown, and read from standard input', patient, async () => {
    let sent = false
    const answer = await ended(stand.funds(stand.fresh('state'), {
      browser: '',
      onError(child, text) {
        const [url] = /https:\S+\/authorize\?\S+/.exec(text) ?? []
        if (url === undefined || sent) return
        sent = true
        finished(customer, ['--ca', stand.box.transport.ca, url]).then(({ stdout }) => child.stdin.end(stdout))
      },
    }), 0)
    assert.equal(answer.result.fundsAvailable, true)
  })

  test('--callback without a request of an earlier run', patient, async () => {
    const { stderr } = await ended(stand.funds(stand.fresh('state'), { browser: '', args: ['--callback', stand.file('x')] }), 2)
    assert.match(stderr, /for a customer who was sent to the bank in an earlier run/)
  })

  test('nobody answers in time', patient, async () => {
    const slow = script(stand.dir, 'slow', 'exec sleep 100')
    await ended(stand.funds(stand.fresh('state'), { browser: slow, args: ['--wait', '1'] }), 7, 'no-return')
  })
})

describe('the code', () => {
  for (const lie of ['code-token-lost', 'code-token-failed', 'code-token-closed']) {
    test(`${lie}: it is not sent a second time`, patient, async () => {
      const state = stand.fresh('state')
      await stand.control.lie(lie)
      const answer = await ended(stand.payOnce(state), 6)
      await stand.assertStands(state, answer, 'token', /if it was sent, resume asks the customer again/)
      const codes = async () => (await stand.requests()).filter(({ step, status }) => step === 'code-token' && status === 400).length
      const before = await codes()
      await stand.goesOn(state)
      assert.equal(await codes(), before)
    })
  }

  test('is refused: by name, with what to do', patient, async () => {
    const state = stand.fresh('state')
    await stand.control.lie('code-token-invalid-grant')
    const { stderr } = await ended(stand.payOnce(state), 4, 'invalid_grant')
    assert.match(stderr, /what to do: the code or token is over, used.* the customer must authorize again\. resume does so/)
    await stand.goesOn(state)
  })
})

describe('a token is over', () => {
  test('the access token, at the submission: another one is asked for, and the payment made once', patient, async () => {
    await stand.control.lie('submit-invalid-token')
    const { result, lines } = await ended(stand.payOnce(stand.fresh('state')), 0)
    assert.ok(lines.some(({ told }) => told?.some((line) => line.includes('(refresh token)'))))
    assert.deepEqual(await stand.moved(result), once)
  })

  test("the application's, at a payment", patient, async () => {
    await stand.control.lie('create-invalid-token')
    const { result } = await ended(stand.payOnce(stand.fresh('state')), 0)
    assert.deepEqual(await stand.moved(result), once)
  })

  test("the application's, by its own time, in a run that goes on", patient, async () => {
    const state = stand.fresh('state')
    await ended(stand.payOnce(state, { browser: `${customer} --deny` }), 7)
    const file = path.join(state, 'client.json')
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), received: 0, access_token: 'over' }))
    await stand.goesOn(state)
  })

  test('and the refresh token, too', patient, async () => {
    const state = stand.fresh('state')
    await stand.control.lie('submit-closed', 3)
    await ended(stand.payOnce(state), 6)
    await stand.control.lie('refresh-token-invalid-grant')
    const file = path.join(state, 'user.json')
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), access_token: 'over' }))
    const answer = await ended(stand.resume(state), 4, 'invalid_grant')
    assert.equal(answer.failed.stands, 'submit-1')
  })
})

describe('this side', () => {
  test('no service at the socket', patient, async () => {
    const answer = await ended(stand.payments(stand.fresh('state'), order('1.00'), { args: ['--socket', path.join(stand.dir, 'no.sock')] }), 5, 'service')
    assert.match(answer.failed.text, /no answer from .*no\.sock/)
  })

  test('the service ends in the middle, and is there again', patient, async () => {
    const state = stand.fresh('state')
    await ended(stand.payOnce(state, { browser: `${customer} --deny` }), 7)
    const names = Object.keys(stand.box.pids())
    for (const name of names) await stand.box.kill(name, 'SIGTERM')
    const answer = await ended(stand.resume(state), 5, 'service')
    assert.match(answer.failed.text, /so there is no handshake with the bank/)
    assert.match(answer.failed.advice, /nothing was sent to the bank/)
    for (const name of names) stand.box.restart(name)
    await stand.box.ready()
    await stand.goesOn(state)
  })

  test('the service refuses: the rule and the claim are shown', patient, async () => {
    const bank = JSON.parse(fs.readFileSync(stand.bank.path))
    const wrong = stand.file({ ...bank, profiles: { ...bank.profiles, jar_cof: 'op-registration' } })
    const args = ['op-funds', '--bank', wrong, '--state', stand.fresh('state'), '--iban', order('1.00').payer.iban, '--amount', '1.00', '--json']
    const { failed } = await ended(flow(stand.box, args), 5, 'not-found')
    assert.match(failed.text, /jar\/op-registration: the service answered 404/)
    const other = stand.file({ ...bank, redirect_uri: 'https://elsewhere.example/' })
    const answer = await ended(flow(stand.box, ['op-funds', '--bank', other, ...args.slice(3, 4), stand.fresh('state'), ...args.slice(5)]), 5, 'rule-refused')
    assert.match(answer.failed.text, /claim \/redirect_uri/)
  })

  test('no OPENSSL_CONF', patient, async () => {
    const { stderr } = await ended(stand.funds(stand.fresh('state'), { env: { OPENSSL_CONF: '' } }), 2)
    assert.match(stderr, /OPENSSL_CONF is not set/)
  })

  test('what cannot be remembered is not sent', patient, async () => {
    const state = stand.fresh('state')
    const before = (await stand.requests()).length
    const args = ['op-payments', '--bank', stand.bank.path, '--state', state, '--payments', stand.file(order('4.00'))]
    // As on a full disk: no file may grow.
    const env = { ...plainEnv, QSEAL_SOCKET: stand.box.socket, OPENSSL_CONF: stand.box.transport.conf }
    const { code, stderr } = await finished('bash', ['-c', 'trap "" XFSZ; ulimit -f 0; exec "$@"', 'bash', path.join(repository, 'tools/flow'), ...args], { env })
    assert.equal(code, 1, stderr)
    assert.match(stderr, new RegExp(`cannot write in ${state}`))
    assert.equal((await stand.requests()).length, before)
  })

  test('two runs at once: the second waits, and gives up', patient, async () => {
    const state = stand.fresh('state')
    const file = stand.file(order('4.00'))
    const waiting = script(stand.dir, 'waiting', `touch ${stand.dir}/waits; until [[ -e ${stand.dir}/go || ! -d ${stand.dir} ]]; do sleep 0.05; done; exec ${customer} "$1"`)
    const first = stand.run('op-payments', state, ['--payments', file], { browser: waiting })
    await until('the first has sent the customer', () => fs.existsSync(path.join(stand.dir, 'waits')))
    assert.match((await ended(stand.run('op-payments', state, ['--payments', file]), 2)).stderr, /another run is at work in/)
    fs.writeFileSync(path.join(stand.dir, 'go'), '')
    await ended(first, 0)
  })
})
