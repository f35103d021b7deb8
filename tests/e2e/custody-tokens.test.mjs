// SPDX-License-Identifier: Apache-2.0
// Changes of keys while tokens fail: one that has lost a key, one that does not answer, and
// one that is not there.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, seconds, until } from './lib.mjs'

const maxAge = 1 // seconds
let box
before(async () => {
  box = await Sandbox.up('--tokens', '2')
  await box.restartedWith(
    (text) => `${text}  - {name: both, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a, hsm-b]}\nlimits: {jwks_max_age_s: ${maxAge}}\n`,
  )
  await until('the role has keys', async () => (await box.ctl('key', 'generate', 'both')).code === 0)
  await box.ready()
})
after(() => box?.down())

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

const keys = async () => JSON.parse(await done('key', 'list', '--json')).keys.filter(({ role }) => role === 'both')
const states = async () => (await keys()).map(({ token, state }) => `${token} ${state}`)
const tokenIs = (name, state) =>
  until(`${name} is ${state}`, async () => (await box.status()).tokens.find((token) => token.name === name).state === state)

test('a key that its token has lost does not become active', { timeout: seconds(120) }, async () => {
  const folder = path.join(box.dir, 'hsm', 'hsm-b', 'tokens')
  const backup = path.join(box.dir, 'backup')
  fs.cpSync(folder, backup, { recursive: true })
  await done('key', 'generate', 'both')
  await done('key', 'publish', 'both')
  // The token comes back from a backup that is older than the key.
  await box.kill('qseal-tokend-hsm-b', 'SIGTERM')
  fs.rmSync(folder, { recursive: true })
  fs.cpSync(backup, folder, { recursive: true })
  box.restart('qseal-tokend-hsm-b')
  await tokenIs('hsm-b', 'ready')

  await until('the time of publication is over', async () => {
    const { code, stderr } = await box.ctl('key', 'activate', 'both')
    assert.equal(code, 1)
    return !/verifiers may hold the old JWK Set/.test(stderr) && /the key is not activated, since it does not sign in token hsm-b now: /.test(stderr)
  })
  assert.deepEqual(await states(), ['hsm-a active', 'hsm-b active', 'hsm-a published', 'hsm-b published'])
  await done('key', 'activate', 'both', '--token', 'hsm-a')
  assert.deepEqual(await states(), ['hsm-a retiring', 'hsm-b active', 'hsm-a active', 'hsm-b published'])
})

test('a token that does not answer holds up nobody else', { timeout: seconds(180) }, async () => {
  const [{ kid: compromised }, , , { kid: waits }] = await keys()
  await done('key', 'generate', 'both', '--token', 'hsm-b')
  const spare = (await keys()).at(-1)
  await box.freeze('qseal-tokend-hsm-b')
  try {
    // Whichever of the two comes second is told of the first, which waits.
    const answers = []
    const destructions = [1, 2].map(() => box.ctl('key', 'destroy', spare.kid).then((answer) => answers.push(answer)))
    await Promise.race(destructions)
    assert.equal(answers[0].code, 1)
    assert.match(answers[0].stderr, /is being destroyed in token hsm-b at this moment; try again when that has ended/)
    // Of five more that ask the token three are too many.
    const asked = Array.from({ length: 5 }, () => box.ctl('key', 'csr', waits))
    const first = await Promise.race(asked)
    assert.equal(first.code, 4)
    assert.match(first.stderr, /3 commands wait for tokens already, which is as many as may; try again when one of them is done/)
    await done('status', '--json')
    await done('key', 'suspend', waits)
    await done('key', 'compromised', compromised)
    assert.equal(answers.length, 1) // the other still waits
    box.signal('qseal-tokend-hsm-b', 'SIGCONT')
    await Promise.all([...destructions, ...asked])
    assert.equal(answers[1].code, 0, answers[1].stderr)
  } finally {
    box.signal('qseal-tokend-hsm-b', 'SIGCONT')
  }
  assert.equal((await keys()).at(-1).state, 'destroyed')
})

test('what was done on one token is said, and what was not done on the other', { timeout: seconds(60) }, async () => {
  await box.kill('qseal-tokend-hsm-b', 'SIGTERM')
  const before = await keys()
  const { code, stdout, stderr } = await box.ctl('key', 'generate', 'both', '--json')
  assert.equal(code, 4)
  const made = JSON.parse(stdout)
  assert.deepEqual(made.keys.map(({ token, state }) => [token, state]), [['hsm-a', 'generated']])
  assert.deepEqual(made.failed.map(({ token, outcome }) => [token, outcome]), [['hsm-b', 'token-unavailable']])
  assert.match(stderr, /qsealctl: token-unavailable: token hsm-b: /)
  assert.deepEqual((await keys()).map(({ kid }) => kid), [...before.map(({ kid }) => kid), made.keys[0].kid])
  const text = await box.ctl('key', 'generate', 'both')
  assert.equal(text.code, 4)
  assert.match(text.stdout, /^both: key \S+ generated in token hsm-a, generated\n$/)
  assert.match(text.stderr, /^qsealctl: token-unavailable: token hsm-b: .*\n$/)
  const none = await box.ctl('key', 'generate', 'both', '--token', 'hsm-b', '--json')
  assert.equal(none.code, 4)
  assert.equal(none.stdout, '')
  assert.match(none.stderr, /^qsealctl: token-unavailable: tokend hsm-b is not there: .*\n$/)
  box.restart('qseal-tokend-hsm-b')
  await tokenIs('hsm-b', 'ready')
})
