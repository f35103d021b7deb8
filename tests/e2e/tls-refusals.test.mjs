// SPDX-License-Identifier: Apache-2.0
// What a user sees when a handshake is refused, cannot be, or takes long: in the words of curl (the reason alone), openssl
// and nginx (the service's own words as well). And what the door refuses to who asks it directly.

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { bin, Sandbox, seconds, until } from './lib.mjs'
import { programs, Setting, startNginx, through } from './tls-programs.mjs'
import { Bank, configured, finished, openssl, sandboxAuthority, subjectOf } from './tls.mjs'

const patient = { timeout: seconds(240) }
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qt-'))
let box, bank, setting, subject
before(async () => {
  box = await Sandbox.up()
  bank = await Bank.start(dir, sandboxAuthority(box, dir))
  setting = new Setting({ ...box.transport, dir, port: bank.ports['TLSv1.3'] })
  subject = await subjectOf(setting.cert)
})
after(async () => {
  await bank?.end()
  await box?.down()
  fs.rmSync(dir, { recursive: true, force: true })
})

const at = (door, values = {}) => setting.with({ port: bank.ports[door], ...values })

// curl shows `reason`, openssl and nginx `words` too.
async function refused(place, reason, words) {
  await assert.rejects(programs.curl(place), (error) => error.message.includes(reason) || assert.fail(`curl: ${error.message}`))
  for (const name of ['openssl', 'nginx']) {
    await assert.rejects(programs[name](place), (error) => {
      assert.ok(error.message.includes(reason), `${name}: ${error.message}`)
      assert.match(error.message, words, name)
      return true
    })
  }
}

// A reference like the sandbox's, to another role.
function referenceTo(role) {
  const lines = fs.readFileSync(setting.key, 'utf8').trim().split('\n')
  const der = Buffer.from(lines.slice(1, -1).join(''), 'base64')
  const text = (value) => Buffer.concat([Buffer.from([0x0c, value.length]), Buffer.from(value)])
  const [before, behind] = [text('qseal-key-reference-1'), text('transport')]
  const start = der.indexOf(before)
  const content = Buffer.concat([before, text(role), der.subarray(start + before.length + behind.length)])
  const head = content.length > 255 ? [0x30, 0x82, content.length >> 8, content.length & 255] : [0x30, 0x81, content.length]
  const base64 = Buffer.concat([Buffer.from(head), content]).toString('base64').replaceAll(/.{64}/g, '$&\n').trim()
  const file = path.join(dir, `${role}.key.pem`)
  fs.writeFileSync(file, `${lines[0]}\n${base64}\n${lines.at(-1)}\n`)
  return file
}

describe('refused', () => {
  for (const door of ['TLSv1.2', 'TLSv1.3']) {
    test(`a role that is not there, ${door}`, patient, () => refused(at(door, { key: referenceTo('nosuch') }), 'no such transport key at the signing service', /there is no transport role nosuch/))

    test(`a role of another purpose, ${door}`, patient, () => refused(at(door, { key: referenceTo('seal-ec') }), 'no such transport key at the signing service', /there is no transport role seal-ec/))
  }

  test('not granted', patient, async () => {
    const text = fs.readFileSync(box.configPath, 'utf8')
    await box.restartedWith((before) => before.replace(', roles: ["*"]', ''))
    try {
      for (const door of ['TLSv1.2', 'TLSv1.3']) {
        await refused(at(door), 'transport key not granted to this user', new RegExp(`transport key transport is not granted to caller engine \\(uid ${process.getuid()}\\)`))
      }
      for (const name of ['haproxy', 'stunnel', 'python', 'node']) await assert.rejects(programs[name](setting), name)
    } finally {
      await box.restartedWith(() => text)
    }
    assert.equal(await programs.curl(setting), bank.view('TLSv1.3', subject))
  })

  test('a server that proves nothing: key exchange by RSA', patient, () => refused(at('TLSv1.2 static'), 'signing service refused', /ServerHello: a cipher suite without \(EC\)DHE/))

  test('an OpenSSL configuration with a mistake', patient, async () => {
    const conf = configured(box, dir, 'mistaken', '[qseal_provider]\ntimeout_ms = soon\n')
    await assert.rejects(programs.nginx(setting.with({ conf })), /bad setting of qseal in openssl\.cnf[\s\S]*timeout_ms is no number from 1 to/)
    await assert.rejects(programs.node(setting.with({ conf })), /bad setting of qseal in openssl\.cnf/)
  })

  test('without OPENSSL_CONF the reference is no key', patient, async () => {
    for (const name of Object.keys(programs)) {
      await assert.rejects(programs[name](setting.with({ conf: undefined })), name)
    }
  })
})

