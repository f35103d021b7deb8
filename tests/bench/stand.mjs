// SPDX-License-Identifier: Apache-2.0
// The test stand: a sandbox, a p11-kit server on the same token, and the programs that measure them,
// one slice at a time.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { bin, run, Sandbox, until } from '../e2e/lib.mjs'
import { choice, door } from '../e2e/bodies.mjs'

export const shimDelayUs = 5000
export const shimSessions = 16

const quietCores = 0.12 // a slice in which others took more is measured again
const triesToStart = 5
const sharedModules = '/usr/lib/x86_64-linux-gnu/pkcs11'

export const find = (name, folders) => {
  const found = folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file))
  if (found === undefined) throw new Error(`${name} is not installed; tools/deps --tests installs it`)
  return found
}

const sharedModule = (name) => find(name, [sharedModules, '/usr/lib/pkcs11', '/usr/lib/aarch64-linux-gnu/pkcs11'])

// A JAR of the OP Financial Group, by its shorthand, made up to `length` bytes by a longer state.
function opBody(input, length) {
  const body = {
    response_type: 'code id_token',
    redirect_uri: choice(input, 'redirect_uri'),
    state: '',
    nonce: 'n-0S6_WzA2Mj',
    max_age: 86400,
    authorizationId: '976da7b0-1db2-410d-a5c9-e3a37bc4d7a1',
  }
  const short = length - JSON.stringify(body).length
  return JSON.stringify({ ...body, state: 'Q'.repeat(Math.max(short, 8)) })
}

function fapiBody(input, length) {
  const body = {
    scope: 'openid accounts',
    state: '',
    nonce: 'n-0S6_WzA2Mj',
    redirect_uri: choice(input, 'redirect_uri'),
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  }
  const short = length - JSON.stringify(body).length
  return JSON.stringify({ ...body, state: 'Q'.repeat(Math.max(short, 8)) })
}

export const algs = {
  ES256: { label: 'qseal:seal:seal-ec', profile: 'op-jar-cof', body: opBody },
  PS256: { label: 'qseal:seal:seal', profile: 'fapi2-jar', body: fapiBody },
}

export class Stand {
  constructor(sandbox, settings) {
    this.sandbox = sandbox
    this.settings = settings
    this.disturbed = 0
  }

  // What the audit log costs is a figure of its own (audit.mjs): all others are without it.
  static async up(settings, { audit = false } = {}) {
    const stand = new Stand(await Sandbox.up(), settings)
    try {
      if (!audit) await stand.sandbox.restartedWith((text) => text.replace('audit: {', 'audit: {enabled: false, '))
      await stand.#prepare()
    } catch (error) {
      await stand.down()
      throw error
    }
    return stand
  }

