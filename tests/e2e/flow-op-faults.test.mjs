// SPDX-License-Identifier: Apache-2.0
// What can go wrong on the way through OP's flows: customers who do not come back, answers that fail or are lost, codes and
// tokens that are over, the service or the flow itself ended in the middle. However it goes, nothing is paid twice.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'

import { customer, flow, script } from './flow.mjs'
import { ended, OpStand, order, stranger } from './flow-op.mjs'
import { repository, seconds, until } from './lib.mjs'
import { finished, plainEnv } from './tls.mjs'

const patient = { timeout: seconds(120) }

let stand
before(async () => {
  stand = await OpStand.up()
})
after(() => stand?.down())
afterEach(() => stand.control.truth())

const once = [[['4.00', stranger]]]
const payOnce = (state, more) => stand.payments(state, order('4.00'), more)

// Where it stands after it has ended badly, and that it says so everywhere.
async function stands(state, answer, where, repeat) {
  const { stands: at, repeat: safe } = await stand.status(state)
  assert.equal(at, where)
  assert.match(safe, repeat)
  assert.deepEqual([answer.failed.stands, answer.failed.repeat], [at, safe])
  assert.ok(answer.stderr.includes(`it stands at: ${at}\n  to repeat: ${safe}\n`), answer.stderr)
}

// Told to go on, it comes to its end, and each payment was made once.
async function goesOn(state, moved = once) {
  const { result } = await ended(stand.resume(state), 0)
  assert.deepEqual(await stand.moved(result), moved)
  const { transfers, payments } = await stand.control.ledger()
  // Nor under the ids of an authorization that was given up.
  assert.ok(transfers.every(({ paymentId }) => payments.some((one) => one.paymentId === paymentId)))
  return result
}

const movedInAll = async () => (await stand.control.ledger()).transfers.length

describe('the customer', () => {
  test('does not come back, though they have authorized', patient, async () => {
    const state = stand.fresh('state')
    const answer = await ended(payOnce(state, { browser: `${customer} --lose` }), 7, 'no-return')
    await stands(state, answer, 'customer', /nothing is paid before the customer is back/)
    const before = await movedInAll()
    await goesOn(state)
    assert.equal(await movedInAll(), before + 1)
  })

  test('denies, and then does not', patient, async () => {
    const state = stand.fresh('state')
    const answer = await ended(payOnce(state, { browser: `${customer} --deny` }), 7, 'access_denied')
    await stands(state, answer, 'customer', /resume makes a new request for the same payments/)
    const intent = fs.readFileSync(path.join(state, 'intent'), 'utf8')
    assert.equal((await goesOn(state)).authorizationId, intent, 'the same authorization')
  })

  test('comes back later, with the URL in a file', patient, async () => {
    const state = stand.fresh('state')
    const came = path.join(stand.dir, 'came')
    const late = script(stand.dir, 'late', `exec ${customer} "$1" >${came}`)
    await ended(payOnce(state, { browser: late }), 7, 'no-return')
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
      const answer = await ended(payOnce(state), 6)
      await stands(state, answer, 'token', /if it was sent, resume asks the customer again/)
      const codes = async () => (await stand.requests()).filter(({ step, status }) => step === 'code-token' && status === 400).length
      const before = await codes()
      await goesOn(state)
      assert.equal(await codes(), before)
    })
  }

  test('is refused: by name, with what to do', patient, async () => {
    const state = stand.fresh('state')
    await stand.control.lie('code-token-invalid-grant')
    const { stderr } = await ended(payOnce(state), 4, 'invalid_grant')
    assert.match(stderr, /what to do: the code or token is over, used.* the customer must authorize again\. resume does so/)
    await goesOn(state)
  })
})

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
      const before = await movedInAll()
      await stand.control.lie(lie, times)
      if (where === undefined) {
        const { result } = await ended(payOnce(state), 0)
        assert.deepEqual(await stand.moved(result), once)
      } else {
        const answer = await ended(payOnce(state), 6)
        assert.equal((await stand.status(state)).stands, where)
        assert.equal(answer.failed.stands, where)
        await stand.control.truth()
        await goesOn(state)
      }
      assert.equal(await movedInAll(), before + 1)
    })
  }

  test('a submission is done and unanswered, and the bank does not say: only its status is asked from then on', patient, async () => {
    const state = stand.fresh('state')
    const before = await movedInAll()
    const puts = async () => (await stand.requests()).filter(({ step }) => step === 'submit').length
    const first = await puts()
    // The submission is done and lost; from then on the curl of this run finds nobody.
    await stand.control.lie('submit-lost')
    const answer = await ended(payOnce(state, { env: { PATH: `${deaf('GET .*sepa-payments')}:${plainEnv.PATH}` } }), 6, 'unknown')
    assert.match(answer.stderr, /payment 1 may be submitted, and the bank does not say/)
    await stands(state, answer, 'submit-1', /asks the bank for the status first, and submits under the same submissionId. Do not begin anew/)
    await goesOn(state)
    assert.equal(await movedInAll(), before + 1)
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
    await ended(payOnce(stand.fresh('state'), { folder }), 0)
    const before = await movedInAll()
    await stand.control.lie('exemption-token-lost')
    await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 4, 'invalid_grant')
    assert.equal(await movedInAll(), before)
    assert.deepEqual(stand.ledgerOf(folder), [[100, 'small']])
  })

  test('an exemption is asked for and not seen by the bank, and asked for again', patient, async () => {
    const folder = stand.customer()
    await ended(payOnce(stand.fresh('state'), { folder }), 0)
    await stand.control.lie('exemption-token-closed', 3)
    const state = stand.fresh('state')
    const answer = await ended(stand.exemption(state, folder, order('1.00')), 6, 'broken')
    await stands(state, answer, 'exempt', /nothing is submitted/)
    await stand.control.truth()
    const { result } = await ended(stand.resume(state, []), 0)
    assert.deepEqual(await stand.moved(result), [[['1.00', stranger]]])
    assert.deepEqual(stand.ledgerOf(folder), [[100, 'small']])
  })

  test('an exemption that was never asked for leaves nothing in the ledger', patient, async () => {
    const folder = stand.customer()
    await ended(payOnce(stand.fresh('state'), { folder }), 0)
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
    await ended(payOnce(stand.fresh('state'), { folder }), 0)
    await stand.control.lie('refresh-token-lost')
    await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 0)
    await ended(stand.exemption(stand.fresh('state'), folder, order('1.00')), 0)
  })
})

