// SPDX-License-Identifier: Apache-2.0
// Every shipped profile, through the socket: the artefact verifies with npm jose under the published
// key, its header is the bank's to the octet, its claims are the bank's and nothing else, and
// `parameters` repeat them.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

import { artefactMember, bodies, choice, detached, door, opIntent, operations, verifying } from './bodies.mjs'
import { Sandbox, seconds, until } from './lib.mjs'
import { decode, headerText, jwkOf, opensslVerify, verifyCompact, verifyDetached, verifyEmbedded } from './verify.mjs'

const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const skew = 2
const ukNames = ['http://openbanking.org.uk/iat', 'http://openbanking.org.uk/iss', 'http://openbanking.org.uk/tan']

let box
let profiles
let jwks

before(async () => {
  box = await Sandbox.up()
  profiles = await box.profiles()
  jwks = (await box.get('/v1/jwks')).json
})
after(() => box?.down())

const now = () => Math.floor(Date.now() / 1000)

// Signs with a profile and gives back all there is to look at.
async function make(name, body = bodies[name](profiles[name].input)) {
  const started = now()
  const answer = await box.post(door(name), body)
  assert.equal(answer.status, 200, `${name}: ${answer.status} ${answer.bytes}`)
  assert.match(answer.headers['content-type'], /^application\/json\b/)
  assert.match(answer.headers['cache-control'], /no-store/)
  assert.match(answer.headers['qseal-request-id'], uuid4)
  const { json } = answer
  assert.equal(json.request_id, answer.headers['qseal-request-id'])
  const jws = json[artefactMember[operations[name]]]
  const header = decode(jws.split('.')[0])
  assert.equal(json.alg, header.alg)
  assert.equal(json.alg, profiles[name].alg)
  if (header.kid !== undefined) assert.equal(json.kid, header.kid)
  return { json, jws, header, sent: body, started, ended: now(), bound: box.bound(name) }
}

async function makeJwt(name, body) {
  const made = await make(name, body)
  const verified = operations[name] === 'dpop' ? await verifyEmbedded(made.jws, made.json.alg) : await verifyCompact(made.jws, jwks, made.json.alg)
  return { ...made, ...verified }
}

// The header members, in the order of the page, are all there is.
function headerIs({ jws, header }, members) {
  assert.deepEqual(Object.keys(header), members)
  assert.equal(headerText(jws), JSON.stringify(header), 'written once, compact')
}

// Exactly these claims (a name with ? may be missing).
function claimsAre(claims, names) {
  const wanted = names.map((name) => name.replace('?', ''))
  for (const name of Object.keys(claims)) assert.ok(wanted.includes(name), `unexpected claim ${name}`)
  for (const name of names) if (!name.endsWith('?')) assert.ok(name in claims, `claim ${name} is missing`)
}

function timesAre({ claims, json, started, ended }, { cap, nbf = false, exp = true }) {
  for (const name of ['iat', 'nbf', 'exp']) if (name in claims) assert.ok(Number.isSafeInteger(claims[name]), `${name} is an integer`)
  assert.ok(claims.iat >= started - skew && claims.iat <= ended + skew, `iat ${claims.iat} is not now (${started}…${ended})`)
  if (nbf) assert.ok(claims.nbf <= claims.iat && claims.nbf >= claims.iat - 60, `nbf ${claims.nbf}, iat ${claims.iat}`)
  else assert.ok(!('nbf' in claims))
  if (exp) {
    assert.ok(claims.exp > claims.iat, 'exp after iat')
    assert.ok(claims.exp - (claims.nbf ?? claims.iat) <= cap, `lifetime ${claims.exp - (claims.nbf ?? claims.iat)} over ${cap} s`)
    assert.equal(json.exp, claims.exp)
  } else assert.ok(!('exp' in claims))
  assert.equal(json.iat, claims.iat)
}

function jtiIs({ claims, json }) {
  assert.match(claims.jti, uuid4)
  assert.equal(json.jti, claims.jti)
}

const isBound = ({ bound }, value, what) => assert.ok(Object.values(bound).flat().includes(value), `${what} ${value} is not bound`)

