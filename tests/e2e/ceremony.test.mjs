// SPDX-License-Identifier: Apache-2.0
// docs/ceremony.md, run as it stands there, each command by the person who gives it, while callers sign and verify and a
// program connects all the time. What was typed and printed becomes a transcript, and the timeline is beside it.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { parse, stringify } from 'yaml'

import { Sandbox, bin, repository, run, seconds, slow, until } from './lib.mjs'
import { load } from './load.mjs'
import { Persons, skipped } from './persons.mjs'
import { Bank, finished, openssl, plainEnv, sandboxAuthority, subjectOf } from './tls.mjs'

const skip = skipped('ceremony')
const page = fs.readFileSync(path.join(repository, 'docs/ceremony.md'), 'utf8')
const artefacts = path.join(bin, '../tests')
const transcript = path.join(artefacts, 'ceremony-transcript.txt')
const target = '/v1/client-assertion/brief'
const maxAge = 1 // seconds
const times = { '+1h': `+${10 * slow}s`, '+3d': `+${20 * slow}s` }

const users = { anna: 71001, bert: 71002, olga: 71004, wim: 71005, web: 71006 }
const persons = Object.fromEntries(Object.entries(users).map(([name, uid]) => [name, { uid }]))

// Name → { who, text, seen } of each block that is run; `seen` is what the page says will be seen.
function blocks() {
  const found = [...page.matchAll(/^<!-- run: (\S+) as (\w+) -->\n```\w+\n([\s\S]*?\n)```$/gm)]
  const list = new Map(found.map(([, name, who, text]) => [name, { who, text, seen: [] }]))
  assert.equal(list.size, found.length, 'each has a name of its own')
  for (const [, name, text] of page.matchAll(/^<!-- seen: (\S+) -->\n```\w*\n([\s\S]*?\n)```$/gm)) {
    assert.ok(list.has(name), `what is seen after ${name}`)
    list.get(name).seen.push(...text.trimEnd().split('\n'))
  }
  return list
}

// A line of the page, in which … stands for anything, as a pattern for a line that was printed.
const pattern = (line) => new RegExp(`^${line.trim().split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ +/g, ' +')).join('.*')}$`)

// The beginning of a key's name that is enough; with two dashes in front it would be an option.
const short = (kid) => (kid.startsWith('--') ? kid : kid.slice(0, 8))

// Whether there have been ten more handshakes than when this was called.
function tenMore(connecting) {
  const { asked } = connecting
  return () => connecting.asked > asked + 10
}

class Ceremony {
  ran = new Set()
  transcript = []
  words = {}

  constructor(values) {
    Object.assign(this, values)
    this.blocks = blocks()
  }

  // What stands on the page, for this sandbox and in the time of a test.
  #here(command) {
    const { box, bank } = this
    const text = Object.entries({ ...times, ...this.words }).reduce((now, [word, value]) => now.replaceAll(word, value), command)
    return text
      .replaceAll('/etc/bank/ca.crt.pem', box.transport.ca)
      .replaceAll('/etc/bank/', `${this.evidence}/etc/`)
      .replaceAll('/etc/ca/ca.crt.pem', path.join(box.dir, 'ca.crt.pem'))
      .replaceAll('/etc/ca/ca.key.pem', path.join(box.dir, 'private/ca.key.pem'))
      .replaceAll('https://bank.example', `https://localhost:${bank.ports['TLSv1.3']}`)
      .replaceAll('--fail https://tpp.example/jwks.json', `--fail --unix-socket ${box.socket} http://localhost/v1/jwks`)
  }

  // Read off the screen for the commands to come.
  #read(stdout) {
    const word = (name, found) => found && (this.words[name] = found[1])
    const key = (token) => new RegExp(`^ +seal: key (\\S+) in token ${token} is generated$`, 'm').exec(stdout)
    word('DIGEST', /^([0-9a-f]{64}) {2}qsealctl /m.exec(stdout))
    if (key('hsm-a')) Object.assign(this.words, { 'NEW-A': short(key('hsm-a')[1]), 'NEW-B': short(key('hsm-b')[1]) })
    word('PUBLISH-AT', /^ {2}qsealctl rotation apply .*--publish-at (\S+)/m.exec(stdout))
    word('ACTIVATE-AT', /^ {2}qsealctl rotation apply .*--activate-at (\S+)/m.exec(stdout))
  }

  async #shell(who, command) {
    const line = this.#here(command)
    const argv = ['bash', '--norc', '-euo', 'pipefail', '-c', line]
    const env = { HOME: this.evidence, LC_ALL: 'C.UTF-8', ...(who === 'web' ? { OPENSSL_CONF: this.conf } : {}) }
    const answer = persons[who] !== undefined
      ? await this.people.run(persons[who], argv, { cwd: this.evidence, env })
      : await finished(argv[0], argv.slice(1), { cwd: this.evidence, env: { ...plainEnv, ...env } })
    this.transcript.push(`${who}$ ${line}\n${answer.stdout}${answer.stderr}`)
    assert.equal(answer.code, 0, `${who}$ ${line}\n${answer.stdout}${answer.stderr}`)
    this.#read(answer.stdout)
    return `${answer.stdout}${answer.stderr}`
  }

  // The block of that name, command by command; what it printed. The page's order is kept.
  async run(name) {
    const block = this.blocks.get(name)
    assert.ok(block, `the page has a block ${name}`)
    assert.equal([...this.blocks.keys()][this.ran.size], name, 'in the order of the page')
    this.ran.add(name)
    let printed = ''
    for (const command of block.text.trimEnd().split('\n')) printed += await this.#shell(block.who, command)
    const lines = printed.split('\n').map((line) => line.trim())
    let from = 0
    for (const line of block.seen.filter((text) => text.trim() !== '…')) {
      const at = lines.findIndex((text, i) => i >= from && pattern(line).test(text))
      assert.ok(at >= 0, `after ${name} the page says: ${line}\nand there was:\n${printed}`)
      from = at + 1
    }
    return printed
  }

  // Blocks up to this one.
  async runTo(last) {
    for (const name of [...this.blocks.keys()].slice(this.ran.size)) {
      await this.run(name)
      if (name === last) return
    }
    assert.fail(`no block ${last} is to come`)
  }
}

