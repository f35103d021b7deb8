// SPDX-License-Identifier: Apache-2.0
// tools/flow paynet-consent and paynet-refresh against npm's oidc-provider: all ways to the end, and what customers and time
// do on the way.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe } from 'node:test'

import { start } from '../bank/paynet.mjs'
import { customer, flow, kept, script, watched } from './flow.mjs'
import { abreast, asked, banks, ended, idOf, methods } from './paynet.mjs'
import { finished } from './tls.mjs'

const all = banks()
const { check } = all

describe('from the well-known document to the accounts', abreast, () => {
  for (const method of methods) {
    for (const version of ['1.2', '1.3']) {
      check(`${method}, TLS ${version}`, async (lane, state) => {
        await lane.control.tls(version)
        const seen = await lane.since()
        const { result, lines } = await ended(lane.consent(state, { method }), 0)
        const [given, ...none] = (await lane.since(seen)).consents
        assert.deepEqual(none, [])
        assert.deepEqual(result, { consent_id: given.consent_id, status: 'authorized', permissions: ['read_accounts', 'read_balances'],
          expiration_datetime: '2098-12-31T23:59:59Z', accounts: 2 })
        assert.deepEqual([given.tokens, given.refreshed, given.read], [1, 0, 1])
        const used = lines.flatMap(({ told }) => told ?? []).filter((line) => line.startsWith('service: POST /v1/client-assertion'))
        assert.equal(used.length, method === 'private_key_jwt' ? 2 : 0)
        await ended(lane.refresh(state, lane.folder(), { method }), 0)
        assert.deepEqual((await lane.since(seen)).consents.map((one) => [one.tokens, one.refreshed, one.read]), [[1, 1, 2]])
      })
    }
  }

  check('with the profiles for any FAPI 2.0 server in place of PayNet\'s', async (lane, state) => {
    const other = await start(all.box.dir, { name: 'fapi2', prefix: 'fapi2' })
    try {
      const answer = await ended(flow(all.box, ['paynet-consent', '--bank', other.path, '--state', state, ...asked, '--browser', customer, '--json']), 0)
      assert.ok(answer.lines.some(({ told }) => told?.includes('service: POST /v1/verify/id-token/fapi2-id-token')))
    } finally {
      await other.close()
    }
  })

  check('where the bank may be is where the bank file has it', async (lane, state) => {
    // The addresses of the document are at 127.0.0.1, those of its aliases at localhost.
    const file = path.join(lane.dir, 'places.json')
    const text = fs.readFileSync(lane.bankFile(), 'utf8').replaceAll('https://localhost', 'https://127.0.0.1')
    const run = (place, content) => {
      fs.writeFileSync(file, JSON.stringify(content))
      return flow(all.box, ['paynet-consent', '--bank', file, '--state', place, ...asked, '--browser', customer, '--json'])
    }
    await ended(run(lane.folder(), JSON.parse(text)), 3, 'endpoint')
    await ended(run(state, { ...JSON.parse(text), hosts: 'elsewhere.example localhost' }), 0)
  })

  check('a version that the bank does not speak', async (lane, state) => {
    await lane.control.tls('1.3')
    await ended(lane.consent(state, { more: ['--tls-max', '1.2'] }), 6, 'unreachable')
  })

  check('a method that the client is not registered for', async (lane, state) => {
    await ended(lane.consent(state, { more: ['--auth', 'tls_client_auth'] }), 4, 'invalid_client')
  })

  check('without a browser command the URL is shown, and the one that the customer came back to is read', async (lane, state) => {
    let sent = false
    const answer = await lane.consent(state, {
      browser: null,
      onError(child, text) {
        const [url] = /https:\S+\/authorize\?\S+/.exec(text) ?? []
        if (url === undefined || sent) return
        sent = true
        finished(customer, ['--ca', all.box.transport.ca, url]).then(({ stdout }) => child.stdin.end(stdout))
      },
    })
    await ended(answer, 0)
  })

  check('the same command again sends nothing', async (lane, state) => {
    const first = await ended(lane.consent(state), 0)
    const seen = await lane.since()
    const again = await ended(lane.consent(state), 0)
    assert.deepEqual(again.result, first.result)
    assert.equal((await lane.since(seen)).requests.length, seen.requests.length)
  })
})

