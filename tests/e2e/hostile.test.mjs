// SPDX-License-Identifier: Apache-2.0
// At least a hundred hostile requests. Each gets the one result its row names; right after each a
// good request is signed; and at the end the same processes are there, no bigger, and no log holds
// a word of any payload.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { bodies, door, opPayment } from './bodies.mjs'
import { Sandbox, seconds, slow, until } from './lib.mjs'
import { canary, httpRows, jsonRows, lateRows, pipelinedLimits, pipelinedRows, slowRows } from './hostile.mjs'

const growthKiB = 12 * 1024
// The rooms together, whatever has been asked of them.
const togetherKiB = 40 * 1024
// Freed memory stays in the sanitizer's quarantine.
const growthSanitizedKiB = 512 * 1024

let box
let good
let counted = 0
const passed = new Set()

before(async () => {
  box = await Sandbox.up()
  const { input } = (await box.profiles())['op-jar-cof']
  good = () => box.post(door('op-jar-cof'), bodies['op-jar-cof'](input))
})
after(() => box?.down())

async function goodRequestSucceeds(after) {
  const answer = await good()
  assert.equal(answer.status, 200, `a good request after «${after}» got ${answer.status} ${answer.bytes}`)
}

const describeResult = (result) => (result.status === undefined ? 'close' : result.status)

function checkProblem(row, response) {
  if (row.bodyless) return
  if (response.headers['content-type'] !== 'application/problem+json') {
    // Pages of the HTTP library itself, for broken HTTP only.
    assert.ok(row.http, `${row.name}: ${response.status} is not problem+json: ${response.body}`)
    return
  }
  const problem = JSON.parse(response.body)
  assert.equal(problem.status, response.status)
  assert.match(problem.type, /^urn:qseal:problem:[a-z-]+$/)
  assert.ok(!JSON.stringify(problem).includes(canary), `${row.name}: the answer repeats the payload`)
  if (row.type) assert.equal(problem.type, `urn:qseal:problem:${row.type}`, row.name)
  if (row.claim !== undefined) assert.equal(problem.claim, row.claim, row.name)
}

async function check(row, box) {
  const options = { want: row.want ?? 1, timeout: row.timeout, halfClose: row.halfClose, bodyless: row.bodyless, onWritten: row.onWritten }
  const result = await box.raw(row.parts, options).catch((error) => assert.fail(`${row.name}: ${error.message}`))
  counted++
  const got = describeResult(result)
  assert.ok(row.expect.includes(got), `${row.name}: expected ${row.expect}, got ${got} ${result.bytes.toString('latin1').slice(0, 300)}`)
  for (const response of result.responses) if (response.status >= 400) checkProblem(row, response)
  if (row.closes) assert.ok(result.closed || result.status === undefined, `${row.name}: the connection stays open`)
  if (row.within) assert.ok(result.ms < row.within, `${row.name}: took ${result.ms} ms`)
  row.check?.(result)
  row.lasts = result.ms
  passed.add(row)
}

