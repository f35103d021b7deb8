// SPDX-License-Identifier: Apache-2.0
// The commands of docs/certificates.md as they stand there, read by openssl(1); and certificates
// issued after them, with what only an issuer may add.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, bin, repository, run, seconds } from './lib.mjs'

let box
before(async () => {
  box = await Sandbox.up('--transport', 'rsa')
})
after(() => box?.down())

const at = (...parts) => path.join(box.dir, ...parts)

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

// As a custodian's shell would, in the sandbox.
async function shell(script) {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, QSEAL_ADMIN_SOCKET: box.admin }
  return run('bash', ['-euo', 'pipefail', '-c', script], { cwd: box.dir, env, timeout: seconds(60) })
}

function blocks() {
  const text = fs.readFileSync(path.join(repository, 'docs', 'certificates.md'), 'utf8')
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1])
}

async function textOf(name) {
  const { stdout, stderr } = await run('openssl', ['req', '-in', at(`${name}.csr.pem`), '-noout', '-verify', '-text', '-nameopt', 'RFC2253,-dn_rev'])
  return stdout + stderr
}

// Lines that openssl prints, in this order.
const expected = {
  'psd2-qseal': [/Subject: C=FI,O=Example Oy,organizationIdentifier=PSDFI-FINFSA-1234567-8,CN=Example Oy\n/, /Key Usage: critical\n +Digital Signature, Non Repudiation\n/, /Subject Key Identifier: /, /qcStatements: \n/],
  'psd2-qwac': [/CN=tpp\.example\n/, /Key Usage: critical\n +Digital Signature, Key Encipherment\n/, /Extended Key Usage: \n +TLS Web Client Authentication, TLS Web Server Authentication\n/, /Alternative Name: \n +DNS:tpp\.example, DNS:www\.tpp\.example\n/, /qcStatements: \n/],
  obseal: [/Subject: C=GB,O=Example Ltd,organizationIdentifier=PSDGB-FCA-123456,CN=0015800001041RHAAY\n/, /Key Usage: critical\n +Digital Signature, Non Repudiation\n/, /qcStatements: \n/],
  obwac: [/Key Usage: critical\n +Digital Signature\n/, /TLS Web Client Authentication, TLS Web Server Authentication\n/, /qcStatements: \n/],
  'br-seal': [/Subject: UID=d7384bd0-\S+,C=BR,O=ICP-Brasil,OU=AC Exemplo,OU=12345678000199,OU=presencial,CN=Exemplo SA\n/, /Digital Signature, Non Repudiation\n/, /othername: ?2\.16\.76\.1\.3\.2:/],
  'br-cac': [/Subject: businessCategory=Private Organization,jurisdictionC=BR,serialNumber=43142666000197,C=BR,O=Exemplo SA,ST=SP,L=Sao Paulo,organizationIdentifier=OFBBR-d7384bd0-\S+,UID=7218e1af-\S+,CN=tpp\.example\n/, /Digital Signature, Key Encipherment\n/, /TLS Web Client Authentication\n/, /DNS:tpp\.example\n/],
  plain: [/Subject: C=MY,O=Example Bhd,CN=tpp\.example\n/],
}

test('the documented commands make what openssl reads', { timeout: seconds(120) }, async () => {
  let said = ''
  let checked = ''
  for (const block of blocks()) {
    const { stdout, stderr } = await shell(block)
    if (block.includes('openssl')) checked += stdout + stderr
    else said += stderr
  }
  for (const [name, patterns] of Object.entries(expected)) {
    let text = await textOf(name)
    assert.match(text, /verify OK/, name)
    for (const pattern of patterns) {
      assert.match(text, pattern, name)
      text = text.slice(text.search(pattern))
    }
    assert.match(said, new RegExp(`profile ${name}, key in token hsm-a\n`))
  }
  // What the custodian writes down is what openssl computes.
  assert.match(checked, /verify OK/)
  const [, digest] = /= ?([0-9a-f]{64})$/m.exec(checked)
  assert.match(said, new RegExp(`SPKI SHA-256 +${digest}\n`))
  const keys = JSON.parse(await done('key', 'list', '--json')).keys.filter(({ role }) => role === 'seal')
  assert.ok(keys.some(({ kid }) => said.includes(`RFC 7638 thumbprint  ${kid}\n`)))
})

