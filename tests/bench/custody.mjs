// SPDX-License-Identifier: Apache-2.0
// What key custody costs those who sign: a rotation under load, and a keyring of a thousand keys.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { door } from '../e2e/bodies.mjs'
import { bin, pause, run, until } from '../e2e/lib.mjs'
import { algs, Stand } from './stand.mjs'
import { median, quantile, row } from './table.mjs'

const callers = 64
const windowNs = 250e6 // on each side of the command
// From one switch to the next there is room for the window around it and for as long before that, each with 100 ms
// for the command: what a switch is compared with has nothing of the one before.
const spacingMs = (4 * windowNs) / 1e6 + 200
const manyKeys = 1000

async function ctl(stand, ...args) {
  const { code, stdout, stderr } = await stand.sandbox.ctl('key', ...args)
  if (code !== 0) throw new Error(`qsealctl key ${args.join(' ')}: ${stderr}`)
  return stdout
}

// --- rotations -----------------------------------------------------------------------------------

// Successors that may be activated at once, one after the other.
async function successors(stand, n) {
  const kids = []
  for (let i = 0; i < n; i++) {
    const { keys } = JSON.parse(await ctl(stand, 'generate', 'seal-ec', '--json'))
    kids.push(keys[0].kid)
    await ctl(stand, 'publish', keys[0].kid)
  }
  return kids
}

function load(stand, seconds, samples) {
  const args = ['--socket', stand.sandbox.socket, '--path', door(algs.ES256.profile), '--body', stand.bodies.ES256, '--connections', callers,
    '--seconds', seconds, '--warm-up', 0.2, '--samples', samples, '--pids', stand.roomPids().join()]
  return run(path.join(bin, 'bench_http'), args.map(String))
}

// Of the window around a switch, and of as long before that.
function p99s(samples, { begun, ended }) {
  const from = begun - windowNs
  const to = ended + windowNs
  const latencies = (a, b) => samples.filter(([end]) => end >= a && end < b).map(([, latency]) => latency)
  const before = latencies(from - (to - from), from)
  return { before: quantile(before, 0.99), during: quantile(latencies(from, to), 0.99) }
}

async function rotations(stand, settings, { keep, progress }) {
  const n = settings.rounds > 1 ? Math.max(settings.rounds, 5) : 2
  await stand.sandbox.restartedWith((text) => `${text}limits: {jwks_max_age_s: 1}\n`)
  const kids = await successors(stand, n)
  const last = kids.pop()
  await until('the youngest successor may be activated', async () => {
    await ctl(stand, 'activate', last)
    return true
  })
  const file = path.join(stand.sandbox.dir, 'samples')
  const running = load(stand, (n * spacingMs) / 1000, file)
  const switches = []
  for (const kid of kids) {
    await pause(spacingMs)
    progress(`rotation ${switches.length + 1} of ${n - 1}`)
    const begun = Number(process.hrtime.bigint())
    await ctl(stand, 'activate', kid)
    switches.push({ begun, ended: Number(process.hrtime.bigint()) })
  }
  const result = JSON.parse((await running).stdout)
  keep(`rotation: service ES256, ${callers} callers`, result)
  const samples = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(' ').map(Number))
  fs.rmSync(file)
  const found = switches.map((moment) => p99s(samples, moment))
  return [
    row(`rotation, ${callers} callers, ${switches.length} switches: failed requests`, result.failed, '<=', 0),
    row('rotation: p99 during the switch / before it', median(found.map(({ before, during }) => during / before)), '<=', 2),
    row('rotation: p99 before the switch', median(found.map(({ before }) => before)) / 1000, undefined, undefined, 'us'),
    row('rotation: p99 during the switch', median(found.map(({ during }) => during)) / 1000, undefined, undefined, 'us'),
  ]
}

// --- a large keyring -----------------------------------------------------------------------------

const stateOf = (stand) => path.join(stand.sandbox.dir, 'state', 'qseald')