describe('hostile requests', () => {
  let first

  before(async () => {
    first = box.pids()
  })

  const json = jsonRows()
  const http = httpRows()

  for (const row of json) {
    test(`JSON: ${row.name}`, { timeout: seconds(30) }, async () => {
      await check(row, box)
      await goodRequestSucceeds(row.name)
    })
  }

  for (const row of http) {
    test(`HTTP: ${row.name}`, { timeout: seconds(30) }, async () => {
      await check(row, box)
      await goodRequestSucceeds(row.name)
    })
  }

  test('the slow ones, all at once, while good requests go on', { timeout: seconds(90) }, async () => {
    const rows = slowRows()
    let waiting = true
    const attacks = Promise.allSettled(rows.map((row) => check(row, box))).finally(() => {
      waiting = false
    })
    while (waiting) await goodRequestSucceeds('slow connections')
    const failed = (await attacks).filter(({ status }) => status === 'rejected')
    assert.deepEqual(failed.map(({ reason }) => reason.message), [])
    await goodRequestSucceeds('slow connections')
  })

  test('half a head that was there before httpd looked is given no more time', { timeout: seconds(60) }, async () => {
    const rows = lateRows()
    await box.freeze('qseal-httpd')
    let attacks
    try {
      const written = new Set()
      attacks = Promise.allSettled(rows.map((row) => check({ ...row, onWritten: () => written.add(row.name) }, box)))
      await until('half a head of each is there', () => written.size === rows.length)
    } finally {
      box.signal('qseal-httpd', 'SIGCONT')
    }
    const failed = (await attacks).filter(({ status }) => status === 'rejected')
    assert.deepEqual(failed.map(({ reason }) => reason.message), [])
    await goodRequestSucceeds('late heads')
  })

  test('200 connections that say nothing do not keep others out', { timeout: seconds(60) }, async () => {
    const { default: net } = await import('node:net')
    const idle = await Promise.all(
      Array.from({ length: 200 }, () => new Promise((resolve) => {
        const socket = net.connect(box.socket, () => resolve(socket))
        socket.on('error', () => resolve(socket))
      })),
    )
    counted++
    await goodRequestSucceeds('200 silent connections')
    for (const socket of idle) socket.destroy()
    await goodRequestSucceeds('200 silent connections closed')
  })

  test('random bytes, 300 times', { timeout: seconds(60) }, async () => {
    for (let i = 0; i < 300; i++) {
      const result = await box.raw([randomBytes(1 + (i * 7) % 900), '\r\n\r\n'], { halfClose: true })
      assert.ok(['close', 400, 404, 405, 413, 414, 431, 501, 505].includes(describeResult(result)), `got ${describeResult(result)}`)
    }
    counted++
    await goodRequestSucceeds('random bytes')
  })

  test('memory stays where it was when all of it comes again', { timeout: seconds(300) }, async () => {
    const rows = [...json, ...http].filter((row) => passed.has(row)) // the others have failed above
    const allowed = box.sanitized() ? growthSanitizedKiB : growthKiB
    const size = () => Object.fromEntries(Object.keys(first).map((name) => [name, box.rssKiB(name)]))
    // Those that end by a deadline of ours wait side by side.
    const long = rows.filter((row) => row.lasts > seconds(1))
    const before = size()
    for (let round = 0; round < 3; round++) {
      const waiting = Promise.all(long.map((row) => check(row, box)))
      for (const row of rows) if (!long.includes(row)) await check(row, box)
      await waiting
    }
    const then = size()
    for (const name of Object.keys(first)) {
      console.log(`# ${name}: ${before[name]} KiB, then ${then[name]} KiB`)
      assert.ok(then[name] - before[name] <= allowed, `${name} grew from ${before[name]} to ${then[name]} KiB`)
    }
  })

  test('a burst of the largest bodies is answered, and does not stay in memory', { timeout: seconds(120) }, async () => {
    const body = opPayment.replace('test_payment', 'a'.repeat(1024 * 1024 - opPayment.length + 'test_payment'.length))
    // All may be held at once: fewer than the 64 MiB that one user's bodies may have.
    const statuses = await Promise.all(Array.from({ length: Math.ceil(56 / slow) }, async () => (await box.post(door('op-detached'), body)).status))
    assert.deepEqual(statuses.filter((status) => status !== 200), [])
    const together = () => Object.keys(first).reduce((sum, name) => sum + box.rssKiB(name), 0)
    const allowed = box.sanitized() ? growthSanitizedKiB * 3 : togetherKiB
    await until(`the rooms together are within ${allowed} KiB again`, async () => {
      await goodRequestSucceeds('a burst')
      if (together() <= allowed) return true
      throw new Error(`they have ${together()} KiB`)
    })
  })

  test('the same processes are there', () => {
    assert.deepEqual(box.pids(), first)
    for (const name of Object.keys(first)) assert.ok(box.alive(name), `${name} is dead`)
  })

  test('no log holds a payload or an artefact', () => {
    const logs = box.logs()
    assert.ok(logs.length > 0, 'there are logs')
    assert.ok(!logs.includes(canary), `a log holds the canary: …${logs.slice(logs.indexOf(canary) - 200, logs.indexOf(canary) + 50)}`)
    assert.doesNotMatch(logs, /eyJ[A-Za-z0-9_-]{8,}/, 'a log holds base64url JSON')
    assert.doesNotMatch(logs, /AddressSanitizer|ThreadSanitizer|runtime error:|Assertion/)
  })

  test('what is pipelined behind a whole request is bounded by idle_ms', { timeout: seconds(60) }, async () => {
    const hasty = await Sandbox.up()
    try {
      await hasty.restartedWith((text) => `${text}limits: ${JSON.stringify(pipelinedLimits)}\n`)
      const results = await Promise.allSettled(pipelinedRows().map((row) => check(row, hasty)))
      const failed = results.filter(({ status }) => status === 'rejected')
      assert.deepEqual(failed.map(({ reason }) => reason.message), [])
      await hasty.ready()
    } finally {
      await hasty.down()
    }
  })

  test('there were at least 100', () => {
    const rows = json.length + http.length + slowRows().length + pipelinedRows().length
    console.log(`# hostile requests: ${rows} different ones, ${counted} sent`)
    assert.ok(rows >= 100, `only ${rows}`)
  })
})
