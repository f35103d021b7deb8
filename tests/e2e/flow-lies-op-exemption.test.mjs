// SPDX-License-Identifier: Apache-2.0
// tools/flow op-exemption, and every lie of OP's stand-in about its tokens; the payment is between two accounts of the
// customer, so that no limit is in the way.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'

import { meetLies } from './flow-lies-op.mjs'

const own = ['FI5850009420172322', 'FI4950009420028730']
const payment = { payee: { iban: own[1], name: 'Me' }, payer: { iban: own[0] }, message: 'to myself', amountEUR: '500.00' }

meetLies('flow-lies-op-exemption', {
  verb: 'op-exemption',
  steps: ['refresh-token', 'exemption-token'],
  // The strong authentication that the exemptions go back to.
  async prepare(lane) {
    const at = (name) => path.join(lane.dir, `${name}-${lane.number}`)
    Object.assign(lane, { customer: at('customer'), payment: at('payment') })
    fs.writeFileSync(lane.payment, JSON.stringify(payment))
    fs.mkdirSync(lane.customer, { mode: 0o700 })
    fs.writeFileSync(path.join(lane.customer, 'accounts.json'), JSON.stringify(own))
    fs.mkdirSync(at('first'), { mode: 0o700 })
    const { code, stderr } = await lane.run('op-payments', at('first'), ['--payments', lane.payment, '--customer', lane.customer])
    assert.equal(code, 0, stderr)
  },
  args: (lane) => ['--customer', lane.customer, '--payment', lane.payment, '--customer-ip', '192.0.2.1', '--customer-agent', 'test',
    '--last-logged', 'Sun, 10 Sep 2017 19:43:31 UTC'],
  most: () => 1,
  // The assertion was taken and its token lost: the bank does not take it again, and nothing is submitted.
  ends: ({ name }) => (['exemption-token-failed', 'exemption-token-lost'].includes(name) ? [4, 'invalid_grant'] : undefined),
})
