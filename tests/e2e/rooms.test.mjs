// SPDX-License-Identifier: Apache-2.0
// The rooms as processes: each is killed under load and comes back without help; a token that is
// away, a wrong PIN, an orderly end, foreign users, socket activation.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { bodies, door } from './bodies.mjs'
import { bin, pause, sanitizerEnv, Sandbox, seconds, until } from './lib.mjs'
import { verifyCompact } from './verify.mjs'

const patient = { timeout: seconds(120) }

// Callers that ask on and on, each on a connection of its own for each request, or (`kept`) on one
// for all. Every 200 is verified, every refusal must be one of an outage.
class Load {
  constructor(box, jwks, profile, agent) {
    Object.assign(this, { box, jwks, profile, agent, signed: 0, refused: 0, broken: {}, wrong: [], on: true })
  }
  static async start(box, callers = 8, { kept = false } = {}) {
    const jwks = (await box.get('/v1/jwks')).json
    const profile = (await box.profiles())['op-jar-cof']
    const load = new Load(box, jwks, profile, kept && new http.Agent({ keepAlive: true, maxSockets: callers }))
    load.done = Promise.all(Array.from({ length: callers }, () => load.#ask()))
    return load
  }
  async #ask() {
    while (this.on) {
      try {
        const answer = await this.box.post(door('op-jar-cof'), bodies['op-jar-cof'](this.profile.input), { timeout: seconds(20), agent: this.agent })
        if (answer.status === 200) {
          await verifyCompact(answer.json.request, this.jwks, 'ES256')
          this.signed++
        } else if ([503, 504].includes(answer.status) && answer.json.type.startsWith('urn:qseal:problem:')) this.refused++
        else this.wrong.push(`${answer.status} ${answer.bytes}`)
      } catch (error) {
        if (['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'].includes(error.code)) this.broken[error.code] = (this.broken[error.code] ?? 0) + 1
        else this.wrong.push(String(error.message))
        await pause(5) // decides nothing: who finds no door does not spin in front of it
      }
    }
  }
  async more(what, n = 50) {
    const from = this.signed
    await until(`${n} more signatures ${what}`, () => this.signed >= from + n, seconds(30))
  }
  async stop() {
    this.on = false
    await this.done
    if (this.agent) this.agent.destroy()
    assert.deepEqual(this.wrong, [])
  }
  // Connections that were there, and broke: whose request was lost.
  get lost() {
    return (this.broken.ECONNRESET ?? 0) + (this.broken.EPIPE ?? 0)
  }
  toString() {
    return `${this.signed} signed, ${this.refused} refused with 503 or 504, broken: ${JSON.stringify(this.broken)}`
  }
}

async function sign(box, name = 'op-jar-cof') {
  return box.post(door(name), bodies[name]((await box.profiles())[name].input))
}

describe('one token', () => {
  let box
  before(async () => {
    box = await Sandbox.up()
  })
  after(() => box?.down())

  for (const name of ['qseal-httpd', 'qseald', 'qseal-tokend-hsm-a']) {
    test(`kill -9 ${name} under load, three times: it recovers by itself, and no answer is wrong`, patient, async () => {
      const load = await Load.start(box)
      const others = Object.entries(box.pids()).filter(([other]) => other !== name)
      for (let round = 0; round < 3; round++) {
        await load.more('before the kill')
        await box.kill(name)
        box.restart(name)
        await box.ready()
        await load.more('after the restart')
      }
      await load.stop()
      for (const [other, pid] of others) assert.equal(box.pids()[other], pid, `${other} is the same process`)
      for (const [other] of others) assert.ok(box.alive(other), `${other} is alive`)
    })
  }

  // As an administrator does it with systemctl: SIGTERM, the end, a new one.
  async function restarts(t, name, { rounds = 4, callers = 8, kept = false } = {}) {
    const load = await Load.start(box, callers, { kept })
    for (let round = 0; round < rounds; round++) {
      await load.more('before the restart', 30)
      await box.cycle(name)
    }
    await box.ready()
    await load.more('after the restarts')
    await load.stop()
    t.diagnostic(`${rounds} restarts of ${name} under ${callers} callers: ${load}`)
    return { load, most: rounds * callers }
  }

  for (const [what, kept] of [['new connections', false], ['kept connections', true]]) {
    test(`restart of qseal-httpd under load, ${what}: no request fails`, patient, async (t) => {
      const { load } = await restarts(t, 'qseal-httpd', { kept, rounds: 15 })
      assert.equal(load.refused, 0, String(load))
      assert.deepEqual(load.broken, {}, String(load))
    })

    // A caller loses per restart at most its request in flight, and one more that waited at the
    // socket which qseald takes with it. (One that systemd made would stay.)
    test(`restart of qseald under load, ${what}: what is in flight or waits at the door fails, and no more`, patient, async (t) => {
      const { load, most } = await restarts(t, 'qseald', { kept })
      assert.ok(load.refused <= most, String(load))
      assert.ok(load.refused + load.lost <= 2 * most, String(load))
    })
  }

  test('restart of tokend under load: 503 while it is away, and nothing else', patient, async (t) => {
    const { load } = await restarts(t, 'qseal-tokend-hsm-a')
    assert.deepEqual(load.broken, {}, String(load))
  })

  test('the rooms start in any order', patient, async () => {
    const names = Object.keys(box.pids())
    for (const order of [names, [...names].reverse()]) {
      for (const name of names) await box.kill(name)
      for (const name of order) box.restart(name)
      await box.ready()
      assert.equal((await sign(box)).status, 200)
    }
  })

  test('the token away: 503 token-unavailable with Retry-After, health unready; back again by itself', patient, async () => {
    const { input } = (await box.profiles())['op-jar-cof']
    await box.kill('qseal-tokend-hsm-a')
    const health = await until('health says unready', async () => {
      const answer = await box.get('/v1/health')
      return answer.status === 503 && answer
    })
    assert.equal(health.json.status, 'unready')
    assert.deepEqual(health.json.tokens.map(({ name, state }) => [name, state]), [['hsm-a', 'down']])
    assert.match(health.headers['retry-after'], /^[1-9]\d*$/)
    const started = Date.now()
    const answer = await box.post(door('op-jar-cof'), bodies['op-jar-cof'](input))
    assert.ok(Date.now() - started < seconds(10), 'within the deadline')
    assert.equal(answer.status, 503)
    assert.equal(answer.json.type, 'urn:qseal:problem:token-unavailable')
    assert.match(answer.headers['retry-after'], /^[1-9]\d*$/)
    assert.equal((await box.get('/v1/jwks')).status, 200, 'the public keys are known without the token')
    assert.equal((await box.get('/v1/profiles')).status, 200)
    const { tokens } = await box.status()
    assert.equal(tokens[0].state, 'down')
    box.restart('qseal-tokend-hsm-a')
    await box.ready()
    assert.equal((await sign(box)).status, 200)
  })

  test('qseald away: 503 or no connection, never a wrong answer; back again by itself', patient, async () => {
    await box.kill('qseald')
    const answer = await box.get('/v1/health').catch((error) => error)
    assert.ok(answer.status === 503 || ['ECONNREFUSED', 'ENOENT', 'ECONNRESET'].includes(answer.code), `${answer.status} ${answer.code}`)
    box.restart('qseald')
    await box.ready()
    assert.equal((await sign(box)).status, 200)
  })

  test('a hung token: every request gets a definite answer within its deadline', patient, async () => {
    const { input } = (await box.profiles())['op-jar-cof']
    await box.freeze('qseal-tokend-hsm-a')
    try {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => box.post(door('op-jar-cof'), bodies['op-jar-cof'](input), { timeout: seconds(20) })),
      )
      for (const answer of answers) {
        assert.ok([503, 504].includes(answer.status), `${answer.status} ${answer.bytes}`)
        assert.match(answer.json.type, /:(deadline|token-unavailable)$/)
        assert.ok(answer.ms < seconds(12), `${answer.ms} ms`)
      }
      assert.equal((await box.get('/v1/jwks')).status, 200)
    } finally {
      box.signal('qseal-tokend-hsm-a', 'SIGCONT')
    }
    await box.ready()
    await until('it signs again', async () => (await sign(box)).status === 200)
  })

