// SPDX-License-Identifier: Apache-2.0
// Quantiles, and the table of figures beside their targets.

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)]
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at))
}

export const median = (values) => quantile(values, 0.5)

const holds = {
  '>=': (value, target) => value >= target,
  '<=': (value, target) => value <= target,
  '<': (value, target) => value < target,
}

// Without a target the figure is for information.
export function row(name, value, relation, target, unit = '') {
  if (!Number.isFinite(value)) throw new Error(`no figure for: ${name}`)
  const reached = relation === undefined ? undefined : holds[relation](value, target)
  return { name, value, relation, target, unit, reached }
}

const columns = [
  ['op/s', 'rate', 0],
  ['p50 us', 'p50_us', 1],
  ['p99 us', 'p99_us', 1],
  ['own CPU us', 'cpu_us_per_op', 1],
  ['server CPU us', 'servers_cpu_us_per_op', 1],
  ['server KiB', 'servers_rss_kib', 0],
]

function printSlices(slices) {
  console.log(`\n${'median of the rounds'.padEnd(52)}${columns.map(([title]) => title.padStart(14)).join('')}`)
  for (const [name, results] of Object.entries(slices)) {
    const cells = columns.map(([, field, digits]) => median(results.map((result) => result[field])).toFixed(digits))
    console.log(name.padEnd(52) + cells.map((cell) => cell.padStart(14)).join(''))
  }
}

function printRows(rows) {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2
  console.log(`\n${'figure'.padEnd(width)}${'measured'.padStart(12)}${'target'.padStart(12)}`)
  for (const { name, value, relation, target, unit, reached } of rows) {
    const wanted = relation === undefined ? '' : `${relation} ${target}`
    const verdict = reached === undefined ? '' : reached ? '  reached' : '  NOT REACHED'
    console.log(`${name.padEnd(width)}${`${value.toFixed(3)} ${unit}`.trim().padStart(12)}${wanted.padStart(12)}${verdict}`)
  }
}

export function printTable(report) {
  printSlices(report.slices)
  printRows(report.rows)
  const { rounds, seconds, cpus, model, disturbed } = report
  console.log(`\n${rounds} rounds of ${seconds} s slices on ${cpus} x ${model}; ${disturbed} slices were disturbed by other programs.`)
}
