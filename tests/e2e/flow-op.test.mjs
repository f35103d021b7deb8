// SPDX-License-Identifier: Apache-2.0
// tools/flow op-funds, op-payments and op-exemption, each whole: what they print, what the bank has in the end, the limits of
// an exemption at their edges, wrong input, and that no secret leaves the state folder.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { customer, flow, kept, script } from './flow.mjs'
import { accounts, ended, OpStand, order, stranger } from './flow-op.mjs'
import { repository, seconds } from './lib.mjs'
import { finished, plainEnv } from './tls.mjs'

const patient = { timeout: seconds(120) }

let stand
before(async () => {
  stand = await OpStand.up()
})
after(() => stand?.down())

const twoOrders = [order('4.00'), order('12.50', { payee: { iban: 'FI1410093000123458', name: 'B' }, message: 'two\nlines' })]

describe('from the first token to the last verified answer', () => {
  for (const version of ['1.2', '1.3']) {
    test(`op-funds, TLS ${version}`, patient, async () => {
      await stand.control.tls(version)
      for (const [amount, there] of [['1000.00', true], ['1000.01', false]]) {
        const { result, lines } = await ended(stand.funds(stand.fresh('state'), { amount, args: ['--tls-max', version] }), 0)
        assert.equal(result.fundsAvailable, there)
        const { authorizations } = await stand.control.ledger()
        assert.deepEqual(authorizations.find(({ authorizationId }) => authorizationId === result.authorizationId),
          { authorizationId: result.authorizationId, api: 'fundsconfirmations', status: 'Authorized', customer: '88888881' })
        assert.deepEqual(lines.slice(0, -1).map(({ step }) => step), [1, 2, 3, 4, 5])
      }
    })

    test(`op-payments, TLS ${version}: two payments, one authorization`, patient, async () => {
      await stand.control.tls(version)
      const { result } = await ended(stand.payments(stand.fresh('state'), twoOrders), 0)
      assert.deepEqual(result.payments.map(({ amountEUR, status }) => [amountEUR, status]), [['4.00', 'Completed'], ['12.50', 'Completed']])
      assert.deepEqual(await stand.moved(result), [[['4.00', stranger]], [['12.50', 'FI1410093000123458']]])
      const { payments } = await stand.control.ledger()
      for (const { paymentId, submissionId } of result.payments) {
        const payment = payments.find((one) => one.paymentId === paymentId)
        assert.equal(payment.authorizationId, result.authorizationId)
        assert.deepEqual(payment.submissions, { [submissionId]: 1 })
      }
    })

    test(`op-exemption, TLS ${version}: after a payment with strong authentication`, patient, async () => {
      await stand.control.tls(version)
      const folder = stand.customer({ ledger: [2999, 2999, 2999] })
      await ended(stand.payments(stand.fresh('state'), order('4.00'), { folder }), 0)
      assert.deepEqual(stand.ledgerOf(folder), [], 'counted anew')
      for (const [i, amount] of ['29.99', '5.00'].entries()) {
        const { result } = await ended(stand.exemption(stand.fresh('state'), folder, order(amount)), 0)
        assert.deepEqual(await stand.moved(result), [[[amount, stranger]]])
        assert.deepEqual(stand.ledgerOf(folder), [[2999, 'small'], [500, 'small']].slice(0, i + 1))
      }
      await stand.bank.tls({})
    })
  }

  test('--quiet: the result and nothing else; and again, without sending anything', patient, async () => {
    const state = stand.fresh('state')
    const orders = stand.file(twoOrders)
    const quiet = () => stand.run('op-payments', state, ['--payments', orders], { mode: '--quiet' })
    const first = await ended(quiet(), 0)
    assert.match(first.stdout, /^[0-9a-f-]{36} 4\.00 EUR Completed\n[0-9a-f-]{36} 12\.50 EUR Completed\n$/)
    assert.equal(first.stderr, '')
    const before = (await stand.requests()).length
    assert.equal((await ended(quiet(), 0)).stdout, first.stdout)
    assert.equal((await stand.requests()).length, before)
    assert.deepEqual(await stand.status(state).then(({ stands, repeat }) => [stands, repeat]), ['done', 'nothing is left to do; a repeat sends nothing'])
    const answer = await ended(stand.funds(stand.fresh('state'), { amount: '1000.01', mode: '--quiet' }), 0)
    assert.deepEqual([answer.stdout, answer.stderr], ['the money is not there\n', ''])
  })

  test('for people: each step, what goes where, and what was checked', patient, async () => {
    const { stdout } = await ended(stand.funds(stand.fresh('state'), { mode: '' }), 0)
    for (const line of [/^1\. A token for this application$/m, /^ {3}→ bank {5}POST https:\/\/\S+\/oauth\/token \(client credentials\)$/m,
      /^ {3}→ service {2}POST \/v1\/jar\/op-jar-cof$/m, /^ {3}✓ ID token: .*c_hash, s_hash/m, /^the money is there$/m]) {
      assert.match(stdout, line)
    }
  })
})

