// SPDX-License-Identifier: Apache-2.0
// The key of the audit log's checkpoints: its life, what an auditor takes away, and that no caller
// comes near it.

import assert from 'node:assert/strict'
import { createHash, verify } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { calculateJwkThumbprint, exportJWK, importSPKI } from 'jose'

import { Sandbox, run, seconds, until } from './lib.mjs'

let box
before(async () => {
  box = await Sandbox.up('--tokens', '2')
})
after(() => box?.down())

const at = (...parts) => path.join(box.dir, ...parts)

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

async function refused(code, reason, ...args) {
  const answer = await box.ctl(...args)
  assert.equal(answer.code, code, answer.stderr)
  assert.match(answer.stderr, reason)
  assert.equal(answer.stdout, '')
}

const keys = async () => JSON.parse(await done('key', 'list', '--json')).keys.filter(({ role }) => role === 'audit')
const states = async () => (await keys()).map(({ state }) => state)
const kidOf = async (pem) => calculateJwkThumbprint(await exportJWK(await importSPKI(pem, 'ES256', { extractable: true })))

test('what an auditor takes away is the key, by another implementation\'s thumbprint', async () => {
  const [a, b] = await keys()
  assert.deepEqual([a, b].map(({ token, purpose, state, algs }) => [token, purpose, state, algs.join()]),
    [['hsm-a', 'audit', 'active', 'ES256'], ['hsm-b', 'audit', 'active', 'ES256']])
  const newest = await box.ctl('audit', 'key')
  assert.equal(newest.code, 0)
  assert.equal(await kidOf(newest.stdout), b.kid)
  assert.equal(newest.stderr, `qsealctl: key ${b.kid} of role audit in token hsm-b, active\n`)
  assert.equal(await kidOf(await done('audit', 'key', a.kid.slice(0, 8))), a.kid)
  const all = JSON.parse(await done('audit', 'key', '--all', '--json')).keys
  assert.deepEqual(all.map(({ role, token, kid, state }) => ({ role, token, kid, state })),
    [a, b].map(({ role, token, kid, state }) => ({ role, token, kid, state })))
  for (const { pem, kid } of all) assert.equal(await kidOf(pem), kid)
  assert.equal(await done('audit', 'key', '--all'), all.map(({ pem }) => pem).join(''))
  const seal = JSON.parse(await done('key', 'list', '--json')).keys.find(({ role }) => role === 'seal')
  await refused(1, /of role seal is a seal key: no checkpoint is signed with it/, 'audit', 'key', seal.kid)
  await refused(2, /usage: qsealctl audit key \[KID \| --all\]/, 'audit', 'key', a.kid, '--all')
})

test('no caller comes near it', async () => {
  assert.ok(!(await box.get('/v1/keys')).json.keys.some(({ role }) => role === 'audit'))
  const jwks = (await box.get('/v1/jwks')).json.keys.map(({ kid }) => kid)
  for (const { kid } of await keys()) assert.ok(!jwks.includes(kid))
  for (const what of ['certificate', 'reference']) {
    const answer = await box.get(`/v1/keys/audit/${what}`)
    assert.equal(answer.status, 404)
    assert.match(answer.json.detail, /there is no (transport )?role audit/)
  }
  const signed = await box.post('/v1/tls-signature/audit', Buffer.from(`${' '.repeat(64)}TLS 1.3, client CertificateVerify\0${'h'.repeat(32)}`), {
    headers: { 'Content-Type': 'application/octet-stream', 'Qseal-Signature-Scheme': 'ecdsa_secp256r1_sha256' },
  })
  assert.equal(signed.status, 404)
  assert.match(signed.json.detail, /there is no transport role audit/)
  await refused(1, /role audit is of purpose audit: only transport keys are used by reference/, 'key', 'reference', 'audit')
  await refused(1, /it is in no JWK Set, and nobody sees it outside/, 'key', 'seen', 'audit')
})

