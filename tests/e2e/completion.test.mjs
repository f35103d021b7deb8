// SPDX-License-Identifier: Apache-2.0
// What bash and zsh offer behind qsealctl: all that the help lists, and what the running service has.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Sandbox, bin, repository, run, seconds } from './lib.mjs'

let box
before(async () => {
  box = await Sandbox.up()
})
after(() => box?.down())

const sources = path.join(repository, 'src/ctl')
const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _qsealctl; printf '%s\\n' "\${COMPREPLY[@]}"`

// bash takes '=' for a word of its own.
function inBash(words) {
  const split = words.flatMap((word) => (/^--[a-z-]+=/.test(word) ? word.split(/(=)/) : [word])).filter((word, at) => word !== '' || at === words.length - 1)
  return ['bash', ['--norc', '-c', script, path.join(sources, 'completion.bash'), 'qsealctl', ...split]]
}

function inZsh(words) {
  const folder = path.join(box.dir, 'zsh')
  fs.mkdirSync(folder, { recursive: true })
  fs.copyFileSync(path.join(sources, 'completion.zsh'), path.join(folder, '_qsealctl'))
  return [path.join(repository, 'tests/e2e/zsh-offers'), [folder, 'qsealctl', ...words]]
}

// What is offered for the last of these words, the same in each shell.
async function offered(words, socket = box.admin, patience = seconds(20)) {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, QSEAL_ADMIN_SOCKET: socket, QSEAL_COMPLETION_S: String(patience / 1000) }
  const offers = []
  for (const [program, args] of [inBash(words), inZsh(words)]) {
    const { stdout, stderr } = await run(program, args, { env, cwd: box.dir, timeout: seconds(40) })
    assert.equal(stderr, '')
    offers.push(stdout.split('\n').filter((word) => word !== '').sort())
  }
  const [bash, zsh] = offers
  assert.deepEqual(unique(zsh), bash, words.join(' '))
  return bash
}

async function keys() {
  const { stdout } = await box.ctl('key', 'list', '--json')
  return JSON.parse(stdout).keys
}

const unique = (list) => [...new Set(list)].sort()

test('every command and option of the help, and no other', { timeout: seconds(60) }, async () => {
  const { stdout: help } = await run(path.join(bin, 'qsealctl'), ['--help'])
  const rows = [...help.matchAll(/^ {2}([a-z]+)(?: ([a-z][a-z-]*))?(?: [A-Z[|\]]+)? +\S/gm)].map(([, noun, verb]) => [noun, verb])
  assert.ok(rows.length > 15)
  assert.deepEqual(await offered(['']), unique(rows.map(([noun]) => noun)))
  for (const noun of unique(rows.map(([noun]) => noun))) {
    const verbs = rows.filter(([other, verb]) => other === noun && verb !== undefined).map(([, verb]) => verb)
    assert.deepEqual(await offered([noun, '']), verbs.sort(), noun)
  }
  const options = unique(help.match(/(?<![a-z-])--[a-z][a-z-]*/g))
  const all = await offered(['--'])
  for (const option of options) assert.ok(all.includes(option), option)
  assert.ok(!all.includes('--list-commands'))
  assert.deepEqual(await offered(['--js']), ['--json'])
  assert.deepEqual(await offered(['ke']), ['key'])
  assert.deepEqual(await offered(['--json', 'key', 'pub']), ['publish'])
})

test('roles, keys and tokens of the running service', { timeout: seconds(60) }, async () => {
  const there = await keys()
  const roles = unique(there.map(({ role }) => role))
  const kids = unique(there.map(({ kid }) => kid))
  assert.deepEqual(await offered(['key', 'generate', '']), roles)
  assert.deepEqual(await offered(['key', 'show', '']), unique([...roles, ...kids]))
  assert.deepEqual(await offered(['key', 'destroy', '']), kids)
  assert.deepEqual(await offered(['key', '--token', 'hsm-a', 'destroy', '']), kids)
  const begin = kids[0].slice(0, 8)
  assert.deepEqual(await offered(['key', 'suspend', begin]), kids.filter((kid) => kid.startsWith(begin)))
  assert.deepEqual(await offered(['token', 'unlock', '']), ['hsm-a'])
  assert.deepEqual(await offered(['key', 'generate', 'seal', '--token', 'h']), ['hsm-a'])
  assert.deepEqual(await offered(['key', 'generate', 'seal', '']), [])
  assert.deepEqual(await offered(['--socket', box.admin, 'key', 'destroy', ''], '/nonexistent'), kids)
})

test('a token without a key is offered, too', { timeout: seconds(60) }, async () => {
  const before = box.editConfig((text) => text.replace(/^tokens:\n/m, 'tokens:\n  - {name: hsm-new, module: /nowhere.so, uri: "pkcs11:token=new?pin-source=credential:pin"}\n'))
  await box.ctl('reload')
  assert.deepEqual(await offered(['key', 'generate', 'seal', '--token', '']), ['hsm-a', 'hsm-new'])
  assert.deepEqual(await offered(['token', 'unlock', 'hsm-n']), ['hsm-new'])
  fs.writeFileSync(box.configPath, before)
  await box.ctl('reload')
})

test('values of options', { timeout: seconds(60) }, async () => {
  fs.writeFileSync(path.join(box.dir, 'a chain.pem'), '')
  assert.deepEqual(await offered(['key', 'import-certificate', 'seal', '--file', 'a c']), ['a chain.pem'])
  assert.deepEqual(await offered(['config', 'check', 'qseal.y']), ['qseal.yaml'])
  assert.deepEqual(await offered(['key', 'csr', 'seal', '--profile', 'psd2']), ['psd2-qseal', 'psd2-qwac'])
  assert.deepEqual(await offered(['key', 'csr', 'seal', '--profile=br']), ['br-cac', 'br-seal'])
  assert.deepEqual(await offered(['key', 'csr', 'seal', '--reason', '']), [])
})

test('a door that does not answer does not hold the shell', { timeout: seconds(60) }, async () => {
  const silent = path.join(box.dir, 'silent.sock')
  const server = net.createServer(() => {}).listen(silent)
  try {
    assert.deepEqual(await offered(['key', 'destroy', ''], silent, seconds(1)), [])
    assert.deepEqual(await offered(['key', 'destroy', ''], '/nonexistent'), [])
  } finally {
    server.close()
  }
})