describe('other uses of the key', () => {
  const wants = {
    'a digest signed': [['pkeyutl', '-sign', '-inkey', 'KEY', '-in', 'digest'], /a bare digest is never signed/],
    'a file signed': [['dgst', '-sha256', '-sign', 'KEY', 'file'], /content is signed in one shot only/],
    'a message signed': [['cms', '-sign', '-in', 'file', '-signer', 'CERT', '-inkey', 'KEY'], /content is signed in one shot only/],
    'a request': [['req', '-new', '-key', 'KEY', '-subj', '/CN=x', '-config', '/etc/ssl/openssl.cnf'], /certificates and requests are not signed; qsealctl key csr makes a request/],
    'a certificate': [['x509', '-new', '-subj', '/CN=x', '-force_pubkey', 'public', '-CA', 'CERT', '-CAkey', 'KEY', '-set_serial', '1'], /certificates and requests are not signed/],
    'the key itself': [['pkey', '-in', 'KEY'], /private key stays in the HSM.*the key of role transport cannot be exported/],
  }
  before(async () => {
    fs.writeFileSync(path.join(dir, 'file'), 'hello\n')
    fs.writeFileSync(path.join(dir, 'digest'), createHash('sha256').update('hello\n').digest())
    fs.writeFileSync(path.join(dir, 'public'), new X509Certificate(fs.readFileSync(setting.cert)).publicKey.export({ type: 'spki', format: 'pem' }))
  })
  for (const [what, [args, words]] of Object.entries(wants)) {
    test(`openssl: ${what}`, patient, async () => {
      const files = { KEY: setting.key, CERT: setting.cert }
      const { code, stderr } = await finished('openssl', args.map((arg) => files[arg] ?? arg), { env: setting.env, cwd: dir })
      assert.ok(code > 0 && code < 128, `refused, not crashed: ${code} ${stderr}`)
      assert.match(stderr, words)
    })
  }

  // What docs/tls.md warns of.
  const node = (expression) =>
    finished(process.execPath, ['-e', `const key = crypto.createPrivateKey(fs.readFileSync(${JSON.stringify(setting.key)})); ${expression}`], { env: setting.env, cwd: dir })
  for (const [expression, words] of Object.entries({
    "crypto.createSign('sha256').update('x').sign(key)": /a bare digest is never signed|content is signed in one shot only/,
    "crypto.sign('sha256', Buffer.from('x'), key)": /content is signed in one shot only|signing service refused/,
    "key.export({ type: 'pkcs8', format: 'pem' })": /private key stays in the HSM/,
  })) {
    test(`node: ${expression}`, patient, async () => {
      const { code, stderr } = await node(expression)
      assert.equal(code, 1, stderr)
      assert.match(stderr, words)
    })
  }
})

