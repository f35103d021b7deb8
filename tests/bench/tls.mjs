// SPDX-License-Identifier: Apache-2.0
// What delegation costs a TLS client: the same program, the same server, the same kind of key, once in a
// file and once in the service. And what the provider costs those who do not use it.

import fs from 'node:fs'
import path from 'node:path'

import { bin, run, Sandbox } from '../e2e/lib.mjs'
import { configured, plainEnv, Program, sandboxAuthority, temporary } from '../e2e/tls.mjs'
import { snippets } from '../e2e/tls-programs.mjs'
import { row } from './table.mjs'

const quietCores = 0.12 // a slice in which others took more is measured again
const manyHandshakes = 10000
export const tlsTypes = { 'P-256': 'p-256', 'RSA-2048': 'rsa' }
const versions = ['1.3', '1.2']
const callers = [1, 8]
// What who does not use a delegated key does: works of bench_tls, and a handshake without a certificate.
const unrelated = ['keygen', 'hash', 'handshake']

class TlsStand {
  constructor(box, settings) {
    Object.assign(this, { box, settings, disturbed: 0, dir: path.join(box.dir, 'bench') })
    fs.mkdirSync(this.dir)
    this.sockets = { demanding: path.join(this.dir, 'demanding.sock'), plain: path.join(this.dir, 'plain.sock') }
  }

  static async up(type, settings) {
    const stand = new TlsStand(await Sandbox.up('--transport', type), settings)
    try {
      await stand.#prepare(type)
    } catch (error) {
      await stand.down()
      throw error
    }
    return stand
  }

  async #prepare(type) {
    const authority = sandboxAuthority(this.box, this.dir)
    const server = await authority.issue('server')
    const file = await authority.issue('client', { type, usage: 'clientAuth' })
    const { cert, key, conf } = this.box.transport
    this.clients = {
      file,
      qseal: { cert, key, conf },
      transcript: { cert, key, conf: configured(this.box, this.dir, 'transcript', snippets()['transcript.cnf']) },
    }
    fs.writeFileSync(path.join(this.dir, 'nginx.conf'), this.#nginx(server, authority))
    this.server = new Program(this.dir, 'nginx', ['nginx', '-p', this.dir, '-c', path.join(this.dir, 'nginx.conf'), '-e', 'stderr'])
    await this.server.listensAt({ path: this.sockets.plain })
  }

  #nginx(server, authority) {
    const door = (socket, verify) => `
  server {
    listen unix:${socket} ssl;
    ssl_certificate ${server.cert};
    ssl_certificate_key ${server.key};
    ssl_verify_client ${verify}; ssl_client_certificate ${authority.cert};
    return 200 "ok\\n";
  }`
    return `daemon off; master_process off; pid ${this.dir}/nginx.pid; error_log stderr crit;
events { worker_connections 512; }
http {
${temporary(this.dir, 'nginx')}
  access_log off; default_type text/plain; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets off; ssl_session_cache off;
${door(this.sockets.demanding, 'on')}${door(this.sockets.plain, 'off')}
}
`
  }

  async down() {
    if (this.server !== undefined) await this.server.end()
    fs.rmSync(this.dir, { recursive: true, force: true })
    await this.box.down()
  }

  // Handshakes with the client's key where `client` says; undefined: without one.
  handshakes(client, version, threads, { conf = client?.conf, count } = {}) {
    const keys = client === undefined ? [] : ['--cert', client.cert, '--key', client.key]
    const socket = client === undefined ? this.sockets.plain : this.sockets.demanding
    const args = ['--socket', socket, '--ca', this.box.transport.ca, '--tls', version, '--threads', threads, ...keys]
    return this.#slice([...args, '--pids', [this.server.pid, ...Object.values(this.box.pids())].join()], conf, count)
  }

  work(name, conf) {
    return name === 'handshake' ? this.handshakes(undefined, '1.3', 1, { conf }) : this.#slice(['--work', name], conf)
  }

  async #slice(args, conf, count) {
    const length = count === undefined ? ['--seconds', this.settings.seconds] : ['--count', count]
    const command = [...args, ...length, '--warm-up', this.settings.warmUp].map(String)
    const env = conf === undefined ? plainEnv : { ...plainEnv, OPENSSL_CONF: conf }
    let best
    for (let i = 0; i < (count === undefined ? this.settings.tries : 1); i++) {
      const { stdout } = await run(path.join(bin, 'bench_tls'), command, { env, maxBuffer: 1 << 24 })
      const answer = JSON.parse(stdout)
      if (best === undefined || answer.other_cores < best.other_cores) best = answer
      if (best.other_cores <= quietCores) return best
    }
    this.disturbed++
    return best
  }
}

const cases = Object.keys(tlsTypes).flatMap((type) => versions.flatMap((version) => callers.map((n) => ({ type, version, n }))))
const nameOf = (who, { type, version, n }) => `TLS ${version}, ${type}, ${n} at once: ${who}`

async function measureType(stand, type, keep) {
  for (const one of cases.filter((each) => each.type === type)) {
    for (const [who, client] of Object.entries(stand.clients)) {
      if (who === 'transcript' && one.version === '1.2') continue
      keep(nameOf(who, one), await stand.handshakes(client, one.version, one.n))
    }
  }
  if (type !== 'P-256') return
  for (const name of unrelated) {
    keep(`unrelated ${name}: without the provider`, await stand.work(name))
    keep(`unrelated ${name}: with it`, await stand.work(name, stand.clients.qseal.conf))
  }
}

function rows(ratio, failed) {
  const list = []
  for (const one of cases) {
    const title = `TLS ${one.version}, ${one.type}, ${one.n} at once: handshakes per second`
    list.push(row(`${title} / with a file`, ratio(nameOf('qseal', one), nameOf('file', one), 'rate'), '>=', one.n === 1 ? 0.8 : 0.75))
    if (one.version === '1.3') {
      list.push(row(`${title}, transcript mode / without`, ratio(nameOf('transcript', one), nameOf('qseal', one), 'rate'), '>=', 0.9))
    }
  }
  for (const name of unrelated) {
    list.push(row(`unrelated ${name}: rate with the provider / without`, ratio(`unrelated ${name}: with it`, `unrelated ${name}: without the provider`, 'rate'), '>=', 0.95))
  }
  list.push(row('failed handshakes, all of the above', failed.slices, '<', 1))
  if (failed.many !== undefined) list.push(row(`failed of ${manyHandshakes} handshakes by 8 threads`, failed.many, '<', 1))
  return list
}

// `keep` and `ratio` are the conductor's book of slices.
export async function onTls(settings, report, { keep, ratio, progress }) {
  const failed = { slices: 0 }
  const note = (name, slice) => {
    failed.slices += slice.failed
    keep(name, slice)
  }
  for (const [type, option] of Object.entries(tlsTypes)) {
    const stand = await TlsStand.up(option, settings)
    try {
      for (let i = 1; i <= settings.rounds; i++) {
        progress(`TLS with ${type}, round ${i} of ${settings.rounds}`)
        await measureType(stand, type, note)
      }
      if (settings.rounds > 1 && type === 'P-256') {
        progress(`${manyHandshakes} handshakes`)
        failed.many = (await stand.handshakes(stand.clients.qseal, '1.3', 8, { count: manyHandshakes })).failed
      }
    } finally {
      report.disturbed += stand.disturbed
      await stand.down()
    }
  }
  report.rows.push(...rows(ratio, failed))
}
