// SPDX-License-Identifier: Apache-2.0
// Clocks that stand between a program and those it asks: in front of the service's unix socket, and, as a proxy for HTTPS, in
// front of whatever is asked by TLS. They hand on what they are given and look at nothing but the first line.

import http from 'node:http'
import net from 'node:net'

const now = () => Number(process.hrtime.bigint()) / 1e6

// Closes what is open with the server, too.
function opened(server, where) {
  const sockets = new Set()
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  server.end = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  }
  return new Promise((resolve, reject) => server.once('error', reject).listen(where, () => resolve(server)))
}

function joined(a, b) {
  a.on('error', () => b.destroy()).pipe(b)
  b.on('error', () => a.destroy()).pipe(a)
}

// What was asked for: a handshake's signature, an artefact's, a verification, or to look at something.
function kindOf(octets) {
  const [, method, path] = /^(\S+) \/v1\/(\S+)/.exec(octets.toString('latin1')) ?? []
  if (method !== 'POST') return 'look'
  if (path.startsWith('tls-signature/')) return 'handshake'
  return path.startsWith('verify/') ? 'verification' : 'signature'
}

// `requests`: { kind, ms }, from the first octet of each question to the last of its answer; the connecting is in the first.
export class ServiceClock {
  requests = []

  static async start(place, socket) {
    const clock = new ServiceClock()
    const server = net.createServer({ noDelay: true }, (caller) => {
      let request
      let begun = now()
      const service = net.connect(socket)
      caller.on('data', (octets) => {
        if (request === undefined) {
          request = { kind: kindOf(octets), begun: begun ?? now() }
          clock.requests.push(request)
        }
        begun = undefined
      })
      // Once more after each part: the last one counts.
      service.on('data', () => {
        const asked = request ?? clock.requests.at(-1)
        asked.ms = now() - asked.begun
        request = undefined
      })
      joined(caller, service)
    })
    clock.server = await opened(server, place)
    return clock
  }

  end() {
    return this.server.end()
  }
}

// An HTTP proxy that knows CONNECT (`https_proxy`). `ms`: the sum of what each connection took, from its request to its end.
export class BankClock {
  ms = 0
  connections = 0

  static async start() {
    const clock = new BankClock()
    const server = http.createServer().on('connect', (request, caller, first) => {
      const begun = now()
      const { hostname, port } = new URL(`https://${request.url}`)
      const bank = net.connect({ host: hostname, port: Number(port || 443), noDelay: true }, () => {
        caller.write('HTTP/1.1 200 Connection established\r\n\r\n')
        if (first.length > 0) bank.write(first)
        joined(caller, bank)
      })
      bank.on('error', () => caller.destroy())
      caller.once('close', () => {
        clock.ms += now() - begun
        clock.connections++
      })
    })
    clock.server = await opened(server, { host: '127.0.0.1', port: 0 })
    clock.url = `http://127.0.0.1:${clock.server.address().port}`
    return clock
  }

  end() {
    return this.server.end()
  }
}
