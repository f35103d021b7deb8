// SPDX-License-Identifier: Apache-2.0
// The other side of mutual TLS, made of foreign programs alone: a CA of the openssl command line, and a
// bank, nginx, that demands a client certificate and answers with what it saw.

import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

import { run, seconds, until } from './lib.mjs'

// For foreign programs: none of our variables, sanitizers' options among them.
export const plainEnv = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: os.tmpdir(), LC_ALL: 'C.UTF-8' }

export const openssl = (...args) => run('openssl', args, { env: plainEnv, timeout: seconds(30) })

// --- ports and programs ----------------------------------------------------------------------

// Free ports below the range from which the kernel takes those of outgoing connections, all different. Nobody
// holds them: who is refused one at its start takes another.
export async function freePorts(n) {
  const held = []
  try {
    for (let tries = 0; held.length < n; tries++) {
      if (tries > 1000) throw new Error('there is no free port')
      const server = net.createServer()
      const port = 10000 + Math.floor(Math.random() * 22000)
      const free = await new Promise((resolve) => {
        server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
      })
      if (free) held.push(server)
    }
    return held.map((server) => server.address().port)
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

// A program in the background, what it says in `<dir>/<name>.log`. Ended by its own pid.
export class Program {
  constructor(dir, name, [command, ...args], { env = plainEnv, cwd = dir } = {}) {
    this.name = name
    this.logPath = path.join(dir, `${name}.log`)
    const log = fs.openSync(this.logPath, 'w')
    this.child = spawn(command, args, { cwd, env, stdio: ['ignore', log, log] })
    fs.closeSync(log)
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve((this.how = signal ?? code)))
      this.child.once('error', (error) => resolve((this.how = error.message)))
    })
  }

  get log() {
    return fs.readFileSync(this.logPath, 'utf8')
  }

  get pid() {
    return this.child.pid
  }

  // Until somebody listens there, or the program has ended.
  async listensAt(where) {
    await until(`${this.name} listens at ${where.path ?? where.port}`, () => {
      if (this.how !== undefined) return true
      return new Promise((resolve) => {
        const socket = net.connect({ host: '127.0.0.1', ...where })
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('close', () => socket.destroy())
        socket.once('connect', () => socket.destroy())
      })
    })
    if (this.how !== undefined) throw new Error(`${this.name} ended with ${this.how}: ${this.log}`)
    return this
  }

  async end(signal = 'SIGTERM') {
    if (this.how === undefined) this.child.kill(signal)
    // A deadline: nothing outlives its test, and `how` is SIGKILL then.
    const timer = setTimeout(() => this.child.kill('SIGKILL'), seconds(10))
    await this.ended
    clearTimeout(timer)
    return this.how
  }
}

// --- certificates ----------------------------------------------------------------------------

export const keyTypes = {
  rsa: ['RSA', 'rsa_keygen_bits:2048'],
  'p-256': ['EC', 'ec_paramgen_curve:P-256'],
  'p-384': ['EC', 'ec_paramgen_curve:P-384'],
  ed25519: ['ED25519'],
}

export async function makeKey(file, type) {
  const [algorithm, option] = keyTypes[type]
  await openssl('genpkey', '-quiet', '-algorithm', algorithm, ...(option ? ['-pkeyopt', option] : []), '-out', file)
  return file
}

// A certification authority: its certificate and key, as files in `dir`.
export class Authority {
  constructor(dir, cert, key) {
    Object.assign(this, { dir, cert, key })
  }