describe('what is exempt', () => {
  let folder
  before(async () => {
    folder = stand.customer()
    await ended(stand.payments(stand.fresh('state'), order('4.00'), { folder }), 0)
  })

  // Name, ledger in cents, payment, and the limit in the way, if there is one.
  const cases = [
    ['29.99 is less than 30', [], order('29.99')],
    ['30.00 is not', [], order('30.00'), 'amount', /must be less than 30\.00 EUR/],
    ['four before', [1, 1, 1, 1], order('0.01')],
    ['five before', [1, 1, 1, 1, 1], order('0.01'), 'count', /there were 5 exemption payments/],
    ['99.99 together', [2999, 2999, 1003], order('29.98')],
    ['100.00 together', [2999, 2999, 1003], order('29.99'), 'sum', /are 100\.00 EUR, and must be less than 100\.00/],
    ['between own accounts there is no limit', [2999, 2999, 2999, 1, 1], order('500.00', { payee: { iban: accounts[1], name: 'Me' } })],
    ['from an account of somebody else', [], order('1.00', { payer: { iban: stranger } }), 'payer', /is not one of the customer/],
    ['to a country outside SEPA', [], order('1.00', { payee: { iban: 'BR1500000000000010932840814P2', name: 'B' } }), 'sepa', /only SEPA payments/],
    ['two at once', [], [order('1.00'), order('2.00')], 'bundle', /not bundled/],
  ]
  for (const [name, ledger, payment, limit, said] of cases) {
    test(name, patient, async () => {
      stand.setLedger(folder, ledger)
      const before = (await stand.requests()).length
      if (limit === undefined) {
        const { result } = await ended(stand.exemption(stand.fresh('state'), folder, payment), 0)
        assert.deepEqual(await stand.moved(result), [[[payment.amountEUR, payment.payee.iban]]])
        assert.equal(stand.ledgerOf(folder).length, ledger.length + 1)
        return
      }
      const { stderr } = await ended(stand.exemption(stand.fresh('state'), folder, payment), 2, limit)
      assert.match(stderr, said)
      assert.match(stderr, /nothing was sent\n {2}what to do: pay with op-payments/)
      assert.equal((await stand.requests()).length, before)
      assert.deepEqual(stand.ledgerOf(folder).map(([cents]) => cents), ledger)
    })
  }

  test('transfers between own accounts do not count', () => {
    fs.writeFileSync(path.join(folder, 'ledger.json'), JSON.stringify([{ flow: 'a', cents: 50000, kind: 'own' }]))
    return ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 0)
  })

  test('two at the same time, and room for one', patient, async () => {
    stand.setLedger(folder, [1, 1, 1, 1])
    const both = await Promise.all([1, 2].map(() => stand.exemption(stand.fresh('state'), folder, order('0.02'))))
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 2], both.map(({ stderr }) => stderr).join())
    assert.equal(both.find(({ code }) => code === 2).failed.name, 'count')
  })

  test('what the bank refuses is not counted', patient, async (t) => {
    stand.setLedger(folder, [])
    t.after(() => stand.control.truth())
    await stand.control.lie('exemption-token-invalid-grant')
    const { stderr } = await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 4, 'invalid_grant')
    assert.match(stderr, /what the bank does not exempt is paid with op-payments/)
    assert.deepEqual(stand.ledgerOf(folder), [])
  })

  test('nobody has authorized anything', patient, async () => {
    await ended(stand.exemption(stand.fresh('state'), stand.customer(), order('1.00')), 2, 'sca')
  })

  test('a ledger that is damaged', patient, async () => {
    const damaged = stand.customer({ refresh: 'token' })
    const one = (more) => JSON.stringify([{ flow: 'a', cents: 1, kind: 'small', ...more }])
    for (const text of ['[{', '', '{}', '[] []', '[1]', one({ kind: undefined }), one({ cents: -1 }), one({ cents: '1' }), one({ cents: 0.5 }), one({ flow: 1 })]) {
      fs.writeFileSync(path.join(damaged, 'ledger.json'), text)
      const { stderr } = await ended(stand.exemption(stand.fresh('state'), damaged, order('1.00')), 1)
      assert.match(stderr, /ledger\.json is damaged; without it no exemption can be judged/, text)
    }
  })
})

