// SPDX-License-Identifier: Apache-2.0
// A bank that begins to sign with a new key while a flow runs: the flow fetches the JWK Set once more, and comes to its end.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Signer } from '../bank/lib.mjs'
import { start } from '../bank/op.mjs'
import { customer, flow } from './flow.mjs'
import { Sandbox } from './lib.mjs'

let box
let bank
let dir

before(async () => {
  box = await Sandbox.up()
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-keys-'))
  bank = await start(box.dir)
})

after(async () => {
  await bank?.close()
  await box?.down()
  fs.rmSync(dir, { recursive: true })
})

// From the next `step` on, the first time it comes, both of the bank's sets have one more key, which signs.
async function newKeysAt(step) {
  const { op } = bank
  const next = await Promise.all([op.oidcKeys, op.paymentKeys].map(async (signer) => [signer, (await Signer.create(signer.alg, signer.prefix)).keys[0]]))
  const moment = op.lies.at
  op.lies.at = function (name) {
    if (name === `${step} before`) {
      op.lies.at = moment
      for (const [signer, key] of next) signer.keys.push(key)
    }
    return moment.call(this, name)
  }
  return next.map(([, { kid }]) => kid)
}

const payment = { payee: { iban: 'FI2112345600000785', name: 'Shop' }, payer: { iban: 'FI5850009420172322' }, message: 'm', amountEUR: '4.00' }
const cases = [
  ['op-funds', 'code-token', ['--iban', 'FI8659986920068681', '--amount', '4.00'], 'oidc-jwks', 2],
  ['op-payments', 'code-token', ['--payments'], 'oidc-jwks', 2],
  // After the customer, who may take long, they are fetched anyhow.
  ['op-payments', 'submit', ['--payments'], 'payments-jwks', 2],
  ['op-payments', 'status', ['--payments'], 'payments-jwks', 3],
]

for (const [verb, step, args, set, fetched] of cases) {
  test(`${verb}: new keys at ${step}`, async () => {
    const orders = path.join(dir, 'orders.json')
    fs.writeFileSync(orders, JSON.stringify(payment))
    const kids = await newKeysAt(step)
    const seen = bank.op.requests.length
    const all = [...args, ...(args.includes('--payments') ? [orders] : [])]
    const { code, stderr } = await flow(box, [verb, '--bank', bank.path, '--state', path.join(dir, `${verb}-${step}`), '--browser', customer, ...all])
    assert.equal(code, 0, stderr)
    assert.deepEqual([bank.op.oidcKeys.kid, bank.op.paymentKeys.kid], kids)
    // Not for each signature.
    assert.equal(bank.op.requests.slice(seen).filter((entry) => entry.step === set).length, fetched)
  })
}