// A program that makes a handshake after the other with whatever is in its file.
function connections(people, box, bank, file, conf) {
  const seen = { asked: 0, failures: [], subjects: new Map(), stop: false }
  const program = async () => {
    while (!seen.stop) {
      seen.asked += 1
      const argv = ['curl', '--silent', '--show-error', '--cacert', box.transport.ca, '--cert', file, `https://localhost:${bank.ports['TLSv1.3']}/`]
      const { code, stdout, stderr } = await people.run(persons.web, argv, { env: { OPENSSL_CONF: conf } })
      const found = /^TLSv1\.3 SUCCESS (.*) sni=localhost$/m.exec(stdout)
      if (code !== 0 || found === null) seen.failures.push(`${stdout}${stderr}`)
      else seen.subjects.set(found[1], (seen.subjects.get(found[1]) ?? 0) + 1)
    }
  }
  seen.ended = program()
  return seen
}

describe('the ceremony', { skip }, () => {
  let box, bank, people, ceremony, evidence

  const keys = async (role) => JSON.parse((await box.ctl('key', 'list', '--json')).stdout).keys.filter((key) => key.role === role)
  const statesOf = async (role) => (await keys(role)).map(({ state }) => state)
  const allAre = (role, ...states) => until(`keys of ${role} are ${states}`, async () => String(await statesOf(role)) === String(states), seconds(60))

  // The keys that are there have certificates, as a year ago; root can do that while nobody else is asked.
  async function certified() {
    const at = (name) => path.join(box.dir, 'private', name)
    for (const { kid } of await keys('seal')) {
      fs.writeFileSync(at('old.csr.pem'), (await box.ctl('key', 'csr', kid)).stdout)
      await openssl('x509', '-req', '-in', at('old.csr.pem'), '-CA', path.join(box.dir, 'ca.crt.pem'), '-CAkey', at('ca.key.pem'), '-days', '20', '-out', at('old.crt.pem'))
      const { code, stderr } = await box.ctl('key', 'import-certificate', 'seal', '--file', at('old.crt.pem'))
      assert.equal(code, 0, stderr)
    }
  }

  // One profile, whose artefacts live for two seconds: the end of the old keys is not far then.
  function bind() {
    const templates = path.join(repository, 'src/policy/templates')
    const text = fs.readFileSync(path.join(templates, 'fapi2-assertion.yaml'), 'utf8')
    const own = path.join(box.dir, 'templates')
    const profiles = path.join(box.dir, 'profiles.d')
    fs.mkdirSync(own)
    fs.writeFileSync(path.join(own, 'brief.yaml'), text.replace('template: fapi2-assertion', 'template: brief').replace('exp_after_s: 60', 'exp_after_s: 2'))
    for (const name of fs.readdirSync(profiles)) fs.rmSync(path.join(profiles, name))
    fs.writeFileSync(path.join(profiles, 'brief.yaml'),
      'profile: brief\ntemplate: brief\nrole: seal\nalg: PS256\nvalues:\n' +
        '  - {name: client_id, value: tpp}\n  - {name: issuer, value: "https://as.bank.example"}\n')
    return [templates, own]
  }

  // The page's configuration, with uids for names, beside what a sandbox needs. Root may read, and see to it that it is over.
  async function configure() {
    const told = parse(blocks().get('qseal.yaml').text)
    const known = ({ user, ...rest }) => ({ ...rest, uid: users[user] })
    const config = parse(fs.readFileSync(box.configPath, 'utf8'))
    const { callers, roles, administrators, approval } = told
    fs.writeFileSync(box.configPath, stringify({
      ...config,
      templates: bind(),
      limits: { jwks_max_age_s: maxAge, deadline_ms: 3000 },
      callers: [...config.callers, ...callers.map(known)],
      administrators: [...administrators.map(known), { uid: 0, rights: ['auditor'] }],
      approval,
      roles,
    }))
    await box.cycle('qseald')
    await until('it signs', async () => (await box.post(target, '{}')).status === 200)
  }

  before(async () => {
    fs.mkdirSync(artefacts, { recursive: true })
    box = await Sandbox.up('--tokens', '2')
    await certified()
    await configure()
    people = new Persons(box, path.resolve(bin, '../lib/qseal.so'))
    evidence = path.join(people.dir, 'evidence')
    fs.mkdirSync(path.join(evidence, 'etc'), { recursive: true })
    fs.chmodSync(evidence, 0o1777)
    bank = await Bank.start(path.join(box.dir, 'private'), sandboxAuthority(box, path.join(box.dir, 'private')))
    const conf = path.join(people.dir, 'openssl.cnf')
    fs.writeFileSync(conf, fs.readFileSync(box.transport.conf, 'utf8').replace(/^module = .*$/m, `module = ${path.join(people.dir, 'qseal.so')}`))
    const both = path.join(evidence, 'etc/both.pem')
    fs.writeFileSync(both, fs.readFileSync(box.transport.cert, 'utf8') + fs.readFileSync(box.transport.key, 'utf8'))
    ceremony = new Ceremony({ box, bank, people, evidence, conf })
    ceremony.ran.add('qseal.yaml')
    ceremony.both = both
  })
  after(async () => {
    people?.end()
    await bank?.end()
    await box?.down()
  })

  test('a QSEAL and a transport key are rotated, and nobody notices', { timeout: seconds(300) }, async (t) => {
    const signing = load(box, target, maxAge, 8)
    const connecting = connections(people, box, bank, ceremony.both, ceremony.conf)
    try {
      await rotate(signing, connecting)
    } finally {
      signing.stop = connecting.stop = true
      await Promise.all([signing.ended, connecting.ended])
      keep()
    }
    const fetches = (await signing.ended).reduce((sum, n) => sum + n)
    const counts = [
      `signatures: ${signing.asked} asked, ${signing.failures.length} failed, ${signing.verified} verified, ${fetches} fetches of the JWK Set`,
      ...[...signing.kids].map(([kid, n]) => `  ${n} by ${kid}`),
      `handshakes: ${connecting.asked} asked, ${connecting.failures.length} failed`,
      ...[...connecting.subjects].map(([subject, n]) => `  ${n} as ${subject}`),
    ]
    for (const line of counts) t.diagnostic(line)
    fs.appendFileSync(transcript, `\n${counts.join('\n')}\n`)
    assert.deepEqual(signing.failures, [])
    assert.deepEqual(connecting.failures, [])
    assert.equal(signing.verified, signing.asked)
    assert.equal([...connecting.subjects.values()].reduce((sum, n) => sum + n), connecting.asked)
    assert.deepEqual([...connecting.subjects.keys()].sort(), [await subjectOf(box.transport.cert), await subjectOf(path.join(evidence, 'transport.crt.pem'))].sort())
  })

  async function rotate(signing, connecting) {
    const old = await keys('seal')
    const [oldTransport] = await keys('transport')
    Object.assign(ceremony.words, { 'OLD-A': short(old[0].kid), 'OLD-B': short(old[1].kid), 'OLD-T': short(oldTransport.kid) })
    await until('everybody has begun', () => signing.verified >= 16 && connecting.asked >= 2)
    await ceremony.runTo('ahead')
    await draw('ceremony-ahead.svg', 'seal')
    await allAre('seal', 'active', 'active', 'published', 'published')
    await ceremony.runTo('seen')
    await allAre('seal', 'retiring', 'retiring', 'active', 'active')
    await ceremony.runTo('switched')
    await allAre('seal', 'retired', 'retired', 'active', 'active')
    await ceremony.runTo('transport-ahead')
    await allAre('transport', 'retiring', 'active')
    await until('the old certificate is in use while its key is retiring', tenMore(connecting))
    await ceremony.runTo('handshake-after')
    await until('the new certificate is in use', tenMore(connecting))
    await ceremony.runTo('record')
    assert.deepEqual(await statesOf('seal'), ['destroyed', 'destroyed', 'active', 'active'])
    assert.deepEqual(await statesOf('transport'), ['destroyed', 'active'])
    const { kid } = (await keys('seal'))[2]
    const n = signing.kids.get(kid)
    await until('the new key signs on', () => signing.kids.get(kid) > n)
    assert.ok(signing.kids.has(old[0].kid))
    await draw('ceremony-timeline.svg')
  }

  // What lies ahead is drawn by qsealctl over more than a year; here the minute in which all of it happened.
  async function draw(name, ...role) {
    const { stdout } = await box.ctl('rotation', 'lookahead', ...role, '--json')
    const answer = JSON.parse(stdout)
    const end = new Date(Date.parse(answer.now) + seconds(30)).toISOString().replace(/\.\d+/, '')
    const file = path.join(people.dir, 'answer.json')
    fs.writeFileSync(file, JSON.stringify({ ...answer, until: end }))
    const drawn = await run(path.join(bin, 'draw_timeline'), [file, 'svg'])
    fs.writeFileSync(path.join(artefacts, name), drawn.stdout)
  }

  function keep() {
    fs.writeFileSync(transcript, ceremony.transcript.join('\n'))
  }

  // Words that the page quotes in its last table, and what is said in that case.
  test('what is said when something is wrong', { timeout: seconds(60) }, async () => {
    const refused = async (who, text, ...args) => {
      assert.ok(page.replaceAll('\n', ' ').includes(text), `the page quotes: ${text}`)
      const { code, stdout, stderr } = await people.ctl(persons[who], ...args)
      assert.equal(code, 1, stdout)
      assert.ok(stderr.includes(text), stderr)
    }
    const before = await keys('seal')
    await refused('anna', 'certificate 1 is for another public key than this one', 'key', 'import-certificate', 'seal', '--token', 'hsm-a', '--file', path.join(evidence, 'transport.crt.pem'))
    await refused('bert', 'there is no plan of this digest', 'key', 'approve', '0123456789abcdef')
    const { stdout } = await people.ctl(persons.anna, 'key', 'generate', 'seal', '--json')
    const { digest } = JSON.parse(stdout).planned
    const withdrawn = await people.ctl(persons.wim, 'plan', 'withdraw', digest)
    assert.equal(withdrawn.code, 3)
    assert.match(withdrawn.stderr, /not-granted: a plan is withdrawn by who made it, uid \d+, or by a custodian/)
    assert.equal((await people.ctl(persons.anna, 'plan', 'withdraw', digest)).code, 0)
    await refused('bert', 'there is no plan of this digest', 'key', 'approve', digest)
    assert.deepEqual(await keys('seal'), before)

    // By one person alone; the other token's key signs on.
    const { kid } = before.find(({ state, token }) => state === 'active' && token === 'hsm-a')
    assert.equal((await people.ctl(persons.anna, 'key', 'suspend', kid)).code, 0)
    const { status, json } = await box.post(target, '{}')
    assert.equal(status, 200)
    assert.equal(json.kid, before.find(({ state, token }) => state === 'active' && token === 'hsm-b').kid)
    await refused('anna', 'does not become destroyed: retire it first', 'key', 'destroy', kid)
    assert.equal((await people.ctl(persons.anna, 'key', 'compromised', kid)).code, 0)
    assert.ok(!(await box.get('/v1/jwks')).json.keys.some((key) => key.kid === kid))
  })

  test('every block is run', () => {
    const fences = page.match(/^ *```\w+$/gm)
    const marked = page.match(/^<!-- (run|seen): .*-->$/gm)
    assert.equal(fences.length, marked.length, 'each says what it is')
    assert.deepEqual([...ceremony.ran], [...ceremony.blocks.keys()])
  })
})
