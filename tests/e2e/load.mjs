// SPDX-License-Identifier: Apache-2.0
// Callers who sign and verify all the time, with npm's jose, against the JWK Set that they hold at that moment.

import assert from 'node:assert/strict'

import { compactVerify, createLocalJWKSet } from 'jose'

// What a bank does: a set is fresh for max-age from the moment it was asked for (RFC 9111 §4.2.3), and is fetched as
// often as that says and no oftener.
export class Verifier {
  #box
  #maxAge
  #agent
  #set
  #until = 0
  fetches = 0

  constructor(box, maxAge, agent = false) {
    this.#box = box
    this.#maxAge = maxAge
    this.#agent = agent
  }

  async set() {
    if (Date.now() >= this.#until) {
      const asked = Date.now()
      const { status, json, headers } = await this.#box.get('/v1/jwks', { agent: this.#agent })
      assert.equal(status, 200)
      const [, age] = /max-age=(\d+)/.exec(headers['cache-control'])
      assert.equal(Number(age), this.#maxAge)
      this.#until = asked + Number(age) * 1000
      this.#set = createLocalJWKSet(json)
      this.fetches += 1
    }
    return this.#set
  }
}

// That many callers of a client assertion, until `stop` is true; `ended` is the fetches of each.
export function load(box, target, maxAge, callers) {
  const seen = { asked: 0, verified: 0, failures: [], kids: new Map(), stop: false }
  const caller = async () => {
    const verifier = new Verifier(box, maxAge)
    while (!seen.stop) {
      seen.asked += 1
      try {
        const { status, json: answer, bytes } = await box.post(target, '{}')
        assert.equal(status, 200, bytes.toString())
        const { protectedHeader } = await compactVerify(answer.client_assertion, await verifier.set())
        assert.equal(protectedHeader.kid, answer.kid)
        seen.kids.set(answer.kid, (seen.kids.get(answer.kid) ?? 0) + 1)
        seen.verified += 1
      } catch (error) {
        seen.failures.push(error.message)
      }
    }
    return verifier.fetches
  }
  seen.ended = Promise.all(Array.from({ length: callers }, caller))
  return seen
}
