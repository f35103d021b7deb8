// SPDX-License-Identifier: Apache-2.0
// The pages of tools/flow, run as they stand there, one after the other, in a sandbox that they start themselves; what they say
// will be seen is seen. And pages, help and programs agree on verbs, options and exit codes.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'

import { bin, repository, seconds } from './lib.mjs'
import { finished, plainEnv } from './tls.mjs'

const patient = { timeout: seconds(120) }
const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'qd-'))
const dir = path.join(parent, 'qs')

const pageOf = (name) => fs.readFileSync(path.join(repository, 'docs/flows', `${name}.md`), 'utf8')

// Name → { text, seen } of each block of a page that is run.
function blocks(page) {
  const list = new Map([...page.matchAll(/^<!-- run: (\S+) -->\n```sh\n([\s\S]*?\n)```$/gm)].map(([, name, text]) => [name, { text, seen: [] }]))
  for (const [, name, text] of page.matchAll(/^<!-- seen: (\S+) -->\n```\n([\s\S]*?\n)```$/gm)) list.get(name).seen = text.trimEnd().split('\n')
  assert.equal([...page.matchAll(/^```/gm)].length, 2 * (list.size + [...list.values()].filter(({ seen }) => seen.length > 0).length), 'every block is run, or seen')
  return list
}

// Lines of the page in which … stands for anything; a line that is … alone stands for any lines.
const pattern = (line) => new RegExp(`^${line.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`)

function assertSeen(name, wanted, printed) {
  const lines = printed.split('\n')
  let at = 0
  let free = true
  for (const line of wanted) {
    if (line.trim() === '…') {
      free = true
      continue
    }
    const found = lines.findIndex((text, i) => i >= at && pattern(line).test(text))
    assert.ok(found >= 0 && (free || found === at), `after ${name} the page says: ${line}\nand there was:\n${printed}`)
    at = found + 1
    free = false
  }
}

async function shell(name, { text, seen }) {
  const here = `exec 2>&1; ${fs.existsSync(path.join(dir, 'env')) ? `. ${dir}/env\n` : ''}${text.replaceAll('/tmp/qs', dir)}`
  // In the background of `start` stays the bank: it must not hold this test's pipes.
  const log = path.join(parent, `${name}.log`)
  const { code } = await finished('bash', ['-euc', `exec >${log} </dev/null\n${here}`], { cwd: repository, env: { ...plainEnv, QSEAL_BIN: bin }, timeout: seconds(100) })
  const printed = fs.readFileSync(log, 'utf8')
  assert.equal(code, 0, `${name}: ${printed}`)
  assertSeen(name, seen, printed)
}

const common = blocks(pageOf('flow'))
after(async () => {
  if (fs.existsSync(dir)) await shell('end', common.get('end'))
  fs.rmSync(parent, { recursive: true, force: true })
})

test('flow.md: it starts', patient, () => shell('start', common.get('start')))

for (const page of ['op-funds', 'op-payments', 'op-exemption', 'paynet-consent', 'paynet-refresh']) {
  for (const [name, block] of blocks(pageOf(page))) test(`${page}.md: ${name}`, patient, () => shell(name, block))
}

test('flow.md: it ends', patient, async () => {
  await shell('end', common.get('end'))
  assert.ok(!fs.existsSync(dir) || !fs.existsSync(path.join(dir, 'op.json')))
  fs.rmSync(dir, { recursive: true, force: true })
})

const cells = (page, heading) => [...page.matchAll(new RegExp(`^\\| ${heading} \\| \\|\\n\\|---\\|---\\|\\n((?:\\|.*\\|\\n?)+)`, 'gm'))].flatMap(([, rows]) =>
  rows.trimEnd().split('\n').map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''))))

test('help and pages agree: verbs, their options, common options, exit codes', async () => {
  const { stdout: help } = await finished(path.join(repository, 'tools/flow'), ['--help'], {})
  const page = pageOf('flow')
  assert.deepEqual(cells(page, 'exit code'), [...help.matchAll(/^ {2}(\d) {2}(.*)$/gm)].map(([, code, text]) => [code, text]))
  const common = [...help.split('options of every flow:')[1].matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option)
  assert.deepEqual(cells(page, 'option').map(([option]) => /--[a-z-]+/.exec(option)[0]), common)
  const verbs = new Map([...help.matchAll(/^ {2}([a-z]+-[a-z]+) +(.*)\n +(.*)$/gm)].map(([, verb, summary, options]) => [verb, { summary, options: options.match(/--[a-z-]+/g) }]))
  assert.ok(verbs.size >= 5)
  for (const [verb, { summary, options }] of verbs) {
    assert.ok(page.includes(`| [${verb}](${verb}.md) | ${summary} |`), verb)
    assert.deepEqual(cells(pageOf(verb), 'option').flatMap(([cell]) => cell.match(/--[a-z-]+/g)).sort(), options.sort(), verb)
  }
})
