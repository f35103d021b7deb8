// SPDX-License-Identifier: Apache-2.0
// Conducts the benchmark: every round measures everything once, baseline and service in turn, and
// each ratio is taken inside its round; what is printed is the median over the rounds.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { bin } from '../e2e/lib.mjs'
import { onAudit } from './audit.mjs'
import { onCustody } from './custody.mjs'
import { onFlow } from './flow.mjs'
import { find, sharedModule, shimDelayUs, shimSessions, Stand } from './stand.mjs'
import { median, printTable, quantile, row } from './table.mjs'
import { onTls } from './tls.mjs'

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean' },
    long: { type: 'boolean' },
    smoke: { type: 'boolean' },
  },
})

function settingsOf(options) {
  const base = { rounds: 15, seconds: 0.5, warmUp: 0.1, tries: 5 }
  if (options.quick) Object.assign(base, { rounds: 5 })
  if (options.smoke) Object.assign(base, { rounds: 1, seconds: 0.1, warmUp: 0.05, tries: 1 })
  if (options.rounds) base.rounds = Number(options.rounds)
  if (options.seconds) base.seconds = Number(options.seconds)
  const parts = options.only?.split(',') ?? ['rates', 'one-cpu', 'token', 'calls', 'tls', 'rotation', 'keyring', 'audit', 'flow']
  if (options.long) parts.push('memory')
  return { ...base, parts }
}

// Results by slice, one entry per round.
const rounds = {}
const keep = (name, result) => (rounds[name] ??= []).push({ ...result, name })
// The median over the rounds of what `figure` makes of one round's slices.
const over = (names, figure) => {
  const n = rounds[names[0]]?.length ?? 0
  return median(Array.from({ length: n }, (_, i) => figure(...names.map((name) => rounds[name][i]))))
}
const ratio = (a, b, field, other = field) => over([a, b], (x, y) => x[field] / y[other])
const progress = (text) => process.stderr.write(`${text}\n`)

// --- parts -------------------------------------------------------------------------------------

async function measureRates(stand) {
  keep('raw PS256, 8 threads', await stand.raw('PS256', 8))
  keep('service PS256, 8 callers', await stand.service('PS256', 8))
  keep('service PS256, 64 callers', await stand.service('PS256', 64))
  keep('raw ES256, 8 threads', await stand.raw('ES256', 8))
  keep('service ES256, 8 callers', await stand.service('ES256', 8))
  keep('service ES256, 64 callers', await stand.service('ES256', 64))
  keep('p11-kit server ES256, 1 caller', await stand.throughP11Kit('ES256'))
  keep('service ES256, 1 caller', await stand.service('ES256', 1))
}

function rateRows() {
  const rows = []
  for (const callers of [8, 64]) {
    const name = `service PS256, ${callers} callers`
    rows.push(
      row(`PS256, ${callers} callers: rate / raw C_Sign`, ratio(name, 'raw PS256, 8 threads', 'rate'), '>=', 0.88),
      row(`PS256, ${callers} callers: CPU of all rooms / raw C_Sign`, ratio(name, 'raw PS256, 8 threads', 'servers_cpu_us_per_op', 'cpu_us_per_op'), '<=', 1.1),
    )
  }
  rows.push(
    row('ES256, 8 callers: rate / raw C_Sign', ratio('service ES256, 8 callers', 'raw ES256, 8 threads', 'rate'), '>=', 0.55),
    row('ES256 JAR, 1 caller: p50 / C_Sign by p11-kit server', ratio('service ES256, 1 caller', 'p11-kit server ES256, 1 caller', 'p50_us'), '<=', 1.7),
  )
  for (const alg of ['PS256', 'ES256']) {
    rows.push(row(`${alg}, 64 callers: p99 / p50`, over([`service ${alg}, 64 callers`], (x) => x.p99_us / x.p50_us), '<=', 2.5))
  }
  const memory = Math.max(...rounds['service ES256, 64 callers'].map((x) => x.servers_rss_kib)) / 1024
  rows.push(row('resident memory of the three rooms', memory, '<=', 40, 'MiB'))
  return rows
}

function measureOneCpu(stand) {
  return stand.onOneCpu(async (pinned) => {
    keep('one CPU: raw ES256', await stand.raw('ES256', 1, pinned))
    keep('one CPU: verification ES256', await stand.verification('ES256', pinned))
    keep('one CPU: service ES256, 1 caller', await stand.service('ES256', 1, pinned))
    keep('one CPU: service ES256, 8 callers', await stand.service('ES256', 8, pinned))
    keep('one CPU: p11-kit server ES256', await stand.throughP11Kit('ES256', pinned))
  })
}

// Microseconds, unlike ratios, depend on how fast the machine happens to be: the quicker rounds of each
// slice are compared, in which no neighbour of a virtual machine slowed the core down.
function oneCpuRows() {
  const quick = (name, field) => quantile(rounds[`one CPU: ${name}`].map((result) => result[field]), 0.2)
  const unavoidable = quick('raw ES256', 'cpu_us_per_op') + quick('verification ES256', 'cpu_us_per_op')
  const beyond = (callers) => quick(`service ES256, ${callers}`, 'servers_cpu_us_per_op') - unavoidable
  const p50 = ratio('one CPU: service ES256, 1 caller', 'one CPU: p11-kit server ES256', 'p50_us')
  return [
    row('ES256 on one CPU, 1 caller: CPU of all rooms beyond C_Sign and one verification', beyond('1 caller'), '<=', 50, 'us'),
    row('ES256 on one CPU, 8 callers: the same', beyond('8 callers'), '<=', 50, 'us'),
    row('ES256 JAR on one CPU, 1 caller: p50 / C_Sign by p11-kit server', p50, '<=', 1.7),
  ]
}

