// SPDX-License-Identifier: Apache-2.0
// A key that is brought onto a second token with a backup of the first one, and entered there: before it is,
// and while something else is in its place, it is refused in words; then it signs on when its first token is gone.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, run, seconds, until } from './lib.mjs'
import { verifyCompact } from './verify.mjs'

let box
let kid
before(async () => {
  box = await Sandbox.up('--tokens', '2')
  await box.restartedWith((text) => `${text}  - {name: spare, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a, hsm-b]}\n`)
  await until('the role has a key', async () => (await box.ctl('key', 'generate', 'spare', '--token', 'hsm-a')).code === 0)
  fs.writeFileSync(
    path.join(box.dir, 'profiles.d', 'spare.yaml'),
    `profile: spare
template: fapi2-assertion
role: spare
alg: ES256
values:
  - {name: client_id, value: tpp-client-1}
  - {name: issuer, value: "https://as.bank.example"}
`,
  )
  await done('reload')
  ;[{ kid }] = await keys()
})
after(() => box?.down())

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

async function refused(reason, ...args) {
  const { code, stderr } = await box.ctl(...args)
  assert.equal(code, 1, stderr)
  assert.match(stderr, reason)
}

const keys = async () => JSON.parse(await done('key', 'list', '--json')).keys.filter(({ role }) => role === 'spare')
const tokenIs = (name, state) =>
  until(`${name} is ${state}`, async () => (await box.status()).tokens.find((token) => token.name === name).state === state)
const place = (token, ...rest) => path.join(box.dir, 'hsm', token, ...rest)

async function signs() {
  const { status, json, bytes } = await box.post('/v1/client-assertion/spare', '{}')
  assert.equal(status, 200, bytes.toString())
  const { header, claims } = await verifyCompact(json.client_assertion, (await box.get('/v1/jwks')).json, 'ES256')
  assert.equal(header.kid, kid)
  assert.equal(claims.sub, 'tpp-client-1')
}

test('what is not there is not adopted', { timeout: seconds(60) }, async () => {
  const { code, stderr } = await box.ctl('key', 'adopt', kid)
  assert.equal(code, 2)
  assert.match(stderr, /usage: qsealctl key adopt KID --token NAME/)
  await refused(/token hsm-b: the token has no private key with this CKA_ID\. Both objects of the pair must have CKA_ID [0-9a-f]{32} \(p11tool /, 'key', 'adopt', kid, '--token', 'hsm-b')
  await refused(/key \S{8} is in the keyring for token hsm-a already: active/, 'key', 'adopt', kid, '--token', 'hsm-a')
})

test('another key in its place is not adopted', { timeout: seconds(60) }, async () => {
  const [{ key_id: id }] = await keys()
  const pem = path.join(box.dir, 'private', 'stranger.pem')
  await run('openssl', ['genpkey', '-quiet', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', pem])
  const pin = fs.readFileSync(place('hsm-b', 'pin'), 'utf8')
  await run('softhsm2-util', ['--import', pem, '--token', 'qseal-b', '--label', 'qseal:seal:spare', '--id', id, '--pin', pin], {
    env: { ...process.env, SOFTHSM2_CONF: place('hsm-b', 'softhsm2.conf') },
  })
  await until('the token shows it', async () => /has another public key under CKA_ID/.test((await box.ctl('key', 'adopt', kid, '--token', 'hsm-b')).stderr))
  await refused(new RegExp(`token hsm-b has another public key under CKA_ID ${id} than that of key ${kid.slice(0, 8)}: it is no replica of it`), 'key', 'adopt', kid, '--token', 'hsm-b')
})

test('a restored backup is adopted', { timeout: seconds(120) }, async () => {
  await box.kill('qseal-tokend-hsm-b', 'SIGTERM')
  for (const name of ['tokens', 'pin']) {
    fs.rmSync(place('hsm-b', name), { recursive: true })
    fs.cpSync(place('hsm-a', name), place('hsm-b', name), { recursive: true })
  }
  box.editConfig((text) => text.replace('pkcs11:token=qseal-b', 'pkcs11:token=qseal-a'))
  await done('reload')
  await tokenIs('hsm-b', 'down')
  const { code, stderr } = await box.ctl('key', 'adopt', kid, '--token', 'hsm-b')
  assert.equal(code, 4)
  assert.match(stderr, /token-unavailable: token hsm-b is down: /)
  box.restart('qseal-tokend-hsm-b')
  await tokenIs('hsm-b', 'ready')
  const text = await done('key', 'adopt', kid.slice(0, 12), '--token', 'hsm-b', '--reason', 'backup of hsm-a, restored')
  assert.match(text, new RegExp(`^spare: key ${kid} in token hsm-b is active, a replica of that in token hsm-a\n`))
  assert.match(text, /CKA_LABEL +qseal:seal:spare\n/)
  assert.match(text, /CKA_NEVER_EXTRACTABLE +true\n/)
  assert.deepEqual((await keys()).map((key) => [key.token, key.kid, key.state]), [['hsm-a', kid, 'active'], ['hsm-b', kid, 'active']])
  assert.match(await done('key', 'show', kid, '--token', 'hsm-b'), /active +by uid \d+, here too, as a replica of the key in token hsm-a: backup of hsm-a, restored\n/)
  assert.equal((await box.get('/v1/jwks')).json.keys.filter((key) => key.kid === kid).length, 1)
})

test('it signs on when its first token is gone', { timeout: seconds(120) }, async () => {
  for (let n = 0; n < 20; n++) {
    await signs()
    if (n === 5) box.signal('qseal-tokend-hsm-a', 'SIGKILL')
  }
  await tokenIs('hsm-a', 'down')
  await signs()
  // What stops the key stops it on the token that is left, too.
  await done('key', 'suspend', kid)
  assert.deepEqual((await keys()).map(({ state }) => state), ['suspended', 'suspended'])
  const { status, json } = await box.post('/v1/client-assertion/spare', '{}')
  assert.equal(status, 503)
  assert.equal(json.type, 'urn:qseal:problem:no-active-key')
  await box.kill('qseald', 'SIGKILL')
  box.restart('qseald')
  await until('the keyring is read again', async () => (await box.ctl('key', 'list')).code === 0)
  assert.deepEqual((await keys()).map(({ token, state }) => [token, state]), [['hsm-a', 'suspended'], ['hsm-b', 'suspended']])
})