function sentIsSigned({ claims, sent }, names) {
  for (const name of names) assert.deepEqual(claims[name], sent[name], name)
}

// `parameters` are the whole of what is sent: the artefact under its name, and these, equal to the
// claims of the same name or to the value given.
function parametersAre({ json, jws, claims }, artefact, wanted) {
  const expected = Object.fromEntries(wanted.map((item) => (Array.isArray(item) ? item : [item, claims[item]])))
  assert.deepEqual(json.parameters, { [artefact]: jws, ...expected })
}

// --- OP ----------------------------------------------------------------------------------------

const opJarClaims = ['aud', 'iss', 'response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'max_age', 'exp', 'iat', 'claims']

for (const [name, scope] of [['op-jar-cof', 'openid fundsconfirmations'], ['op-jar-pis', 'openid payments']]) {
  test(`${name}: a JAR as OP's document prints it`, async () => {
    const made = await makeJwt(name)
    const { claims, json } = made
    headerIs(made, ['alg', 'typ', 'kid'])
    assert.equal(made.header.typ, 'JWT')
    assert.equal(made.header.alg, 'ES256')
    claimsAre(claims, opJarClaims)
    timesAre(made, { cap: 900 })
    assert.equal(claims.aud, 'https://mtls.apis.op.fi')
    assert.equal(claims.iss, claims.client_id)
    isBound(made, claims.iss, 'iss')
    isBound(made, claims.redirect_uri, 'redirect_uri')
    assert.equal(claims.scope, scope)
    assert.equal(claims.max_age, 86400)
    sentIsSigned(made, ['response_type', 'redirect_uri', 'state', 'nonce', 'max_age', 'claims'])
    parametersAre(made, 'request', ['response_type', 'client_id', 'scope'])
    assert.ok(!('jti' in json))
  })

  test(`${name}: the shorthand makes the same claims`, async () => {
    const full = bodies[name](profiles[name].input)
    const { claims: whole } = await makeJwt(name, full)
    const { claims, ...rest } = full
    const short = await makeJwt(name, { ...rest, authorizationId: opIntent })
    assert.deepEqual(short.claims.claims, whole.claims)
    assert.ok(!('authorizationId' in short.claims))
  })

  test(`${name}: response_type code, and constants that are equal, are taken`, async () => {
    const first = await makeJwt(name)
    const { response_type: _, ...rest } = first.sent
    const made = await makeJwt(name, { ...rest, response_type: 'code', client_id: first.claims.client_id, scope })
    assert.equal(made.claims.response_type, 'code')
    parametersAre(made, 'request', ['response_type', 'client_id', 'scope'])
  })
}

test('op-exemption: a grant assertion as OP\'s document prints it', async () => {
  const made = await makeJwt('op-exemption')
  const { claims, json } = made
  headerIs(made, ['alg', 'typ', 'kid'])
  assert.equal(made.header.typ, 'JWT')
  claimsAre(claims, ['iss', 'aud', 'response_type', 'client_id', 'scope', 'state', 'nonce', 'max_age', 'claims', 'iat', 'exp'])
  timesAre(made, { cap: 600 })
  assert.equal(claims.aud, 'https://mtls.apis.op.fi')
  assert.equal(claims.iss, claims.client_id)
  isBound(made, claims.iss, 'iss')
  assert.equal(claims.response_type, 'token')
  assert.equal(claims.scope, 'payments')
  assert.deepEqual(claims.claims.id_token.acr.values, ['urn:openbanking:psd2:ca'])
  sentIsSigned(made, ['state', 'nonce', 'max_age', 'claims'])
  assert.equal(json.grant_type, 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  parametersAre(made, 'assertion', [['grant_type', json.grant_type], 'response_type', 'client_id', 'scope'])
  const { claims: _, ...rest } = made.sent
  const short = await makeJwt('op-exemption', { ...rest, authorizationId: '26c71e03-e5e9-43b9-b913-36f30baf26d2' })
  assert.deepEqual(short.claims.claims, claims.claims)
})

test('op-registration: a registration JWT', async () => {
  const made = await makeJwt('op-registration')
  const { claims } = made
  assert.deepEqual(Object.keys(made.header).sort(), ['alg', 'kid', 'typ'])
  assert.equal(made.header.alg, 'ES256')
  timesAre(made, { cap: 3600, nbf: 'nbf' in claims })
  jtiIs(made)
  isBound(made, claims.iss, 'iss')
  isBound(made, claims.aud, 'aud')
  assert.ok(!('sub' in claims))
  sentIsSigned(made, Object.keys(made.sent))
  assert.equal(claims.jwks_uri, made.bound.jwks_uri)
  assert.equal(made.json.content_type, 'application/jwt')
})

// --- PayNet and FAPI 2 -------------------------------------------------------------------------

for (const name of ['paynet-jar', 'fapi2-jar']) {
  test(`${name}: a request object for PAR`, async () => {
    const made = await makeJwt(name)
    const { claims } = made
    headerIs(made, ['alg', 'kid', 'typ'])
    assert.equal(made.header.alg, 'PS256')
    assert.equal(made.header.typ, 'oauth-authz-req+jwt')
    claimsAre(claims, [
      'iss', 'client_id', 'aud', 'response_type', 'scope', 'redirect_uri', 'state', 'nonce', 'nbf', 'exp', 'iat',
      'code_challenge', 'code_challenge_method', 'jti?', 'authorization_details?', 'max_age?', 'claims?',
    ])
    timesAre(made, { cap: 3600, nbf: true })
    if (name === 'fapi2-jar' || 'jti' in claims) jtiIs(made)
    assert.equal(claims.iss, claims.client_id)
    isBound(made, claims.client_id, 'client_id')
    assert.equal(typeof claims.aud, 'string')
    isBound(made, claims.aud, 'aud')
    assert.equal(claims.response_type, 'code')
    assert.equal(claims.code_challenge_method, 'S256')
    sentIsSigned(made, Object.keys(made.sent))
    parametersAre(made, 'request', ['client_id'])
    assert.ok(!('sub' in claims))
  })
}

for (const [name, cap] of [['paynet-assertion', 600], ['fapi2-assertion', 60]]) {
  test(`${name}: a client assertion`, async () => {
    for (const body of ['{}', '']) {
      const made = await makeJwt(name, body)
      const { claims, json, header } = made
      if (name === 'fapi2-assertion') {
        headerIs(made, ['alg', 'kid', 'typ'])
        assert.equal(header.typ, 'client-authentication+jwt')
      } else {
        assert.deepEqual(Object.keys(header).slice(0, 2), ['alg', 'kid'])
      }
      assert.equal(header.alg, 'PS256')
      claimsAre(claims, ['iss', 'sub', 'aud', 'jti', 'iat', 'exp'])
      timesAre(made, { cap })
      jtiIs(made)
      assert.equal(claims.iss, claims.sub)
      assert.equal(json.client_id, claims.sub)
      isBound(made, claims.sub, 'client_id')
      assert.equal(typeof claims.aud, 'string', 'aud is a string, not an array (FAPI 2)')
      isBound(made, claims.aud, 'aud')
      assert.equal(json.client_assertion_type, 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      parametersAre(made, 'client_assertion', [['client_assertion_type', json.client_assertion_type], ['client_id', claims.sub]])
    }
  })

  test(`${name}: each jti once`, async () => {
    const seen = new Set()
    for (let i = 0; i < 20; i++) seen.add((await make(name)).json.jti)
    assert.equal(seen.size, 20)
  })
}

// --- bodies ------------------------------------------------------------------------------------

test('br-body: Open Finance Brasil', async () => {
  const made = await makeJwt('br-body')
  const { claims, json } = made
  headerIs(made, ['alg', 'kid', 'typ'])
  assert.deepEqual([made.header.alg, made.header.typ], ['PS256', 'JWT'])
  claimsAre(claims, ['aud', 'iss', 'jti', 'iat', 'data'])
  timesAre(made, { exp: false })
  jtiIs(made)
  isBound(made, claims.iss, 'iss')
  isBound(made, [claims.aud].flat()[0], 'aud')
  sentIsSigned(made, ['data'])
  assert.equal(json.content_type, 'application/jwt')
})

test('ksa-body: KSA Open Banking', async () => {
  const made = await makeJwt('ksa-body')
  const { claims, json } = made
  headerIs(made, ['alg', 'kid', 'typ'].slice(0, Object.keys(made.header).length))
  assert.equal(made.header.alg, 'PS256')
  claimsAre(claims, ['iss', 'exp', 'nbf', 'aud', 'iat', 'message', 'jti?'])
  timesAre(made, { cap: 600, nbf: true })
  isBound(made, claims.iss, 'iss')
  assert.ok(Array.isArray(claims.aud) && claims.aud.length === 1, 'aud is an array of one')
  isBound(made, claims.aud[0], 'aud')
  sentIsSigned(made, ['message'])
  assert.equal(json.content_type, 'application/jwt')
})

test('dpop: a proof with the public key in its header', async () => {
  const made = await makeJwt('dpop')
  const { header, claims } = made
  assert.deepEqual(Object.keys(header).sort(), ['alg', 'jwk', 'typ'])
  assert.equal(header.typ, 'dpop+jwt')
  assert.ok(!('d' in header.jwk))
  const published = jwkOf(jwks, made.json.kid, made.json.alg)
  for (const [name, value] of Object.entries(header.jwk)) assert.equal(value, published[name], `jwk.${name}`)
  claimsAre(claims, ['jti', 'htm', 'htu', 'iat'])
  timesAre(made, { exp: false })
  jtiIs(made)
  sentIsSigned(made, ['htm', 'htu'])
  assert.equal(made.json.header, 'DPoP')

  const bound = await makeJwt('dpop', { htm: 'GET', htu: 'https://rs.example.com/accounts', access_token: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU', nonce: 'eyJ7S_zG.eyJH0-Z' })
  // The token and its hash are those of RFC 9449 §7.1.
  assert.equal(bound.claims.ath, 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  assert.equal(bound.claims.nonce, 'eyJ7S_zG.eyJH0-Z')
  assert.ok(!('access_token' in bound.claims))
})

// --- detached ----------------------------------------------------------------------------------

const headers = {
  'op-detached': { alg: 'ES256', members: ['kid', 'alg'] },
  'uk-314': { alg: 'PS256', members: ['typ', 'cty', 'alg', 'kid', ...ukNames, 'crit'], crit: ukNames },
  'uk-313': { alg: 'PS256', members: ['typ', 'cty', 'alg', 'kid', ...ukNames, 'b64', 'crit'], crit: [...ukNames, 'b64'], anyOrder: true },
  // As the official example has it, without crit (against RFC 7797).
  rebit: { alg: 'RS256', members: ['b64', 'kid', 'alg'] },
}

for (const name of detached) {
  const wanted = headers[name]
  test(`${name}: a detached JWS over the octets as sent`, async () => {
    const made = await make(name)
    const { header, json } = made
    const body = Buffer.from(made.sent)
    if (wanted.anyOrder) assert.deepEqual(Object.keys(header).sort(), [...wanted.members].sort())
    else headerIs(made, wanted.members)
    assert.equal(header.alg, wanted.alg)
    if (wanted.crit) assert.deepEqual([...header.crit].sort(), [...wanted.crit].sort())
    else assert.ok(!('crit' in header))
    if (name.startsWith('uk')) {
      assert.equal(header.typ, 'JOSE')
      assert.equal(header.cty, 'application/json')
      const [iat, iss, tan] = ukNames.map((member) => header[member])
      assert.ok(Number.isSafeInteger(iat) && iat <= made.ended && iat >= made.started - 60, `iat ${iat} is a number in the past`)
      isBound(made, iss, 'iss')
      isBound(made, tan, 'tan')
    }
    assert.equal(header.b64, ['uk-313', 'rebit'].includes(name) ? false : undefined)
    assert.equal(json.header, 'x-jws-signature')
    assert.ok(!('iat' in json) && !('exp' in json))
    await verifyDetached(made.jws, body, jwks, wanted.alg, ukNames)
    const changed = Buffer.concat([body, Buffer.from('\n')])
    await assert.rejects(verifyDetached(made.jws, changed, jwks, wanted.alg, ukNames), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
    const other = made.jws.replace(/..$/, (end) => (end === 'AA' ? 'BA' : 'AA'))
    await assert.rejects(verifyDetached(other, body, jwks, wanted.alg, ukNames), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
  })

  test(`${name}: white space, order and escapes are kept; any Content-Type, or none`, async () => {
    const { sent } = await make(name)
    const text = sent.replace('{', '{ \r\n\t"\\u0065xtra":"\\u00e9é\\/" ,').replace(/$/, '\n')
    for (const type of ['application/json', 'application/json; charset=UTF-8', 'text/plain', 'application/octet-stream', null]) {
      const answer = await box.post(door(name), text, { headers: { 'Content-Type': type } })
      assert.equal(answer.status, 200, answer.bytes.toString())
      await verifyDetached(answer.json.jws, Buffer.from(text), jwks, wanted.alg, ukNames)
    }
  })
}

// --- parameters --------------------------------------------------------------------------------

// The members of `parameters` beside the artefact, of each operation that has them.
const sentBeside = {
  jar: ['client_id'],
  'client-assertion': ['client_assertion_type', 'client_id'],
  'grant-assertion': ['grant_type', 'client_id'],
}

test('parameters: the artefact itself, and nothing that is not in it with the same value', async () => {
  for (const [name, operation] of Object.entries(operations)) {
    const { json, jws } = await make(name)
    if (!(operation in sentBeside)) {
      assert.ok(!('parameters' in json), `${name} has none`)
      continue
    }
    const { [artefactMember[operation]]: itself, ...beside } = json.parameters
    assert.equal(itself, jws, name)
    for (const member of sentBeside[operation]) assert.ok(member in beside, `${name}: ${member} is missing`)
    const claims = decode(jws.split('.')[1])
    for (const [member, value] of Object.entries(beside)) {
      const signed = claims[member] ?? (operation === 'client-assertion' && member === 'client_id' ? claims.sub : json[member])
      assert.equal(typeof value, 'string', `${name}: ${member}`)
      assert.equal(value, signed, `${name}: ${member} is not what was signed`)
    }
  }
})

// --- other doors -------------------------------------------------------------------------------

test('openssl verifies one RS256, one PS256, one ES256', async () => {
  for (const [name, alg] of [['rebit', 'RS256'], ['fapi2-jar', 'PS256'], ['op-jar-pis', 'ES256'], ['op-detached', 'ES256']]) {
    const made = await make(name)
    assert.equal(made.json.alg, alg)
    const [head, middle, signature] = made.jws.split('.')
    const payload = middle !== '' ? middle : made.header.b64 === false ? made.sent : Buffer.from(made.sent).toString('base64url')
    const input = Buffer.from(`${head}.${payload}`)
    const jwk = jwkOf(jwks, made.json.kid, alg)
    const bytes = Buffer.from(signature, 'base64url')
    assert.equal(await opensslVerify(jwk, alg, input, bytes), 'Verified OK', name)
    input[input.length - 1] ^= 1
    assert.notEqual(await opensslVerify(jwk, alg, input, bytes), 'Verified OK', `${name} changed`)
  }
})

test('the profiles granted here are the shipped ones, each under its operation and algorithm', () => {
  assert.deepEqual(Object.fromEntries(Object.values(profiles).map(({ name, operation }) => [name, operation])), { ...operations, ...verifying })
  const expected = { 'op-': 'ES256', 'paynet-': 'PS256', 'fapi2-': 'PS256', 'uk-': 'PS256', 'br-': 'PS256', 'ksa-': 'PS256', rebit: 'RS256' }
  for (const { name, alg, role } of Object.values(profiles).filter(({ name }) => name in operations)) {
    const [, wanted] = Object.entries(expected).find(([prefix]) => name.startsWith(prefix)) ?? []
    if (wanted) assert.equal(alg, wanted, name)
    assert.equal(role, alg === 'ES256' ? 'seal-ec' : 'seal', name)
  }
})

test('the JWKS: RFC 7638 kids, no private members, a truthful max-age', async () => {
  const answer = await box.get('/v1/jwks')
  assert.match(answer.headers['content-type'], /^application\/jwk-set\+json\b/)
  assert.match(answer.headers['cache-control'], /\bmax-age=\d+/)
  const kids = answer.json.keys.map(({ kid }) => kid)
  assert.equal(new Set(kids).size, kids.length)
  assert.equal(kids.length, 2)
  for (const jwk of answer.json.keys) {
    const required = jwk.kty === 'RSA' ? { e: jwk.e, kty: 'RSA', n: jwk.n } : { crv: jwk.crv, kty: 'EC', x: jwk.x, y: jwk.y }
    assert.equal(jwk.kid, createHash('sha256').update(JSON.stringify(required)).digest('base64url'))
    assert.equal(jwk.use, 'sig')
    if (jwk.kty === 'RSA') {
      assert.ok(!('alg' in jwk), 'an RSA key of two algorithms names none')
      assert.equal(Buffer.from(jwk.n, 'base64url').length, 256)
    } else assert.equal(jwk.alg, 'ES256')
  }
})

test('GET /v1/keys agrees with the JWKS', async () => {
  const all = (await box.get('/v1/keys')).json.keys
  const json = { keys: all.filter(({ role }) => role !== 'transport') }
  assert.deepEqual(json.keys.map(({ kid }) => kid).sort(), jwks.keys.map(({ kid }) => kid).sort())
  for (const key of json.keys) {
    assert.equal(key.state, 'active')
    assert.equal(key.not_after, null)
    assert.deepEqual(key.algs, key.role === 'seal' ? ['RS256', 'PS256'] : ['ES256'])
    assert.equal(key.alg, key.role === 'seal' ? undefined : 'ES256')
  }
  assert.deepEqual(json.keys.map(({ role }) => role).sort(), ['seal', 'seal-ec'])
  // Keys for handshakes are nobody's to verify artefacts with.
  const [transport] = all.filter(({ role }) => role === 'transport')
  assert.ok(Date.parse(transport.not_after) > Date.now())
  assert.ok(!jwks.keys.some(({ kid }) => kid === transport.kid))
})

test('GET /v1/health: ready', async () => {
  const answer = await box.get('/v1/health')
  assert.equal(answer.status, 200)
  assert.equal(answer.json.status, 'ready')
  assert.equal(answer.json.audit, 'ok')
  assert.deepEqual(answer.json.tokens.map(({ state }) => state), ['ready'])
})

// The line a refusal leaves in the log.
async function refusalLine(headers) {
  const answer = await box.post(door('fapi2-assertion'), '{"iss":"x"}', { headers })
  const id = answer.headers['qseal-request-id']
  const line = await until('the refusal is logged', () => box.logs().split('\n').find((text) => text.includes(id)))
  return { answer, line }
}

test('x-fapi-interaction-id is taken, and logged beside the request id', async () => {
  for (const id of ['c0ffee00-1234-4abc-8def-0123456789ab', 'C0FFEE00-1234-4ABC-8DEF-0123456789AB', '00000000-0000-0000-0000-000000000000']) {
    const headers = { 'x-fapi-interaction-id': id }
    assert.equal((await box.post(door('fapi2-assertion'), '{}', { headers })).status, 200)
    assert.equal((await box.get('/v1/jwks', { headers })).status, 200)
    const { answer, line } = await refusalLine(headers)
    assert.equal(answer.status, 422)
    assert.ok(line.includes(id), line)
    assert.match(line, /rule-refused/)
  }
  const { line } = await refusalLine({})
  assert.doesNotMatch(line, /interaction/, 'none was sent')
})

test('a bad x-fapi-interaction-id is refused before anything else, and logged as such', async () => {
  const tooLong = 'c0ffee00-1234-4abc-8def-0123456789abc'
  for (const id of ['x', 'c0ffee00-1234-4abc-8def-0123456789a', tooLong, 'c0ffee00-1234-4abc-8def-0123456789ag', 'c0ffee00 1234 4abc 8def 0123456789ab']) {
    const { answer, line } = await refusalLine({ 'x-fapi-interaction-id': id })
    assert.equal(answer.status, 400, id)
    assert.equal(answer.json.type, 'urn:qseal:problem:malformed')
    assert.match(answer.json.detail, /x-fapi-interaction-id/)
    assert.ok(!answer.bytes.includes(id.length > 1 ? id : 'interaction-id: x'), 'the answer does not repeat it')
    assert.match(line, /malformed: x-fapi-interaction-id/)
    if (id === tooLong) assert.ok(!line.includes(id), line)
  }
  // Whatever is in it, the log stays one line of printable characters.
  const evil = await box.raw(`POST ${door('fapi2-assertion')} HTTP/1.1\r\nHost: localhost\r\nx-fapi-interaction-id: \x1b[2J\x08\x7f<3>root\r\nContent-Length: 0\r\n\r\n`)
  assert.equal(evil.status, 400)
  await until('the refusal is logged', () => box.logs().includes(evil.responses[0].headers['qseal-request-id']))
  assert.match(box.logs(), /^[\x20-\x7e\n]*$/)
})

// --- what `input` says is what is taken -----------------------------------------------------------

describe('input schemas', () => {
  const Ajv = Ajv2020.default ?? Ajv2020
  const compile = (schema) => {
    const ajv = new Ajv({ strict: false, validateFormats: true })
    ;(addFormats.default ?? addFormats)(ajv)
    return ajv.compile(schema)
  }
  const asValue = (body) => (typeof body === 'string' ? JSON.parse(body) : body)

  // Bodies that differ from a good one in one place.
  function* variants(good, input) {
    yield ['as it is', good]
    for (const name of Object.keys(good)) {
      const { [name]: value, ...rest } = good
      yield [`without ${name}`, rest]
      for (const other of [null, 7, 7.5, true, '', 'x', 'a'.repeat(5000), 'é', [], {}, [null], -1]) yield [`${name} = ${JSON.stringify(other).slice(0, 20)}`, { ...good, [name]: other }]
    }
    for (const name of Object.keys(input.properties ?? {})) if (!(name in good)) yield [`also with ${name}`, { ...good, [name]: 'x' }]
    for (const name of ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti', 'alg', 'kid', 'typ', 'crit', 'unknown', '__proto__x', '']) yield [`with ${JSON.stringify(name)}`, { ...good, [name]: 'x' }]
  }

  for (const name of Object.keys(operations)) {
    test(`${name}: accepted by the schema = accepted by the door`, { timeout: seconds(120) }, async () => {
      const { input } = profiles[name]
      const valid = compile(input)
      const good = asValue(bodies[name](input))
      assert.ok(valid(good), `${name}: the good body does not fit its own schema: ${JSON.stringify(valid.errors)}`)
      let taken = 0
      for (const [what, body] of variants(good, input)) {
        const answer = await box.post(door(name), body)
        assert.ok([200, 422].includes(answer.status), `${name}, ${what}: ${answer.status} ${answer.bytes}`)
        assert.equal(answer.status === 200, valid(body), `${name}, ${what}: the schema says ${!(answer.status === 200)}, the door ${answer.status} ${answer.bytes}`)
        if (answer.status === 200) taken++
        else if (detached.includes(name) === false) assert.equal(typeof answer.json.claim, 'string', `${name}, ${what}: names no claim`)
      }
      assert.ok(taken >= 1)
    })
  }

  test('redirect URIs are published as a list, and no other is taken', async () => {
    for (const name of ['op-jar-cof', 'op-jar-pis', 'paynet-jar', 'fapi2-jar']) {
      assert.match(choice(profiles[name].input, 'redirect_uri'), /^https:\/\//, name)
    }
  })
})
