// SPDX-License-Identifier: Apache-2.0
// Answers of OP that fail, or are lost: the flow gets over it or says what is safe to repeat, and nothing is paid twice.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'

import { flow, script } from './flow.mjs'
import { ended, once, OpStand, order, stranger, whatIsAsked } from './flow-op.mjs'
import { seconds } from './lib.mjs'
import { plainEnv } from './tls.mjs'

const patient = { timeout: seconds(120) }

let stand
before(async () => {
  stand = await OpStand.up()
})
after(() => stand?.down())
afterEach(() => stand.control.truth())

// A folder for PATH whose curl finds nobody for requests that fit.
function deaf(pattern) {
  const folder = fs.mkdtempSync(path.join(stand.dir, 'deaf-'))
  script(folder, 'curl', `${whatIsAsked}\nif grep -qE '^${pattern}' <<<"$what"; then echo 'curl: (56) nobody' >&2; exit 56; fi\n/usr/bin/curl "$@" <<<"$config"`)
  return folder
}

describe('an answer fails, or is lost', () => {
  // Lie, how often, whether the flow gets over it by itself, and otherwise where it stands.
  const cases = [
    ['client-token-unavailable', 1], ['client-token-closed', 3, 'client-token'],
    ['create-lost', 2], ['create-failed', 3, 'create-1'],
    ['submit-lost', 1], ['submit-failed', 1], ['submit-closed', 1], ['submit-unavailable', 3, 'submit-1'],
    ['status-closed', 1, 'status'], ['payments-jwks-closed', 1], ['oidc-jwks-unavailable', 3, 'customer'],
  ]
  for (const [lie, times, where] of cases) {
    test(`${lie}, ${times} time(s)`, patient, async () => {
      const state = stand.fresh('state')
      const before = await stand.movedInAll()
      await stand.control.lie(lie, times)
      if (where === undefined) {
        const { result } = await ended(stand.payOnce(state), 0)
        assert.deepEqual(await stand.moved(result), once)
      } else {
        const answer = await ended(stand.payOnce(state), 6)
        assert.equal((await stand.status(state)).stands, where)
        assert.equal(answer.failed.stands, where)
        await stand.control.truth()
        await stand.goesOn(state)
      }
      assert.equal(await stand.movedInAll(), before + 1)
    })
  }

  test('a submission is done and unanswered, and the bank does not say: only its status is asked from then on', patient, async () => {
    const state = stand.fresh('state')
    const before = await stand.movedInAll()
    const puts = async () => (await stand.requests()).filter(({ step }) => step === 'submit').length
    const first = await puts()
    // The submission is done and lost; from then on the curl of this run finds nobody.
    await stand.control.lie('submit-lost')
    const answer = await ended(stand.payOnce(state, { env: { PATH: `${deaf('GET .*sepa-payments')}:${plainEnv.PATH}` } }), 6, 'unknown')
    assert.match(answer.stderr, /payment 1 may be submitted, and the bank does not say/)
    await stand.assertStands(state, answer, 'submit-1', /asks the bank for the status first, and submits under the same submissionId. Do not begin anew/)
    await stand.goesOn(state)
    assert.equal(await stand.movedInAll(), before + 1)
    assert.equal(await puts(), first + 1, 'sent once')
  })

  test('the bank is not there: nothing has happened', patient, async () => {
    const state = stand.fresh('state')
    const bank = JSON.parse(fs.readFileSync(stand.bank.path))
    const closed = stand.file({ ...bank, token_endpoint: 'https://localhost:9/oauth/token' })
    const answer = await ended(flow(stand.box, ['op-payments', '--bank', closed, '--state', state, '--payments', stand.file(order('1.00')), '--json']), 6, 'unreachable')
    assert.match(answer.failed.text, /the bank has not seen it/)
  })

  test('an exemption is granted, and the answer lost: it counts, and nothing is paid', patient, async () => {
    const folder = stand.customer()
    await ended(stand.payOnce(stand.fresh('state'), { folder }), 0)
    const before = await stand.movedInAll()
    await stand.control.lie('exemption-token-lost')
    await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 4, 'invalid_grant')
    assert.equal(await stand.movedInAll(), before)
    assert.deepEqual(stand.ledgerOf(folder), [[100, 'small']])
  })

  test('an exemption is asked for and not seen by the bank, and asked for again', patient, async () => {
    const folder = stand.customer()
    await ended(stand.payOnce(stand.fresh('state'), { folder }), 0)
    await stand.control.lie('exemption-token-closed', 3)
    const state = stand.fresh('state')
    const answer = await ended(stand.exemption(state, folder, order('1.00')), 6, 'broken')
    await stand.assertStands(state, answer, 'exempt', /nothing is submitted/)
    await stand.control.truth()
    const { result } = await ended(stand.resume(state, []), 0)
    assert.deepEqual(await stand.moved(result), [[['1.00', stranger]]])
    assert.deepEqual(stand.ledgerOf(folder), [[100, 'small']])
  })

  test('an exemption that was never asked for leaves nothing in the ledger', patient, async () => {
    const folder = stand.customer()
    await ended(stand.payOnce(stand.fresh('state'), { folder }), 0)
    await stand.control.lie('create-failed', 3)
    const state = stand.fresh('state')
    const answer = await ended(stand.exemption(state, folder, order('1.00')), 6)
    assert.equal(answer.failed.stands, 'create-1')
    assert.deepEqual(stand.ledgerOf(folder), [])
    await stand.control.truth()
    const { result } = await ended(stand.resume(state, []), 0)
    assert.deepEqual(await stand.moved(result), [[['1.00', stranger]]])
    assert.deepEqual(stand.ledgerOf(folder), [[100, 'small']])
  })

  test('a refresh token was turned, and the answer lost', patient, async () => {
    const folder = stand.customer()
    await ended(stand.payOnce(stand.fresh('state'), { folder }), 0)
    await stand.control.lie('refresh-token-lost')
    await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 0)
    await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 0)
  })
})