  static async create(dir, name = 'ca') {
    const [cert, key] = [path.join(dir, `${name}.crt.pem`), path.join(dir, `${name}.key.pem`)]
    await makeKey(key, 'p-256')
    await openssl('req', '-x509', '-new', '-key', key, '-subj', `/O=Test/CN=${name}`, '-days', '2', '-out', cert,
      '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
    return new Authority(dir, cert, key)
  }

  // A key in a file and its certificate, for a server or a client: { cert, key }, paths.
  async issue(name, { type = 'p-256', usage = 'serverAuth', names = 'DNS:localhost,IP:127.0.0.1,IP:::1' } = {}) {
    const at = (suffix) => path.join(this.dir, `${name}.${suffix}`)
    await makeKey(at('key.pem'), type)
    await openssl('req', '-new', '-key', at('key.pem'), '-subj', `/O=Test/CN=${name}`, '-out', at('csr.pem'))
    fs.writeFileSync(at('ext'), [
      'basicConstraints = critical, CA:FALSE', `keyUsage = critical, digitalSignature${type === 'rsa' ? ', keyEncipherment' : ''}`, `extendedKeyUsage = ${usage}`,
      'subjectKeyIdentifier = hash', 'authorityKeyIdentifier = keyid', `subjectAltName = ${names}`, ''].join('\n'))
    await openssl('x509', '-req', '-in', at('csr.pem'), '-CA', this.cert, '-CAkey', this.key, '-set_serial', `0x${Buffer.from(name).toString('hex').slice(0, 30)}`,
      '-days', '2', '-extfile', at('ext'), '-out', at('crt.pem'))
    return { cert: at('crt.pem'), key: at('key.pem') }
  }
}

// The authority of a sandbox; what it issues goes to `dir`.
export const sandboxAuthority = (box, dir) => new Authority(dir, path.join(box.dir, 'ca.crt.pem'), path.join(box.dir, 'private/ca.key.pem'))

// The OpenSSL configuration of a sandbox with more in some of its sections: `more` is text of the same form. A file in `dir`.
export function configured(box, dir, name, more) {
  let text = `${fs.readFileSync(box.transport.conf, 'utf8').trimEnd()}\n`
  for (const [, section, lines] of more.matchAll(/^\[(\w+)\]\n((?:[^[\n].*\n?)*)/gm)) {
    const head = `[${section}]\n`
    text = text.includes(head) ? text.replace(head, `${head}${lines.trimEnd()}\n`) : `${text}\n${head}${lines}`
  }
  const file = path.join(dir, `${name}.cnf`)
  fs.writeFileSync(file, text)
  return file
}

// --- the bank --------------------------------------------------------------------------------

// The doors of the bank: one version each, so that a client need not be told which to speak. `other` is another server, with
// another key, of the same name and CA.
const doors = {
  'TLSv1.2': 'ssl_protocols TLSv1.2;',
  'TLSv1.3': 'ssl_protocols TLSv1.3;',
  // Without PSS a client with an RSA key signs PKCS#1.
  'TLSv1.2 pkcs1': 'ssl_protocols TLSv1.2; ssl_conf_command ClientSignatureAlgorithms RSA+SHA256;',
  // No client offers a share of this group unasked: HelloRetryRequest.
  'TLSv1.3 retry': 'ssl_protocols TLSv1.3; ssl_ecdh_curve secp521r1;',
  'TLSv1.3 aes128': 'ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;',
  'TLSv1.2 other': 'ssl_protocols TLSv1.2;',
  'TLSv1.3 other': 'ssl_protocols TLSv1.3;',
  // The server never signs: nothing proves who it is.
  'TLSv1.2 static': 'ssl_protocols TLSv1.2; ssl_ciphers AES128-GCM-SHA256;',
}
const serverOf = (door) => (door.endsWith('other') ? 'other' : door.endsWith('static') ? 'static' : 'bank')

const haveIpv6 = Object.values(os.networkInterfaces()).flat().some(({ address }) => address === '::1')

export class Bank {
  // `authority` issues the bank's certificates, and is whom the bank believes about its clients.
  static async start(dir, authority) {
    const bank = new Bank()
    bank.servers = { bank: await authority.issue('bank'), other: await authority.issue('other'), static: await authority.issue('static', { type: 'rsa' }) }
    for (let tries = 0; ; tries++) {
      const ports = await freePorts(Object.keys(doors).length)
      bank.ports = Object.fromEntries(Object.keys(doors).map((door, i) => [door, ports[i]]))
      fs.writeFileSync(path.join(dir, 'bank.conf'), bank.#configuration(dir, authority))
      bank.program = new Program(dir, 'bank', ['nginx', '-p', dir, '-c', path.join(dir, 'bank.conf'), '-e', 'stderr'])
      try {
        await bank.program.listensAt({ port: ports[0] })
        return bank
      } catch (error) {
        if (tries > 2 || !/Address already in use/.test(error.message)) throw error
      }
    }
  }

  #configuration(dir, authority) {
    const server = ([door, port]) => `
  server {
    listen 127.0.0.1:${port} ssl;
    ${haveIpv6 ? `listen [::1]:${port} ssl;` : ''}
    ${doors[door]}
    ssl_certificate ${this.servers[serverOf(door)].cert};
    ssl_certificate_key ${this.servers[serverOf(door)].key};
    return 200 "$ssl_protocol $ssl_client_verify $ssl_client_s_dn sni=$ssl_server_name\\n";
  }`
    return `daemon off; master_process off; pid ${dir}/bank.pid; error_log stderr info;
events { worker_connections 512; }
http {
${temporary(dir, 'bank')}
  access_log off; default_type text/plain; ssl_verify_client on; ssl_client_certificate ${authority.cert};
  # Each handshake is a whole one.
  ssl_session_tickets off; ssl_session_cache off;
${Object.entries(this.ports).map(server).join('')}
}
`
  }

  // What the bank answers to this client when all is well.
  view(door, subject) {
    return `${door.split(' ')[0]} SUCCESS ${subject} sni=localhost`
  }

  end() {
    return this.program.end()
  }
}

// The folders that nginx makes at its start, where every user may.
export function temporary(dir, name) {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${dir}/${name}-${kind};`).join('\n')
}

// The subject of a certificate, as nginx writes it.
export async function subjectOf(cert) {
  const { stdout } = await openssl('x509', '-in', cert, '-noout', '-subject', '-nameopt', 'RFC2253')
  return stdout.trim().replace(/^subject=\s*/, '')
}

// A program that has its say and ends: { code, stdout, stderr }, whatever the code.
export function finished(command, args, { env = plainEnv, cwd, input = '', timeout = seconds(30) } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { env, cwd, timeout }, (error, stdout, stderr) => {
      if (error && error.code === 'ENOENT') reject(error)
      else resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? -1), stdout, stderr })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
