// SPDX-License-Identifier: Apache-2.0
// Programs × TLS versions × kinds of key, against a server that demands a certificate and tells what it saw: first
// with the key in a file, so that it is known what the programs can do, then with the key in the token.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { calculateJwkThumbprint } from 'jose'

import { bin, Sandbox, seconds } from './lib.mjs'
import { matrix, programs, Setting, snippets, table } from './tls-programs.mjs'
import { Authority, Bank, configured, finished, openssl, plainEnv, sandboxAuthority, subjectOf } from './tls.mjs'

const artefact = path.join(bin, '../tests/tls-matrix.txt')
const patient = { timeout: seconds(240) }
const rows = []

const versions = ['TLSv1.2', 'TLSv1.3', 'TLSv1.3 retry', 'TLSv1.3 aes128']
const placesOf = (type) => (type === 'rsa' ? [...versions, 'TLSv1.2 pkcs1'] : versions)

// The OpenSSL configuration as docs/tls.md has it, with the module of this build.
function documented(dir) {
  const conf = path.join(dir, 'documented.cnf')
  fs.writeFileSync(conf, snippets()['openssl.cnf'].replace(/^module = .*$/m, `module = ${path.resolve(bin, '../lib/qseal.so')}`))
  return conf
}

// The public key of an RSA certificate, under the name id-RSASSA-PSS without parameters (RFC 4055 §3.1).
function pssKeyOf(cert) {
  const spki = new X509Certificate(fs.readFileSync(cert)).publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = 15 // bytes of the AlgorithmIdentifier, behind 4 of the outer SEQUENCE
  const content = Buffer.concat([Buffer.from('300b06092a864886f70d01010a', 'hex'), spki.subarray(4 + algorithm)])
  const der = Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 255]), content])
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`
}

function report(t, found) {
  rows.push(...found)
  const text = table(found)
  for (const line of text.split(`\n`)) t.diagnostic(line)
  assert.ok(found.every(({ result }) => result === 'pass'), text)
}

after(() => {
  fs.mkdirSync(path.dirname(artefact), { recursive: true })
  fs.writeFileSync(artefact, `${table(rows)}\n`)
})

describe('a key in a file', () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qt-'))
  let authority, bank
  before(async () => {
    authority = await Authority.create(dir)
    bank = await Bank.start(dir, authority)
  })
  after(async () => {
    await bank?.end()
    fs.rmSync(dir, { recursive: true, force: true })
  })

  for (const type of ['rsa', 'p-256', 'p-384', 'ed25519']) {
    test(type, patient, async (t) => {
      const client = await authority.issue(`client-${type}`, { type, usage: 'clientAuth' })
      const setting = new Setting({ ...client, ca: authority.cert, dir })
      const subject = await subjectOf(client.cert)
      report(t, await matrix(setting, bank, { subject, key: `${type}, file`, places: placesOf(type) }))
      // With the provider loaded nothing changes for who has a key.
      const beside = setting.with({ conf: documented(dir) })
      report(t, await matrix(beside, bank, { subject, key: `${type}, file, qseal.so loaded`, places: ['TLSv1.2', 'TLSv1.3'] }))
    })
  }

  // The harness itself: it must be able to say no.
  test('with a certificate of another CA it fails', patient, async () => {
    const client = await (await Authority.create(dir, 'stranger')).issue('nobody', { usage: 'clientAuth' })
    const found = await matrix(new Setting({ ...client, ca: authority.cert, dir }), bank, { subject: '', key: '', places: ['TLSv1.2', 'TLSv1.3'] })
    assert.equal(found.length, 2 * Object.keys(programs).length)
    for (const { program, result } of found) assert.equal(result, 'FAIL', program)
  })
})

for (const type of ['rsa', 'p-256', 'p-384', 'ed25519']) {
  describe(`a key in the token: ${type}`, () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qt-'))
    let box, bank
    before(async () => {
      box = await Sandbox.up('--transport', type)
      bank = await Bank.start(dir, sandboxAuthority(box, dir))
    })
    after(async () => {
      await bank?.end()
      await box?.down()
      fs.rmSync(dir, { recursive: true, force: true })
    })

    test('every program', patient, async (t) => {
      const setting = new Setting({ ...box.transport, dir })
      report(t, await matrix(setting, bank, { subject: await subjectOf(setting.cert), key: `${type}, token`, places: placesOf(type) }))
    })

    test('the OpenSSL configuration of docs/tls.md', patient, async (t) => {
      const setting = new Setting({ ...box.transport, conf: documented(dir), dir })
      report(t, await matrix(setting, bank, { subject: await subjectOf(setting.cert), key: `${type}, token`, places: ['TLSv1.3'], names: ['curl', 'node'] }))
    })

    if (type === 'rsa') test('every program, with a certificate that says RSASSA-PSS', patient, async (t) => {
      const at = (name) => path.join(dir, name)
      fs.writeFileSync(at('pss.pub.pem'), pssKeyOf(box.transport.cert))
      await openssl('x509', '-req', '-in', path.join(box.dir, 'private/transport.csr.pem'), '-force_pubkey', at('pss.pub.pem'), '-CA', box.transport.ca,
        '-CAkey', path.join(box.dir, 'private/ca.key.pem'), '-set_serial', '99', '-days', '2', '-out', at('pss.crt.pem'))
      for (const [args, file] of [[['import-certificate', 'transport', '--file', at('pss.crt.pem')]], [['reference', 'transport'], at('pss.key.pem')]]) {
        const { code, stdout, stderr } = await box.ctl('key', ...args)
        assert.equal(code, 0, stderr)
        if (file) fs.writeFileSync(file, stdout)
      }
      const setting = new Setting({ ...box.transport, cert: at('pss.crt.pem'), key: at('pss.key.pem'), dir })
      report(t, await matrix(setting, bank, { subject: await subjectOf(setting.cert), key: 'rsa-pss, token', places: versions }))
    })

    test('openssl takes the URI qseal:ROLE too, for certificate and key', patient, async () => {
      const conf = configured(box, dir, 'uri', `[qseal_provider]\nsocket = ${box.socket}\n`)
      const args = ['s_client', '-quiet', '-connect', `127.0.0.1:${bank.ports['TLSv1.3']}`, '-servername', 'localhost', '-cert', 'qseal:transport', '-key', 'qseal:transport']
      const { stdout, stderr } = await finished('openssl', args, { env: { ...plainEnv, OPENSSL_CONF: conf }, input: 'GET / HTTP/1.0\r\n\r\n' })
      assert.ok(stdout.trim().endsWith(bank.view('TLSv1.3', await subjectOf(box.transport.cert))), stdout + stderr)
    })

    test('the reference holds names and the public key, and nothing else', async () => {
      const [, body] = /^-----BEGIN QSEAL KEY REFERENCE-----\n([A-Za-z0-9+/=\n]+)-----END QSEAL KEY REFERENCE-----\n$/.exec(fs.readFileSync(box.transport.key, 'utf8'))
      const der = Buffer.from(body, 'base64')
      const key = new X509Certificate(fs.readFileSync(box.transport.cert)).publicKey
      const spki = key.export({ type: 'spki', format: 'der' })
      assert.deepEqual(der.subarray(-spki.length), spki)
      const texts = ['qseal-key-reference-1', 'transport', box.socket, await calculateJwkThumbprint(key.export({ format: 'jwk' }))]
      const strings = texts.map((text) => Buffer.concat([Buffer.from([0x0c, text.length]), Buffer.from(text)]))
      assert.deepEqual(der.subarray(der.length - spki.length - Buffer.concat(strings).length, -spki.length), Buffer.concat(strings))
    })
  })
}