describe('what is secret', abreast, () => {
  const programs = ['curl', 'jq', 'awk', 'sed', 'cp', 'mv', 'sync', 'date', 'basenc', 'sha256sum', 'grep', 'cat', 'tr']
  check('stands in files of mode 0600 in a folder of mode 0700, on no command line, and in no output', async (lane, state) => {
    const { env, log } = watched(lane.dir, programs)
    const answer = await ended(lane.consent(state, { env }), 0)
    const { files, modes } = kept(state)
    assert.equal(fs.statSync(state).mode & 0o777, 0o700)
    assert.deepEqual([...modes], [0o600])
    const tokens = JSON.parse(files['user.json'])
    const secrets = [tokens.access_token, tokens.refresh_token, tokens.id_token, files.nonce, files.state]
    assert.ok(secrets.every((text) => text.length > 40))
    const started = fs.readFileSync(log, 'utf8')
    assert.ok(started.includes('--unix-socket'))
    for (const secret of secrets) {
      assert.ok(!started.includes(secret), 'on a command line')
      assert.ok(!`${answer.stdout}${answer.stderr}`.includes(secret), 'in the output')
    }
    // What was used once is not kept.
    assert.ok(!['code', 'verifier', 'callback.url', 'request-uri', 'fresh.json', 'work'].some((name) => name in files))
  })
})

describe('the customer', abreast, () => {
  check('denies', async (lane, state) => {
    const answer = await ended(lane.consent(state, { browser: `${customer} --deny` }), 7, 'access_denied')
    assert.match(answer.failed.repeat, /resume alone makes a new consent/)
    assert.ok(!fs.existsSync(path.join(state, 'user.json')))
  })

  check('does not come back: resume makes a new consent, and remembers the one that may be there', async (lane, state) => {
    await ended(lane.consent(state, { browser: `${customer} --lose` }), 7, 'no-return')
    const lost = idOf(state)
    const seen = await lane.since()
    const { result } = await ended(lane.resume(state), 0)
    assert.notEqual(result.consent_id, lost)
    assert.equal(fs.readFileSync(path.join(state, 'abandoned'), 'utf8'), lost)
    assert.deepEqual((await lane.since(seen)).consents.map((one) => one.consent_id), [result.consent_id])
  })

  check('comes back late: the same consent goes on', async (lane, state) => {
    const late = path.join(lane.dir, 'late')
    await ended(lane.consent(state, { browser: script(lane.dir, 'late.sh', `${customer} "$1" >${late}`) }), 7, 'no-return')
    const seen = await lane.since()
    const { result } = await ended(lane.resume(state, '--callback', late), 0)
    assert.equal(result.consent_id, idOf(state))
    assert.equal((await lane.since(seen)).steps('par'), 0)
  })

  check('meets a request that is over: nobody comes back, and resume pushes another', async (lane, state) => {
    await lane.control.lie('request-uri-expired')
    const answer = await ended(lane.consent(state), 7, 'no-return')
    await ended(lane.resume(state), 0)
    assert.match(answer.stderr, /did not come back/)
  })

  check('is not sent with a request that is over', async (lane, state) => {
    // As after a kill between the two steps.
    await ended(lane.consent(state, { browser: `${customer} --nobody` }), 7, 'no-return')
    fs.rmSync(path.join(state, 'customer-sent'))
    fs.writeFileSync(path.join(state, 'request-until'), '1')
    const [seen, id] = [await lane.since(), idOf(state)]
    const { result } = await ended(lane.resume(state), 0)
    assert.equal(result.consent_id, id)
    assert.equal((await lane.since(seen)).steps('par'), 1)
  })

  check('is sent with a request that is not over', async (lane, state) => {
    await ended(lane.consent(state, { browser: `${customer} --nobody` }), 7, 'no-return')
    fs.rmSync(path.join(state, 'customer-sent'))
    const seen = await lane.since()
    await ended(lane.resume(state), 0)
    assert.equal((await lane.since(seen)).steps('par'), 0)
  })
})

