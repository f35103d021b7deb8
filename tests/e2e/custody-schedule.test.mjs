// SPDX-License-Identifier: Apache-2.0
// Rotations that the clock makes: under load, over a crash, late with a reason, and by what a probe
// outside has seen. The role `brief` signs what lives for two seconds, on two tokens.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, repository, run, seconds, slow, until } from './lib.mjs'
import { load } from './load.mjs'

const maxAge = 1 // seconds
const target = '/v1/client-assertion/brief'
let box

// More members of the role, as YAML.
const role = (more = '') =>
  `  - {name: brief, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a, hsm-b]${more}}\n`

before(async () => {
  box = await Sandbox.up('--tokens', '2')
  const templates = path.join(repository, 'src/policy/templates')
  const own = path.join(box.dir, 'templates')
  const text = fs.readFileSync(path.join(templates, 'fapi2-assertion.yaml'), 'utf8')
  fs.mkdirSync(own)
  fs.writeFileSync(
    path.join(own, 'brief.yaml'),
    text.replace('template: fapi2-assertion', 'template: brief').replace('exp_after_s: 60', 'exp_after_s: 2'),
  )
  fs.writeFileSync(
    path.join(box.dir, 'profiles.d', 'brief.yaml'),
    'profile: brief\ntemplate: brief\nrole: brief\nalg: ES256\nvalues:\n' +
      '  - {name: client_id, value: tpp}\n  - {name: issuer, value: "https://as.bank.example"}\n',
  )
  box.editConfig(
    (config) =>
      `${config.replace(`["${templates}"]`, `["${templates}", "${own}"]`)}${role()}limits: {jwks_max_age_s: ${maxAge}, deadline_ms: 3000}\n`,
  )
  await box.cycle('qseald')
  // It is ready when each role has a key.
  await until('the role has keys', async () => (await box.ctl('key', 'generate', 'brief')).code === 0)
  await box.ready()
})
after(() => box?.down())

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

const json = async (...args) => JSON.parse(await done(...args, '--json'))
const keys = async () => (await json('key', 'list')).keys.filter((key) => key.role === 'brief')
const byState = (list, state) => list.filter((key) => key.state === state)
const kids = (list) => list.map(({ kid }) => kid).sort()