  // A request whose body is still on its way when the signal comes.
  async function halfSent(input) {
    const body = JSON.stringify(bodies['op-jar-cof'](input))
    const socket = net.connect(box.socket)
    const answer = new Promise((resolve) => {
      let text = ''
      socket.on('data', (part) => (text += part))
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    })
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.write(`POST ${door('op-jar-cof')} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`)
    return { finish: () => socket.write(body.slice(20)), answer }
  }

  for (const name of ['qseal-httpd', 'qseald', 'qseal-tokend-hsm-a']) {
    test(`SIGTERM to ${name}: it ends in order, with 0, and what is in flight is answered`, patient, async () => {
      await box.kill(name, 'SIGTERM')
      const child = box.restart(name)
      await box.ready()
      const { input } = (await box.profiles())['op-jar-cof']
      const slow = await halfSent(input)
      // One whole request on the same door afterwards: the half one has been read by now.
      assert.equal((await sign(box)).status, 200)
      const load = await Load.start(box)
      await load.more('before SIGTERM', 20)
      child.kill('SIGTERM')
      slow.finish()
      // A deadline: what it resolves to is no exit status, and fails the next line.
      const code = await Promise.race([child.ended, new Promise((resolve) => setTimeout(resolve, seconds(15), 'still there after 15 s'))])
      assert.equal(code, 0)
      const text = await Promise.race([slow.answer, until('the slow one has its answer', () => false, seconds(10)).catch(() => 'open')])
      assert.match(text, name === 'qseal-httpd' ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 (200|503|504) /, 'the request in flight is answered')
      box.restart(name)
      await box.ready()
      await load.more('after the restart')
      await load.stop()
    })
  }

