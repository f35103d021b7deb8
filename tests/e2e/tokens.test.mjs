// SPDX-License-Identifier: Apache-2.0
// What custodians do with tokens: a PIN that is typed and is nowhere afterwards.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, bin, seconds, until } from './lib.mjs'

let box
let pin
before(async () => {
  box = await Sandbox.up('--tokens', '2')
  // From here on the PIN of hsm-a is in this process alone.
  const file = path.join(box.dir, 'hsm', 'hsm-a', 'pin')
  pin = fs.readFileSync(file, 'utf8')
  fs.rmSync(file)
  box.editConfig((text) => text.replace(/(token=qseal-a)\?pin-source=[^"]*"/, '$1"\n    pin: typed'))
  await box.cycle('qseal-tokend-hsm-a')
  assert.equal((await box.ctl('reload')).code, 0)
})
after(() => box?.down())

// qsealctl with this on its standard input; a command line never has a PIN.
function typed(input, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(bin, 'qsealctl'), ['--socket', box.admin, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    const out = { stdout: '', stderr: '' }
    child.stdout.on('data', (part) => (out.stdout += part))
    child.stderr.on('data', (part) => (out.stderr += part))
    child.stdin.on('error', () => {}) // it need not read
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...out }))
    child.stdin.end(input)
  })
}

const tokenState = (name) => async () => (await box.status()).tokens.find((token) => token.name === name)
const locked = (words) =>
  until(`hsm-a is locked: ${words}`, async () => {
    const { state, detail } = await tokenState('hsm-a')()
    return state === 'locked' && words.test(detail)
  })

async function refused(input, code, words) {
  const answer = await typed(input, 'token', 'unlock', 'hsm-a')
  assert.equal(answer.code, code, answer.stderr)
  assert.match(answer.stderr, words)
  assert.equal(answer.stdout, '')
}

async function unlocked() {
  const answer = await typed(`${pin}\n`, 'token', 'unlock', 'hsm-a')
  assert.equal(answer.code, 0, answer.stderr)
  assert.equal(answer.stdout, 'token hsm-a is ready\n')
  await until('hsm-a is ready', async () => (await tokenState('hsm-a')()).state === 'ready')
}

const attempt = () => {
  const file = path.join(box.dir, 'state', 'hsm-a', 'pin-attempt')
  return fs.readFileSync(file, 'utf8')
}

test('a token whose PIN is typed waits, and says for what', async () => {
  await locked(/^its PIN is typed: `qsealctl token unlock hsm-a`$/)
  const health = await box.get('/v1/health')
  assert.deepEqual(health.json.tokens.map(({ name, state }) => `${name} ${state}`), ['hsm-a locked', 'hsm-b ready'])
  const text = (await box.ctl('status')).stdout
  assert.match(text, /^token hsm-a: locked - its PIN is typed: `qsealctl token unlock hsm-a`$/m)
})

test('what is no PIN, and a wrong one', async () => {
  const before = attempt()
  await refused('', 1, /the PIN is empty; nothing was tried/)
  await refused('\n', 1, /the PIN is empty; nothing was tried/)
  await refused(`${'4'.repeat(256)}\n`, 1, /too long: it has at most 255 bytes/)
  assert.equal(attempt(), before)
  for (let i = 0; i < 2; i++) {
    await refused('00000000\n', 4, /pin-refused: .*the PIN was refused \(C_Login: CKR_PIN_INCORRECT\); the token has seen wrong PINs \(USER_PIN_COUNT_LOW\)/)
    assert.match(attempt(), /^failed /)
    await locked(/; the last one was refused at 20.*; the token has seen wrong PINs \(USER_PIN_COUNT_LOW\)$/)
  }
  // The next one is warned before anything is typed.
  await refused('', 1, /the token has seen wrong PINs \(USER_PIN_COUNT_LOW\)/)
})

