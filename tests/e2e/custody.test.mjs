// SPDX-License-Identifier: Apache-2.0
// What a custodian does for a transport key, with openssl as who reads it and who issues.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, bin, run, seconds, until } from './lib.mjs'

let box
before(async () => {
  box = await Sandbox.up('--tokens', '2')
})
after(() => box?.down())

const at = (...parts) => path.join(box.dir, ...parts)

function keep(name, text) {
  const file = at(name)
  fs.writeFileSync(file, text)
  return file
}

async function openssl(...args) {
  const { stdout, stderr } = await run('openssl', args)
  return stdout + stderr
}

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

// A certificate of the sandbox's CA for this request; the path of its file.
async function issue(csr, name, { days = 7, extensions = 'extendedKeyUsage=clientAuth' } = {}) {
  const out = at(`${name}.crt.pem`)
  const ext = keep(`${name}.ext`, `${extensions}\n`)
  const request = keep(`${name}.csr.pem`, csr)
  await openssl('x509', '-req', '-in', request, '-CA', at('ca.crt.pem'), '-CAkey', at('private', 'ca.key.pem'),
    '-days', String(days), '-extfile', ext, '-out', out)
  return out
}

test('every role asks for a certificate, and openssl agrees', async () => {
  for (const role of ['transport', 'seal', 'seal-ec']) {
    const file = keep(`${role}.csr.pem`, await done('key', 'csr', role))
    const text = await openssl('req', '-verify', '-noout', '-subject', '-in', file)
    assert.match(text, /verify OK/)
    assert.match(text, new RegExp(`^subject=CN = ${role}$`, 'm'))
  }
  const file = keep('named.csr.pem', await done('key', 'csr', 'seal', '--token', 'hsm-b', '--subject', '/C=MY/O=A\\/B/CN=x'))
  assert.match(await openssl('req', '-verify', '-noout', '-subject', '-in', file), /C = MY, O = A\/B, CN = x/)
})

test('a renewed certificate is served at once, and after a crash', async () => {
  const csr = await done('key', 'csr', 'transport')
  const leaf = fs.readFileSync(await issue(csr, 'renewed'), 'utf8')
  const chain = keep('chain.pem', `Bag Attributes\n    friendlyName: M\u00fcller\n${leaf}${fs.readFileSync(at('ca.crt.pem'), 'utf8')}`)
  const before = JSON.parse(await done('key', 'list', '--json')).keys.find((key) => key.role === 'transport')
  const said = JSON.parse(await done('key', 'import-certificate', 'transport', '--file', chain, '--json'))
  assert.equal(said.kid, before.kid)
  assert.notEqual(said.serial, before.serial)
  const { stdout } = await run('openssl', ['x509', '-in', at('renewed.crt.pem'), '-noout', '-serial', '-enddate'])
  assert.match(stdout, new RegExp(`serial=${said.serial}\n`))
  assert.equal(Date.parse(said.not_after), Date.parse(/notAfter=(.*)/.exec(stdout)[1]))

  const served = async () => {
    const answer = await box.get('/v1/keys/transport/certificate')
    assert.equal(answer.status, 200)
    return answer.bytes.toString()
  }
  assert.equal(await served(), leaf) // without the self-signed root
  await box.kill('qseald', 'SIGKILL')
  box.restart('qseald')
  await box.ready()
  assert.equal(await served(), leaf) // without the self-signed root
  const after = JSON.parse(await done('key', 'list', '--json')).keys.find((key) => key.role === 'transport')
  assert.equal(after.not_after, said.not_after)
  assert.match(await done('key', 'list'), new RegExp(`transport .* ${said.kid} .*certificate until ${said.not_after}`))
})

test('the reference is what openssl can take apart, and what the door gives', { timeout: seconds(60) }, async () => {
  const pem = await done('key', 'reference', 'transport')
  assert.equal(pem, fs.readFileSync(at('transport.key.pem'), 'utf8'))
  assert.equal(pem, (await box.get('/v1/keys/transport/reference')).bytes.toString())
  const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
  fs.writeFileSync(at('reference.der'), der)
  const text = await openssl('asn1parse', '-inform', 'DER', '-in', at('reference.der'))
  const { kid } = JSON.parse(await done('key', 'reference', 'transport', '--json'))
  const strings = [...text.matchAll(/UTF8STRING +:(.*)/g)].map((match) => match[1])
  assert.deepEqual(strings, ['qseal-key-reference-1', 'transport', box.socket, kid])
  const other = JSON.parse(await done('key', 'reference', 'transport', '--callers', '/jail/q.sock', '--json'))
  assert.equal(other.socket, '/jail/q.sock')
})

