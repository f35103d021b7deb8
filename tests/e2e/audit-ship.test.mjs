// SPDX-License-Identifier: Apache-2.0
// The audit log as it is shipped: a follower that is killed under load, rsyslog with the configuration files of hsm-config,
// and what the receiver can say of what it has got.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { Callers } from './audit-load.mjs'
import { digest, readLog } from './audit-log.mjs'
import { Sandbox, bin, repository, run, seconds, until } from './lib.mjs'
import { Program, freePorts, plainEnv } from './tls.mjs'

const gapsTool = path.join(repository, 'tools/audit-gaps')
const shipped = (name) => path.join(repository, 'hsm-config', name)

let box
before(async () => {
  box = await Sandbox.up()
})
after(() => box?.down())

const at = (...parts) => path.join(box.dir, ...parts)
const linesOf = (text) => text.split('\n').slice(0, -1)
const seqOf = (line) => Number(/^\{"seq":(\d+),/.exec(line)?.[1])
// Bytes, not text: the file is being written.
const wholeLines = (file) => (fs.existsSync(file) ? linesOf(fs.readFileSync(file, 'latin1').replace(/[^\n]*$/, '')) : [])

// { code, stdout, stderr } of tools/audit-gaps for these lines.
async function gaps(lines, ...args) {
  const file = at('lines')
  fs.writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  return run(gapsTool, [...args, file], { env: plainEnv, timeout: seconds(30) })
    .then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }), ({ code, stdout, stderr }) => ({ code, stdout, stderr }))
}

// --- rsyslog -----------------------------------------------------------------------------------

// A shipped file with paths and port of this test, as the whole configuration of a private rsyslogd.
function startRsyslog(name, file, replacements) {
  const folder = at(name)
  fs.mkdirSync(folder, { recursive: true })
  let text = fs.readFileSync(shipped(file), 'utf8')
  for (const [from, to] of replacements) {
    assert.ok(text.includes(from), `${file} has no ${from}`)
    text = text.replaceAll(from, to)
  }
  fs.writeFileSync(at(`${name}.conf`), `global(workDirectory="${folder}")\n${text}`)
  return new Program(box.dir, name, ['rsyslogd', '-n', '-iNONE', '-f', at(`${name}.conf`)])
}

async function startReceiver() {
  for (let tries = 0; ; tries++) {
    const [port] = await freePorts(1)
    const receiver = startRsyslog('receiver', 'rsyslog-qseal-audit-receiver.conf', [['10514', String(port)], ['/var/log/qseal-audit/%hostname:::secpath-replace%.jsonl', at('received.jsonl')]])
    // It goes on without the port where somebody was faster, and says so.
    await receiver.listensAt({ port })
    if (!/could not|in use|error/i.test(receiver.log)) return Object.assign(receiver, { port })
    await receiver.end()
    if (tries > 2) throw new Error(receiver.log)
  }
}

const startSender = (port) =>
  startRsyslog('sender', 'rsyslog-qseal-audit.conf', [['/var/lib/qseal-audit-ship/records.jsonl', at('records.jsonl')], ['logs.example', '127.0.0.1'], ['10514', String(port)]])

// --- the follower ------------------------------------------------------------------------------

const position = () => (fs.existsSync(at('position')) ? Number(/^record (\d+) in segment \d+, hash [\w-]{43}, chain [0-9a-f-]{36}\n$/.exec(fs.readFileSync(at('position'), 'utf8'))[1]) : 0)