describe('the service is away', () => {
  test('not running: refused at once; back: signing again, by the same nginx', patient, async () => {
    const nginx = await startNginx(at('TLSv1.3'))
    try {
      assert.equal(await through(nginx, nginx.local), bank.view('TLSv1.3', subject))
      await box.kill('qseald', 'SIGTERM')
      await assert.rejects(through(nginx, nginx.local), /answered 502[\s\S]*signing service unreachable[\s\S]*cannot connect to the service at/)
      for (const door of ['TLSv1.2', 'TLSv1.3']) await refused(at(door), 'signing service unreachable', /cannot connect to the service at \S+qseal\.sock: /)
      box.restart('qseald')
      await box.ready()
      assert.equal(await through(nginx, nginx.local), bank.view('TLSv1.3', subject))
    } finally {
      await nginx.end()
    }
  })

  test('the token is away', patient, async () => {
    await box.kill('qseal-tokend-hsm-a', 'SIGTERM')
    await refused(setting, 'signing service busy or its token is down', /token/)
    box.restart('qseal-tokend-hsm-a')
    await box.ready()
  })

  // It accepts (the kernel does), and does not answer.
  test('it hangs: nobody waits longer than timeout_ms', patient, async () => {
    const conf = configured(box, dir, 'short', '[qseal_provider]\ntimeout_ms = 500\n')
    await box.freeze('qseald')
    try {
      for (const [limit, place] of [[2000, setting], [500, setting.with({ conf })]]) {
        const started = Date.now()
        await assert.rejects(programs.curl(place), /signing service timed out/)
        const took = Date.now() - started
        assert.ok(took >= limit - 50 && took < limit + seconds(1), `curl waited ${took} ms of ${limit}`)
      }
      await refused(setting.with({ conf }), 'signing service timed out', /did not answer within 500 ms/)
      const { stall, said } = await longestStall(setting.with({ conf }))
      assert.match(said, /signing service timed out/)
      assert.ok(stall >= 450 && stall < 500 + seconds(1), `the event loop of node stood still for ${stall} ms`)
    } finally {
      box.signal('qseald', 'SIGCONT')
    }
    await box.ready()
  })
})