  test('a wrong PIN is tried once, ever, until a person says so', patient, async () => {
    const pinFile = path.join(box.dir, 'hsm/hsm-a/pin')
    const right = fs.readFileSync(pinFile)
    const room = 'qseal-tokend-hsm-a'
    const locked = () => until('the token is locked', async () => (await box.status()).tokens[0].state === 'locked')
    await box.kill(room, 'SIGTERM')
    fs.writeFileSync(pinFile, 'wrong-pin-0000')
    box.restart(room)
    await locked()
    const health = await until('health says so', async () => {
      const answer = await box.get('/v1/health')
      return answer.json.tokens[0].state === 'locked' && answer
    })
    assert.equal(health.status, 503)
    assert.equal(health.json.status, 'unready')
    const answer = await sign(box)
    assert.equal(answer.status, 503)
    assert.match(answer.json.type, /:(token-unavailable|pin-refused)$/)

    // The right PIN is there again, but nobody has said that it may be tried.
    fs.writeFileSync(pinFile, right)
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      await box.kill(room, signal)
      // What is known of the old room must not be taken for the new one's.
      await until('it is seen to be away', async () => (await box.status()).tokens[0].state === 'down')
      box.restart(room)
      await locked()
      assert.equal((await sign(box)).status, 503, `still locked after ${signal} and restart`)
    }
    // An unlock with a PIN that is still wrong costs one attempt and leaves it locked.
    fs.writeFileSync(pinFile, 'wrong-pin-0001')
    const first = await box.ctl('token', 'unlock', 'hsm-a')
    assert.notEqual(first.code, 0, first.stdout)
    assert.match(first.stderr, /PIN/)
    await locked()

    fs.writeFileSync(pinFile, right)
    const { code, stderr } = await box.ctl('token', 'unlock', 'hsm-a')
    assert.equal(code, 0, stderr)
    await box.ready()
    assert.equal((await sign(box)).status, 200)
    const logs = box.logs()
    assert.ok(!logs.includes(right.toString()) && !logs.includes('wrong-pin-000'), 'no PIN in a log')

    // And a restart with the right PIN needs nobody.
    await box.kill(room, 'SIGTERM')
    box.restart(room)
    await box.ready()
  })

  test('socket activation: qseald and tokend take their sockets from systemd', patient, async () => {
    // It hands on no environment but what it is told to.
    const { SOFTHSM2_CONF } = box.started['qseal-tokend-hsm-a'].env
    const activate = (...doors) => [
      'systemd-socket-activate',
      ...doors.flatMap(([file]) => ['--listen', path.join(box.dir, file)]),
      `--fdname=${doors.map(([, name]) => name).join(':')}`,
      ...Object.entries({ SOFTHSM2_CONF, ...sanitizerEnv }).map(([name, value]) => `--setenv=${name}=${value}`),
    ]
    await box.kill('qseald', 'SIGTERM')
    await box.kill('qseal-tokend-hsm-a', 'SIGTERM')
    const tokend = box.restart('qseal-tokend-hsm-a', activate(['hsm-a.sock', 'token']))
    const qseald = box.restart('qseald', activate(['qseal.sock', 'callers'], ['admin.sock', 'admin'], ['signing.sock', 'signing']))
    await box.ready()
    for (const child of [tokend, qseald]) assert.match(fs.readFileSync(`/proc/${child.pid}/cmdline`, 'latin1'), /^[^\0]*qseal/, 'it runs our program now')
    assert.equal((await sign(box)).status, 200)
    // The sockets outlive the room: a new one is there at the first knock, and nothing was lost.
    await box.kill('qseald', 'SIGTERM')
    assert.ok(fs.existsSync(path.join(box.dir, 'qseal.sock')), 'a socket that systemd made is not removed')
    await box.kill('qseal-tokend-hsm-a', 'SIGTERM')
    assert.ok(fs.existsSync(path.join(box.dir, 'hsm-a.sock')))
    for (const name of ['qseal-tokend-hsm-a', 'qseald']) box.restart(name)
    await box.ready()
    assert.equal((await sign(box)).status, 200)
  })

  test('other users', { ...patient, skip: process.getuid() !== 0 && 'only root can become somebody else; refusals.test.mjs has the same by configuration' }, async () => {
    const nobody = (command, ...args) =>
      new Promise((resolve) => {
        execFile('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', command, ...args], { cwd: '/', env: { PATH: process.env.PATH }, timeout: seconds(30) }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : error.code, stdout, stderr })
        })
      })
    const curl = (target) => nobody('curl', '--silent', '--max-time', '10', '--unix-socket', box.socket, '--write-out', '\n%{http_code}', '-d', '{}', `http://localhost${target}`)
    assert.equal((await curl(door('fapi2-assertion'))).code, 7, 'the folder keeps others out')

    // With every door open on purpose, each room still looks at who knocks.
    const wide = ['qseal.sock', 'admin.sock', 'signing.sock', 'hsm-a.sock'].map((name) => path.join(box.dir, name))
    const modes = wide.map((file) => fs.statSync(file).mode & 0o777)
    fs.chmodSync(box.dir, 0o755)
    for (const file of wide) fs.chmodSync(file, 0o666)
    try {
      const { stdout } = await curl(door('fapi2-assertion'))
      assert.match(stdout, /urn:qseal:problem:not-granted[\s\S]*\n403$/)
      // The program may lie where nobody else may look.
      const copy = fs.mkdtempSync('/tmp/qe-ctl-')
      fs.chmodSync(copy, 0o755)
      fs.copyFileSync(path.join(bin, 'qsealctl'), path.join(copy, 'qsealctl'))
      const status = await nobody(path.join(copy, 'qsealctl'), '--socket', box.admin, 'status')
      fs.rmSync(copy, { recursive: true })
      assert.equal(status.code, 3, `not permitted: ${status.stdout}${status.stderr}`)
      assert.match(status.stderr, /qsealctl: not-granted: /)
      // Who says nothing is no trouble to a door: it closes for who they are. (8: the deadline; the door did not.)
      for (const [name, room] of Object.entries({ 'signing.sock': 'signing door', 'hsm-a.sock': 'tokend' })) {
        const script = `let connected = false
          const end = () => process.exit(connected ? 0 : 7)
          const socket = require('net').connect(${JSON.stringify(path.join(box.dir, name))}, () => { connected = true })
          socket.on('data', () => process.exit(9)).on('error', end).on('close', end)
          setTimeout(() => process.exit(8), ${seconds(8)})`
        assert.equal((await nobody(process.execPath, '-e', script)).code, 0, `${name} closes in a stranger's face`)
        await until('it is in the log', () => new RegExp(`${room}: uid 65534 \\(pid \\d+\\) may not connect here`).test(box.logs()))
      }
    } finally {
      fs.chmodSync(box.dir, 0o700)
      wide.forEach((file, i) => fs.chmodSync(file, modes[i]))
    }
    assert.equal((await sign(box)).status, 200)
  })
})

