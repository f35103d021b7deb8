// SPDX-License-Identifier: Apache-2.0
// The programs of docs/flows/use-it-from-*.md, as they are on the page, against a bank that demands client certificates
// and verifies each signature, and against one that lies.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { bank as signer } from './id-tokens.mjs'
import { repository, Sandbox, seconds } from './lib.mjs'
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

test('every block of these pages is run', () => {
  for (const language of Object.keys(languages)) {
    const blocks = fs.readFileSync(page(language), 'utf8').match(/^```\w+$/gm)
    assert.equal(blocks.length, Object.keys(snippets(page(language))).length, language)
  }
})