// The stand's keyring and one with a thousand keys, each in a folder of its own.
async function twoKeyrings(stand) {
  const folders = Object.fromEntries(['few', 'many'].map((name) => [name, path.join(stand.sandbox.dir, `state-${name}`)]))
  for (const folder of Object.values(folders)) fs.cpSync(stateOf(stand), folder, { recursive: true })
  await run(path.join(bin, 'bench_keyring'), ['--keyring', path.join(folders.many, 'keyring.json'), '--keys', String(manyKeys),
    '--ec-role', 'seal-ec', '--rsa-role', 'seal', '--token', 'hsm-a'])
  return folders
}

async function useKeyring(stand, folder) {
  await stand.sandbox.kill('qseald')
  fs.rmSync(stateOf(stand), { recursive: true })
  fs.cpSync(folder, stateOf(stand), { recursive: true })
}

// Milliseconds from the program's start until it says that it is ready. It is killed then.
function startMs(stand) {
  const [program, ...args] = stand.sandbox.started.qseald.argv
  return new Promise((resolve, reject) => {
    const begun = process.hrtime.bigint()
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    let ms
    child.stderr.on('data', (part) => {
      said += part
      if (ms !== undefined || !said.includes('is ready')) return
      ms = Number(process.hrtime.bigint() - begun) / 1e6
      child.kill('SIGKILL')
    })
    child.on('close', () => (ms === undefined ? reject(new Error(`qseald did not start: ${said}`)) : resolve(ms)))
  })
}

async function answerMs(stand, target) {
  const times = []
  for (let i = 0; i < 5; i++) {
    const { status, ms, bytes } = await stand.sandbox.get(target)
    if (status !== 200) throw new Error(`${target}: ${status} ${bytes}`)
    times.push(ms)
  }
  return median(times)
}

async function listMs(stand) {
  const begun = process.hrtime.bigint()
  await ctl(stand, 'list', '--json')
  return Number(process.hrtime.bigint() - begun) / 1e6
}

async function keyrings(stand, settings, { keep, ratio, progress }) {
  const folders = await twoKeyrings(stand)
  const seen = { few: [], many: [] }
  for (let i = 1; i <= settings.rounds; i++) {
    progress(`keyring, round ${i} of ${settings.rounds}`)
    for (const [name, folder] of Object.entries(folders)) {
      await useKeyring(stand, folder)
      const start = await startMs(stand)
      stand.sandbox.restart('qseald')
      await stand.sandbox.ready()
      keep(`keyring: service ES256, 8 callers, ${name} keys`, await stand.service('ES256', 8))
      seen[name].push({ start, jwks: await answerMs(stand, '/v1/jwks'), keys: await answerMs(stand, '/v1/keys'), list: await listMs(stand) })
    }
  }
  const figure = (name, field) => median(seen[name].map((round) => round[field]))
  const starts = seen.many.map(({ start }, i) => start / seen.few[i].start)
  const rates = ['many', 'few'].map((name) => `keyring: service ES256, 8 callers, ${name} keys`)
  return [
    row(`keyring of ${manyKeys} keys: start / with the sandbox's three`, median(starts), '<=', 2),
    row('keyring: start with three keys', figure('few', 'start'), undefined, undefined, 'ms'),
    row(`keyring: start with ${manyKeys} keys`, figure('many', 'start'), undefined, undefined, 'ms'),
    row(`keyring of ${manyKeys} keys: rate / with three`, ratio(...rates, 'rate'), '>=', 0.98),
    ...[['jwks', 'GET /v1/jwks'], ['keys', 'GET /v1/keys'], ['list', 'qsealctl key list']].flatMap(([field, what]) => [
      row(`keyring: ${what}, three keys`, figure('few', field), undefined, undefined, 'ms'),
      row(`keyring: ${what}, ${manyKeys} keys`, figure('many', field), undefined, undefined, 'ms'),
    ]),
  ]
}

const parts = { rotation: rotations, keyring: keyrings }

export async function onCustody(settings, report, tools) {
  for (const [name, measure] of Object.entries(parts)) {
    if (!settings.parts.includes(name)) continue
    const stand = await Stand.up(settings)
    try {
      report.rows.push(...(await measure(stand, settings, tools)))
    } finally {
      report.disturbed += stand.disturbed
      await stand.down()
    }
  }
}
