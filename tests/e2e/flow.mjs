// SPDX-License-Identifier: Apache-2.0
// tools/flow as a test runs it: with the sandbox's environment, a browser that is a script, and programs in its way that
// write down with which arguments they were started.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

import { repository, request, seconds } from './lib.mjs'
import { plainEnv } from './tls.mjs'

const program = path.join(repository, 'tools/flow')
export const customer = path.join(repository, 'tests/bank/customer')

const envOf = (box) => ({ ...plainEnv, QSEAL_SOCKET: box.socket, QSEAL_CONFIG: box.configPath, OPENSSL_CONF: box.transport.conf })

// Runs it to its end: { code, stdout, stderr, lines, failed, result }. `lines` are the objects of --json, `failed` and
// `result` what the last of them holds. `onError` sees the child and each piece of standard error.
export function flow(box, args, { env = {}, input = '', timeout = seconds(60), onError } = {}) {
  return new Promise((resolve, reject) => {
    // A group of its own, so that a test can kill it with all it has started.
    const child = spawn(program, args, { env: { ...envOf(box), ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), timeout)
    child.stdout.setEncoding('utf8').on('data', (text) => (said.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said.stderr += text
      onError?.(child, said.stderr)
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const lines = said.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
      resolve({ code: code ?? signal, ...said, lines, failed: lines.at(-1)?.failed, result: lines.at(-1)?.result })
    })
    child.stdin.on('error', () => {})
    if (onError === undefined) child.stdin.end(input)
  })
}

// The bank's control socket.
export class Control {
  constructor(bank) {
    this.socket = bank.socket
  }

  async #ask(method, target, body) {
    const { status, bytes } = await request(this.socket, method, target, { body: body && JSON.stringify(body) })
    if (status !== 200) throw new Error(`${method} ${target}: ${status} ${bytes}`)
    return JSON.parse(bytes)
  }

  lie(lie, times = 1) {
    return this.#ask('PUT', '/lie', { lie, times })
  }

  truth() {
    return this.#ask('DELETE', '/lie')
  }

  tls(version) {
    return this.#ask('PUT', '/tls', { min: version, max: version })
  }

  ledger() {
    return this.#ask('GET', '/ledger')
  }

  // The lies there are; with `current`, the one being told.
  lies() {
    return this.#ask('GET', '/lies')
  }

  rotate() {
    return this.#ask('POST', '/rotate')
  }
}

// A script that is run with the authorization URL.
export function script(dir, name, text) {
  const file = path.join(dir, name)
  fs.writeFileSync(file, `#!/bin/bash\n${text}\n`, { mode: 0o755 })
  return file
}

// Everything that is kept in a folder, as one text, with the modes of its files.
export function kept(dir) {
  const names = fs.readdirSync(dir)
  return {
    modes: new Set(names.map((name) => fs.statSync(path.join(dir, name)).mode & 0o777)),
    files: Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(dir, name), 'utf8')])),
  }
}

// A folder for PATH in which each of these programs first writes down its arguments in `log`; `before` and `after` are more
// lines of bash, around the program.
export function watched(dir, names, { before = '', after = '' } = {}) {
  const folder = fs.mkdtempSync(path.join(dir, 'path-'))
  const log = path.join(folder, 'arguments.log')
  for (const name of names) {
    script(folder, name, `printf '%s\\n' "\${0##*/}" "$@" >>${log}\n${before}\n/usr/bin/${name} "$@"; code=$?\n${after}\nexit $code`)
  }
  return { env: { PATH: `${folder}:${plainEnv.PATH}` }, log }
}
