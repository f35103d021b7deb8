// SPDX-License-Identifier: Apache-2.0
// qsealctl status --prometheus, read by a strict parser of the text exposition format and compared
// with what status and key list say.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Sandbox, seconds } from './lib.mjs'

let box

before(async () => {
  box = await Sandbox.up('--tokens', '2')
})

after(async () => {
  await box?.down()
})

function labelsOf(text) {
  const labels = {}
  const pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text)
    assert.ok(found, `not labels: ${text}`)
    const [, name, value] = found
    assert.ok(!(name in labels), `label ${name} twice: ${text}`)
    labels[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))
  }
  return labels
}

// Families in one piece, each behind its HELP and TYPE; no sample twice; every line ended.
function parse(text) {
  assert.ok(text.endsWith('\n'))
  const families = new Map()
  let family
  const lines = text.slice(0, -1).split('\n')
  for (let i = 0; i < lines.length; i += 1) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*$/.exec(lines[i])
    if (help !== null) {
      const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(lines[i + 1])
      assert.ok(type !== null && type[1] === help[1], `no TYPE behind: ${lines[i]}`)
      assert.ok(!families.has(help[1]), `${help[1]} begins twice`)
      assert.equal(type[2] === 'counter', help[1].endsWith('_total'))
      family = { name: help[1], samples: [] }
      families.set(help[1], family.samples)
      i += 1
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (-?\d+)$/.exec(lines[i])
    assert.ok(sample !== null, `not of the format: ${lines[i]}`)
    assert.equal(sample[1], family?.name, `in another family: ${lines[i]}`)
    const labels = labelsOf(sample[2] ?? '')
    assert.ok(!family.samples.some((other) => JSON.stringify(other.labels) === JSON.stringify(labels)), `twice: ${lines[i]}`)
    family.samples.push({ labels, value: Number(sample[3]) })
  }
  return families
}

async function metrics() {
  const { code, stdout, stderr } = await box.ctl('status', '--prometheus')
  assert.equal(code, 0, stderr)
  const families = parse(stdout)
  return (name, wanted = {}) => {
    const fits = families.get(name)?.filter(({ labels }) => Object.entries(wanted).every(([key, value]) => labels[key] === value))
    assert.equal(fits?.length, 1, `${fits?.length} samples of ${name} ${JSON.stringify(wanted)}`)
    return fits[0].value
  }
}

test('metrics are of the format and say what status and key list say', { timeout: seconds(60) }, async () => {
  box.editConfig((text) => text.replace(/(name: seal, [^}]*)}/, '$1, cryptoperiod_days: 365}'))
  assert.equal((await box.ctl('reload')).code, 0)
  const before = (await metrics())('qseal_caller_signatures_total', { caller: 'engine' })
  for (let i = 0; i < 5; i += 1) assert.equal((await box.post('/v1/client-assertion/fapi2-assertion', '{}')).status, 200)
  const of = await metrics()
  const status = await box.status()
  const { keys } = JSON.parse((await box.ctl('key', 'list', '--json')).stdout)

  assert.equal(of('qseal_up'), 1)
  assert.equal(of('qseal_info', { version: status.version }), 1)
  assert.equal(of('qseal_health', { state: 'ready' }), 1)
  assert.equal(of('qseal_health', { state: 'unready' }), 0)
  assert.equal(of('qseal_httpd_connected'), 1)
  assert.equal(of('qseal_clock_trusted'), 1)
  assert.equal(of('qseal_reload_refused'), 0)
  assert.equal(of('qseal_audit_ok'), 1)
  assert.ok(of('qseal_audit_records') >= 5)
  assert.ok(of('qseal_audit_sealed_records') <= of('qseal_audit_records'))
  assert.equal(of('qseal_audit_faults_total'), 0)
  assert.equal(of('qseal_audit_unrecorded'), 0)
  assert.equal(of('qseal_config_generation'), status.generation)
  assert.equal(of('qseal_config_loaded_seconds'), Date.parse(status.loaded_at) / 1000)
  assert.equal(of('qseal_keyring_generation'), status.keyring_generation)
  assert.equal(of('qseal_caller_signatures_total', { caller: 'engine', uid: String(process.getuid()) }), before + 5)
  for (const { name } of status.tokens) {
    assert.equal(of('qseal_token_state', { token: name, state: 'ready' }), 1)
    assert.equal(of('qseal_token_state', { token: name, state: 'locked' }), 0)
  }
  for (const { role, token, kid, state, created, not_after: notAfter } of keys) {
    assert.equal(of('qseal_key_state', { role, token, kid, state }), 1)
    if (role === 'seal') assert.equal(of('qseal_key_end_seconds', { role, token, kid, what: 'cryptoperiod' }), Date.parse(created) / 1000 + 365 * 86400)
    if (notAfter !== undefined) assert.equal(of('qseal_key_end_seconds', { role, token, kid, what: 'certificate' }), Date.parse(notAfter) / 1000)
  }
})

test('a reload that was refused is seen', { timeout: seconds(60) }, async () => {
  const good = box.editConfig((text) => `${text}\nno_such_key: 1\n`)
  const refused = await box.ctl('reload')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /no_such_key/)
  assert.equal((await metrics())('qseal_reload_refused'), 1)
  box.editConfig(() => good)
  assert.equal((await box.ctl('reload')).code, 0)
  assert.equal((await metrics())('qseal_reload_refused'), 0)
})

test('no service is a metric, too', { timeout: seconds(60) }, async () => {
  await box.kill('qseald')
  const { code, stdout } = await box.ctl('status', '--prometheus')
  assert.equal(code, 4)
  assert.deepEqual([...parse(stdout)], [['qseal_up', [{ labels: {}, value: 0 }]]])
  box.restart('qseald')
  await box.ready()
})
