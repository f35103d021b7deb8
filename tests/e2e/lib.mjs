// SPDX-License-Identifier: Apache-2.0
// What every end-to-end test needs: a sandbox of its own, HTTP over the unix socket, raw bytes for
// broken HTTP, waiting for a condition with a deadline, the rooms' processes, and verification by
// implementations that are not ours (npm jose; openssl in openssl.mjs).

import { execFile, spawn } from 'node:child_process'
import { webcrypto } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { parse } from 'yaml'

// Node 18 has Web Crypto, but not as globals.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

export const run = promisify(execFile)
export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const bin = process.env.QSEAL_BIN ?? path.join(repository, 'build/bin')
// How many times slower than a release build the programs are (sanitizers): deadlines of the tests
// grow with it. Those of the programs do not.
export const slow = Number(process.env.QSEAL_SLOW ?? 1)
export const seconds = (n) => n * 1000 * slow

const sandboxTool = path.join(repository, 'tools/sandbox')

// --- waiting ---------------------------------------------------------------------------------

// Calls `probe` until it gives something truthy and returns that; throws with `what` and the last
// error when the deadline has passed. The pause between two looks decides nothing.
export async function until(what, probe, ms = seconds(15)) {
  const deadline = Date.now() + ms
  let last
  for (;;) {
    try {
      const value = await probe()
      if (value) return value
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${ms} ms in vain for: ${what}${last === undefined ? '' : ` (${last.message})`}`, { cause: last })
    }
    await pause(20)
  }
}

// For moments that are no condition; who uses it says why there is none.
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// What a sanitizer says, on standard error, of the room it is in (src/ is built so that
// everything it finds ends the room, except a leak, which is found at the end).
const report = /(Address|Thread|Memory|Leak|UndefinedBehavior)Sanitizer|runtime error:/

function throwIfReported(where, text) {
  const at = text.search(report)
  if (at >= 0) throw new Error(`a sanitizer reports in ${where}:\n${text.slice(Math.max(0, at - 200), at + 6000)}`)
}

// What tells the sanitizers how to be; CMake sets it.
export const sanitizerEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^[A-Z]+SAN_OPTIONS$/.test(name)))

// --- HTTP ------------------------------------------------------------------------------------

// One request on a connection of its own (or on `agent`), to the path of a socket or { host, port }.
// Resolves for every status; rejects when there was no answer.
export function request(where, method, target, { body, headers = {}, agent = false, timeout = seconds(30) } = {}) {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint()
    const sent = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body)
    const all = { ...headers }
    if (sent !== undefined) all['Content-Length'] ??= String(sent.length)
    const outgoing = http.request({ ...(typeof where === 'string' ? { socketPath: where } : where), method, path: target, headers: all, agent }, (incoming) => {
      const parts = []
      incoming.on('data', (part) => parts.push(part))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const bytes = Buffer.concat(parts)
        resolve({
          status: incoming.statusCode,
          headers: incoming.headers,
          bytes,
          ms: Number(process.hrtime.bigint() - started) / 1e6,
          get json() {
            return JSON.parse(bytes.toString('utf8'))
          },
        })
      })
    })
    // A deadline; past it the test has failed.
    outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`no answer to ${method} ${target} in ${timeout} ms`)))
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}

// Splits off the first whole HTTP response; null while it is incomplete.
function firstResponse(bytes, toHead) {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const lines = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(lines[0])?.[1])
  const headers = Object.fromEntries(
    lines.slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const bodyless = toHead || status < 200 || status === 204 || status === 304
  const length = bodyless ? 0 : Number(headers['content-length'] ?? 0)
  const total = end + 4 + length
  if (bytes.length < total) return null
  return { status, headers, body: bytes.subarray(end + 4, total), rest: bytes.subarray(total) }
}

function responsesOf(bytes, toHead) {
  const list = []
  for (let next = firstResponse(bytes, toHead); next !== null; next = firstResponse(next.rest, toHead)) {
    if (next.status >= 200) list.push(next)
  }
  return list
}

// Writes `parts` as they are (a number is a pause in milliseconds: slowness that is itself the
// attack) and reads until the server closes, until `want` whole responses are there, or until
// `timeout`, which is a failure: every request gets one definite answer. Answers to HEAD are
// `bodyless`. `onWritten` is called whenever a part is with the kernel.
export function raw(socketPath, parts, { want = 1, timeout = seconds(20), halfClose = false, bodyless = false, onWritten = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const started = Date.now()
    const socket = net.connect({ path: socketPath, allowHalfOpen: true })
    let bytes = Buffer.alloc(0)
    let over = false
    const finish = (closed) => {
      if (over) return
      over = true
      clearTimeout(timer)
      socket.destroy()
      const responses = responsesOf(bytes, bodyless)
      resolve({ responses, status: responses[0]?.status, closed, bytes, ms: Date.now() - started })
    }
    // A deadline, as above.
    const timer = setTimeout(() => {
      over = true
      socket.destroy()
      reject(new Error(`neither an answer nor a close in ${timeout} ms; got ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`))
    }, timeout)
    socket.on('data', (part) => {
      bytes = Buffer.concat([bytes, part])
      if (responsesOf(bytes, bodyless).length >= want) finish(false)
    })
    socket.on('end', () => finish(true))
    socket.on('close', () => finish(true))
    socket.on('error', () => finish(true)) // EPIPE or ECONNRESET: closed in our face
    socket.on('connect', async () => {
      for (const part of parts) {
        if (over || socket.destroyed) return
        if (typeof part === 'number') await pause(part)
        else if (!socket.write(part, onWritten)) await new Promise((next) => socket.once('drain', next).once('close', next))
      }
      if (halfClose && !over) socket.end()
    })
  })
}

// --- sandbox ---------------------------------------------------------------------------------

export class Sandbox {
  constructor(dir) {
    this.dir = dir
    this.socket = path.join(dir, 'qseal.sock')
    this.admin = path.join(dir, 'admin.sock')
  }

  // A folder of short path (a socket's path has 107 bytes), removed again by down().
  static async up(...options) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qe-'))
    const box = new Sandbox(dir)
    try {
      await run(sandboxTool, ['up', dir, ...options], { env: { ...process.env, QSEAL_BIN: bin }, timeout: seconds(120) })
      box.remember()
    } catch (error) {
      console.error(error.stdout, error.stderr)
      await box.down().catch(() => {})
      throw error
    }
    return box
  }

  // Throws when a room does not end by itself, or a sanitizer had something to say: leaks are
  // found at the very end, so the logs are read after it.
  async down() {
    try {
      await run(sandboxTool, ['down', this.dir, '--keep'], { env: { ...process.env, QSEAL_BIN: bin }, timeout: seconds(60) })
      for (const [name, text] of this.#logFiles()) throwIfReported(name, text)
    } finally {
      fs.rmSync(this.dir, { recursive: true, force: true })
    }
  }

  // The TLS client's files, by the names that Setting (tls-programs.mjs) has for them.
  get transport() {
    const at = (name) => path.join(this.dir, name)
    return { cert: at('transport.crt.pem'), key: at('transport.key.pem'), ca: at('ca.crt.pem'), conf: at('openssl.cnf') }
  }

  get(target, options) {
    return request(this.socket, 'GET', target, options)
  }

  // `body`: bytes or text as they are, or a value to be written as JSON.
  post(target, body, { headers = {}, ...rest } = {}) {
    const plain = typeof body === 'string' || Buffer.isBuffer(body)
    const type = headers['Content-Type'] ?? 'application/json'
    const all = { ...headers, 'Content-Type': type }
    if (type === null) delete all['Content-Type']
    return request(this.socket, 'POST', target, { body: plain ? body : JSON.stringify(body ?? {}), headers: all, ...rest })
  }

  raw(parts, options) {
    return raw(this.socket, Array.isArray(parts) ? parts : [parts], options)
  }

  // qsealctl; resolves with { code, stdout, stderr } whatever the exit code.
  ctl(...args) {
    return this.#program('qsealctl', ['--socket', this.admin, ...args])
  }

  #program(name, args) {
    return new Promise((resolve, reject) => {
      execFile(path.join(bin, name), args, { timeout: seconds(30) }, (error, stdout, stderr) => {
        try {
          throwIfReported(name, stderr)
        } catch (report) {
          reject(report)
        }
        resolve({ code: error === null ? 0 : (error.code ?? -1), stdout, stderr })
      })
    })
  }

  async status() {
    const { code, stdout, stderr } = await this.ctl('status', '--json')
    if (code !== 0) throw new Error(`qsealctl status: ${code} ${stderr}`)
    return JSON.parse(stdout)
  }

  get configPath() {
    return path.join(this.dir, 'qseal.yaml')
  }

  // Rewrites qseal.yaml by `change(text)`.
  editConfig(change) {
    const text = fs.readFileSync(this.configPath, 'utf8')
    const changed = change(text)
    if (changed === text) throw new Error('the change to qseal.yaml changed nothing')
    fs.writeFileSync(this.configPath, changed)
    return text
  }

  // name → pid, as the sandbox noted them and as we restarted them.
  pids() {
    const folder = path.join(this.dir, 'pids')
    return Object.fromEntries(
      fs.readdirSync(folder).map((name) => [name, Number(fs.readFileSync(path.join(folder, name), 'utf8').trim())]),
    )
  }

  // How each room was started, so that restart() can do what systemd would. (Its environment is
  // not readable where it gave up being dumpable; the sandbox gives it nothing but the token's
  // configuration of SoftHSM.)
  remember() {
    this.started = {}
    for (const [name, pid] of Object.entries(this.pids())) {
      const argv = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
      const [, token] = /^qseal-tokend-(.+)$/.exec(name) ?? []
      const env = token === undefined ? {} : { SOFTHSM2_CONF: path.join(this.dir, 'hsm', token, 'softhsm2.conf') }
      this.started[name] = { argv, env: { ...process.env, ...env } }
    }
  }

  alive(name) {
    const pid = this.pids()[name]
    try {
      // A zombie is not alive; but its sockets are there until its last thread is gone.
      const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
      return !/^State:\s+[ZX]/m.test(status) || !/^Threads:\s+[01]$/m.test(status)
    } catch {
      return false
    }
  }

  signal(name, signal) {
    process.kill(this.pids()[name], signal)
  }

  // Stopped, and not only told to: a thread on another core goes on for a moment.
  async freeze(name) {
    this.signal(name, 'SIGSTOP')
    const tasks = `/proc/${this.pids()[name]}/task`
    const state = (task) => /\) (\S)/.exec(fs.readFileSync(`${tasks}/${task}/stat`, 'utf8'))[1]
    await until(`${name} stands still`, () => fs.readdirSync(tasks).every((task) => state(task) === 'T'))
  }

  async kill(name, signal = 'SIGKILL') {
    this.signal(name, signal)
    await until(`${name} is gone`, () => !this.alive(name))
  }

  // Starts a killed room as the sandbox had started it (behind the command `wrap`, if given), and
  // notes its pid for `sandbox down`. The child is ours: it tells how it ended.
  restart(name, wrap = []) {
    const { argv, env } = this.started[name]
    const [program, ...args] = [...wrap, ...argv]
    const log = fs.openSync(path.join(this.dir, 'logs', `${name}.log`), 'a')
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', log, log] })
    fs.closeSync(log)
    child.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
    fs.writeFileSync(path.join(this.dir, 'pids', name), `${child.pid}\n`)
    this.children = { ...this.children, [name]: child }
    return child
  }

  // As `systemctl restart`: SIGTERM, its end, a new one. How it ended must be in order.
  async cycle(name) {
    const child = this.children?.[name]
    await this.kill(name, 'SIGTERM')
    if (child !== undefined && (await child.ended) !== 0) throw new Error(`${name} ended with ${await child.ended}`)
    return this.restart(name)
  }

  // What takes effect only at the start of qseald (limits, say).
  async restartedWith(change) {
    this.editConfig(change)
    await this.cycle('qseald')
    await this.ready()
  }

  rssKiB(name) {
    return Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${this.pids()[name]}/status`, 'utf8'))[1])
  }

  sanitized() {
    const program = fs.readFileSync(path.join(bin, 'qseald'), 'latin1')
    return program.includes('__asan_init') || program.includes('__tsan_init')
  }

  #logFiles() {
    const folder = path.join(this.dir, 'logs')
    return fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name), 'latin1')])
  }

  logs() {
    return this.#logFiles().map(([, text]) => text).join('\n')
  }

  async profiles() {
    const { json } = await this.get('/v1/profiles')
    return Object.fromEntries(json.profiles.map((profile) => [profile.name, profile]))
  }

  // The values of one binding, as its file has them: name → text, list or number.
  bound(name) {
    const { values = [] } = parse(fs.readFileSync(path.join(this.dir, 'profiles.d', `${name}.yaml`), 'utf8'))
    return Object.fromEntries(values.map((row) => [row.name, row.value ?? row.values ?? row.integer ?? JSON.parse(row.json)]))
  }

  // Healthy, and each role signs: what health says of a token may be a moment old.
  async ready() {
    await until('the service is ready', async () => {
      const health = await this.get('/v1/health', { timeout: seconds(4) })
      if (health.status !== 200 || health.json.status !== 'ready') return false
      const answers = await Promise.all([this.post('/v1/client-assertion/fapi2-assertion', '{}'), this.post('/v1/dpop/dpop', { htm: 'GET', htu: 'https://rs.example/a' })])
      return answers.every(({ status }) => status === 200)
    })
  }
}
