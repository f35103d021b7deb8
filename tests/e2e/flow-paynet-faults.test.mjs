// SPDX-License-Identifier: Apache-2.0
// tools/flow paynet-consent when the bank fails, the run is killed or the service is away, at each step: what is lost, what is
// asked again, and that resume comes to the end.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

import { customer, flow, watched } from './flow.mjs'
import { seconds } from './lib.mjs'
import { abreast, asked, banks, ended, idOf } from './paynet.mjs'

const all = banks()
const { check } = all

describe('a code counts once', abreast, () => {
  check('lost on the way back: it is not sent again, and the customer consents anew', async (lane, state) => {
    await lane.control.lie('token-closed-done')
    const answer = await ended(lane.consent(state), 6, 'broken')
    assert.match(answer.failed.repeat, /a code counts once/)
    const [seen, id] = [await lane.since(), idOf(state)]
    const { result } = await ended(lane.resume(state), 0)
    assert.notEqual(result.consent_id, id)
    assert.equal((await lane.since(seen)).steps('token'), 1)
  })

  check('sent twice, the bank refuses it and withdraws what it gave', async (lane, state) => {
    await lane.control.lie('token-closed-done')
    await ended(lane.consent(state), 6, 'broken')
    fs.rmSync(path.join(state, 'code-sent')) // as no run of it does
    const answer = await ended(lane.resume(state), 4, 'invalid_grant')
    assert.match(answer.failed.advice, /the customer must authorize again/)
    await ended(lane.resume(state), 0)
  })

  check('not sent at all, it is still good', async (lane, state) => {
    const { env } = watched(lane.dir, ['curl'], { before: 'config=$(cat); case $config in *authorization_code*) exit 7 ;; esac; exec <<<"$config"' })
    await ended(lane.consent(state, { env }), 6, 'unreachable')
    const [seen, id] = [await lane.since(), idOf(state)]
    const { result } = await ended(lane.resume(state), 0)
    assert.equal(result.consent_id, id)
    assert.equal((await lane.since(seen)).steps('par'), 0)
  })
})

// A step that may be repeated is, by itself; what goes on failing ends the run, and resume goes on from there.
describe('the bank fails', abreast, () => {
  const kinds = ['500', '503-done', 'closed', 'closed-done']
  const once = { 'well-known': '503-done', jwks: 'closed', par: 'closed-done', accounts: '500' }
  for (const [step, kind] of Object.entries(once)) {
    check(`once, at ${step} (${kind}): it is asked again`, async (lane, state) => {
      await lane.control.lie(`${step}-${kind}`)
      await ended(lane.consent(state), 0)
      assert.equal((await lane.control.lies()).current.told, 1)
    })
  }
  const again = { 'well-known': '500', jwks: '503-done', par: '500', accounts: 'closed' }
  for (const [step, kind] of Object.entries(again)) {
    check(`again and again, at ${step} (${kind})`, async (lane, state) => {
      await lane.control.lie(`${step}-${kind}`, 99)
      const seen = await lane.since()
      await ended(lane.consent(state), 6, { 500: 'server_error', '503-done': 'http-503', closed: 'broken' }[kind])
      assert.ok((await lane.since(seen)).steps(step) > 1)
      await lane.control.truth()
      await ended(lane.resume(state), 0)
      assert.equal((await lane.since(seen)).consents.length, 1)
    })
  }
  for (const kind of kinds.slice(0, 3)) {
    check(`at token (${kind}): the code was sent`, async (lane, state) => {
      await lane.control.lie(`token-${kind}`)
      await ended(lane.consent(state), 6, { 500: 'server_error', '503-done': 'http-503', closed: 'broken' }[kind])
      await ended(lane.resume(state), 0)
    })
  }
})

describe('the run is killed', abreast, () => {
  // With all it has started, by the call of curl that fits, before or after it was made.
  const kills = {
    'before the request is pushed': ['before', '*/par*'],
    'after the request was pushed': ['after', '*/par*'],
    'before the code is sent': ['before', '*grant_type=authorization_code*'],
    'after the code was sent': ['after', '*grant_type=authorization_code*'],
    'while the ID token is judged': ['before', '*verify/id-token*'],
    'after the accounts came': ['after', '*/accounts*'],
  }
  for (const [name, [when, pattern]] of Object.entries(kills)) {
    check(name, async (lane, state) => {
      const seen = await lane.since()
      const look = 'config=$(cat); all="$* $config"; exec <<<"$config"'
      const kill = `case $all in ${pattern}) kill -KILL 0 ;; esac`
      const { env } = watched(lane.dir, ['curl'], when === 'before' ? { before: `${look}\n${kill}` } : { before: look, after: kill })
      assert.equal((await lane.consent(state, { env })).code, 'SIGKILL')
      const { result } = await ended(lane.resume(state), 0)
      const { consents } = await lane.since(seen)
      assert.deepEqual(consents.filter(({ tokens }) => tokens > 1), [])
      assert.equal(consents.at(-1).consent_id, result.consent_id)
      assert.equal(consents.length, name.includes('the code') ? 2 : 1)
    })
  }
})

// It is everybody's: nothing beside these.
describe('the service', () => {
  test('is away when the bank has answered: that is judged later', { timeout: seconds(120) }, () => all.lanes.take(async (lane) => {
    const state = lane.folder()
    const { env } = watched(lane.dir, ['curl'], { before: `case "$*" in *verify/id-token*) mv ${all.box.socket} ${all.box.socket}.away ;; esac` })
    await ended(lane.consent(state, { env }), 5, 'service')
    fs.renameSync(`${all.box.socket}.away`, all.box.socket)
    const [seen, id] = [await lane.since(), idOf(state)]
    assert.equal((await ended(lane.resume(state), 0)).result.consent_id, id)
    assert.equal((await lane.since(seen)).steps('token'), 0)
  }))

  test('is away from the beginning: nothing goes to the bank', { timeout: seconds(120) }, () => all.lanes.take(async (lane) => {
    const state = lane.folder()
    const seen = await lane.since()
    fs.renameSync(all.box.socket, `${all.box.socket}.away`)
    const answer = await lane.consent(state)
    fs.renameSync(`${all.box.socket}.away`, all.box.socket)
    await ended(answer, 5, 'service')
    assert.equal((await lane.since(seen)).steps('par'), 0)
  }))

  check('does not have the profile', async (lane, state) => {
    const other = path.join(lane.dir, 'other.json')
    const file = JSON.parse(fs.readFileSync(lane.bankFile()))
    fs.writeFileSync(other, JSON.stringify({ ...file, profiles: { ...file.profiles, jar: 'nobody-has-this' } }))
    await ended(flow(all.box, ['paynet-consent', '--bank', other, '--state', state, ...asked, '--browser', customer, '--json']), 5, 'not-found')
  })
})