test('it asks for a certificate, and keeps it', async () => {
  const csr = at('audit.csr.pem')
  fs.writeFileSync(csr, await done('key', 'csr', 'audit', '--token', 'hsm-a', '--subject', '/C=FI/O=Bank/CN=audit log'))
  const { stdout, stderr } = await run('openssl', ['req', '-in', csr, '-verify', '-noout', '-pubkey'])
  assert.match(stdout + stderr, /verify OK/)
  const [{ kid }] = await keys()
  assert.equal(await kidOf(stdout), kid)
  await refused(1, /profile psd2-qseal is for seal keys, and this is an audit key/, 'key', 'csr', 'audit', '--profile', 'psd2-qseal')
  fs.writeFileSync(at('audit.ext'), 'keyUsage = critical, digitalSignature\n')
  await run('openssl', ['x509', '-req', '-in', csr, '-CA', at('ca.crt.pem'), '-CAkey', at('private', 'ca.key.pem'),
    '-days', '7', '-extfile', at('audit.ext'), '-out', at('audit.crt.pem')])
  await done('key', 'import-certificate', 'audit', '--token', 'hsm-a', '--file', at('audit.crt.pem'))
  assert.ok((await keys())[0].not_after)
  assert.deepEqual(await states(), ['active', 'active'])
})

test('a successor is tried in its token, and takes its place at once', { timeout: seconds(60) }, async () => {
  await done('key', 'generate', 'audit')
  assert.deepEqual(await states(), ['active', 'active', 'generated', 'generated'])
  await done('key', 'publish', 'audit', '--token', 'hsm-a')
  await done('key', 'activate', 'audit', '--token', 'hsm-a')
  assert.deepEqual(await states(), ['retiring', 'active', 'active', 'generated'])
  const plan = JSON.parse(await done('rotation', 'apply', 'audit', '--token', 'hsm-b', '--json'))
  assert.deepEqual(plan.steps.map(({ state }) => state), ['published', 'retiring', 'active', 'retired'])
  assert.deepEqual(plan.warnings, [])
  await until('the clock has taken the steps', async () => (await states()).join() === 'retiring,retired,active,active')
  const [old] = await keys()
  await done('key', 'retire', old.kid)
  await done('key', 'destroy', old.kid)
  // Its checkpoints are still to be verified.
  assert.equal(await kidOf(await done('audit', 'key', old.kid)), old.kid)
  assert.deepEqual(JSON.parse(await done('audit', 'key', '--all', '--json')).keys.map(({ state }) => state), ['destroyed', 'retired', 'active', 'active'])
})

// The service makes a checkpoint as it ends.
test('a checkpoint is verified with what was taken away, and nothing of ours', { timeout: seconds(60) }, async () => {
  const pem = await done('audit', 'key', (await keys()).find(({ state }) => state === 'active').kid)
  await box.cycle('qseald')
  await box.ready()
  const [note, line] = fs.readFileSync(at('audit', 'checkpoint'), 'utf8').split('\n\n')
  const [, alg, kid, signature] = /^signature (\S+) (\S+) (\S+)\n$/.exec(line)
  assert.equal(alg, 'ES256')
  assert.equal(kid, await kidOf(pem))
  const holds = (text) => verify('sha256', Buffer.from(text), { key: pem, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  assert.ok(holds(`${note}\n`))
  assert.ok(!holds(note))
  const [, sequence, head] = /^sequence (\d+)\nhead (\S+)$/m.exec(note)
  const records = fs.readdirSync(at('audit')).filter((name) => name.endsWith('.jsonl')).sort()
    .flatMap((name) => fs.readFileSync(at('audit', name), 'latin1').replaceAll('\0', '').split('\n').slice(0, -1))
  assert.equal(createHash('sha256').update(`${records[sequence - 1]}\n`).digest('base64url'), head)
})

test('one role is of this purpose, and stays so', async () => {
  const good = box.editConfig((text) => `${text}  - {name: audit-2, purpose: audit, key: p-256, tokens: [hsm-a]}\n`)
  await refused(1, /\/roles\/4\/purpose: there is one audit log and one role for it, and role audit is of this purpose already/, 'reload')
  fs.writeFileSync(box.configPath, good)
  box.editConfig((text) => text.replace('name: audit, purpose: audit, key: p-256,', 'name: audit, purpose: seal, key: p-256, algorithms: [ES256],'))
  await refused(1, /role audit is of purpose seal, but its key \S+ is an audit key: give the role another name/, 'reload')
  fs.writeFileSync(box.configPath, good)
  await done('reload')
})
