// SPDX-License-Identifier: Apache-2.0
// The programs of docs/flows/use-it-from-*.md, as they are on the page, against a bank that demands client certificates
// and verifies each signature, and against one that lies.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { after, before, describe, test } from 'node:test'

import { start as startPaynet } from '../bank/paynet.mjs'
import { bank as signer } from './id-tokens.mjs'
import { repository, run, Sandbox, seconds } from './lib.mjs'
import { PaymentBank } from './payment-bank.mjs'
import { Setting, snippets } from './tls-programs.mjs'
import { finished, sandboxAuthority } from './tls.mjs'

const patient = { timeout: seconds(60) }
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qf-'))
const languages = { curl: ['bash', 'curl.sh'], python: ['/usr/bin/python3', 'python.py'] }

let box, bank, setting
before(async () => {
  box = await Sandbox.up()
  bank = await PaymentBank.start(box, await sandboxAuthority(box, dir).issue('bank'))
  setting = new Setting({ ...box.transport, dir, port: bank.port })
})
after(async () => {
  await bank?.end()
  await box?.down()
  fs.rmSync(dir, { recursive: true, force: true })
})

const page = (language) => path.join(repository, `docs/flows/use-it-from-${language}.md`)

// A block of a page in a file, with the paths of the sandbox.
function block(language, name) {
  const file = path.join(dir, `${language}-${name}`)
  const text = setting.replace(snippets(page(language))[name])
  fs.writeFileSync(file, text.replaceAll('/run/qseal/qseal.sock', box.socket))
  return file
}

function runs(language) {
  const [command, name] = languages[language]
  return finished(command, [block(language, name)], { env: setting.env, cwd: dir })
}

for (const language of Object.keys(languages)) {
  describe(language, () => {
    test('a request object, a client assertion, a signed order and the verified answer', patient, async () => {
      const seen = bank.seen()
      const { code, stdout, stderr } = await runs(language)
      assert.equal(code, 0, `${stdout}${stderr}`)
      assert.match(stdout, /\/authorize\?client_id=tpp-client-1&request_uri=urn%3Abank%3A1$/m)
      assert.match(stdout, /^The bank says booked, signed with ES256$/m)
      assert.deepEqual(bank.seen(seen), ['PAR of tpp-client-1', 'order of 4.00'])
    })

    test('a bank that signs other bytes, or with another key, is told by the rule', patient, async () => {
      const stranger = await signer('ES256', 'bank-1')
      for (const lie of [{ change: (body) => body.replace('booked', 'BOOKED') }, { privateKey: stranger.privateKey }]) {
        const { code, stdout, stderr } = await bank.lying(lie, () => runs(language))
        assert.notEqual(code, 0)
        assert.match(stderr, /"rule": ?"signature"/)
        assert.doesNotMatch(stdout, /The bank says/)
      }
    })

    test('what the service refuses comes out in words', patient, async () => {
      const kept = box.editConfig((text) => text.replace('profiles: ["*"]', 'profiles: [fapi2-jar]'))
      assert.equal((await box.ctl('reload')).code, 0)
      try {
        const { code, stderr } = await runs(language)
        assert.notEqual(code, 0)
        assert.match(stderr, /urn:qseal:problem:not-granted/)
      } finally {
        box.editConfig(() => kept)
        assert.equal((await box.ctl('reload')).code, 0)
      }
    })
  })
}

test('whether a Python can do it is told by two lines', patient, async () => {
  const asked = (env) => finished('bash', ['-eu', block('python', 'check.sh')], { env, cwd: dir })
  const good = await asked(setting.env)
  assert.equal(good.code, 0, good.stderr)
  assert.match(good.stdout, /^OpenSSL 3\..*\n$/)
  const without = await asked(setting.with({ conf: undefined }).env)
  assert.notEqual(without.code, 0)
  assert.match(without.stderr, /SSLError/)
})

describe('node', () => {
  let paynet
  before(async () => {
    paynet = await startPaynet(box.dir)
    // Where the program finds openid-client.
    fs.symlinkSync(path.join(repository, 'tests/e2e/node_modules'), path.join(dir, 'node_modules'))
  })
  after(() => paynet?.close())

  // What the program says, and how it ends, while somebody at its terminal sends the customer to each address that it prints.
  async function consent() {
    const file = block('node', 'node.mjs')
    const { well_known: wellKnown, api } = paynet.file
    const text = fs.readFileSync(file, 'utf8')
    fs.writeFileSync(file, text.replace(/https:[^']*openid-configuration/, wellKnown).replace('https://api.sandbox.paynet.example', api))
    const flags = process.version.startsWith('v18.') ? ['--experimental-global-webcrypto'] : []
    const child = spawn(process.execPath, [...flags, file], { env: setting.env, timeout: seconds(30) })
    const ended = new Promise((resolve) => child.once('close', resolve))
    const said = []
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part))
    for await (const line of readline.createInterface({ input: child.stdout })) {
      said.push(line)
      if (line.startsWith('https://')) child.stdin.write((await run(path.join(repository, 'tests/bank/customer'), ['--ca', setting.ca, line])).stdout)
    }
    return { code: await ended, said, stderr }
  }

  test('a consent by openid-client, from discovery to the accounts', patient, async () => {
    const { code, said, stderr } = await consent()
    assert.equal(code, 0, stderr)
    const [address, end, ...more] = said
    assert.match(address, /^https:\/\/localhost:\d+\/authorize\?request_uri=[^&]+&client_id=[^&]+$/)
    assert.deepEqual([end, more], ['88888881 shares 2 accounts', []])
  })

  test('an ID token whose signature is not the bank\'s is told by the rule', patient, async () => {
    paynet.lies.tell('id-token-key')
    const { code, said, stderr } = await consent()
    assert.notEqual(code, 0)
    assert.match(stderr, /"rule":"signature"/)
    assert.equal(said.length, 1)
  })
})

test('every block of these pages is run', () => {
  for (const language of [...Object.keys(languages), 'node']) {
    const blocks = fs.readFileSync(page(language), 'utf8').match(/^```\w+$/gm)
    assert.equal(blocks.length, Object.keys(snippets(page(language))).length, language)
  }
})

test('what the pages for Java and Go ask the service for is there', async () => {
  const profiles = await box.profiles()
  for (const language of ['java', 'go']) {
    const [, program] = /^```\w+\n([\s\S]*?)\n```$/m.exec(fs.readFileSync(page(language), 'utf8'))
    const doors = [...program.matchAll(/"((?:verify\/)?[a-z-]+)\/((?:op|fapi2)-[a-z-]+)"/g)].map(([, operation, profile]) => [operation.replace('/', '-'), profile])
    assert.deepEqual(doors.map(([, profile]) => profile), ['fapi2-jar', 'fapi2-assertion', 'op-detached', 'op-response-jws'], language)
    for (const [operation, profile] of doors) assert.equal(profiles[profile].operation, operation)
  }
})
