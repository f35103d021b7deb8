// SPDX-License-Identifier: Apache-2.0
// What the audit log costs those who sign: the same service with the log and without it, in turn; and what one
// append and fdatasync cost on the same disk.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { bin, run } from '../e2e/lib.mjs'
import { Stand } from './stand.mjs'
import { row } from './table.mjs'

const slices = [
  ['PS256', 8],
  ['ES256', 8],
  ['ES256', 64],
  ['ES256', 1],
]
const nameOf = (log, alg, callers) => `audit ${log}: ${alg}, ${callers} callers`

async function round(stands, keep) {
  keep('append and fdatasync', await stands.on.sync())
  for (const [alg, callers] of slices) {
    for (const [log, stand] of Object.entries(stands)) keep(nameOf(log, alg, callers), await stand.service(alg, callers))
  }
}

const slowName = (log) => `audit ${log}, 5 ms token: ES256, 1 callers`

async function slowRounds(stands, settings, { keep, over }) {
  for (const stand of Object.values(stands)) await stand.slowDown()
  for (let i = 0; i < settings.rounds; i++) {
    for (const [log, stand] of Object.entries(stands)) keep(slowName(log), await stand.service('ES256', 1))
  }
  return row('audit on / off: p50, ES256, 1 caller, token of 5 ms', over([slowName('on'), slowName('off')], (on, off) => on.p50_us / off.p50_us), '<=', 1.02)
}

// A log as long as an auditor's, in memory that does not grow with it.
async function verification(settings) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'qb-'))
  const records = settings.rounds > 1 ? 1000000 : 10000
  try {
    const { stdout } = await run(path.join(bin, 'bench_audit'), ['--folder', folder, '--records', String(records)])
    const found = JSON.parse(stdout)
    return [
      row('audit verify: CPU for 10,000,000 records', found.cpu_s_per_10_million, '<=', 60, 's'),
      row('audit verify: resident memory at most', found.peak_rss_kib / 1024, undefined, undefined, 'MiB'),
    ]
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function rowsOf({ ratio, over }) {
  const rate = (alg, callers) => ratio(nameOf('on', alg, callers), nameOf('off', alg, callers), 'rate')
  const one = ['on', 'off'].map((log) => nameOf(log, 'ES256', 1))
  return [
    row('audit on / off: rate, PS256, 8 callers', rate('PS256', 8), '>=', 0.92),
    row('audit on / off: rate, ES256, 8 callers', rate('ES256', 8), '>=', 0.7),
    row('audit on / off: rate, ES256, 64 callers', rate('ES256', 64)),
    row('audit: what 1 caller pays (p50) / append and fdatasync (p50)',
      over([...one, 'append and fdatasync'], (on, off, sync) => (on.p50_us - off.p50_us) / sync.p50_us), '<=', 0.4),
  ]
}

export async function onAudit(settings, report, tools) {
  if (!settings.parts.includes('audit')) return
  const stands = {}
  try {
    stands.on = await Stand.up(settings, { audit: true })
    stands.off = await Stand.up(settings)
    for (let i = 1; i <= settings.rounds; i++) {
      tools.progress(`audit, round ${i} of ${settings.rounds}`)
      await round(stands, tools.keep)
    }
    report.rows.push(...rowsOf(tools), await slowRounds(stands, settings, tools), ...(await verification(settings)))
  } finally {
    for (const stand of Object.values(stands)) {
      report.disturbed += stand.disturbed
      await stand.down()
    }
  }
}