test('what is wrong is refused with its reason and exit code', async () => {
  const list = () => done('key', 'list', '--json')
  const before = await list()
  const csr = await done('key', 'csr', 'transport')
  const wrong = async (reason, file) => refused(1, reason, 'key', 'import-certificate', 'transport', '--file', file)
  await wrong(/certificate 1 is for another public key/, at('ca.crt.pem'))
  await wrong(/does not hold clientAuth/, await issue(csr, 'server', { extensions: 'extendedKeyUsage=serverAuth' }))
  await wrong(/keyUsage does not allow signatures/, await issue(csr, 'enc', { extensions: 'keyUsage=keyEncipherment' }))
  await wrong(/a private key is in the file/, at('private', 'ca.key.pem'))
  await wrong(/there is no certificate in PEM/, at('qseal.yaml'))
  await wrong(/No such file/, at('nowhere.pem'))
  await wrong(/File too large/, keep('large.pem', 'x'.repeat(65537)))
  const leaf = fs.readFileSync(await issue(csr, 'good'), 'utf8')
  await wrong(/certificates 1 and 2 are both for this key/, keep('twice.pem', leaf + leaf))
  await refused(2, /usage: .*--file/, 'key', 'import-certificate', 'transport')
  await refused(2, /usage: /, 'key', 'csr')
  await refused(1, /no such role/, 'key', 'csr', 'nobody')
  await refused(1, /role transport is not on token hsm-b/, 'key', 'csr', 'transport', '--token', 'hsm-b')
  await refused(1, /subject: part 1/, 'key', 'csr', 'transport', '--subject', '/NOSUCH=x')
  await refused(1, /only transport keys are used by reference/, 'key', 'reference', 'seal')
  await refused(1, /the socket is an absolute path/, 'key', 'reference', 'transport', '--callers', 'q.sock')
  assert.equal(await list(), before)
})

test('config check reads the issuers of peers, without a service', async () => {
  const text = fs.readFileSync(box.configPath, 'utf8')
  const withPeers = (name, peer) => {
    const changed = text.replace(/^( +)(- \{name: transport, .*)\}$/m, `$1$2, peers: [${peer}]}`)
    assert.notEqual(changed, text)
    return keep(name, changed)
  }
  const good = withPeers('good.yaml', `{dns: "*.bank.example", issuer: ${at('ca.crt.pem')}}`)
  assert.match(await done('config', 'check', good), /good\.yaml is good: /)
  const missing = withPeers('missing.yaml', '{issuer: /nowhere/ca.pem}')
  await refused(1, /missing\.yaml: peers of role transport: .*\/nowhere\/ca\.pem/, 'config', 'check', missing)
  const empty = withPeers('empty.yaml', `{issuer: ${at('reference.der')}}`)
  await refused(1, /empty\.yaml: peers of role transport: .*reference\.der/, 'config', 'check', empty)
  const nameless = withPeers('nameless.yaml', '{dns: a.example}')
  await refused(1, /nameless\.yaml:\d+: \/roles\/\d\/peers\/0\/dns: `dns` needs `issuer`/, 'config', 'check', nameless)
})

test('an answer that cannot be written is said, and what was asked for is done once', async () => {
  const list = async () => JSON.parse(await done('key', 'list', '--json')).keys.length
  const before = await list()
  const full = fs.openSync('/dev/full', 'w')
  const args = ['--socket', box.admin, 'key', 'generate', 'seal-ec', '--token', 'hsm-a']
  const { status, stderr } = spawnSync(path.join(bin, 'qsealctl'), args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8', timeout: seconds(30) })
  fs.closeSync(full)
  assert.equal(stderr, 'qsealctl: it is done, but the answer could not be written\n')
  assert.equal(status, 4)
  assert.equal(await list(), before + 1)
})

test('a token that is down makes no request, and says so', async () => {
  await box.kill('qseal-tokend-hsm-a', 'SIGKILL')
  await refused(4, /token-unavailable/, 'key', 'csr', 'transport')
  box.restart('qseal-tokend-hsm-a')
  const answer = await until('the token makes a request again', async () => {
    const { code, stdout } = await box.ctl('key', 'csr', 'transport')
    return code === 0 && stdout
  })
  assert.match(answer, /^-----BEGIN CERTIFICATE REQUEST-----\n/)
})