describe('wrong input: exit 2, and nothing is sent', () => {
  const altered = (change) => () => {
    const bank = JSON.parse(fs.readFileSync(stand.bank.path))
    change(bank)
    return ['--bank', stand.file(bank)]
  }
  const orders = (content) => () => ['--payments', stand.file(content)]
  const bankTo = { 'op-funds': ['--iban', accounts[0], '--amount', '1.00'], 'op-payments': [] }
  const cases = [
    ['op-funds', () => ['--iban', 'FI8659986920068682', '--amount', '1.00'], /--iban is no IBAN/],
    ['op-funds', () => ['--iban', accounts[0], '--amount', '1.0'], /--amount is not an amount like 4\.00/],
    ['op-funds', () => ['--iban', accounts[0]], /--amount is missing/],
    ['op-funds', () => [...bankTo['op-funds'], '--amount', '2.00'], /--amount is there twice/],
    ['op-funds', () => [...bankTo['op-funds'], '--secret', 'x'], /op-funds has no option --secret/],
    ['op-funds', () => [...bankTo['op-funds'], '--tls-max', '1.1'], /--tls-max is 1\.2 or 1\.3/],
    ['op-funds', () => [...bankTo['op-funds'], '--callback', 'x'], /--browser and --callback exclude each other/],
    ['op-payments', orders('{'), /is not one JSON array of payments/],
    ['op-payments', orders([]), /has 0 payments; there must be from 1 to 50/],
    ['op-payments', orders([order('1.00'), 1]), /payment 2 of .*: is no object/],
    ['op-payments', orders(order('1.00', { currency: 'USD' })), /has the member currency, which is not for SEPA payments/],
    ['op-payments', orders(order('1.00', { payee: { iban: stranger } })), /payee must have iban and name/],
    ['op-payments', orders(order('1.00', { payer: undefined })), /payer must have iban/],
    ['op-payments', orders(order(1)), /are texts of 1 to 140 characters/],
    ['op-payments', orders(order('1.005')), /amountEUR must be an amount like 4\.00/],
    ['op-payments', orders(order('0.00')), /amountEUR must be an amount like 4\.00/],
    ['op-payments', orders(order('1.00', { payer: { iban: 'FI8659986920068682' } })), /IBANs with good check digits/],
    ['op-funds', altered((bank) => delete bank.profiles.jar_cof), /names no profile jar_cof/, 'bank'],
    ['op-funds', altered((bank) => delete bank.jwks_uri), /the bank file has no jwks_uri/, 'bank'],
    ['op-funds', altered((bank) => (bank.bank = 'paynet')), /the bank file is not of OP/, 'bank'],
    ['op-funds', altered((bank) => (bank.key = path.join(stand.box.dir, 'private/ca.key.pem'))), /is a private key; the flow wants a key reference/, 'bank'],
    ['op-funds', altered((bank) => (bank.token_endpoint = 'http://localhost/')), /the address of the bank is not https/, 'bank'],
    ['op-funds', altered((bank) => (bank.api_key_file = '/nowhere')), /cannot read \/nowhere, which the bank file names as api_key_file/, 'bank'],
  ]
  for (const [verb, args, said, what] of cases) {
    test(String(said), patient, async () => {
      const before = (await stand.requests()).length
      const own = what === 'bank' ? bankTo[verb] : ['--bank', stand.bank.path]
      const { stderr } = await ended(flow(stand.box, [verb, '--state', stand.fresh('state'), '--browser', customer, ...own, ...args()]), 2)
      assert.match(stderr, said)
      assert.equal((await stand.requests()).length, before)
    })
  }

  test('a state folder of another flow, one that others may read, one with something else in it', patient, async () => {
    const state = stand.fresh('state')
    await ended(stand.funds(state), 0)
    assert.match((await ended(stand.funds(state, { amount: '5.00' }), 2)).stderr, /is another flow: tools\/flow status/)
    fs.chmodSync(state, 0o750)
    assert.match((await ended(stand.funds(state), 2)).stderr, /must be yours and of mode 0700/)
    const other = stand.fresh('state')
    fs.mkdirSync(other, { mode: 0o700 })
    fs.writeFileSync(path.join(other, 'x'), '')
    assert.match((await ended(stand.funds(other), 2)).stderr, /is not empty, and holds no flow/)
    assert.match((await ended(flow(stand.box, ['resume', '--state', other]), 2)).stderr, /there is no flow in/)
  })
})