// The answer that is in the state came long ago.
function waited(state) {
  const file = path.join(state, 'fresh.json')
  fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), received: 1 }))
}

describe('afterwards', abreast, () => {
  check('a new key of the bank is found, with one more look at its JWK Set', async (lane, state) => {
    const seen = await lane.since()
    const rotating = script(lane.dir, 'rotating.sh', `curl -q --silent --unix-socket ${lane.bank.socket} -X POST http://bank/rotate >/dev/null\nexec ${customer} "$1"`)
    await ended(lane.consent(state, { browser: rotating }), 0)
    assert.equal((await lane.since(seen)).steps('jwks'), 2)
    // What is signed from now on is by that key, and the set is fetched once.
    await ended(lane.refresh(state), 0)
    assert.equal((await lane.since(seen)).steps('jwks'), 3)
  })

  check('an access token whose time is over is replaced before it is used', async (lane, state) => {
    await lane.control.lie('accounts-closed', 99)
    await ended(lane.consent(state), 6, 'broken')
    await lane.control.truth()
    const file = path.join(state, 'user.json')
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), received: 1 }))
    const seen = await lane.since()
    const { result } = await ended(lane.resume(state), 0)
    assert.equal((await lane.since(seen)).steps('token'), 1)
    const { consents } = await lane.control.ledger()
    assert.equal(consents.find((one) => one.consent_id === result.consent_id).refreshed, 1)
  })

  check('an access token that is not accepted is replaced once', async (lane, state) => {
    await lane.control.lie('accounts-invalid-token')
    const { result } = await ended(lane.consent(state), 0)
    const { consents } = await lane.since()
    assert.equal(consents.find((one) => one.consent_id === result.consent_id).refreshed, 1)
  })

  check('a refresh long after the customer was there', async (lane, state) => {
    await ended(lane.consent(state), 0)
    await lane.control.lie('id-token-auth-time')
    await ended(lane.refresh(state), 0)
    assert.equal((await lane.control.lies()).current.told, 1)
  })

  check('a bank that turns refresh tokens', async (lane, state) => {
    lane.bank.turn(true)
    const refreshToken = () => JSON.parse(fs.readFileSync(path.join(state, 'user.json'))).refresh_token
    await ended(lane.consent(state), 0)
    const first = refreshToken()
    await ended(lane.refresh(state), 0)
    assert.notEqual(refreshToken(), first)
    await ended(lane.refresh(state), 0)
    // The answer is lost, and the old one is over.
    await lane.control.lie('token-closed-done')
    const answer = await ended(lane.refresh(state), 4, 'invalid_grant')
    assert.match(answer.failed.repeat, /the customer must consent again/)
  })

  check('a refresh that is judged by a later run, for the service was away', async (lane, state) => {
    lane.bank.turn(true)
    await ended(lane.consent(state), 0)
    const own = lane.folder()
    const { env } = watched(lane.dir, ['curl'], { before: 'case "$*" in *verify/id-token*) exit 7 ;; esac' })
    await ended(lane.refresh(state, own, { env }), 5, 'service')
    const seen = await lane.since()
    await ended(lane.refresh(state, own), 0)
    assert.equal((await lane.since(seen)).steps('token'), 0)
    await ended(lane.refresh(state), 0)
  })

  check('a refresh that has waited too long to be judged is made again, with the newest refresh token', async (lane, state) => {
    lane.bank.turn(true)
    await ended(lane.consent(state), 0)
    const own = lane.folder()
    const { env } = watched(lane.dir, ['curl'], { before: 'case "$*" in *verify/id-token*) exit 7 ;; esac' })
    await ended(lane.refresh(state, own, { env }), 5, 'service')
    waited(own)
    const seen = await lane.since()
    await ended(lane.refresh(state, own), 0)
    assert.equal((await lane.since(seen)).steps('token'), 1)
  })

  check('an answer to a code that has waited too long to be judged: a new consent', async (lane, state) => {
    const { env } = watched(lane.dir, ['curl'], { before: 'case "$*" in *verify/id-token*) exit 7 ;; esac' })
    await ended(lane.consent(state, { env }), 5, 'service')
    waited(state)
    const id = idOf(state)
    const { result } = await ended(lane.resume(state), 0)
    assert.notEqual(result.consent_id, id)
  })

  check('a refresh that is not of this customer changes nothing', async (lane, state) => {
    await ended(lane.consent(state), 0)
    const tokens = fs.readFileSync(path.join(state, 'user.json'), 'utf8')
    await lane.control.lie('id-token-sub')
    await ended(lane.refresh(state), 3, 'sub')
    assert.equal(fs.readFileSync(path.join(state, 'user.json'), 'utf8'), tokens)
    await ended(lane.refresh(state), 0)
    assert.notEqual(fs.readFileSync(path.join(state, 'user.json'), 'utf8'), tokens)
  })

  check('a refresh is of a consent at the same bank that is done, and has a state of its own', async (lane, state) => {
    await ended(lane.consent(state, { browser: `${customer} --nobody` }), 7, 'no-return')
    const says = async (running, text) => assert.match((await ended(running, 2, '')).failed.text, text)
    await says(lane.refresh(state), /not the state of a paynet-consent that is done/)
    await ended(lane.resume(state), 0)
    await says(lane.refresh(state, state), /a folder of its own|another flow/)
    await says(lane.refresh(state, lane.folder(), { method: 'tls_client_auth' }), /at another bank/)
  })
})