// How many wait for the lock of a state folder, as the kernel has it.
function lockWaiters(state) {
  const { ino } = fs.statSync(path.join(state, 'lock'))
  return fs.readFileSync('/proc/locks', 'utf8').split('\n').filter((line) => line.includes('-> FLOCK') && line.includes(`:${ino} `)).length
}

// A folder for PATH whose curl finds nobody for requests that fit.
function deaf(pattern) {
  const folder = fs.mkdtempSync(path.join(stand.dir, 'deaf-'))
  script(folder, 'curl', `${read}\nif grep -qE '^${pattern}' <<<"$what"; then echo 'curl: (56) nobody' >&2; exit 56; fi\n/usr/bin/curl "$@" <<<"$config"`)
  return folder
}

// What a curl of the flow is asked: "PUT https://…", with the grant of a form.
const read = `config=; case " $* " in *' --config - '*) config=$(cat) ;; esac
what="$(sed -n 's/^request = "\\(.*\\)"$/\\1/p' <<<"$config") $(sed -n 's/^url = "\\(.*\\)"$/\\1/p' <<<"$config") $(sed -n 's/^data-raw = "grant_type=\\([a-z_]*\\).*/\\1/p' <<<"$config")"`

describe('a token is over', () => {
  test('the access token, at the submission: another one is asked for, and the payment made once', patient, async () => {
    await stand.control.lie('submit-invalid-token')
    const { result, lines } = await ended(payOnce(stand.fresh('state')), 0)
    assert.ok(lines.some(({ told }) => told?.some((line) => line.includes('(refresh token)'))))
    assert.deepEqual(await stand.moved(result), once)
  })

  test("the application's, at a payment", patient, async () => {
    await stand.control.lie('create-invalid-token')
    const { result } = await ended(payOnce(stand.fresh('state')), 0)
    assert.deepEqual(await stand.moved(result), once)
  })

  test("the application's, by its own time, in a run that goes on", patient, async () => {
    const state = stand.fresh('state')
    await ended(payOnce(state, { browser: `${customer} --deny` }), 7)
    const file = path.join(state, 'client.json')
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), received: 0, access_token: 'over' }))
    await goesOn(state)
  })

  test('and the refresh token, too', patient, async () => {
    const state = stand.fresh('state')
    await stand.control.lie('submit-closed', 3)
    await ended(payOnce(state), 6)
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
    await ended(payOnce(state, { browser: `${customer} --deny` }), 7)
    const names = Object.keys(stand.box.pids())
    for (const name of names) await stand.box.kill(name, 'SIGTERM')
    const answer = await ended(stand.resume(state), 5, 'service')
    assert.match(answer.failed.text, /so there is no handshake with the bank/)
    assert.match(answer.failed.advice, /nothing was sent to the bank/)
    for (const name of names) stand.box.restart(name)
    await stand.box.ready()
    await goesOn(state)
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
    const waiting = script(stand.dir, 'waiting', `touch ${stand.dir}/waits; until [[ -e ${stand.dir}/go ]]; do sleep 0.05; done; exec ${customer} "$1"`)
    const first = stand.run('op-payments', state, ['--payments', file], { browser: waiting })
    await until('the first has sent the customer', () => fs.existsSync(path.join(stand.dir, 'waits')))
    assert.match((await ended(stand.run('op-payments', state, ['--payments', file]), 2)).stderr, /another run is at work in/)
    fs.writeFileSync(path.join(stand.dir, 'go'), '')
    await ended(first, 0)
  })
})