// As the unit and its drop-in run it.
function startFollower() {
  const out = fs.openSync(at('records.jsonl'), 'a')
  const child = spawn(path.join(bin, 'qsealctl'), ['audit', 'show', at('audit'), '--follow', '--json', '--position', at('position')], { stdio: ['ignore', out, 'pipe'] })
  fs.closeSync(out)
  let said = ''
  child.stderr.on('data', (part) => {
    said += part
  })
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ how: signal ?? code, said })))
  return {
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

const written = () => wholeLines(at('records.jsonl'))
const received = () => wholeLines(at('received.jsonl'))

// Killed when it has gone on for `more` records; what it may ship again: behind its position, up to what was there.
async function killedAfter(follower, more) {
  const from = position()
  await until(`${more} records are shipped`, () => position() > from + more, seconds(60))
  const { how, said } = await follower.end('SIGKILL')
  assert.deepEqual({ how, said }, { how: 'SIGKILL', said: '' })
  return { above: position(), upTo: seqOf(written().at(-1)) }
}

// And the follower goes on, over what the next start sets right.
async function killService() {
  await box.kill('qseald')
  box.restart('qseald')
  await box.ready()
}

// The numbers that came more than once are among those.
function checkRepeats(lines, mayRepeat) {
  const seen = new Set()
  const repeated = new Set()
  for (const line of lines) {
    const seq = seqOf(line)
    if (seen.has(seq)) repeated.add(seq)
    seen.add(seq)
  }
  const wrong = [...repeated].filter((seq) => !mayRepeat.some(({ above, upTo }) => seq > above && seq <= upTo))
  assert.deepEqual(wrong, [])
  return repeated.size
}

test('killed under load, as is the service, over segments: the receiver has each record', { timeout: seconds(240) }, async (t) => {
  await box.restartedWith((text) => text.replace(/^audit: \{(.*)\}$/m, 'audit: {$1, segment_mib: 1, checkpoint_records: 300}'))
  const receiver = await startReceiver()
  const sender = startSender(receiver.port)
  const load = await Callers.start(box, 8)
  const mayRepeat = []
  try {
    let follower = startFollower()
    for (let kills = 0; kills < 5; kills++) {
      mayRepeat.push(await killedAfter(follower, 300))
      if (kills === 2) fs.renameSync(at('records.jsonl'), at('records.jsonl.old')) // what is not read of it is read all the same
      follower = startFollower()
      if (kills === 3) await killService()
    }
    await until('three segments are closed', () => fs.existsSync(at('audit', 'audit-0000000004.jsonl')), seconds(90))
    await load.stop()
    await box.kill('qseald', 'SIGTERM')
    const { records, segments, breaks } = readLog(at('audit'))
    assert.deepEqual(breaks, [])
    const last = records.at(-1).seq
    await until('all is received', () => seqOf(received().at(-1) ?? '') === last, seconds(60))
    assert.deepEqual(await follower.end('SIGTERM'), { how: 0, said: '' })
    assert.equal(position(), last, 'at an orderly end it is noted how far it is')
    const lines = received()
    const log = new Set(segments.flatMap(({ name }) => wholeLines(at('audit', name))))
    assert.equal(log.size, last)
    assert.deepEqual(new Set(lines), log, 'the records as they stand in the log, and nothing else')
    const repeated = checkRepeats(lines, mayRepeat)
    const { code, stdout } = await gaps(lines)
    assert.equal(code, 0, stdout)
    assert.match(stdout, new RegExp(`^records 1 to ${last}: all there, each follows the one before\nnext time: --after ${last}:[\\w-]{43}\n$`, 'm'))
    t.diagnostic(`${last} records in ${segments.length} segments, follower killed ${mayRepeat.length} times, ${lines.length} lines received, ${repeated} records more than once`)
  } finally {
    load.on = false
    await sender.end()
    await receiver.end()
  }
  box.restart('qseald')
  await box.ready()
})

test('after an orderly end nothing is shipped twice', { timeout: seconds(60) }, async () => {
  const before = written().length
  const from = position()
  const follower = startFollower()
  await until('what came since is shipped', () => position() > from, seconds(20))
  assert.deepEqual(await follower.end('SIGTERM'), { how: 0, said: '' })
  const more = written().slice(before).map(seqOf)
  assert.deepEqual(more, Array.from({ length: position() - from }, (_, i) => from + 1 + i))
})

// --- at the receiver ---------------------------------------------------------------------------

test('what is missing, changed or put in is said with its number', { timeout: seconds(60) }, async () => {
  const lines = [...new Set(received())]
  const last = lines.length
  const n = Math.floor(last / 2)
  const without = (from, to) => lines.filter((line) => seqOf(line) < from || seqOf(line) > to)
  const changed = (from, to) => lines.map((line, i) => (i === n - 1 ? line.replace(from, to) : line))
  const good = `records 1 to ${last}: all there, each follows the one before`
  const rows = [
    [lines, 0, good],
    [lines.map((line) => `<110>1 2026-11-21T20:47:35+00:00 signer qseal-audit - - - ${line}`), 0, good],
    [[...lines].reverse(), 0, good],
    [[...lines, ...lines.slice(10, 20)], 0, '10 records came more than once'],
    [[...lines, lines[n].slice(0, 40), ''], 0, `1 lines have no whole record, the first one at ${at('lines')}:${last + 1}`],
    [without(n, n), 1, `record ${n} is missing`],
    [without(n, n + 4), 1, `records ${n} to ${n + 4} are missing`],
    [without(1, 3), 1, 'records 1 to 3 are missing'],
    [changed('"time":"20', '"time":"21'), 1, `record ${n + 1} does not follow record ${n}: one of the two was changed`],
    [[...lines, lines[n].replace('"time":"20', '"time":"21')], 1, `record ${n + 1} came before, and said something else`],
    [[...lines, lines[n].replace(/"seq":\d+/, `"seq":${last + 2}`)], 1, `record ${last + 1} is missing`],
    [[...lines, lines[n].replace(/"seq":\d+/, '"seq":999999999999')], 1, `record 999999999999 is too far behind record ${last}`],
  ]
  for (const [given, wanted, text] of rows) {
    const { code, stdout } = await gaps(given)
    assert.ok(stdout.includes(text), `${text}\nis not in\n${stdout}`)
    assert.equal(code, wanted, stdout)
  }
})

test('what was looked at before need not come again', { timeout: seconds(60) }, async () => {
  const lines = [...new Set(received())].slice(0, 40)
  const [, after] = /--after (\S+)/.exec((await gaps(lines.slice(0, 20))).stdout)
  assert.equal(after, `20:${digest(`${lines[19]}\n`)}`)
  const all = /^records 21 to 40: all there/m
  assert.match((await gaps(lines.slice(20), '--after', after)).stdout, all)
  assert.match((await gaps(lines, '--after', '20')).stdout, all)
  const other = await gaps(lines.slice(20), '--after', `20:${'A'.repeat(43)}`)
  assert.deepEqual([other.code, /record 21 does not follow record 20/.test(other.stdout)], [1, true])
  assert.match((await gaps([], '--after', after)).stdout, /^no record after 20$/m)
  for (const [args, why] of [[['--after', 'x'], /--after: not a number like 17/], [['--what'], /--what: there is no such option/], [['/nowhere'], /\/nowhere: No such file or directory/]]) {
    const { code, stderr } = await gaps([], ...args)
    assert.equal(code, 2)
    assert.match(stderr, why)
  }
})

// A failing disk takes records that were shipped a moment too early; their numbers are others' then.
test('what was never acknowledged is taken back by the segment that follows', { timeout: seconds(60) }, async () => {
  const chain = (from, kinds) => kinds.reduce(({ seq, prev, lines }, kind) => {
    const line = `{"seq":${seq + 1},"prev":"${prev}","time":"2026-11-21T19:07:46.123456Z","kind":"${kind}"}`
    return { seq: seq + 1, prev: digest(`${line}\n`), lines: [...lines, line] }
  }, { ...from, lines: [] })
  const held = chain({ seq: 0, prev: 'A'.repeat(43) }, ['segment', 'sign', 'done'])
  const lost = chain(held, ['sign', 'sign'])
  const next = chain(held, ['segment', 'sign', 'done'])
  const { code, stdout } = await gaps([...held.lines, ...lost.lines, ...next.lines])
  assert.deepEqual([code, stdout], [0, `2 records were taken back by a segment that begins before them: they were never acknowledged
records 1 to 6: all there, each follows the one before
next time: --after 6:${next.prev}
`])
  const other = chain({ seq: 3, prev: lost.prev }, ['segment'])
  assert.match((await gaps([...held.lines, ...lost.lines, ...other.lines])).stdout, /record 4 came before, and said something else/)
})

test('rsyslog takes the files of hsm-config', { timeout: seconds(60) }, async () => {
  for (const name of ['rsyslog-qseal-audit.conf', 'rsyslog-qseal-audit-journal.conf', 'rsyslog-qseal-audit-receiver.conf']) {
    fs.writeFileSync(at('check.conf'), `global(workDirectory="${box.dir}")\n${fs.readFileSync(shipped(name))}`)
    const { stderr } = await run('rsyslogd', ['-N1', '-f', at('check.conf')], { env: plainEnv, timeout: seconds(30) })
    assert.match(stderr, /End of config validation run/)
    assert.doesNotMatch(stderr, /error|warning/i, name)
  }
})