test('a request names the reason when it is refused', async () => {
  const refused = async (reason, ...args) => {
    const { code, stdout, stderr } = await box.ctl('key', 'csr', ...args)
    assert.equal(code, 1, stderr)
    assert.match(stderr, reason)
    assert.equal(stdout, '')
  }
  await refused(/profile psd2-qseal is for seal keys, and this is a transport key/, 'transport', '--profile', 'psd2-qseal')
  await refused(/QcSSCD is for the trust service provider to state/, 'seal', '--qc-statement', 'QcSSCD')
  await refused(/--profile: it is one of plain, psd2-qseal/, 'seal', '--profile', 'qseal')
  await refused(/profile plain takes no --dns/, 'seal', '--dns', 'a.example')
  const { code, stderr } = await box.ctl('key', 'csr', 'seal', '--profile')
  assert.equal(code, 2)
  assert.match(stderr, /requires an argument/)
})

// What a QTSP puts in: QcCompliance and, for the second, roles flattened as in a copied example.
const nested = '306e3013060604008e4601063009060704008e4601060330570606040081982702304d302630110607040081982701020c065053505f504930110607040081982701030c065053505f41490c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341'
const flattened = '306c3013060604008e4601063009060704008e4601060230550606040081982702304b302430220607040081982701020c065053505f50490607040081982701030c065053505f41490c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341'

async function issue(name, usage, statements) {
  const authority = at('qtsp')
  if (!fs.existsSync(`${authority}.crt`)) {
    await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${authority}.key`, '-out', `${authority}.crt`, '-subj', '/CN=QTSP', '-days', '90'])
  }
  fs.writeFileSync(at('ext'), `${usage}\n1.3.6.1.5.5.7.1.3=DER:${statements}\n`)
  await run('openssl', ['x509', '-req', '-in', at(`${name}.csr.pem`), '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '60', '-extfile', at('ext'), '-out', at(`${name}.crt`)])
  // The root first: the order does not matter.
  fs.writeFileSync(at(`${name}.pem`), fs.readFileSync(`${authority}.crt`, 'utf8') + fs.readFileSync(at(`${name}.crt`), 'utf8'))
  return at(`${name}.pem`)
}

test('what was issued is shown, and what does not fit is refused', { timeout: seconds(60) }, async () => {
  const usage = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth'
  const file = await issue('obwac', usage, nested)
  const said = JSON.parse(await done('key', 'import-certificate', 'transport', '--file', file, '--json'))
  assert.equal(said.qc_type, 'web')
  assert.deepEqual(said.psd2_roles, ['PSP_PI', 'PSP_AI'])
  assert.equal(said.nca_id, 'GB-FCA')
  assert.deepEqual(said.organization, { scheme: 'PSD', country: 'GB', nca: 'FCA', id: '123456' })
  assert.equal(said.warnings.length, 3)
  assert.match(said.warnings.join('\n'), /put into order\n.*root was left out.*\n.*no QcCompliance/)

  const seal = await issue('obseal', 'keyUsage=critical,nonRepudiation', flattened)
  const text = await done('key', 'import-certificate', 'seal', '--file', seal)
  assert.match(text, /^ {2}psd2_roles PSP_PI, PSP_AI\n/m)
  assert.match(text, /^ {2}warning: its PSD2 roles are flattened into one RoleOfPSP/m)

  const refused = async (reason, role, file) => {
    const { code, stderr } = await box.ctl('key', 'import-certificate', role, '--file', file)
    assert.equal(code, 1, stderr)
    assert.match(stderr, reason)
  }
  await refused(/its QcType is eseal, and this is a transport key/, 'transport', await issue('obwac', usage, flattened))
  await refused(/its QcType is web, and this key seals/, 'seal', await issue('obseal', 'keyUsage=critical,nonRepudiation', nested))
  await refused(/none of the 2 certificates is for the public key of this key/, 'seal', at('obwac.pem'))
})