// One https request of node: `stall`, the longest time in milliseconds in which a timer did not come round, and what
// was `said`, by the bank or the error. It ends when the timer has come round behind that.
async function longestStall(place) {
  const script = path.join(dir, 'stall.mjs')
  fs.writeFileSync(script, `import fs from 'node:fs'
import https from 'node:https'
const [cert, key, ca] = [${JSON.stringify(place.cert)}, ${JSON.stringify(place.key)}, ${JSON.stringify(place.ca)}].map((file) => fs.readFileSync(file))
let stall = 0
let last = performance.now()
let said
const timer = setInterval(() => {
  const now = performance.now()
  stall = Math.max(stall, Math.round(now - last))
  last = now
  if (said === undefined) return
  clearInterval(timer)
  console.log(JSON.stringify({ stall, said }))
}, 5)
https.get({ port: ${place.port}, host: 'localhost', cert, key, ca }, async (answer) => { said = (await answer.toArray()).join('').trim() })
  .on('error', (error) => { said = error.message })
`)
  const { stdout, stderr } = await finished(process.execPath, [script], { env: place.env })
  assert.match(stdout, /^\{/, stderr)
  return JSON.parse(stdout)
}

describe('a slow token: 700 ms', () => {
  const faults = path.join(dir, 'faults')
  before(async () => {
    fs.writeFileSync(faults, '')
    for (const name of Object.keys(box.pids())) await box.kill(name, 'SIGTERM')
    const text = fs.readFileSync(box.configPath, 'utf8')
    const [, module] = /module: (.*)/.exec(text)
    box.editConfig(() => text.replace(/module: .*/, `module: ${path.resolve(bin, '../tests/qseal-test-shim.so')}`))
    Object.assign(box.started['qseal-tokend-hsm-a'].env, { QSEAL_SHIM_MODULE: module, QSEAL_SHIM_DELAY_US: '700000', QSEAL_SHIM_FAULTS: faults })
    for (const name of Object.keys(box.started)) box.restart(name)
    await box.ready()
  })

  const inFlight = async () => (await box.status()).callers.find(({ name }) => name === 'engine').in_flight

  test('is waited for, and blocks one caller at a time', patient, async (t) => {
    const good = bank.view('TLSv1.3', subject)
    const { stall, said } = await longestStall(setting)
    assert.equal(said, good)
    assert.ok(stall >= 690, `${stall} ms`)
    // One worker of nginx is one thread: three handshakes stand in a row.
    const nginx = await startNginx(at('TLSv1.3'))
    try {
      const begin = Date.now()
      assert.deepEqual(await Promise.all([0, 1, 2].map(() => through(nginx, nginx.local))), [good, good, good])
      const took = Date.now() - begin
      t.diagnostic(`nginx, one worker, 3 handshakes at once: ${took} ms`)
      assert.ok(took >= 3 * 700, `${took} ms`)
    } finally {
      await nginx.end()
    }
    // Three programs are three: none of them waits for another one to be answered.
    fs.writeFileSync(faults, 'C_Sign 1 1000000 wait\n')
    const conf = configured(box, dir, 'longer', '[qseal_provider]\ntimeout_ms = 4500\n')
    const views = Promise.all([0, 1, 2].map(() => programs.curl(setting.with({ conf }))))
    try {
      await Promise.race([views, until('three are in flight', async () => (await inFlight()) === 3)])
    } finally {
      fs.writeFileSync(faults, '')
    }
    assert.deepEqual(await views, [good, good, good])
  })

  test('is too slow for timeout_ms = 300', patient, async () => {
    const conf = configured(box, dir, 'shorter', '[qseal_provider]\ntimeout_ms = 300\n')
    await refused(setting.with({ conf }), 'signing service timed out', /did not answer within 300 ms/)
  })

  test('a wrong signature of the token never gets out', patient, async () => {
    fs.writeFileSync(faults, 'C_Sign 1 1000000 flip\n')
    await refused(setting, 'signing service', /qseal: /)
    fs.writeFileSync(faults, '')
    await box.ready()
    assert.equal(await programs.curl(setting), bank.view('TLSv1.3', subject))
  })
})

// As RFC 8446 §4.4.3 has it, with the hash of a transcript of `n` bytes' digest.
const content = (side = 'client', n = 32) => Buffer.concat([Buffer.alloc(64, 0x20), Buffer.from(`TLS 1.3, ${side} CertificateVerify\0`), createHash(n === 32 ? 'sha256' : 'sha384').update('hello').digest()])

describe('asked directly', () => {
  const ask = (body, { scheme = 'ecdsa_secp256r1_sha256', role = 'transport', headers = {} } = {}) =>
    box.post(`/v1/tls-signature/${role}`, body, { headers: { 'Content-Type': 'application/octet-stream', ...(scheme && { 'Qseal-Signature-Scheme': scheme }), ...headers } })

  test('a client CertificateVerify is signed, and the certificate verifies it', patient, async () => {
    for (const bytes of [content(), content('client', 48)]) {
      const answer = await ask(bytes)
      assert.equal(answer.status, 200, String(answer.bytes))
      assert.equal(answer.headers['content-type'], 'application/octet-stream')
      const files = { key: path.join(dir, 'public.pem'), signature: path.join(dir, 'signature'), content: path.join(dir, 'content') }
      fs.writeFileSync(files.key, new X509Certificate(fs.readFileSync(setting.cert)).publicKey.export({ type: 'spki', format: 'pem' }))
      fs.writeFileSync(files.signature, answer.bytes)
      fs.writeFileSync(files.content, bytes)
      const { stdout } = await openssl('dgst', '-sha256', '-verify', files.key, '-signature', files.signature, files.content)
      assert.match(stdout, /Verified OK/)
    }
  })

  const digest = createHash('sha256').update('x').digest()
  const refusals = [
    ['a digest', digest, {}, 422],
    ['what a server signs', content('server'), {}, 422],
    ['one byte more', Buffer.concat([content(), Buffer.from([0])]), {}, 422],
    ['a JWS signing input', 'eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJ4In0', {}, 422],
    ['nothing', '', {}, 422],
    ['a scheme of another key', content(), { scheme: 'rsa_pss_rsae_sha256' }, 422],
    ['a scheme of another curve', content(), { scheme: 'ecdsa_secp384r1_sha384' }, 422],
    ['a scheme nobody knows', content(), { scheme: 'rsa_pkcs1_sha1' }, 422],
    ['another role', content(), { role: 'seal' }, 404],
    ['another media type', content(), { headers: { 'Content-Type': 'application/json' } }, 415],
  ]
  for (const [what, body, options, status] of refusals) {
    test(`${what}: ${status}`, patient, async () => {
      const answer = await ask(body, options)
      assert.equal(answer.status, status, String(answer.bytes))
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.ok(answer.json.detail.length > 10)
    })
  }
})