describe('killed, and resumed', () => {
  // Before the request is sent, and when its answer is there and nobody has seen it.
  const requests = ['POST .*/oauth/token client_credentials', 'POST .*/sepa-payments ', 'POST .*/oauth/token authorization_code', 'PUT .*/submissions/', 'GET .*/sepa-payments/']
  test('at each request of a payment, before and after: made once', { timeout: seconds(240) }, async () => {
    const folder = fs.mkdtempSync(path.join(stand.dir, 'killer-'))
    // The whole group: the flow, and what it has started.
    script(folder, 'curl', `${read}
[[ $WHEN == before ]] && grep -qE "^$WHERE" <<<"$what" && kill -9 0
/usr/bin/curl "$@" <<<"$config"; code=$?
[[ $WHEN == after ]] && grep -qE "^$WHERE" <<<"$what" && kill -9 0
exit $code`)
    const before = await movedInAll()
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
    assert.equal(await movedInAll(), before + 1)
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
      const before = await movedInAll()
      const state = stand.fresh('state')
      const file = stand.file(order('4.00'))
      const { code } = await stand.run('op-payments', state, ['--payments', file], { env: { PATH: `${folder}:${plainEnv.PATH}` } })
      assert.ok(code === 'SIGKILL' || (code === 0 && n > 30), `${code}`)
      const { result } = await ended(stand.run('op-payments', state, ['--payments', file]), 0)
      assert.deepEqual(await stand.moved(result), once)
      assert.equal(await movedInAll(), before + 1)
    })
  }

  test('while its submission is still on the way: the next run waits for it', patient, async () => {
    const folder = fs.mkdtempSync(path.join(stand.dir, 'orphan-'))
    const held = path.join(folder, 'held')
    // The flow alone; this curl lives on, and sends when the test lets it.
    script(folder, 'curl', `${read}
if grep -qE '^PUT ' <<<"$what"; then
    kill -9 "$(ps -o pgid= $$ | tr -d ' ')"
    touch ${held}
    until [[ -e ${held}.go ]]; do sleep 0.05; done
fi
/usr/bin/curl "$@" <<<"$config"`)
    const before = await movedInAll()
    const puts = async () => (await stand.requests()).filter(({ step }) => step === 'submit').length
    const first = await puts()
    const state = stand.fresh('state')
    const killed = payOnce(state, { env: { PATH: `${folder}:${plainEnv.PATH}` } })
    await until('the submission is held', () => fs.existsSync(held))
    const next = stand.resume(state)
    await until('the next run waits for the lock', () => lockWaiters(state) > 0)
    assert.equal(await movedInAll(), before)
    fs.writeFileSync(`${held}.go`, '')
    const { result } = await ended(next, 0)
    assert.equal((await killed).code, 'SIGKILL')
    assert.deepEqual(await stand.moved(result), once)
    assert.equal(await puts(), first + 1)
  })
})