test('the right one, and once more while it is unlocked', async () => {
  await unlocked()
  assert.match(attempt(), /^good /)
  await box.ready()
  const again = await typed('', 'token', 'unlock', 'hsm-a', '--json')
  assert.deepEqual([again.code, again.stderr, JSON.parse(again.stdout)], [0, '', { token: 'hsm-a', state: 'ready' }])
})

test('nobody is asked for the PIN of another token, nor who may not', async () => {
  const other = await typed('', 'token', 'unlock', 'hsm-b')
  assert.deepEqual([other.code, other.stderr, other.stdout], [0, '', 'token hsm-b is ready\n'])
  const none = await typed('', 'token', 'unlock', 'hsm-z')
  assert.equal(none.code, 1)
  assert.match(none.stderr, /the configuration has no such token/)
  await box.cycle('qseal-tokend-hsm-a')
  await locked(/^its PIN is typed/)
  const text = box.editConfig((all) => all.replace(/rights: \[[^\]]*\]/, 'rights: [auditor]'))
  box.signal('qseald', 'SIGHUP')
  await until('only an auditor is left', async () => (await box.ctl('reload')).code === 3)
  const auditor = await typed(`${pin}\n`, 'token', 'unlock', 'hsm-a')
  assert.equal(auditor.code, 3)
  assert.match(auditor.stderr, /^qsealctl: not-granted: uid \d+ may not: token unlock\n$/)
  fs.writeFileSync(box.configPath, text)
  box.signal('qseald', 'SIGHUP')
  await until('the operator is back', async () => (await box.ctl('reload')).code === 0)
  assert.match(attempt(), /^good /)
  await unlocked()
})

test('token list says what a token is, can do and does otherwise', async () => {
  const { code, stdout } = await box.ctl('token', 'list', '--json')
  assert.equal(code, 0)
  const [token, other] = JSON.parse(stdout).tokens
  assert.deepEqual([token.name, token.pin, other.name, other.pin], ['hsm-a', 'typed', 'hsm-b', 'pin-source'])
  assert.match(`${token.manufacturer} ${token.hardware} ${token.firmware}`, /^SoftHSM project \d+\.\d+ \d+\.\d+$/)
  assert.ok(token.flags.includes('login-required'))
  assert.deepEqual(token.hashed_in_token, ['Ed25519'])
  assert.ok(Date.parse(token.started) <= Date.now())
  const quirks = (of) => Object.fromEntries(of.quirks.map(({ name, state }) => [name, state]))
  // hsm-b has made keys since its start, hsm-a was restarted.
  assert.equal(quirks(other)['modifiable-ignored'], 'not-found')
  assert.equal(quirks(token)['modifiable-ignored'], 'unknown')
  assert.equal(quirks(other)['no-raw-ecdsa'], 'not-found')
  const text = (await box.ctl('token', 'list')).stdout
  assert.match(text, /^token hsm-a: ready\n {2}label qseal-a, .*\n.* since its start at 20.*\n {2}its PIN is typed$/m)
  assert.match(text, /^ {2}not known of it yet: .*modifiable-ignored/m)
})