describe('nothing is sent when', abreast, () => {
  const wrong = {
    'a permission is none': [['--permissions', 'Read Accounts'], /--permissions is a list/],
    'the end is no time': [['--until', 'tomorrow'], /--until is a time/],
    'the end is over': [['--until', '2020-01-01T00:00:00Z'], /--until is over/],
    'the purpose is several words': [['--purpose', 'two words'], /--purpose is one word/],
    'there is no such authentication': [['--auth', 'client_secret_basic'], /private_key_jwt or tls_client_auth/],
    'the profile is of another client': [['--bank', 'mixed.json'], /of another client than the bank file/],
    'the bank is another': [['--bank', 'op.json'], /not of PayNet/],
  }
  for (const [name, [more, text]] of Object.entries(wrong)) {
    check(name, async (lane, state) => {
      const file = JSON.parse(fs.readFileSync(lane.bankFile()))
      fs.writeFileSync(path.join(lane.dir, 'mixed.json'), JSON.stringify({ ...file, client_id: 'somebody' }))
      fs.writeFileSync(path.join(lane.dir, 'op.json'), JSON.stringify({ ...file, bank: 'op' }))
      const given = { '--bank': lane.bankFile(), '--state': lane.folder(), '--permissions': 'read_accounts', '--until': '2098-12-31T23:59:59Z' }
      given[more[0]] = more[0] === '--bank' ? path.join(lane.dir, more[1]) : more[1]
      const seen = await lane.since()
      const answer = await ended(flow(all.box, ['paynet-consent', ...Object.entries(given).flat(), '--browser', customer, '--json']), 2, '')
      assert.match(answer.failed.text, text)
      assert.equal((await lane.since(seen)).steps('par'), 0)
    })
  }
})
