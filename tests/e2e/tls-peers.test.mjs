// SPDX-License-Identifier: Apache-2.0
// Destination binding: a role that lists its peers. TLS 1.2 shows the service who the server is; TLS 1.3 does so in
// transcript mode alone, and is refused without.

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Sandbox, seconds } from './lib.mjs'
import { forks, Load, matrix, programs, running, Setting, snippets, startNginx, table } from './tls-programs.mjs'
import { Authority, Bank, configured, sandboxAuthority, subjectOf } from './tls.mjs'

const patient = { timeout: seconds(240) }
const pin = (file) => createHash('sha256').update(new X509Certificate(fs.readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' })).digest('base64url')

// A socket in front of the service's: what is answered there is kept as text.
async function overheard(box, dir, use) {
  const place = path.join(dir, 'overheard.sock')
  let answers = ''
  const server = net.createServer((caller) => {
    const service = net.connect(box.socket)
    service.on('data', (part) => (answers += part.toString('latin1')))
    caller.on('error', () => service.destroy())
    service.on('error', () => caller.destroy())
    caller.pipe(service).pipe(caller)
  })
  await new Promise((resolve) => server.listen(place, resolve))
  try {
    await use(place)
  } finally {
    server.close()
  }
  return [...answers.matchAll(/^Qseal-Peer: (.*)\r$/gm)].map(([, peer]) => peer)
}

for (const type of ['p-256', 'rsa', 'ed25519']) {
  describe(`a ${type} key bound to its peers`, () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qt-'))
    let box, bank, setting, subject, tapped, original
    before(async () => {
      box = await Sandbox.up('--transport', type)
      bank = await Bank.start(dir, sandboxAuthority(box, dir))
      setting = new Setting({ ...box.transport, dir })
      tapped = setting.with({ conf: configured(box, dir, 'transcript', snippets()['transcript.cnf']) })
      subject = await subjectOf(setting.cert)
      original = fs.readFileSync(box.configPath, 'utf8')
    })
    after(async () => {
      await bank?.end()
      await box?.down()
      fs.rmSync(dir, { recursive: true, force: true })
    })

    const bind = (...peers) => box.restartedWith(() => original.replace(/(\{name: transport, .*)\}/, `$1, peers: [${peers.join(', ')}]}`))

    async function passes(where, door) {
      const rows = await matrix(where, bank, { subject, key: type, places: [door] })
      assert.ok(rows.every(({ result }) => result === 'pass'), table(rows))
    }

    async function refused(where, door, words) {
      for (const name of Object.keys(programs)) {
        await assert.rejects(programs[name](where.with({ port: bank.ports[door] })), (error) => {
          if (name === 'openssl' || name === 'nginx') assert.match(error.message, words, `${name} at ${door}`)
          if (name === 'curl') assert.match(error.message, /signing service refused/, door)
          return true
        })
      }
    }

    test('transcript mode, no peers listed: every program, with HelloRetryRequest and a suite of SHA-256 too', patient, async () => {
      for (const door of ['TLSv1.2', 'TLSv1.3', 'TLSv1.3 retry', 'TLSv1.3 aes128']) await passes(tapped, door)
    })

    describe('a pinned key', () => {
      before(() => bind(`{spki: ${pin(bank.servers.bank.cert)}}`))

      test('TLS 1.2: the listed server passes', patient, () => passes(setting, 'TLSv1.2'))
      test('TLS 1.2: another server is refused', patient, () => refused(setting, 'TLSv1.2 other', /not one of the role's peers/))
      test('TLS 1.3 is refused without a transcript', patient, () => refused(setting, 'TLSv1.3', /certain peers only, which TLS 1\.3 hides/))
      test('TLS 1.3 with a transcript: the listed server passes', patient, async () => {
        for (const door of ['TLSv1.3', 'TLSv1.3 retry', 'TLSv1.3 aes128']) await passes(tapped, door)
      })
      test('TLS 1.3 with a transcript: another server is refused', patient, () => refused(tapped, 'TLSv1.3 other', /not one of the role's peers/))

      // Each signature needs the transcript of its own handshake, whatever the key.
      if (type === 'p-256') test('handshakes that go on side by side: nginx, threads, forks', patient, async (t) => {
        await running(() => startNginx(tapped.with({ port: bank.ports['TLSv1.3'] }), { main: 'worker_processes 2;' }), async (nginx) => {
          const load = new Load(nginx.local, bank.view('TLSv1.3', subject), 16)
          await load.more(400)
          await load.stop()
        })
        const good = await forks(tapped, bank.servers.bank, { threads: 4, children: 4, handshakes: 50 })
        t.diagnostic(`400 handshakes by nginx, ${good} by threads and children, none failed`)
      })
    })

    test('a name under a CA', patient, async () => {
      await bind(`{dns: localhost, issuer: ${setting.ca}}`)
      await passes(setting, 'TLSv1.2')
      await passes(tapped, 'TLSv1.3')
    })

    // The name in the rule is proven, the one that the program asked for is its claim.
    test('the answer tells what is proven', patient, async () => {
      const spki = `spki=${pin(bank.servers.bank.cert)}`
      const told = (settled) =>
        overheard(box, dir, async (socket) => {
          const conf = configured(box, dir, 'overheard', `${settled}[qseal_provider]\nsocket = ${socket}\n`)
          for (const door of ['TLSv1.2', 'TLSv1.3']) await programs.openssl(setting.with({ conf, port: bank.ports[door] }))
        })
      const transcript = snippets()['transcript.cnf']
      await bind(`{issuer: ${setting.ca}}`)
      assert.deepEqual(await told(transcript), Array(2).fill(`${spki}; claimed-sni=localhost`))
      await bind(`{dns: localhost, issuer: ${setting.ca}}`)
      assert.deepEqual(await told(transcript), Array(2).fill(`${spki}; dns=localhost; claimed-sni=localhost`))
      await box.restartedWith(() => original)
      assert.deepEqual(await told(''), [`${spki}; claimed-sni=localhost`])
    })

    test('another name under that CA', patient, async () => {
      await bind(`{dns: bank.example, issuer: ${setting.ca}}`)
      await refused(setting, 'TLSv1.2', /its certificate does not hold the name/)
      await refused(tapped, 'TLSv1.3', /its certificate does not hold the name/)
    })

    test('the name under another CA', patient, async () => {
      const { cert } = await Authority.create(dir, 'stranger')
      await bind(`{dns: localhost, issuer: ${cert}}`)
      await refused(setting, 'TLSv1.2', /not one of the role's peers: unable to get local issuer certificate/)
      await refused(tapped, 'TLSv1.3', /not one of the role's peers: unable to get local issuer certificate/)
    })
  })
}