test('key show says what the token says of a key, and counts its signatures', async () => {
  const shown = async (role, token) => JSON.parse((await box.ctl('key', 'show', role, '--token', token, '--json')).stdout).keys[0].in_token
  const before = await shown('seal-ec', 'hsm-a')
  assert.deepEqual(Object.entries(before.attributes).filter(([, value]) => value).map(([name]) => name),
    ['CKA_PRIVATE', 'CKA_SENSITIVE', 'CKA_ALWAYS_SENSITIVE', 'CKA_NEVER_EXTRACTABLE', 'CKA_LOCAL', 'CKA_SIGN'])
  assert.deepEqual([before.is_pinned, before.label, before.allowed_mechanisms[0]], [true, 'qseal:seal:seal-ec', 'CKM_ECDSA'])
  const others = await shown('seal', 'hsm-a')
  for (let i = 0; i < 5; i++) {
    assert.equal((await box.post('/v1/dpop/dpop', { htm: 'GET', htu: 'https://rs.example/a' })).status, 200)
  }
  const [a, b] = [await shown('seal-ec', 'hsm-a'), await shown('seal', 'hsm-a')]
  const signed = a.signatures - before.signatures + (b.signatures - others.signatures)
  assert.equal(signed, 5) // one of the two roles is the profile's
  assert.equal(a.counted_since, before.counted_since)
  assert.match((await box.ctl('key', 'show', 'seal-ec', '--token', 'hsm-a')).stdout,
    /^in token +now\n {2}CKA_LABEL +qseal:seal:seal-ec\n {2}CKA_PRIVATE +true\n[^]*^ {2}CKA_ALLOWED_MECHANISMS +CKM_ECDSA.*\n {2}\d+ signatures since 20/m)
  // A token that is down: the rest is there.
  await box.kill('qseal-tokend-hsm-b')
  const down = await until('it is known to be down', async () => {
    const [key] = JSON.parse((await box.ctl('key', 'show', 'seal-ec', '--token', 'hsm-b', '--json')).stdout).keys
    return key.in_token.outcome === 'token-unavailable' && key
  })
  assert.match(down.in_token.detail, /hsm-b/)
  assert.equal(down.state, 'active')
  assert.ok(down.history.length > 0)
  assert.match((await box.ctl('key', 'show', 'seal-ec', '--token', 'hsm-b')).stdout, /^in token +unknown: .*hsm-b/m)
  box.restart('qseal-tokend-hsm-b')
  await box.ready()
})

// The parts of a process's memory that hold these bytes. Sanitizers reserve terabytes, of which
// nothing is read.
function findInMemory(pid, bytes) {
  const found = []
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r')
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from, to, rights, name] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? []
    if (from === undefined || rights[0] !== 'r' || /^\[v/.test(name)) continue
    const [start, end] = [parseInt(from, 16), parseInt(to, 16)]
    if (end - start > 512 * 1024 * 1024) continue
    const part = Buffer.alloc(end - start)
    let got = 0
    try {
      got = fs.readSync(memory, part, 0, part.length, start)
    } catch {
      continue // a guard page
    }
    if (part.subarray(0, got).includes(bytes)) found.push(name || `${from} ${rights}`)
  }
  fs.closeSync(memory)
  return found
}

function* filesUnder(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) yield* filesUnder(file)
    else if (entry.isFile()) yield file
  }
}

test('the PIN is in no file, no environment and not in qseald', { timeout: seconds(60) }, async (t) => {
  await box.cycle('qseal-tokend-hsm-a')
  await locked(/^its PIN is typed/)
  await unlocked()
  for (const file of filesUnder(box.dir)) {
    assert.ok(!fs.readFileSync(file).includes(pin), `${file} holds the PIN`)
  }
  for (const [name, pid] of Object.entries(box.pids())) {
    assert.ok(!fs.readFileSync(`/proc/${pid}/cmdline`).includes(pin), name)
    if (process.getuid() !== 0) {
      // Not even who runs them may look inside.
      assert.throws(() => fs.readFileSync(`/proc/${pid}/environ`), /EACCES/, name)
      assert.throws(() => fs.openSync(`/proc/${pid}/mem`, 'r'), /EACCES/, name)
      continue
    }
    assert.ok(!fs.readFileSync(`/proc/${pid}/environ`).includes(pin), name)
    const places = findInMemory(pid, pin)
    t.diagnostic(`${name}: the PIN is in ${places.length} parts of its memory`)
    if (/tokend-hsm-a/.test(name)) continue // its module's affair
    assert.deepEqual(places, [], name)
  }
  if (process.getuid() === 0) {
    // The search finds what is there.
    assert.ok(findInMemory(box.pids().qseald, box.configPath).length > 0)
    assert.ok(findInMemory(box.pids()['qseal-tokend-hsm-a'], 'token=qseal-a').length > 0)
  }
})