async function measureSlowToken(stand) {
  keep('slow token: raw ES256, 16 threads', await stand.raw('ES256', shimSessions))
  keep('slow token: service ES256, 64 callers', await stand.service('ES256', 64))
}

function slowTokenRows() {
  const name = 'slow token: service ES256, 64 callers'
  const limit = (shimSessions * 1e6) / shimDelayUs
  return [
    row('5 ms token, 16 sessions: rate / (16 per 5 ms)', over([name], (x) => x.rate / limit), '>=', 0.98),
    row('5 ms token, 16 sessions: rate / raw C_Sign, 16 threads', ratio(name, 'slow token: raw ES256, 16 threads', 'rate')),
  ]
}

// pkcs11-spy writes a line like "12: C_SignInit" for each call.
async function countCalls(stand, settings) {
  const log = path.join(stand.sandbox.dir, 'spy.log')
  await stand.useModule(sharedModule('pkcs11-spy.so'), { PKCS11SPY: stand.module, PKCS11SPY_OUTPUT: log }, 8)
  const count = settings.rounds > 1 ? 1000 : 100
  await stand.service('ES256', 1, { count: 100 })
  const before = fs.statSync(log).size
  const { ops } = await stand.service('ES256', 1, { count })
  const calls = {}
  for (const [, name] of fs.readFileSync(log).subarray(before).toString('latin1').matchAll(/^\d+: (C_\w+)/gm)) {
    calls[name] = (calls[name] ?? 0) + 1
  }
  fs.rmSync(log, { force: true })
  if (!calls.C_Sign) throw new Error('pkcs11-spy saw no C_Sign')
  const forbidden = Object.entries(calls).filter(([name]) => !['C_SignInit', 'C_Sign'].includes(name))
  return [row('PKCS#11 calls per signature other than C_SignInit and C_Sign', forbidden.reduce((sum, [, n]) => sum + n, 0) / ops, '<', 0.01)]
}

// Flat means: what a million signatures add after the first hundred thousand.
async function measureMemory(stand) {
  const marks = []
  for (const count of [100000, 400000, 500000]) {
    const result = await stand.service('ES256', 16, { count })
    keep(`memory: ${(marks.reduce((sum, mark) => sum + mark.count, 0) + count) / 1000}k signatures`, result)
    marks.push({ count, kib: result.servers_rss_kib })
    progress(`memory: ${result.servers_rss_kib} KiB`)
  }
  const [first, , last] = marks
  return [
    row('resident memory of the three rooms after 1,000,000 signatures', last.kib / 1024, '<=', 40, 'MiB'),
    row('growth from 100,000 to 1,000,000 signatures', (last.kib - first.kib) / first.kib, '<=', 0.02),
  ]
}

// --- conducting --------------------------------------------------------------------------------

// The plain stand: rates, the one-CPU figures and memory, all on one sandbox.
async function onPlainToken(settings, report) {
  const { parts } = settings
  const stand = await Stand.up(settings)
  try {
    await stand.startP11Kit()
    for (let i = 1; i <= settings.rounds; i++) {
      progress(`round ${i} of ${settings.rounds}`)
      if (parts.includes('rates')) await measureRates(stand)
      if (parts.includes('one-cpu')) await measureOneCpu(stand)
    }
    if (parts.includes('rates')) report.rows.push(...rateRows())
    if (parts.includes('one-cpu')) report.rows.push(...oneCpuRows())
    if (parts.includes('memory')) report.rows.push(...(await measureMemory(stand)))
  } finally {
    report.disturbed += stand.disturbed
    await stand.down()
  }
}

async function onSlowToken(settings, report) {
  const stand = await Stand.up(settings)
  try {
    await stand.slowDown()
    for (let i = 1; i <= settings.rounds; i++) {
      progress(`slow token, round ${i} of ${settings.rounds}`)
      await measureSlowToken(stand)
    }
    report.rows.push(...slowTokenRows())
  } finally {
    report.disturbed += stand.disturbed
    await stand.down()
  }
}

async function onSpiedToken(settings, report) {
  const stand = await Stand.up(settings)
  try {
    progress('counting PKCS#11 calls')
    report.rows.push(...(await countCalls(stand, settings)))
  } finally {
    await stand.down()
  }
}

async function main() {
  const settings = settingsOf(given)
  const { rounds: n, seconds } = settings
  const report = { cpus: os.cpus().length, model: os.cpus()[0]?.model, rounds: n, seconds, disturbed: 0, rows: [] }
  if (['rates', 'one-cpu', 'memory'].some((part) => settings.parts.includes(part))) await onPlainToken(settings, report)
  if (settings.parts.includes('token')) await onSlowToken(settings, report)
  if (settings.parts.includes('calls')) await onSpiedToken(settings, report)
  if (settings.parts.includes('tls')) await onTls(settings, report, { keep, ratio, progress })
  await onAudit(settings, report, { keep, ratio, over, progress })
  await onCustody(settings, report, { keep, ratio, progress })
  if (settings.parts.includes('flow')) await onFlow(settings, report, { progress })
  report.slices = rounds
  printTable(report)
  if (given.json) fs.writeFileSync(given.json, `${JSON.stringify(report, null, 1)}\n`)
}

try {
  await main()
} catch (error) {
  console.error(`tests/bench/run: ${error.stderr || error.stack}`)
  process.exitCode = 1
}