test('the payments of a flow are those of its first run', patient, async () => {
  const state = stand.fresh('state')
  const file = stand.file(order('4.00'))
  const run = (browser) => stand.run('op-payments', state, ['--payments', file], { browser })
  await ended(run(`${customer} --deny`), 7)
  fs.writeFileSync(file, JSON.stringify([order('4.00'), order('5.00')]))
  const before = (await stand.requests()).length
  for (const again of [() => run(customer), () => stand.resume(state)]) {
    const { failed, stderr } = await ended(again(), 2)
    assert.match(failed?.text ?? stderr, /is not what it was when the flow began/)
  }
  assert.equal((await stand.requests()).length, before)
  fs.rmSync(file)
  const { result } = await ended(stand.resume(state), 0)
  assert.deepEqual(await stand.moved(result), [[['4.00', stranger]]])
})

describe('secrets', () => {
  // All that must be on no command line and in no output: what the bank knows, and what is in the state while it is needed.
  test('are in the state folder alone, and no key is opened', patient, async () => {
    const state = stand.fresh('state')
    const seen = path.join(stand.dir, 'came.url')
    const browser = script(stand.dir, 'browser', `exec ${customer} "$1" | tee ${seen}`)
    const trace = path.join(stand.dir, 'trace')
    const args = ['op-payments', '--bank', stand.bank.path, '--state', state, '--payments', stand.file(order('4.00')), '--browser', browser]
    const env = { ...plainEnv, QSEAL_SOCKET: stand.box.socket, QSEAL_CONFIG: stand.box.configPath, OPENSSL_CONF: stand.box.transport.conf }
    const { code, stdout, stderr } = await finished('strace', ['-f', '-qq', '-s', '100000', '-e', 'trace=execve,open,openat', '-o', trace,
      path.join(repository, 'tools/flow'), ...args], { env, timeout: seconds(100) })
    assert.equal(code, 0, stderr)
    const tokens = ['user.json', 'client.json'].flatMap((name) => {
      const { access_token, refresh_token, id_token } = JSON.parse(fs.readFileSync(path.join(state, name)))
      return [access_token, refresh_token, id_token].filter(Boolean)
    })
    const answer = new URLSearchParams(new URL(fs.readFileSync(seen, 'utf8').trim()).hash.slice(1))
    const { op } = stand.bank
    const secrets = [op.app.secret, op.app.apiKey, ...tokens, answer.get('code'), answer.get('id_token'), answer.get('state'), fs.readFileSync(path.join(state, 'nonce'), 'utf8')]
    assert.ok(secrets.every((text) => text.length > 20) && new Set(secrets).size === secrets.length && tokens.length === 4)
    const calls = fs.readFileSync(trace, 'utf8').split('\n')
    const started = calls.filter((line) => line.includes('execve('))
    assert.ok(started.filter((line) => line.includes('"curl"')).length > 10)
    for (const text of secrets) {
      assert.ok(!started.some((line) => line.includes(text)), `on a command line: ${text}`)
      assert.ok(!stdout.includes(text) && !stderr.includes(text), `in the output: ${text}`)
    }
    const opened = calls.filter((line) => / = \d+$/.test(line)).map((line) => /"([^"]*)"/.exec(line)?.[1]).filter((file) => file?.startsWith(stand.box.dir))
    assert.ok(opened.includes(stand.box.transport.key))
    assert.match(fs.readFileSync(stand.box.transport.key, 'utf8'), /BEGIN QSEAL KEY REFERENCE/)
    assert.deepEqual(opened.filter((file) => /key/.test(path.basename(file)) && ![stand.box.transport.key, path.join(stand.box.dir, 'op.api-key')].includes(file)), [])
    assert.deepEqual(opened.filter((file) => /\/(private|hsm|state)\//.test(file)), [])
    assert.deepEqual([...kept(state).modes], [0o600])
  })
})

test('--help has every verb, option and exit code', async () => {
  const { stdout } = await ended(flow(stand.box, ['--help']), 0)
  for (const word of ['op-funds', 'op-payments', 'op-exemption', 'resume', 'status', '--bank', '--state', '--browser', '--callback', '--tls-max', '--json', '--quiet']) {
    assert.ok(stdout.includes(word), word)
  }
  assert.deepEqual([...stdout.matchAll(/^ {2}(\d) /gm)].map(([, code]) => Number(code)), [0, 1, 2, 3, 4, 5, 6, 7])
  await ended(flow(stand.box, []), 2)
})
