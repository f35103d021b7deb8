// SPDX-License-Identifier: Apache-2.0
// The programs of docs/tls.md, each as its snippet there says, with paths and the bank's name replaced. What is tested
// is what is documented.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'

import { repository, request, seconds, until } from './lib.mjs'
import { finished, freePorts, plainEnv, Program, temporary } from './tls.mjs'

// Name → text of each fenced block of a page that has `<!-- run: NAME -->` in front.
export function snippets(page = path.join(repository, 'docs/tls.md')) {
  const found = fs.readFileSync(page, 'utf8').matchAll(/^( *)<!-- run: (\S+) -->\n\1```\w*\n([\s\S]*?)\n\1```$/gm)
  return Object.fromEntries([...found].map(([, indent, name, text]) => [name, `${text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')}\n`]))
}

// Who is the client, and of whom: `cert`, `key` (a key or a reference), `ca`: files; `conf`: OPENSSL_CONF or undefined;
// `port`: the bank's; `local`: a port for programs that listen; `dir`: for what the program needs.
export class Setting {
  constructor(values) {
    Object.assign(this, values)
  }

  with(values) {
    return new Setting({ ...this, ...values })
  }

  get env() {
    return this.conf === undefined ? plainEnv : { ...plainEnv, OPENSSL_CONF: this.conf }
  }

  // Certificate and key in one file, as haproxy wants them.
  get both() {
    const file = path.join(this.dir, 'both.pem')
    fs.writeFileSync(file, fs.readFileSync(this.cert) + fs.readFileSync(this.key))
    return file
  }

  replace(text) {
    const changed = text
      .replace(/^export OPENSSL_CONF=.*$/m, '')
      .replaceAll('/etc/bank/transport.crt.pem', this.cert)
      .replaceAll('/etc/bank/transport.key.pem', this.key)
      .replaceAll('/etc/bank/ca.crt.pem', this.ca)
      .replaceAll('https://bank.example', `https://localhost:${this.port}`)
      .replaceAll('bank.example:443', `127.0.0.1:${this.port}`)
      .replaceAll('bank.example', 'localhost')
      .replaceAll(/\b8081\b/g, String(this.local))
    return changed.includes('/etc/bank/both.pem') ? changed.replaceAll('/etc/bank/both.pem', this.both) : changed
  }

  // A file with the snippet of that name, ready to run.
  file(name, suffix = '', around = (text) => text) {
    const file = path.join(this.dir, `${name}${suffix}`)
    // Renamed, not written over: another run may be reading it.
    fs.writeFileSync(`${file}.new`, around(this.replace(snippets()[name])))
    fs.renameSync(`${file}.new`, file)
    return file
  }

  // The same of a file of hsm-config.
  shipped(name) {
    const file = path.join(this.dir, name)
    const text = fs.readFileSync(path.join(repository, 'hsm-config', name), 'utf8')
    fs.writeFileSync(file, this.replace(text.replaceAll('/run/qseal-egress', this.dir)))
    return file
  }
}

// --- programs that ask and end ---------------------------------------------------------------

async function asked(setting, command, ...args) {
  const { code, stdout, stderr } = await finished(command, args, { env: setting.env, cwd: setting.dir })
  if (code !== 0) throw new Error(`${path.basename(command)} ended with ${code}: ${stdout}${stderr}`)
  if (!stdout.includes('SUCCESS')) throw new Error(`no answer of the bank: ${stdout}${stderr}`)
  // s_client -quiet has the head as well.
  return stdout.trim().split('\n').at(-1)
}

// --- programs that stand between -------------------------------------------------------------

// What the program answers at its port: the bank's body, or an error with the program's log.
export async function through(program, port, timeout) {
  const answer = await request({ host: '127.0.0.1', port }, 'GET', '/', { timeout }).catch((error) => ({ status: error.message, bytes: '' }))
  if (answer.status === 200) return String(answer.bytes).trim()
  throw new Error(`${program.name} answered ${answer.status} ${answer.bytes}\n${program.log}`)
}

// Starts `start(setting)`, a program that listens at `setting.local`, at a free port; another one when somebody was faster.
export async function atFreePort(setting, start) {
  for (let tries = 0; ; tries++) {
    const [local] = await freePorts(1)
    const program = start(setting.with({ local }))
    try {
      await program.listensAt({ port: local })
      return Object.assign(program, { local })
    } catch (error) {
      await program.end()
      if (tries > 2 || !/in use/.test(error.message)) throw error
    }
  }
}

export function nginxConfiguration(setting, { main = '', servers, name = 'nginx' } = {}) {
  const user = process.getuid() === 0 && !/\buser\b/.test(main) ? 'user root;' : ''
  return `daemon off; pid ${setting.dir}/${name}.pid; error_log stderr info;
${user} ${main}
events { worker_connections 512; }
http {
${temporary(setting.dir, name)}
access_log off;
${servers}
}
`
}