describe('two tokens', () => {
  let box
  before(async () => {
    box = await Sandbox.up('--tokens', '2')
  })
  after(() => box?.down())

  test('the fault of one does not touch the other\'s keys', patient, async () => {
    const jwks = (await box.get('/v1/jwks')).json
    assert.equal(jwks.keys.length, 4)
    const load = await Load.start(box)
    for (const name of ['qseal-tokend-hsm-a', 'qseal-tokend-hsm-b']) {
      await load.more('with both')
      await box.kill(name)
      const health = await until('degraded', async () => {
        const answer = await box.get('/v1/health')
        return answer.json.status === 'degraded' && answer
      })
      assert.equal(health.status, 200)
      assert.deepEqual(health.json.tokens.map(({ state }) => state).sort(), ['down', 'ready'])
      await load.more('with one')
      box.restart(name)
      await box.ready()
    }
    await load.stop()
    assert.ok(load.signed >= 200)
  })

  test('both away: 503; either back: signing', patient, async () => {
    await box.kill('qseal-tokend-hsm-a')
    await box.kill('qseal-tokend-hsm-b')
    await until('unready', async () => (await box.get('/v1/health')).json.status === 'unready')
    const answer = await sign(box)
    assert.equal(answer.status, 503)
    assert.equal(answer.json.type, 'urn:qseal:problem:token-unavailable')
    box.restart('qseal-tokend-hsm-b')
    await until('it signs with the other', async () => (await sign(box)).status === 200)
    box.restart('qseal-tokend-hsm-a')
    await box.ready()
  })
})
