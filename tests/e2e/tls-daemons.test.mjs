// SPDX-License-Identifier: Apache-2.0
// Programs that stay: nginx with several workers of another user, and reloads under load; haproxy and stunnel in
// a chroot; the egress proxies for programs that cannot load a provider; threads and forks.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Sandbox, seconds } from './lib.mjs'
import { atFreePort, forks, Load, running, Setting, snippets, startHaproxy, startNginx, startStunnel, through } from './tls-programs.mjs'
import { Bank, configured, finished, Program, sandboxAuthority, subjectOf } from './tls.mjs'

const patient = { timeout: seconds(240) }
const nobody = 65534
const skip = process.getuid() !== 0 && 'only root can become somebody else, or chroot'

let box, bank, dir, setting, subject
before(async () => {
  // Where nobody may look as well.
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'qt-'))
  fs.chmodSync(dir, 0o755)
  box = await Sandbox.up()
  bank = await Bank.start(dir, sandboxAuthority(box, dir))
  setting = new Setting({ ...box.transport, dir, port: bank.ports['TLSv1.3'] })
  subject = await subjectOf(setting.cert)
})
after(async () => {
  await bank?.end()
  await box?.down()
  fs.rmSync(dir, { recursive: true, force: true })
})

describe('nginx', () => {
  // The caller is who the workers are, and each of them is one.
  async function underLoad(main, t) {
    for (const door of ['TLSv1.2', 'TLSv1.3']) {
      const change = (text) => text.replace('location / {', 'location / {\n        add_header X-Worker $pid;')
      await running(() => startNginx(setting.with({ port: bank.ports[door] }), { main, change }), async (nginx) => {
        const load = new Load(nginx.local, bank.view(door, subject))
        await load.more(200)
        for (let round = 0; round < 5; round++) {
          nginx.child.kill('SIGHUP')
          await load.more(100)
        }
        await load.stop()
        assert.ok(load.workers.size > 4, `workers: ${[...load.workers]}`)
        t.diagnostic(`${door}: ${load.good} handshakes by ${load.workers.size} workers over 5 reloads, none failed`)
        // A reload waits for nobody's old worker here: they end with the last request.
        assert.doesNotMatch(nginx.log, /signal 11|exited on signal/)
      })
    }
  }

  test('four workers, reloaded five times under load: no handshake fails', patient, (t) => underLoad('worker_processes 4;', t))

  test('the service\'s httpd is restarted five times meanwhile: no handshake fails', patient, async (t) => {
    await running(() => startNginx(setting, { main: 'worker_processes 2;' }), async (nginx) => {
      const load = new Load(nginx.local, bank.view('TLSv1.3', subject))
      for (let round = 0; round < 5; round++) {
        await load.more(100)
        await box.cycle('qseal-httpd')
      }
      await load.more(100)
      await load.stop()
      t.diagnostic(`${load.good} handshakes over 5 restarts, none failed`)
    })
  })

  test('workers of a user of their own, who is the caller', { ...patient, skip }, async (t) => {
    const socket = path.join(box.dir, 'qseal.sock')
    const open = async () => {
      fs.chmodSync(box.dir, 0o755)
      fs.chmodSync(socket, 0o666)
    }
    await open()
    const text = fs.readFileSync(box.configPath, 'utf8')
    try {
      await running(() => startNginx(setting, { main: 'worker_processes 2; user nobody nogroup;' }), async (nginx) => {
        await assert.rejects(through(nginx, nginx.local), /answered 502[\s\S]*transport key.* not granted to .*65534/)
      })
      await box.restartedWith((before) => before.replace('callers:\n', `callers:\n  - {name: web, uid: ${nobody}, roles: [transport]}\n`))
      await open()
      await underLoad('worker_processes 4; user nobody nogroup;', t)
    } finally {
      fs.writeFileSync(box.configPath, text)
      await box.cycle('qseald')
      await box.ready()
      fs.chmodSync(box.dir, 0o700)
    }
  })
})

describe('in a chroot', { skip }, () => {
  // docs/tls.md has the two lines.
  const jail = () => path.join(dir, 'jail')
  const inJail = (name) => snippets()[name].replaceAll('/var/lib/haproxy', jail())

  before(async () => {
    fs.mkdirSync(path.join(jail(), 'run'), { recursive: true })
    const [, second] = /^ +callers_second: (.+)$/m.exec(inJail('chroot.yaml'))
    await box.restartedWith((text) => text.replace('sockets:\n', `sockets:\n  callers_second: ${second}\n`))
  })

  const places = {
    haproxy: (at) => startHaproxy(at, { global: `chroot ${jail()}` }),
    stunnel: (at) => startStunnel(at, { global: `chroot = ${jail()}` }),
  }
  for (const [name, start] of Object.entries(places)) {
    test(`${name}: signs through the second socket`, patient, async () => {
      const conf = configured(box, dir, 'chroot', inJail('chroot.cnf'))
      for (const door of ['TLSv1.2', 'TLSv1.3']) {
        const view = await running(() => start(setting.with({ conf, port: bank.ports[door] })), (program) => through(program, program.local))
        assert.equal(view, bank.view(door, subject))
      }
    })

    test(`${name}: without it there is no way to the service`, patient, async () => {
      await running(() => start(setting), async (program) => {
        await assert.rejects(through(program, program.local, seconds(10)), name === 'haproxy' ? /answered 503/ : /qseal::signing service unreachable/)
      })
    })
  }
})

describe('for programs that cannot', () => {
  const wget = (...args) => finished('wget', ['--quiet', '--tries=1', '--timeout=10', '--output-document=-', ...args], { env: setting.env, cwd: dir })

  test('wget (GnuTLS) cannot read the reference', patient, async () => {
    const { code, stdout } = await wget(`--ca-certificate=${setting.ca}`, `--certificate=${setting.cert}`, `--private-key=${setting.key}`, `https://localhost:${setting.port}/`)
    assert.notEqual(code, 0)
    assert.equal(stdout, '')
  })

  const proxies = {
    'nginx-egress.conf': (file) => ['nginx', '-e', 'stderr', '-p', dir, '-c', file, ...(process.getuid() === 0 ? ['-g', 'user root;'] : [])],
    'haproxy-egress.cfg': (file) => ['haproxy', '-W', '-f', file],
  }
  for (const [name, command] of Object.entries(proxies)) {
    test(`hsm-config/${name}: wget through it, and curl through its unix socket`, patient, async () => {
      for (const door of ['TLSv1.2', 'TLSv1.3']) {
        const start = () =>
          atFreePort(setting.with({ port: bank.ports[door] }), (at) => new Program(dir, name, command(at.shipped(name)), { env: at.env }))
        await running(start, async (proxy) => {
          const text = snippets()['egress.sh'].replace('8081', String(proxy.local)).replace('/run/qseal-egress', dir)
          for (let i = 0; i < 3; i++) {
            const { stdout, stderr } = await finished('bash', ['-euc', text], { cwd: dir })
            assert.equal(stdout, `${bank.view(door, subject)}\n`.repeat(2), stderr + proxy.log)
          }
        })
        fs.rmSync(path.join(dir, 'bank.sock'), { force: true })
      }
    })
  }
})

describe('threads and forks', () => {
  test('4 threads and 8 children of one process: each handshake has its own signature', patient, async (t) => {
    const good = await forks(setting, bank.servers.bank, { threads: 4, children: 8, handshakes: 100 })
    t.diagnostic(`${good} handshakes, none failed`)
  })
})
