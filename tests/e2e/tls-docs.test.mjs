// SPDX-License-Identifier: Apache-2.0
// What docs/tls.md says besides the programs: from a new role to a handshake, as it is written there. And that there is
// nothing on that page that no test runs.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { bin, repository, Sandbox, seconds, until } from './lib.mjs'
import { programs, Setting, snippets } from './tls-programs.mjs'
import { Bank, finished, openssl, plainEnv, sandboxAuthority, subjectOf } from './tls.mjs'

const patient = { timeout: seconds(120) }
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qt-'))
const here = ['roles.yaml', 'certify.sh', 'files.sh', 'tell.sh', 'peers.yaml', 'server.sh']
const elsewhere = ['openssl.cnf', 'chroot.yaml', 'chroot.cnf', 'transcript.cnf', 'egress.sh', ...Object.keys(programs)]

let box, bank, setting
before(async () => {
  box = await Sandbox.up()
  bank = await Bank.start(dir, sandboxAuthority(box, dir))
  setting = new Setting({ ...box.transport, dir, port: bank.ports['TLSv1.3'] })
})
after(async () => {
  await bank?.end()
  await box?.down()
  fs.rmSync(dir, { recursive: true, force: true })
})

// The commands of a snippet, for the role `bank`, in `dir`; stops at the first that fails.
async function shell(name, change = (text) => text) {
  const text = snippets()[name]
    .replaceAll('qsealctl ', `${path.join(bin, 'qsealctl')} --socket ${box.admin} `)
    .replaceAll(/\b(generate|csr|import-certificate|reference) transport\b/g, '$1 bank')
    .replaceAll('/etc/bank/', `${dir}/etc/`)
    .replaceAll('/etc/qseal/openssl.cnf', setting.conf)
  const { code, stdout, stderr } = await finished('bash', ['-euc', change(text)], { cwd: dir, env: { ...plainEnv, SOFTHSM2_CONF: '' } })
  assert.equal(code, 0, `${name}: ${stdout}${stderr}`)
  return stdout
}

test('every block is run by a test', () => {
  const page = fs.readFileSync(path.join(repository, 'docs/tls.md'), 'utf8')
  const blocks = page.match(/^ *```\w+$/gm)
  assert.equal(blocks.length, Object.keys(snippets()).length, 'each has a name')
  assert.deepEqual(Object.keys(snippets()).sort(), [...here, ...elsewhere].sort())
})

test('from a role to a handshake', patient, async () => {
  const rows = snippets()['roles.yaml'].match(/^ +- \{.*\}$/gm)
  assert.equal(rows.length, 2)
  // The user of the documentation may use the role; so may we, who run the test.
  box.editConfig((text) =>
    text.replace('callers:\n', `callers:\n${rows[0]}\n`).replace('roles:\n', `roles:\n${rows[1].replace('name: transport', 'name: bank')}\n`))
  await box.cycle('qseald')
  await until('it is back, and misses the key of the new role', async () => (await box.get('/v1/health')).json.status === 'degraded')
  fs.mkdirSync(path.join(dir, 'etc'))
  await shell('certify.sh', (text) => text.replace(/^# The CA[\s\S]*/m, ''))
  await openssl('x509', '-req', '-in', path.join(dir, 'transport.csr.pem'), '-CA', setting.ca, '-CAkey', path.join(box.dir, 'private/ca.key.pem'),
    '-set_serial', '77', '-days', '2', '-subj', '/O=Test/CN=new', '-out', path.join(dir, 'transport.crt.pem'))
  await shell('certify.sh', (text) => text.replace(/^[\s\S]*^# The CA.*$/m, ''))
  await shell('files.sh')
  await box.ready()
  const place = setting.with({ cert: path.join(dir, 'etc/transport.crt.pem'), key: path.join(dir, 'etc/transport.key.pem') })
  assert.equal(await programs.curl(place), bank.view('TLSv1.3', await subjectOf(place.cert)))
})

test('how to tell that it works', patient, async () => {
  for (const name of Object.keys(box.pids())) await box.kill(name, 'SIGTERM')
  fs.mkdirSync(path.join(dir, 'etc'), { recursive: true })
  fs.copyFileSync(setting.key, path.join(dir, 'etc/transport.key.pem'))
  const said = await shell('tell.sh')
  assert.match(said, /^ {2}default$/m)
  assert.match(said, /^ {2}qseal$/m)
  const { stdout } = await openssl('x509', '-in', setting.cert, '-noout', '-pubkey')
  assert.ok(said.endsWith(stdout), said)
  for (const name of Object.keys(box.started)) box.restart(name)
  await box.ready()
})

test('peers', patient, async () => {
  const role = snippets()['peers.yaml'].replace(/^roles:\n/, '').replace('name: transport', 'name: bound').replace('/etc/qseal/bank-ca.pem', setting.ca)
  const file = path.join(box.dir, 'bound.yaml')
  fs.writeFileSync(file, fs.readFileSync(box.configPath, 'utf8').replace('roles:\n', `roles:\n${role}`))
  const { code, stderr } = await box.ctl('config', 'check', file)
  assert.equal(code, 0, stderr)
})

test('a certificate for a server of one\'s own', patient, async () => {
  await shell('server.sh', (text) => text.replaceAll('DIR/', `${box.dir}/`))
  const { stdout } = await openssl('verify', '-CAfile', setting.ca, '-verify_hostname', 'localhost', '-purpose', 'sslserver', path.join(dir, 'server.crt.pem'))
  assert.match(stdout, /: OK$/m)
})
