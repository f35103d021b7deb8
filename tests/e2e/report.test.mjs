// SPDX-License-Identifier: Apache-2.0
// The register, as an auditor gets it: true to its schema, complete, without secrets, and readable as
// a page; also with a thousand keys, and certificates whose subjects are markup.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

import { Sandbox, bin, repository, run, seconds } from './lib.mjs'

let box
before(async () => {
  box = await Sandbox.up('--tokens', '2')
})
after(() => box?.down())

const schema = JSON.parse(fs.readFileSync(path.join(repository, 'docs', 'report.schema.json'), 'utf8'))
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false })
addFormats(ajv)
const validate = ajv.compile(closed(schema))

// The schema allows what it does not name, since members may be added; here each must be named.
function closed(part) {
  if (Array.isArray(part)) return part.map(closed)
  if (part === null || typeof part !== 'object') return part
  const inner = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]))
  return part.type === 'object' ? { ...inner, unevaluatedProperties: false } : inner
}

const mebibyte = 1024 * 1024

// As box.ctl(), for long answers.
function ctl(...args) {
  return new Promise((resolve, reject) => {
    const options = { timeout: seconds(60), maxBuffer: 256 * mebibyte }
    execFile(path.join(bin, 'qsealctl'), ['--socket', box.admin, ...args], options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${args.join(' ')}: ${stderr}`, { cause: error })),
    )
  })
}

async function register() {
  const report = JSON.parse(await ctl('report', '--json'))
  assert.ok(validate(report), ajv.errorsText(validate.errors))
  return report
}

const secrets = () => [...fs.readdirSync(path.join(box.dir, 'hsm'))].map((name) => fs.readFileSync(path.join(box.dir, 'hsm', name, 'pin'), 'utf8'))

// Well-formed as XML, hence without a tag that somebody else wrote, and known to an HTML parser but
// for the names that HTML 5 has added.
async function checkPage(html, kids) {
  const file = path.join(box.dir, 'register.html')
  fs.writeFileSync(file, html)
  await run('xmllint', ['--noout', '--nonet', '--huge', file])
  const { stderr } = await run('xmllint', ['--html', '--noout', '--nonet', '--huge', file], { maxBuffer: 64 * mebibyte })
  const complaints = stderr.split('\n').filter((line) => / error : /.test(line) && !/Tag (main|section) invalid/.test(line))
  assert.deepEqual(complaints, [])
  for (const kid of kids) assert.ok(html.includes(`<code>${kid}</code>`), kid)
  assert.doesNotMatch(html, /<script|<img|\son[a-z]+="|(src|href)=|[\x00-\x08\x0b-\x1f\x7f]/i)
}

test('the register is complete, true to its schema, and has no secret in it', { timeout: seconds(60) }, async () => {
  await ctl('key', 'generate', 'seal')
  await ctl('key', 'publish', 'seal', '--reason', 'rotation <of> 2027')
  const report = await register()
  const { keys } = JSON.parse(await ctl('key', 'list', '--json'))
  assert.deepEqual(report.keys.map(({ kid }) => kid).sort(), keys.map(({ kid }) => kid).sort())
  const published = report.keys.filter(({ state }) => state === 'published')
  assert.equal(published.length, 2)
  assert.equal(published[0].history.at(-1).reason, 'rotation <of> 2027')
  const transport = report.keys.find(({ role }) => role === 'transport')
  const { stdout } = await run('openssl', ['x509', '-in', box.transport.cert, '-noout', '-fingerprint', '-sha256'])
  assert.equal(transport.certificate.sha256, /=(.*)\n/.exec(stdout)[1].replaceAll(':', '').toLowerCase())
  assert.equal(transport.bits, 256)
  assert.deepEqual(report.devices.map(({ name, manufacturer }) => [name, manufacturer]), [['hsm-a', 'SoftHSM project'], ['hsm-b', 'SoftHSM project']])
  const { tokens } = JSON.parse(await ctl('token', 'list', '--json'))
  assert.deepEqual(tokens.map(({ serial }) => serial), report.devices.map(({ serial }) => serial))
  const seal = report.roles.find(({ name }) => name === 'seal')
  assert.equal(seal.publish_before_use_s, 300)
  assert.ok(seal.callers[0].profiles.includes('paynet-jar'))
  const text = JSON.stringify(report)
  const html = await ctl('report', '--html')
  for (const secret of secrets()) {
    assert.ok(secret.length > 0 && !text.includes(secret) && !html.includes(secret))
  }
  assert.doesNotMatch(text + html, /pin-source|pin-value|pkcs11:/)
  await checkPage(html, report.keys.map(({ kid }) => kid))
  assert.match(html, /rotation &lt;of&gt; 2027/)
  assert.match(html, /<dd>audit: checkpoints of the service.s own log<\/dd>/)
  assert.match(await ctl('report'), /^register of 9 keys in 2 devices(.*\n)*? {2}without a backup on record +9\n/)
})

test('what is on record of a key, and what the clock will do, is in the register', { timeout: seconds(60) }, async () => {
  await ctl('key', 'backup-recorded', 'seal', '--reason', 'cards <3> and 4')
  await ctl('key', 'seen', 'seal', '--where', 'bank & others')
  await ctl('rotation', 'apply', 'seal', '--activate-at', '+1h', '--reason', 'of 2027')
  const report = await register()
  const published = report.keys.filter(({ state }) => state === 'published')
  assert.deepEqual(published.map(({ backup, seen }) => [backup.reason, seen.where]), Array(2).fill(['cards <3> and 4', 'bank & others']))
  for (const { schedule } of published) assert.deepEqual(schedule.map(({ state, reason }) => [state, reason]), [['active', 'of 2027']])
  const active = report.keys.filter(({ role, state }) => role === 'seal' && state === 'active')
  for (const { schedule, backup } of active) assert.deepEqual([schedule.map(({ state }) => state), backup], [['retiring', 'retired'], undefined])
  assert.match(await ctl('report'), /^ {2}without a backup on record +7$/m)
  const html = await ctl('report', '--html')
  await checkPage(html, report.keys.map(({ kid }) => kid))
  assert.match(html, /by uid \d+: cards &lt;3&gt; and 4<\/dd>/)
  assert.equal(html.match(/<caption>Scheduled<\/caption>/g).length, 4)
  await ctl('rotation', 'cancel', 'seal')
})

// A seal certificate as a QTSP issues it; ETSI EN 319 412-5 and TS 119 495.
const qualified = `keyUsage = critical, digitalSignature
1.3.6.1.5.5.7.1.3 = ASN1:SEQUENCE:statements
[statements]
1 = SEQUENCE:compliance
2 = SEQUENCE:sscd
3 = SEQUENCE:pds
4 = SEQUENCE:type
5 = SEQUENCE:psd2
[compliance]
id = OID:0.4.0.1862.1.1
[sscd]
id = OID:0.4.0.1862.1.4
[pds]
id = OID:0.4.0.1862.1.5
info = SEQUENCE:places
[places]
1 = SEQUENCE:place
[place]
url = IA5STRING:https://qtsp.example/pds
language = PRINTABLESTRING:en
[type]
id = OID:0.4.0.1862.1.6
info = SEQUENCE:eseal
[eseal]
id = OID:0.4.0.1862.1.6.2
[psd2]
id = OID:0.4.0.19495.2
info = SEQUENCE:provider
[provider]
roles = SEQUENCE:roles
name = UTF8:Finanssivalvonta
id = UTF8:FI-FINFSA
[roles]
1 = SEQUENCE:initiation
[initiation]
id = OID:0.4.0.19495.1.2
name = UTF8:PSP_PI
`

test('what a qualified certificate states is in the answer and in the register', { timeout: seconds(60) }, async () => {
  const at = (name) => path.join(box.dir, name)
  const subject = '/C=FI/O=Example Oy/organizationIdentifier=PSDFI-FINFSA-1234567-8/CN=Example Oy'
  fs.writeFileSync(at('qseal.csr'), await ctl('key', 'csr', 'seal-ec', '--token', 'hsm-a', '--subject', subject))
  fs.writeFileSync(at('qseal.ext'), qualified)
  await run('openssl', ['x509', '-req', '-in', at('qseal.csr'), '-CA', at('ca.crt.pem'), '-CAkey', at('private/ca.key.pem'), '-days', '365', '-extfile', at('qseal.ext'), '-out', at('qseal.crt')])
  const said = await ctl('key', 'import-certificate', 'seal-ec', '--token', 'hsm-a', '--file', at('qseal.crt'))
  assert.match(said, /^ {2}qc_pds {5}https:\/\/qtsp\.example\/pds\n {2}qc_compliance the issuer states a qualified certificate\n {2}qc_sscd {4}the issuer states a qualified device\n {2}psd2_roles PSP_PI\n/m)
  const { certificate } = (await register()).keys.find(({ role, token }) => role === 'seal-ec' && token === 'hsm-a')
  const { organization_identifier: identifier, organization, qc_type: type, qc_compliance: compliance, qc_sscd: sscd, qc_pds: pds, psd2_roles: roles, nca_name: name, nca_id: id } = certificate
  assert.deepEqual([identifier, organization], ['PSDFI-FINFSA-1234567-8', { scheme: 'PSD', country: 'FI', nca: 'FINFSA', id: '1234567-8' }])
  assert.deepEqual([type, compliance, sscd, pds], ['eseal', true, true, 'https://qtsp.example/pds'])
  assert.deepEqual([roles, name, id], [['PSP_PI'], 'Finanssivalvonta', 'FI-FINFSA'])
})

test('whoever is no administrator gets nothing', { timeout: seconds(30) }, async () => {
  const before = box.editConfig((text) => text.replace(/uid: \d+, rights: \[.*\]/, 'uid: 4242, rights: [auditor]'))
  await ctl('reload')
  const { code, stdout, stderr } = await box.ctl('report', '--json')
  assert.equal(code, 3, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /may not: report/)
  fs.writeFileSync(box.configPath, before)
  await box.cycle('qseald')
})

// A chain as a hostile issuer would write it. Nobody asks here whether it is the key's.
async function hostileChain() {
  const at = (name) => path.join(box.dir, name)
  const subject = '/CN=<script>alert(1)<\\/script>/O=\u001b[2J\nx"\'&amp;'
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', subject, '-keyout', at('hostile.key'), '-out', at('hostile.crt')])
  const pem = fs.readFileSync(at('hostile.crt'), 'utf8')
  return pem.repeat(4)
}

// Keys that no token has: they are in the keyring, and that is what is listed.
function manyKeys(n, chain) {
  return Array.from({ length: n }, () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const made = '2026-01-01T00:00:00Z'
    const history = ['generated', 'published', 'active', 'retiring', 'retired'].map((state) => ({ state, at: made, by: 0, reason: 'a </td> reason' }))
    return {
      role: 'seal-ec', token: 'hsm-a', purpose: 'seal', state: 'retired', algs: ['ES256'], key_id: randomBytes(16).toString('hex'),
      created: made, created_by: 0, spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64url'), chain_pem: chain, history,
    }
  })
}

test('a thousand keys with chains, and subjects that are markup', { timeout: seconds(120) }, async () => {
  const file = path.join(box.dir, 'state/qseald/keyring.json')
  const keyring = JSON.parse(fs.readFileSync(file, 'utf8'))
  keyring.keys.push(...manyKeys(1000, await hostileChain()))
  keyring.generation += 1
  fs.writeFileSync(file, JSON.stringify(keyring))
  await ctl('reload')
  const report = await register()
  assert.equal(report.keys.length, keyring.keys.length)
  assert.equal(report.keyring_generation, keyring.generation)
  assert.equal(new Set(report.keys.map(({ kid }) => kid)).size, keyring.keys.length)
  const hostile = report.keys.at(-1)
  assert.match(hostile.certificate.subject, /<script\\>alert\(1\)/)
  assert.equal(hostile.certificate.chain_length, 4)
  const spki = Buffer.from(keyring.keys.at(-1).spki, 'base64url')
  assert.equal(hostile.spki_sha256, createHash('sha256').update(spki).digest('hex'))
  const html = await ctl('report', '--html')
  await checkPage(html, report.keys.map(({ kid }) => kid))
  assert.match(html, /CN=\\?&lt;script\\?&gt;alert\(1\)\\?&lt;\/script\\?&gt;/)
  const listed = JSON.parse(await ctl('key', 'list', '--json'))
  assert.equal(listed.keys.length, keyring.keys.length)
})
