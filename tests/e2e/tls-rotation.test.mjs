// SPDX-License-Identifier: Apache-2.0
// A transport key is replaced on a running service. A program goes on with the certificate it has until the
// custodian retires that key; nothing fails on the way.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, seconds } from './lib.mjs'
import { Bank, openssl, plainEnv, sandboxAuthority, subjectOf, finished } from './tls.mjs'

let box
let bank
let dir
before(async () => {
  box = await Sandbox.up()
  dir = path.join(box.dir, 'rotation')
  fs.mkdirSync(dir)
  bank = await Bank.start(dir, sandboxAuthority(box, dir))
})
after(async () => {
  await bank?.end()
  await box?.down()
})

async function done(...args) {
  const { code, stdout, stderr } = await box.ctl(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

const states = async () => {
  const { keys } = JSON.parse(await done('key', 'list', '--json'))
  return keys.filter(({ role }) => role === 'transport').map(({ state }) => state)
}

async function curl({ cert, key }) {
  const args = ['--silent', '--show-error', '--cacert', box.transport.ca, '--cert', cert, '--key', key]
  return finished('curl', [...args, `https://localhost:${bank.ports['TLSv1.3']}/`], { env: { ...plainEnv, OPENSSL_CONF: box.transport.conf } })
}

async function passes(files) {
  const { code, stdout, stderr } = await curl(files)
  assert.equal(code, 0, stderr)
  assert.equal(stdout.trim(), bank.view('TLSv1.3', await subjectOf(files.cert)))
}

test('a program with the old certificate goes on until its key is retired', { timeout: seconds(120) }, async () => {
  const old = box.transport
  const [{ kid }] = JSON.parse(await done('key', 'list', '--json')).keys.filter(({ role }) => role === 'transport')
  const fresh = { cert: path.join(dir, 'new.crt.pem'), key: path.join(dir, 'new.key.pem') }
  const authority = sandboxAuthority(box, dir)

  await done('key', 'generate', 'transport')
  assert.deepEqual(await states(), ['active', 'generated'])
  const early = await box.ctl('key', 'publish', 'transport')
  assert.equal(early.code, 1)
  assert.match(early.stderr, /keys of role transport need a certificate first: qsealctl key csr, then qsealctl key import-certificate/)
  fs.writeFileSync(path.join(dir, 'new.csr.pem'), await done('key', 'csr', 'transport'))
  await openssl('x509', '-req', '-in', path.join(dir, 'new.csr.pem'), '-CA', authority.cert, '-CAkey', authority.key, '-set_serial', '0x4e4557',
    '-days', '2', '-subj', '/O=Test/CN=new', '-out', fresh.cert)
  await done('key', 'import-certificate', 'transport', '--file', fresh.cert)
  assert.deepEqual(await states(), ['active', 'certified'])
  await passes(old)

  await done('key', 'publish', 'transport')
  await done('key', 'activate', 'transport')
  assert.deepEqual(await states(), ['retiring', 'active'])
  fs.writeFileSync(fresh.key, await done('key', 'reference', 'transport'))
  await passes(fresh)
  await passes(old)

  await done('key', 'retire', kid)
  assert.deepEqual(await states(), ['retired', 'active'])
  const { code, stderr } = await curl(old)
  assert.notEqual(code, 0)
  assert.match(stderr, /no such transport key at the signing service/)
  await passes(fresh)
})
