// SPDX-License-Identifier: Apache-2.0
// Callers of several profiles, who keep what they received: for each signature what must be in the audit log.

import assert from 'node:assert/strict'

import { receivedOf, thumbprint } from './audit-log.mjs'
import { artefactMember, bodies, door, operations } from './bodies.mjs'
import { pause, seconds } from './lib.mjs'

// ES256 and PS256, whole and detached, with b64 false and with the key in the header.
export const profiles = ['op-jar-cof', 'fapi2-jar', 'op-detached', 'uk-314', 'uk-313', 'dpop', 'fapi2-assertion', 'br-body']
const closed = ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE']

export class Callers {
  received = [] // with { asked, got }: when; and what `look` saw then
  refusals = [] // { status, type, detail, retry, asked, got }
  broken = 0 // no answer, and the connection closed
  wrong = [] // anything else

  constructor(box, inputs, thumbprints) {
    Object.assign(this, { box, inputs, thumbprints, on: true })
  }

  static async start(box, n, look = () => undefined) {
    const inputs = Object.fromEntries(Object.entries(await box.profiles()).map(([name, { input }]) => [name, input]))
    const { keys } = (await box.get('/v1/jwks')).json
    const callers = new Callers(box, inputs, new Map(keys.map((jwk) => [jwk.kid, thumbprint(jwk)])))
    callers.look = look
    callers.done = Promise.all(Array.from({ length: n }, (_, i) => callers.#call(i)))
    return callers
  }

  async #call(from) {
    for (let i = from; this.on; i += 1) {
      if (!(await this.ask(profiles[i % profiles.length]))) await pause(5) // decides nothing: nobody spins in front of a closed door
    }
  }

  // One request; whether it was signed.
  async ask(profile) {
    const asked = performance.now()
    const body = bodies[profile](this.inputs[profile])
    try {
      const answer = await this.box.post(door(profile), body, { timeout: seconds(20) })
      return this.#note(profile, body, answer, { asked, got: performance.now() })
    } catch (error) {
      if (closed.includes(error.code)) this.broken += 1
      else this.wrong.push(String(error.stack))
      return false
    }
  }

  #note(profile, body, { status, headers, json, bytes }, times) {
    if (status === 200) {
      const about = { request: headers['qseal-request-id'], body, thumbprints: this.thumbprints }
      this.received.push({ ...receivedOf(json[artefactMember[operations[profile]]], about), ...times, seen: this.look() })
    } else if ([503, 504].includes(status) && json.type.startsWith('urn:qseal:problem:')) {
      this.refusals.push({ status, type: json.type.slice(18), detail: json.detail, retry: headers['retry-after'], ...times })
    } else {
      this.wrong.push(`${status} ${bytes}`)
    }
    return status === 200
  }

  // Between two moments of performance.now().
  signedBetween(from, to) {
    return this.received.filter(({ asked, got }) => asked >= from && got < to).length
  }

  async stop() {
    this.on = false
    await this.done
    assert.deepEqual(this.wrong, [], 'each got a definite answer, or a closed connection')
  }
}
