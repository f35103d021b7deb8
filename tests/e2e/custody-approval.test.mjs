// SPDX-License-Identifier: Apache-2.0
// Two persons, each with a uid of their own, as the kernel tells it: a rotation in which every step
// is asked for by one and approved by the other, and what is refused on the way.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { compactVerify, createLocalJWKSet } from 'jose'

import { Sandbox, run, until } from './lib.mjs'
import { Persons, skipped } from './persons.mjs'

const skip = skipped('custody-approval')

const custodians = 71010
const approvers = 71011
const anna = { uid: 71001 } // custodian
const bert = { uid: 71002 } // approver
const carl = { uid: 71003 } // both
const dora = { uid: 71004, groups: [custodians] }
const emil = { uid: 71005, groups: [71020, approvers] }
const root = { uid: 0 }

const administrators = `administrators:
  - {uid: 71001, rights: [custodian]}
  - {uid: 71002, rights: [approver]}
  - {uid: 71003, rights: [custodian, approver]}
  - {gid: ${custodians}, rights: [custodian]}
  - {group: "${approvers}", rights: [approver]}
`

describe('changes of keys by two persons', { skip }, () => {
  let box
  let persons

  before(async () => {
    box = await Sandbox.up()
    const changed = (text) =>
      `${text.replace('administrators:\n', administrators).replace('[operator, custodian, auditor]', '[operator, custodian, auditor, approver]')}` +
      'limits: {jwks_max_age_s: 1}\napproval: {required: true, valid_s: 600}\n'
    await box.restartedWith(changed)
    persons = new Persons(box)
  })
  after(async () => {
    persons?.end()
    await box?.down()
  })

  async function done(person, ...args) {
    const { code, stdout, stderr } = await persons.ctl(person, ...args)
    assert.equal(code, 0, stderr)
    return stdout
  }

  async function refused(code, reason, person, ...args) {
    const answer = await persons.ctl(person, ...args)
    assert.equal(answer.code, code, `${answer.stdout}${answer.stderr}`)
    assert.match(answer.stderr, reason)
    assert.equal(answer.stdout, '')
  }

  // The digest of what is planned instead of done.
  async function planned(person, ...args) {
    const { planned: plan } = JSON.parse(await done(person, ...args, '--json'))
    assert.equal(plan.by, person.uid)
    return plan.digest
  }

  async function twice(...args) {
    return done(bert, 'key', 'approve', await planned(anna, ...args))
  }

  async function keys(role) {
    return JSON.parse(await done(anna, 'key', 'list', '--json')).keys.filter((key) => key.role === role)
  }

  async function history(kid) {
    const steps = JSON.parse(await done(anna, 'key', 'show', kid, '--json')).keys[0].history
    const approval = ({ approved_by: by, reason }) => (by === undefined ? '' : `${reason && '; '}approved by uid ${by}`)
    return steps.map((step) => ({ ...step, reason: step.reason + approval(step) }))
  }

  const plans = async () => JSON.parse(await done(anna, 'plan', 'list', '--json')).plans
  const plansFile = () => path.join(box.dir, 'state', 'qseald', 'plans.json')

  // As docs/keys.md says, with jq.
  async function reckoned(digest) {
    const file = path.join(persons.dir, 'plan.json')
    fs.writeFileSync(file, await done(bert, 'plan', 'show', digest.slice(0, 16), '--json'))
    const { stdout } = await run('jq', ['-cS', '.plan | del(.digest)', file])
    return createHash('sha256').update(stdout.trimEnd()).digest('hex')
  }

  async function signature() {
    const { status, json, bytes } = await box.post('/v1/client-assertion/fapi2-assertion', '{}')
    assert.equal(status, 200, bytes.toString())
    await compactVerify(json.client_assertion, createLocalJWKSet((await box.get('/v1/jwks')).json))
    return json.kid
  }

  test('a rotation', async () => {
    const [old] = await keys('seal')
    const said = await done(anna, 'key', 'generate', 'seal')
    assert.match(said, /planned, not done:\n  seal in token hsm-a: a new rsa-2048 key is made and becomes generated\n/)
    const [, digest] = /it is done when somebody else has approved it before \S+Z:\n  qsealctl key approve ([0-9a-f]{64})\n/.exec(said)
    assert.equal((await keys('seal')).length, 1)
    assert.match(await done(bert, 'plan', 'list'), new RegExp(`^${digest}  qsealctl key generate, by uid 71001, to be approved before `))
    const approved = await done(bert, 'key', 'approve', digest)
    assert.match(approved, /approved, and done for uid 71001: qsealctl key generate\n  seal: key \S+ in token hsm-a is generated\n/)
    const fresh = (await keys('seal')).find(({ kid }) => kid !== old.kid)
    assert.equal(fresh.created_by, anna.uid)

    await twice('key', 'publish', 'seal', '--reason', 'of 2027')
    assert.equal(await signature(), old.kid)
    const activate = await planned(anna, 'key', 'activate', fresh.kid)
    let refusal // for no other reason than the time, until it is done
    await until('it is time', async () => {
      const { code, stderr } = await persons.ctl(bert, 'key', 'approve', activate)
      refusal = code === 0 ? undefined : stderr
      return code === 0 || !/the key was published \d+ s ago; verifiers may hold the old JWK Set for 1 s/.test(stderr)
    })
    assert.equal(refusal, undefined)
    assert.equal(await signature(), fresh.kid)
    const states = await history(fresh.kid)
    assert.deepEqual(states.map(({ state, by, reason }) => [state, by, reason]), [
      ['generated', anna.uid, 'approved by uid 71002'],
      ['published', anna.uid, 'of 2027; approved by uid 71002'],
      ['active', anna.uid, 'approved by uid 71002'],
    ])
    assert.equal((await history(old.kid)).at(-1).state, 'retiring')
    const retire = await planned(anna, 'key', 'retire', old.kid)
    await refused(1, /what it signed is valid for up to \d+ s: from \S+Z on/, bert, 'key', 'approve', retire)
    await done(anna, 'plan', 'withdraw', retire)
    assert.deepEqual(await plans(), [])
  })

  test('a certificate, and a key that is destroyed', async () => {
    const csr = path.join(box.dir, 'renewed.csr.pem')
    const certificate = path.join(persons.dir, 'renewed.crt.pem')
    fs.writeFileSync(csr, await done(anna, 'key', 'csr', 'transport')) // no plan
    await run('openssl', ['x509', '-req', '-in', csr, '-CA', path.join(box.dir, 'ca.crt.pem'), '-CAkey', path.join(box.dir, 'private', 'ca.key.pem'), '-days', '7', '-out', certificate])
    fs.chmodSync(certificate, 0o644)
    const served = async () => (await box.get('/v1/keys/transport/certificate')).bytes.toString()
    const digest = await planned(anna, 'key', 'import-certificate', 'transport', '--file', certificate)
    assert.notEqual(await served(), fs.readFileSync(certificate, 'utf8'))
    assert.equal(await reckoned(digest), digest)
    assert.match(await done(bert, 'plan', 'show', digest), /transport in token hsm-a: key \S+, which is active, stays active\n    with the certificates of SHA-256 [0-9a-f]{64}\n/)
    assert.match(await done(bert, 'key', 'approve', digest), /transport: key \S+ in token hsm-a is active\n/)
    assert.equal(await served(), fs.readFileSync(certificate, 'utf8'))

    await twice('key', 'generate', 'seal-ec')
    const spare = (await keys('seal-ec')).at(-1)
    await twice('key', 'destroy', spare.kid, '--reason', 'not needed')
    assert.equal((await keys('seal-ec')).at(-1).state, 'destroyed')
    assert.equal((await history(spare.kid)).at(-1).reason, 'not needed; approved by uid 71002')
  })

  test('who is not a second person', async () => {
    const own = await planned(carl, 'key', 'generate', 'seal-ec')
    await refused(3, /another person than the one who asked for it, uid 71003/, carl, 'key', 'approve', own)
    await refused(3, /uid 71001 may not: key approve/, anna, 'key', 'approve', own)
    await refused(3, /this needs two persons, and uid 0 is none of them: approve as yourself/, root, 'key', 'approve', own)
    await refused(3, /this needs two persons, and uid 0 is none of them: ask as yourself/, root, 'key', 'generate', 'seal-ec')
    await refused(3, /a plan is withdrawn by who made it, uid 71003, or by a custodian/, bert, 'plan', 'withdraw', own)
    await refused(1, /there is no plan of this digest/, bert, 'key', 'approve', '0123456789abcdef')
    await refused(1, /a plan is approved by its whole digest/, bert, 'key', 'approve', own.slice(0, 32))
    await refused(1, /by its digest, or the first 16/, bert, 'key', 'approve', '0123456789')
    assert.match(await done(carl, 'plan', 'withdraw', own), new RegExp(`plan ${own} is withdrawn`))
    await refused(1, /it was approved, withdrawn, or has expired/, bert, 'key', 'approve', own)
  })

  test('a plan that has become another is refused', async () => {
    await twice('key', 'generate', 'seal-ec')
    const { kid } = (await keys('seal-ec')).at(-1)
    const publish = await planned(anna, 'key', 'publish', kid)
    await done(anna, 'key', 'suspend', kid) // stopping waits for nobody
    assert.equal((await keys('seal-ec')).at(-1).state, 'suspended')
    await refused(1, /what the plan would do has changed since: the key is suspended: resume it first/, bert, 'key', 'approve', publish)
    await twice('key', 'resume', kid)
    await refused(1, /what the plan would do has changed since: keys\/0\/changes was 1 and is 3; ask for it anew/, bert, 'key', 'approve', publish)
    await done(anna, 'plan', 'withdraw', publish)
    await done(anna, 'key', 'compromised', kid, '--reason', 'a test')
    assert.equal((await history(kid)).at(-1).reason, 'a test')
  })

  test('rights by group', async () => {
    const digest = await planned(dora, 'key', 'generate', 'seal-ec')
    await refused(3, /uid 71004 may not: key approve/, dora, 'key', 'approve', digest)
    await refused(3, /uid 71005 may not: key generate/, emil, 'key', 'generate', 'seal-ec')
    await refused(3, /uid 71005 may not: key approve/, { uid: emil.uid }, 'key', 'approve', digest)
    const many = { uid: emil.uid, groups: [approvers, ...Array.from({ length: 300 }, (_, i) => 72000 + i)] }
    await refused(3, /uid 71005 may not: key approve; it is in too many groups, so that of these only the primary one counts/, many, 'key', 'approve', digest)
    await done(emil, 'key', 'approve', digest)
    const made = (await keys('seal-ec')).at(-1)
    assert.equal(made.created_by, dora.uid)
    assert.equal((await history(made.kid))[0].reason, 'approved by uid 71005')
  })

  test('a rotation that the clock makes is scheduled and cancelled by two', async () => {
    for (const { kid, state } of await keys('seal-ec')) if (state === 'generated') await twice('key', 'destroy', kid)
    await twice('key', 'generate', 'seal-ec')
    const [former] = (await keys('seal-ec')).filter(({ state }) => state === 'active')
    const { kid } = (await keys('seal-ec')).at(-1)
    const scheduled = async (of) => ((await keys('seal-ec')).find((key) => key.kid === of).schedule ?? []).map(({ state, at }) => `${state} at ${at}`)

    const named = /where changes are approved the times are named, like 2026-11-21T09:30:00Z: qsealctl rotation plan seal-ec prints the command/
    await refused(1, named, anna, 'rotation', 'apply', 'seal-ec')
    await refused(1, named, anna, 'rotation', 'apply', 'seal-ec', '--publish-at', '+1h', '--activate-at', '+2h')
    await refused(3, /uid 71002 may not: rotation apply/, bert, 'rotation', 'apply', 'seal-ec')
    await refused(3, /uid 0 is none of them: ask as yourself/, root, 'rotation', 'apply', 'seal-ec', '--publish-at', '2035-01-01T00:00:00Z', '--activate-at', '2035-01-02T00:00:00Z')

    // The command that `rotation plan` prints is one that may be applied.
    const [, command] = /^ {2}qsealctl (rotation apply .*)$/m.exec(await done(anna, 'rotation', 'plan', 'seal-ec', '--publish-at', '+1h', '--activate-at', '+2h'))
    const [, publish, activate] = /--publish-at (\S+) --activate-at (\S+)$/.exec(command)
    const first = await planned(anna, ...command.split(' '))
    const said = await done(anna, ...command.split(' '), '--reason', 'of 2027')
    assert.match(said, new RegExp(`^planned, not done:\n  seal-ec in token hsm-a: key ${kid}, which is generated:\n    to be published at ${publish}\n    to be active at ${activate}\n` +
      `  seal-ec in token hsm-a: key ${former.kid}, which is active:\n    to be retiring at ${activate}\n    to be retired at \\S+Z\n`))
    assert.deepEqual(await scheduled(kid), [])
    const [, second] = /qsealctl key approve ([0-9a-f]{64})/.exec(said)
    assert.equal(await reckoned(second), second)
    const approved = await done(bert, 'key', 'approve', second)
    assert.match(approved, /^approved, and done for uid 71001: qsealctl rotation apply\n/)
    assert.match(approved, new RegExp(`^${publish}  hsm-a +${kid}  published$`, 'm'))
    assert.match(approved, new RegExp(`^${activate}  hsm-a +${kid}  active$`, 'm'))
    assert.deepEqual(await scheduled(kid), [`published at ${publish}`, `active at ${activate}`])
    assert.equal((await scheduled(former.kid))[0], `retiring at ${activate}`)
    await refused(1, /there is no plan of this digest/, bert, 'key', 'approve', second)
    await refused(1, /role seal-ec has a schedule: key /, bert, 'key', 'approve', first)
    await done(anna, 'plan', 'withdraw', first)

    const cancel = await done(anna, 'rotation', 'cancel', 'seal-ec')
    assert.match(cancel, new RegExp(`key ${kid}, which is generated:\n    nothing is scheduled for it any more\n`))
    assert.equal((await scheduled(kid)).length, 2)
    const [, third] = /qsealctl key approve ([0-9a-f]{64})/.exec(cancel)
    assert.match(await done(bert, 'key', 'approve', third), new RegExp(`key ${kid} in token hsm-a is generated\n  no longer scheduled: published at ${publish}\n  no longer scheduled: active at ${activate}\n`))
    assert.deepEqual(await scheduled(kid), [])
    assert.deepEqual(await scheduled(former.kid), [])

    // A change in between.
    const fourth = await planned(anna, ...command.split(' '))
    await done(anna, 'key', 'suspend', kid)
    await twice('key', 'resume', kid)
    await refused(1, /what the plan would do has changed since: keys\/0\/changes was 1 and is 3; ask for it anew/, bert, 'key', 'approve', fourth)
    assert.deepEqual(await scheduled(kid), [])
    await done(anna, 'plan', 'withdraw', fourth)
    await twice('key', 'destroy', kid)
  })

  test('the digest is over all that the plan says', async () => {
    const digest = await planned(anna, 'key', 'generate', 'seal-ec')
    const { plan } = JSON.parse(await done(bert, 'plan', 'show', digest.slice(0, 20), '--json'))
    const sorted = (value) =>
      value === null || typeof value !== 'object' || Array.isArray(value)
        ? Array.isArray(value) ? value.map(sorted) : value
        : Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]))
    const { digest: given, ...body } = plan
    assert.equal(createHash('sha256').update(JSON.stringify(sorted(body))).digest('hex'), given)
    assert.equal(await reckoned(digest), digest)
    assert.deepEqual(Object.keys(body).sort(), ['arguments', 'by', 'effect', 'expires', 'made', 'verb'])
    assert.equal(Date.parse(body.expires) - Date.parse(body.made), 600_000)

    // Whoever writes another plan under it is found out; keys sign on, and the service starts.
    const file = fs.readFileSync(plansFile(), 'utf8')
    fs.writeFileSync(plansFile(), file.replace('"seal-ec"', '"seal"'))
    const damaged = /plans\.json: plans\[0\]: "digest" is not that of the plan; keys sign on, but no plan is made or approved/
    await refused(1, damaged, bert, 'key', 'approve', digest)
    await refused(1, damaged, anna, 'key', 'generate', 'seal-ec')
    await box.cycle('qseald')
    await box.ready()
    persons.open()
    await signature()
    fs.writeFileSync(plansFile(), file)
    await done(anna, 'plan', 'withdraw', digest)
  })

  // A crash between doing a plan and dropping it leaves what is put back here.
  test('a plan is not done twice, whatever crashes', async () => {
    const digest = await planned(anna, 'key', 'generate', 'seal-ec')
    const file = fs.readFileSync(plansFile(), 'utf8')
    await done(bert, 'key', 'approve', digest)
    const after = await keys('seal-ec')
    await box.kill('qseald', 'SIGKILL')
    fs.writeFileSync(plansFile(), file)
    box.restart('qseald')
    await box.ready()
    persons.open()
    assert.deepEqual((await plans()).map((plan) => plan.digest), [digest])
    await refused(1, /what the plan would do has changed since: keys\/0\/keys_before was \d and is \d/, bert, 'key', 'approve', digest)
    assert.deepEqual(await keys('seal-ec'), after)
    await done(anna, 'plan', 'withdraw', digest)
  })

  test('with approval off, a plan that is there is still done by two only', async () => {
    const digest = await planned(anna, 'key', 'generate', 'seal-ec')
    const n = (await keys('seal-ec')).length
    box.editConfig((text) => text.replace('required: true', 'required: false'))
    await done(root, 'reload')
    await refused(3, /uid 71001 may not: key approve/, anna, 'key', 'approve', digest)
    assert.equal((await keys('seal-ec')).length, n)
    await done(bert, 'key', 'approve', digest)
    assert.equal((await keys('seal-ec')).length, n + 1)
    assert.match(await done(anna, 'key', 'generate', 'seal-ec'), /seal-ec: key \S+ generated in token hsm-a, generated/)
  })
})