// Changes the role, without a restart.
async function configure(more) {
  box.editConfig((text) => text.replace(/^ {2}- \{name: brief,.*\n/m, role(more)))
  await done('reload')
}

test('a rotation on two tokens that the clock makes, and nobody notices', { timeout: seconds(120) }, async (t) => {
  const seen = load(box, target, maxAge, 16)
  try {
    await rotate(seen)
  } finally {
    seen.stop = true
    await seen.ended
  }
  const fetches = await seen.ended
  assert.deepEqual(seen.failures, [])
  assert.equal(seen.verified, seen.asked)
  assert.ok(fetches.every((n) => n >= 2))
  t.diagnostic(`${seen.asked} asked, ${seen.verified} verified, 0 failed; ${JSON.stringify(Object.fromEntries(seen.kids))}`)
})

async function rotate(seen) {
  const old = await keys()
  assert.deepEqual(old.map(({ state }) => state), ['active', 'active'])
  const none = await box.ctl('rotation', 'plan', 'brief')
  assert.equal(none.code, 1)
  assert.match(none.stderr, /role brief has no successor: qsealctl key generate brief first/)
  await until('all callers have signed', () => seen.verified >= 64, seconds(30))

  await done('key', 'generate', 'brief')
  const fresh = byState(await keys(), 'generated')
  assert.equal(fresh.length, 2)
  const plan = await done('rotation', 'plan', 'brief')
  const command = /^ {2}qsealctl (rotation apply brief --publish-at \S+Z --activate-at \S+Z)$/m.exec(plan)
  assert.ok(command, plan)
  assert.equal((await box.ctl(...command[1].split(' '), '--json')).code, 0) // as it stands there
  const early = await box.ctl('rotation', 'apply', 'brief', '--publish-at', '+1s', '--activate-at', '+2s')
  assert.match(early.stderr, /role brief has a schedule: .*; qsealctl rotation cancel brief drops it/)
  assert.match(await done('rotation', 'cancel', 'brief'), /no longer scheduled: published at/)
  const soon = await box.ctl('rotation', 'apply', 'brief', '--publish-at', '+1s', '--activate-at', '+2s')
  assert.equal(soon.code, 1)
  assert.match(soon.stderr, /too early: from \S+Z on, since a key is published for 1 s before it signs/)

  const applied = await json('rotation', 'apply', 'brief', '--publish-at', `+${4 * slow}s`, '--activate-at', `+${9 * slow}s`, '--reason', 'by the clock')
  assert.deepEqual(
    applied.steps.map(({ state }) => state),
    ['published', 'published', 'retiring', 'active', 'retiring', 'active', 'retired', 'retired'],
  )
  const ahead = (await json('rotation', 'lookahead', 'brief')).keys
  assert.deepEqual(
    ahead.map(({ spans }) => spans.filter(({ planned }) => planned).map(({ state }) => state)),
    [['retiring', 'retired'], ['retiring', 'retired'], ['published', 'active'], ['published', 'active']],
  )
  // The keys of the second token sign over the switch, while the first one is away: there nothing becomes
  // active that does not sign, and the switch comes when the token is back.
  const signed = (list, token) => seen.kids.get(list.find((key) => key.token === token).kid) ?? 0
  await box.kill('qseal-tokend-hsm-a')
  await until('the old key of hsm-b signs', () => signed(old, 'hsm-b') > 0, seconds(30))
  await until('its successor signs', () => signed(fresh, 'hsm-b') >= 64, seconds(30))
  const isLate = ({ token, state }) => token === 'hsm-a' && state === 'active'
  const late = await until('that of hsm-a is overdue', async () => (await box.status()).schedule.overdue.find(isLate))
  assert.match(late.detail, /the key is not activated, since it does not sign in token hsm-a now: /)
  box.restart('qseal-tokend-hsm-a')
  await until('and so does that of hsm-a', () => signed(fresh, 'hsm-a') >= 64, seconds(30))
  await until('the old keys are retired', async () => byState(await keys(), 'retired').length === 2, seconds(60))

  const now = await keys()
  assert.deepEqual(now.map(({ state }) => state), ['retired', 'retired', 'active', 'active'])
  assert.deepEqual([...seen.kids.keys()].sort(), kids([...old, ...fresh])) // each has signed
  const shown = await Promise.all(now.map(async ({ kid }) => (await json('key', 'show', kid)).keys[0]))
  for (const key of shown) {
    assert.equal(key.schedule, undefined)
    const last = key.history.at(-1)
    assert.equal(last.reason, 'scheduled: by the clock')
    assert.equal(last.by, process.getuid())
  }
  // On a token one key stopped in the moment in which the other began.
  const isSwitch = ({ reason, state }) => reason !== '' && ['active', 'retiring'].includes(state)
  const switches = (name) => new Set(shown.filter(({ token }) => token === name).flatMap(({ history }) => history.filter(isSwitch).map(({ at }) => at)))
  assert.equal(switches('hsm-b').size, 1)
  assert.equal(switches('hsm-a').size, 1)
  const jwks = (await box.get('/v1/jwks')).json.keys.map(({ kid }) => kid)
  assert.ok(kids(fresh).every((kid) => jwks.includes(kid)))
  assert.ok(!kids(old).some((kid) => jwks.includes(kid)))
}

const isActive = async (fresh) => {
  const active = byState(await keys(), 'active')
  return fresh.every(({ kid }) => active.some((key) => key.kid === kid))
}

// Generates successors and returns them.
async function successors() {
  await done('key', 'generate', 'brief')
  return byState(await keys(), 'generated')
}

test('a crash between the steps, and what was scheduled still happens', { timeout: seconds(120) }, async () => {
  // Before publication: what should have happened meanwhile happens late, and the rest after it.
  const first = await successors()
  const { publish_at: publishAt } = await json('rotation', 'apply', 'brief', '--publish-at', '+1s', '--activate-at', '+3s')
  await box.kill('qseald', 'SIGKILL')
  await until('the time of publication is past', () => Date.now() > Date.parse(publishAt) + 1000, seconds(10))
  box.restart('qseald')
  await box.ready()
  await until('the keys sign', () => isActive(first), seconds(30))
  // Between publication and activation.
  const second = await successors()
  await json('rotation', 'apply', 'brief', '--activate-at', '+4s')
  await until('the keys are published', async () => byState(await keys(), 'published').length === 2, seconds(15))
  await box.kill('qseald', 'SIGKILL')
  box.restart('qseald')
  await box.ready()
  await until('the keys sign', () => isActive(second), seconds(30))
  await until('those before are retired', async () => byState(await keys(), 'retiring').length === 0, seconds(60))
  assert.deepEqual((await box.status()).schedule.overdue, [])
  assert.equal((await box.post(target, '{}')).status, 200)
})

test('what is overdue says why, and goes on when that is gone', { timeout: seconds(120) }, async () => {
  const lines = () => box.logs().split('\n').filter((line) => /is due to be active, and is not/.test(line)).length
  const linesBefore = lines()
  await configure(', backup: required')
  const fresh = await successors()
  const applied = await json('rotation', 'apply', 'brief')
  assert.match(applied.warnings[0], /no backup of key \S+ on token hsm-a is on record: its activation waits for/)
  await until('the switch is overdue', async () => (await box.status()).schedule.overdue.length === 4, seconds(30))
  const said = await done('status')
  assert.match(said, /OVERDUE: brief key \S+ in token hsm-a should be active since \S+Z: role brief asks for a backup of each key/)
  const ahead = (await json('rotation', 'lookahead', 'brief')).keys
  assert.equal(ahead.filter(({ overdue }) => /asks for a backup/.test(overdue)).length, 2)
  assert.match(await done('rotation', 'lookahead'), /OVERDUE +brief +\S+ \(hsm-a\): role brief asks for a backup/)
  assert.equal(lines(), linesBefore + 2) // once each
  await done('key', 'backup-recorded', 'brief', '--reason', 'cards 3 and 4')
  await until('the keys sign', () => isActive(fresh), seconds(30))
  assert.equal(lines(), linesBefore + 2)
  await until('nothing is overdue', async () => (await box.status()).schedule.overdue.length === 0, seconds(15))
  assert.match(await done('key', 'show', fresh[0].kid), /backup {7}\S+Z by uid \d+: cards 3 and 4/)
})

test('a key is activated when a probe has seen it outside', { timeout: seconds(120) }, async () => {
  const file = path.join(box.dir, 'probe.json')
  await configure(`, seen: required, probe_file: "${file}"`)
  await until('the file is missed', async () => (await box.status()).schedule.probes[0]?.detail === 'No such file or directory', seconds(15))
  const fresh = await successors()
  await done('rotation', 'apply', 'brief')
  await until('the switch is overdue', async () => (await box.status()).schedule.overdue.length === 4, seconds(30))
  assert.match((await box.status()).schedule.overdue[0].detail, /asks that a key be visible outside/)
  fs.writeFileSync(file, '{"keys":')
  await until('damage is said', async () => /line 1/.test((await box.status()).schedule.probes[0]?.detail), seconds(15))
  // The probe: what a bank would fetch, put there whole.
  await until('the keys sign', async () => {
    await run('curl', ['--silent', '--fail', '--unix-socket', box.socket, '--output', `${file}.new`, 'http://localhost/v1/jwks'])
    fs.renameSync(`${file}.new`, file)
    return isActive(fresh)
  }, seconds(30))
  const { schedule } = await box.status()
  assert.deepEqual(schedule.probes, [])
  const [shown] = (await json('key', 'show', fresh[0].kid)).keys
  assert.equal(shown.seen.where, 'probe file')
  assert.equal(shown.seen.by, process.getuid())
})

test('a person who stops a successor stops its rotation, and is told', { timeout: seconds(60) }, async () => {
  await configure('')
  const fresh = await successors()
  await done('rotation', 'apply', 'brief', '--publish-at', '+1h')
  const said = await done('key', 'suspend', fresh[0].kid, '--reason', 'looked at')
  assert.match(said, /is suspended\n {2}no longer scheduled: published at \S+Z\n {2}no longer scheduled: active at \S+Z\n/)
  assert.match(said, /is active\n {2}no longer scheduled: retiring at \S+Z\n {2}no longer scheduled: retired at \S+Z\n/)
  assert.match(await done('token', 'list'), /^token hsm-a: ready$/m)
})