// `change(text)`: of the server's block.
export const startNginx = (setting, { main = 'worker_processes 1;', change = (text) => text } = {}) =>
  atFreePort(setting, (at) => {
    const file = at.file('nginx', '.conf', (servers) => nginxConfiguration(at, { main, servers: change(servers) }))
    return new Program(at.dir, 'nginx', ['nginx', '-p', at.dir, '-c', file, '-e', 'stderr'], { env: at.env })
  })

export const startHaproxy = (setting, { global = '' } = {}) =>
  atFreePort(setting, (at) => {
    const file = at.file('haproxy', '.cfg', (text) => `global
    log stderr format raw local0
    ${global}
defaults
    mode http
    log global
    option httplog
    # It would wait a second before each.
    retries 0
    timeout connect 10s
    timeout client 30s
    timeout server 30s
${text}`)
    return new Program(at.dir, 'haproxy', ['haproxy', '-db', '-f', file], { env: at.env })
  })

export const startStunnel = (setting, { global = '' } = {}) =>
  atFreePort(setting, (at) => {
    const file = at.file('stunnel', '.conf', (text) => `foreground = yes\npid =\nsyslog = no\n${global}\n${text}`)
    return new Program(at.dir, 'stunnel', ['stunnel4', file], { env: at.env })
  })

const between = (start) => async (setting) => {
  const program = await start(setting)
  try {
    return await through(program, program.local)
  } finally {
    await program.end()
  }
}

// Name → async (setting) → the bank's answer; throws with what the program has to say.
export const programs = {
  curl: (setting) => asked(setting, 'bash', '-eu', setting.file('curl', '.sh')),
  openssl: (setting) => asked(setting, 'bash', '-eu', setting.file('openssl', '.sh')),
  nginx: between(startNginx),
  haproxy: between(startHaproxy),
  stunnel: between(startStunnel),
  python: (setting) => asked(setting, '/usr/bin/python3', setting.file('python', '.py')),
  node: (setting) => asked(setting, process.execPath, setting.file('node', '.mjs')),
}

// --- load ---------------------------------------------------------------------------------------

// Ends the program whatever becomes of the test.
export async function running(start, use) {
  const program = await start()
  try {
    return await use(program)
  } finally {
    await program.end()
  }
}

// Callers of a program that stands between, each request of which is a handshake with the bank.
export class Load {
  constructor(port, view, callers = 8) {
    Object.assign(this, { port, view, on: true, good: 0, workers: new Set(), wrong: [] })
    this.done = Promise.all(Array.from({ length: callers }, () => this.#ask()))
  }
  async #ask() {
    while (this.on) {
      const answer = await request({ host: '127.0.0.1', port: this.port }, 'GET', '/').catch((error) => ({ status: error.message, headers: {} }))
      if (answer.status === 200 && String(answer.bytes).trim() === this.view) this.good++
      else this.wrong.push(`${answer.status} ${answer.bytes}`)
      this.workers.add(answer.headers['x-worker'])
    }
  }
  async more(n) {
    const from = this.good
    await until(`${n} more handshakes`, () => this.good >= from + n || this.wrong.length > 0, seconds(60))
    assert.deepEqual(this.wrong, [])
  }
  async stop() {
    this.on = false
    await this.done
    assert.deepEqual(this.wrong, [])
  }
}

// Handshakes in memory by the threads and children of one process: how many were good; none is bad.
export async function forks(setting, server, { threads, children, handshakes }) {
  const script = path.join(repository, 'tests/e2e/tls-forks.py')
  const args = [script, setting.cert, setting.key, setting.ca, server.cert, server.key, threads, children, handshakes].map(String)
  const { stdout, stderr } = await finished('/usr/bin/python3', args, { env: setting.env, timeout: seconds(120) })
  const { good, bad } = JSON.parse(stdout || '{"bad":["nothing"]}')
  assert.deepEqual(bad, [], stderr)
  assert.equal(good, (2 * threads + children) * handshakes)
  return good
}

// --- the matrix ------------------------------------------------------------------------------

// Each program at each of these doors of the bank: rows of { program, door, key, result, view }.
export async function matrix(setting, bank, { subject, key, places, names = Object.keys(programs) }) {
  const rows = []
  for (const door of places) {
    for (const program of names) {
      const row = { program, door, key, result: 'pass', view: '' }
      try {
        row.view = await programs[program](setting.with({ port: bank.ports[door] }))
        if (row.view !== bank.view(door, subject)) row.result = 'WRONG VIEW'
      } catch (error) {
        row.result = 'FAIL'
        row.view = error.message.slice(-600)
      }
      rows.push(row)
    }
  }
  return rows
}

export function table(rows) {
  const columns = { program: 'program', door: 'server', key: 'key', result: 'result', view: 'what the server saw' }
  const all = [columns, ...rows]
  const widths = Object.fromEntries(Object.keys(columns).map((name) => [name, Math.max(...all.map((row) => row[name].length))]))
  return all.map((row) => Object.keys(columns).map((name) => row[name].padEnd(name === 'view' ? 0 : widths[name])).join('  ')).join('\n')
}