  async #prepare() {
    const yaml = fs.readFileSync(this.sandbox.configPath, 'utf8')
    const value = (pattern) => pattern.exec(yaml)[1]
    this.module = value(/^\s+module: "?([^"\n]+)/m)
    this.token = value(/uri: "pkcs11:token=([^"?;]+)/)
    this.pin = fs.readFileSync(value(/pin-source=file:([^"&]+)/), 'utf8').trim()
    this.tokenRoom = Object.keys(this.sandbox.pids()).find((name) => name.startsWith('qseal-tokend'))
    this.environment = { ...process.env, SOFTHSM2_CONF: this.sandbox.started[this.tokenRoom].env.SOFTHSM2_CONF }
    const profiles = await this.sandbox.profiles()
    this.bodies = {}
    for (const [alg, { profile, body }] of Object.entries(algs)) {
      if (profiles[profile].alg !== alg) throw new Error(`${profile} signs ${profiles[profile].alg}, not ${alg}`)
      this.bodies[alg] = path.join(this.sandbox.dir, `body-${alg}.json`)
      fs.writeFileSync(this.bodies[alg], body(profiles[profile].input, 300))
    }
  }

  async down() {
    if (this.p11kit !== undefined) {
      this.p11kit.kill()
      this.p11kit = undefined
    }
    for (const file of Object.values(this.bodies ?? {})) fs.rmSync(file, { force: true })
    await this.sandbox.down()
  }

  // `p11-kit server` on the token the service uses: C_Sign moved to another process, nothing else.
  async startP11Kit() {
    const socket = path.join(this.sandbox.dir, 'p11kit.sock')
    const args = ['server', '--foreground', '--name', socket, '--provider', this.module, `pkcs11:token=${this.token}`]
    this.p11kit = spawn('p11-kit', args, { env: this.environment, stdio: 'ignore' })
    await until('p11-kit server listens', () => fs.existsSync(socket))
    this.environment.P11_KIT_SERVER_ADDRESS = `unix:path=${socket}`
  }

  roomPids() {
    return Object.values(this.sandbox.pids())
  }

  // --- slices: each gives the object its program prints ---

  #key(alg) {
    return ['--token', this.token, '--pin', this.pin, '--label', algs[alg].label]
  }

  raw(alg, threads, options = {}) {
    return this.#slice('bench_raw', ['--module', this.module, ...this.#key(alg), '--threads', threads], options)
  }

  throughP11Kit(alg, options = {}) {
    const module = sharedModule('p11-kit-client.so')
    const args = ['--module', module, ...this.#key(alg), '--pids', this.p11kit.pid]
    return this.#slice('bench_raw', args, options)
  }

  verification(alg, options = {}) {
    return this.#slice('bench_verify', ['--alg', alg], options)
  }

  // One record's bytes, on the disk of the log.
  sync(options = {}) {
    return this.#slice('bench_sync', ['--file', path.join(this.sandbox.dir, 'audit', 'bench')], options)
  }

  service(alg, connections, options = {}) {
    const args = ['--socket', this.sandbox.socket, '--path', door(algs[alg].profile), '--body', this.bodies[alg]]
    return this.#slice('bench_http', [...args, '--connections', connections, '--pids', this.roomPids().join()], options)
  }

  // All rooms, the server beside them and what is measured meanwhile, on CPU 0.
  async onOneCpu(work) {
    const pids = [...this.roomPids(), ...(this.p11kit === undefined ? [] : [this.p11kit.pid])]
    const all = (await run('taskset', ['-p', '-c', String(process.pid)])).stdout.split(': ')[1].trim()
    const pin = (cpus) => Promise.all(pids.map((pid) => run('taskset', ['-a', '-p', '-c', cpus, String(pid)])))
    await pin('0')
    try {
      return await work({ cpu: 0 })
    } finally {
      await pin(all)
    }
  }

  // Again, while others were busy; the quietest counts, and a round that never was quiet is confessed.
  async #slice(program, args, { cpu, count } = {}) {
    const length = count === undefined ? ['--seconds', this.settings.seconds] : ['--count', count]
    const command = [path.join(bin, program), ...args, ...length, '--warm-up', this.settings.warmUp].map(String)
    if (cpu !== undefined) command.unshift('taskset', '-c', String(cpu))
    let best
    for (let i = 0; i < (count === undefined ? this.settings.tries : 1); i++) {
      const answer = await this.#start(command)
      if (best === undefined || answer.other_cores < best.other_cores) best = answer
      if (best.other_cores <= quietCores) return best
    }
    this.disturbed++
    return best
  }

  // SoftHSM may lose its token for a moment while two processes log in; the programs retry, and so
  // do we, since a module that failed to initialise stays so for its process.
  async #start(command) {
    for (let i = 1; ; i++) {
      try {
        const { stdout } = await run(command[0], command.slice(1), { env: this.environment })
        const answer = JSON.parse(stdout)
        if (answer.failed > 0) throw new Error(`${answer.failed} requests were refused`)
        return answer
      } catch (error) {
        if (i === triesToStart) throw error
      }
    }
  }

  // --- another module between tokend and the token ---

  // Restarts the rooms with `module` in the configuration and `variables` in tokend's environment.
  // The token takes 5 ms for each signature, as one behind a network does.
  async slowDown() {
    const shim = find('qseal-test-shim.so', [path.join(bin, '../tests'), bin])
    const knobs = { QSEAL_SHIM_MODULE: this.module, QSEAL_SHIM_DELAY_US: String(shimDelayUs), QSEAL_SHIM_SESSIONS: String(shimSessions) }
    await this.useModule(shim, knobs, shimSessions)
  }

  async useModule(module, variables, sessions) {
    for (const name of Object.keys(this.sandbox.pids())) await this.sandbox.kill(name, 'SIGTERM')
    this.sandbox.editConfig((text) => text.replace(/module: .*/, `module: "${module}"\n    sessions: ${sessions}`))
    Object.assign(this.sandbox.started[this.tokenRoom].env, variables)
    for (const name of Object.keys(this.sandbox.started)) this.sandbox.restart(name)
    await this.sandbox.ready()
    Object.assign(this.environment, variables)
    this.module = module
  }
}

export { sharedModule }
