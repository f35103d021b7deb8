// SPDX-License-Identifier: Apache-2.0
// What is refused, and why: each row names the status, the problem, the claim and a piece of the
// sentence, because a refusal for another reason hides a broken rule. Then finding F1: no operation
// makes an artefact of another kind. Then configuration: grants, rates, reload.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { artefactMember, bodies, detached, door, opClaimsCa, opClaimsSca, opPayment, operations } from './bodies.mjs'
import { Sandbox, seconds, until } from './lib.mjs'
import { decode } from './verify.mjs'

let box
let profiles

before(async () => {
  box = await Sandbox.up()
  profiles = await box.profiles()
})
after(() => box?.down())

const good = (name) => bodies[name](profiles[name].input)
const payloadOf = (answer, name) => decode(answer.json[artefactMember[operations[name]]].split('.')[1])

function isProblem(answer, { status, type, claim, detail }, what) {
  const text = `${what}: ${answer.status} ${answer.bytes}`
  assert.equal(answer.status, status, text)
  assert.equal(answer.headers['content-type'], 'application/problem+json', text)
  const problem = answer.json
  assert.equal(problem.type, `urn:qseal:problem:${type}`, text)
  assert.equal(problem.status, status, text)
  assert.equal(problem.request_id, answer.headers['qseal-request-id'], text)
  if (claim instanceof RegExp) assert.match(problem.claim ?? '', claim, text)
  else if (claim !== undefined) assert.equal(problem.claim, claim, text)
  if (detail !== undefined) assert.match(problem.detail ?? '', detail, text)
}
const rule = (claim, detail) => ({ status: 422, type: 'rule-refused', claim, detail })

// --- claims ------------------------------------------------------------------------------------

const serviceSet = ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti', 'alg', 'kid', 'typ', 'crit']
const claimsProfiles = Object.keys(operations).filter((name) => operations[name] !== 'detached-jws')

for (const name of claimsProfiles) {
  test(`${name}: claims the service sets are refused, even with the right value`, async () => {
    const answer = await box.post(door(name), good(name))
    assert.equal(answer.status, 200, answer.bytes.toString())
    const right = { ...decode(answer.json[artefactMember[operations[name]]].split('.')[0]), ...payloadOf(answer, name) }
    for (const claim of serviceSet) {
      // A template may leave one audience of several to the caller.
      if (claim === 'aud' && 'aud' in (profiles[name].input.properties ?? {})) continue
      for (const value of [right[claim] ?? 'x', null, {}]) {
        isProblem(await box.post(door(name), { ...good(name), [claim]: value }), rule(`/${claim}`, /service/), `${name} ${claim}`)
      }
    }
  })

  test(`${name}: unknown claims are refused by name`, async () => {
    for (const claim of ['unknown', 'ISS', 'client_assertion', 'authorizationid', 'x5c', 'constructor']) {
      isProblem(await box.post(door(name), { ...good(name), [claim]: 'x' }), rule(`/${claim}`), `${name} ${claim}`)
    }
    isProblem(await box.post(door(name), { ...good(name), 'a/b~c': 'x' }), rule('/a~1b~0c'), `${name}: pointers are escaped`)
  })
}

const without = (body, name) => {
  const { [name]: _, ...rest } = body
  return rest
}
const set = (name, value) => (body) => ({ ...body, [name]: value })
const text = (change) => (body) => change(JSON.stringify(body))
const nestedOp = (change) => (body) => {
  const claims = structuredClone(body.claims)
  change(claims)
  return { ...body, claims }
}
const otherId = '00000000-1db2-410d-a5c9-e3a37bc4d7a1'

// what, change of the good body, claim, piece of the detail
const opRows = [
  ['authorizationId unequal in userinfo', nestedOp((c) => { c.userinfo.authorizationId.value = otherId }), /^\/claims\/(userinfo|id_token)\/authorizationId\/value$/, /equal|same|every/],
  ['authorizationId unequal in id_token', nestedOp((c) => { c.id_token.authorizationId.value = otherId }), /^\/claims\/(userinfo|id_token)\/authorizationId\/value$/, /equal|same|every/],
  ['authorizationId missing in one place', nestedOp((c) => { delete c.userinfo.authorizationId.value }), /^\/claims\/userinfo\/authorizationId/],
  ['authorizationId a number', nestedOp((c) => { c.userinfo.authorizationId.value = 7; c.id_token.authorizationId.value = 7 }), /^\/claims\/(userinfo|id_token)\/authorizationId\/value$/],
  ['authorizationId of another alphabet', nestedOp((c) => { c.userinfo.authorizationId.value = 'a b'; c.id_token.authorizationId.value = 'a b' }), /^\/claims\/(userinfo|id_token)\/authorizationId\/value$/],
  ['essential false', nestedOp((c) => { c.id_token.authorizationId.essential = false }), /^\/claims\/id_token\/authorizationId\/essential$/],
  ['no acr', nestedOp((c) => { delete c.id_token.acr }), /^\/claims\/id_token\/acr/],
  ['two acr values', nestedOp((c) => { c.id_token.acr.values.push('urn:openbanking:psd2:ca') }), /^\/claims\/id_token\/acr\/values/],
  ['a member more in claims', nestedOp((c) => { c.userinfo.email = null }), /^\/claims\/userinfo/],
  ['a member more at the top of claims', nestedOp((c) => { c.extra = {} }), /^\/claims/],
  ['claims a string', set('claims', 'x'), /^\/claims/],
  ['claims and authorizationId', set('authorizationId', '976da7b0-1db2-410d-a5c9-e3a37bc4d7a1'), /^\/(claims|authorizationId)$/],
  ['neither claims nor authorizationId', (body) => without(body, 'claims'), /^\/(claims|authorizationId)$/],
  ['authorizationId shorthand a number', (body) => ({ ...without(body, 'claims'), authorizationId: 7 }), '/authorizationId'],
  ['state with a blank', set('state', 'a b'), '/state'],
  ['state with plus and slash', set('state', 'a+b/c='), '/state'],
  ['state with a letter that is not ASCII', set('state', 'é'), '/state'],
  ['state empty', set('state', ''), '/state'],
  ['state of 5000', set('state', 'a'.repeat(5000)), '/state', /long|length|character/],
  ['state a number', set('state', 1234), '/state', /string/],
  ['state null', set('state', null), '/state', /string/],
  ['nonce an array', set('nonce', ['x']), '/nonce', /string/],
  ['nonce of 5000', set('nonce', 'a'.repeat(5000)), '/nonce', /long|length|character/],
  ['max_age a string', set('max_age', '86400'), '/max_age', /integer/],
  ['max_age 86400.0', text((t) => t.replace('"max_age":86400', '"max_age":86400.0')), '/max_age', /integer/],
  ['max_age 8.64e4', text((t) => t.replace('"max_age":86400', '"max_age":8.64e4')), '/max_age', /integer/],
  ['max_age negative', set('max_age', -1), '/max_age'],
  ['max_age true', set('max_age', true), '/max_age', /integer/],
  ['max_age of 2^53', text((t) => t.replace('"max_age":86400', '"max_age":9007199254740993')), '/max_age'],
]

const jarRows = [
  ['acr psd2:ca', set('claims', opClaimsCa()), /^\/claims\/id_token\/acr\/values/],
  ['response_type token', set('response_type', 'token'), '/response_type'],
  ['response_type code token', set('response_type', 'code token'), '/response_type'],
  ['response_type a list', set('response_type', ['code']), '/response_type'],
  ['redirect_uri that is not registered', set('redirect_uri', 'https://attacker.example/cb'), '/redirect_uri'],
  ['redirect_uri with more behind it', (body) => ({ ...body, redirect_uri: `${body.redirect_uri}/x` }), '/redirect_uri'],
  ['redirect_uri in capitals', (body) => ({ ...body, redirect_uri: body.redirect_uri.toUpperCase() }), '/redirect_uri'],
  ['client_id of somebody else', set('client_id', 'somebody-else'), '/client_id', /equal|constant|other/],
  ['scope of another API', set('scope', 'openid accounts'), '/scope'],
  ['scope of two APIs', set('scope', 'openid payments fundsconfirmations'), '/scope'],
  ['request inside', set('request', 'eyJ'), '/request'],
  ['request_uri inside', set('request_uri', 'https://x'), '/request_uri'],
]

const rows = {
  'op-jar-cof': [...opRows, ...jarRows],
  'op-jar-pis': [...opRows, ...jarRows],
  'op-exemption': [
    ...opRows,
    ['acr psd2:sca', set('claims', opClaimsSca()), /^\/claims\/id_token\/acr\/values/],
    ['response_type code', set('response_type', 'code'), '/response_type'],
    ['response_type code id_token', set('response_type', 'code id_token'), '/response_type'],
    ['scope openid payments', set('scope', 'openid payments'), '/scope'],
    ['redirect_uri', set('redirect_uri', 'https://localhost:8181/oauth/access_token'), '/redirect_uri'],
  ],
  'fapi2-jar': [
    ['response_type token', set('response_type', 'token'), '/response_type'],
    ['response_type code id_token', set('response_type', 'code id_token'), '/response_type'],
    ['code_challenge_method plain', set('code_challenge_method', 'plain'), '/code_challenge_method'],
    ['code_challenge too short', set('code_challenge', 'abc'), '/code_challenge'],
    ['code_challenge with padding', set('code_challenge', `${'a'.repeat(43)}=`), '/code_challenge'],
    ['nonce of 65', set('nonce', 'a'.repeat(65)), '/nonce'],
    ['scope empty', set('scope', ''), '/scope'],
    ['scope with a line break', set('scope', 'openid\naccounts'), '/scope'],
    ['redirect_uri of somebody else', set('redirect_uri', 'https://attacker.example/'), '/redirect_uri'],
    ['authorization_details an object', set('authorization_details', {}), '/authorization_details'],
    ['request inside', set('request', 'x'), '/request'],
    ['request_uri inside', set('request_uri', 'x'), '/request_uri'],
    ['software_statement', set('software_statement', 'x'), '/software_statement'],
  ],
  'paynet-jar': [
    ['response_type token', set('response_type', 'token'), '/response_type'],
    ['code_challenge_method plain', set('code_challenge_method', 'plain'), '/code_challenge_method'],
    ['max_age a string', set('max_age', '3600'), '/max_age', /integer/],
    ['authorization_details a string', set('authorization_details', 'x'), '/authorization_details', /array/],
  ],
  'fapi2-assertion': [['client_id', set('client_id', 'x'), '/client_id'], ['token endpoint as aud', set('aud', 'https://as.example.com/token'), '/aud']],
  'paynet-assertion': [['token endpoint as aud', set('aud', 'https://auth.example/token'), '/aud']],
  'op-registration': [
    ['response_type', set('response_type', 'code'), '/response_type'],
    ['redirect_uris a string', set('redirect_uris', 'https://x'), '/redirect_uris'],
  ],
  'br-body': [
    ['client_id', set('client_id', 'x'), '/client_id'],
    ['data a string', set('data', 'x'), '/data', /object/],
    ['response_type', set('response_type', 'code'), '/response_type'],
  ],
  'ksa-body': [['message an array', set('message', []), '/message', /object/], ['client_id', set('client_id', 'x'), '/client_id']],
  dpop: [
    ['htu with a query', set('htu', 'https://rs.example.com/a?b=c'), '/htu'],
    ['htu with a fragment', set('htu', 'https://rs.example.com/a#b'), '/htu'],
    ['htu of another scheme', set('htu', 'file:///etc/passwd'), '/htu'],
    ['htu empty', set('htu', ''), '/htu'],
    ['htm with a blank', set('htm', 'GET /'), '/htm'],
    ['htm a number', set('htm', 1), '/htm', /string/],
    ['access_token an object', set('access_token', {}), '/access_token', /string/],
    ['ath by the caller', set('ath', 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'), '/ath'],
    ['jwk by the caller', set('jwk', {}), '/jwk'],
  ],
}

for (const [name, list] of Object.entries(rows)) {
  for (const [what, change, claim, detail] of list) {
    test(`${name}: ${what}`, async () => {
      isProblem(await box.post(door(name), change(good(name))), rule(claim, detail), what)
    })
  }
}

for (const name of claimsProfiles) {
  test(`${name}: each required claim is missed by name`, async () => {
    const { input } = profiles[name]
    const required = new Set([...(input.required ?? []), ...((input.oneOf ?? input.anyOf ?? [])[0]?.required ?? [])])
    for (const claim of Object.keys(good(name))) {
      const answer = await box.post(door(name), without(good(name), claim))
      if (required.has(claim)) isProblem(answer, rule(claim === 'claims' ? /^\/(claims|authorizationId)$/ : `/${claim}`, /missing|required|wanted/), `without ${claim}`)
    }
  })
}

// --- detached bodies: F1 -----------------------------------------------------------------------

const f1 = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'response_type', 'request', 'scope', 'redirect_uri', 'redirect_uris', 'software_statement', 'events', 'nonce']
const escaped = (c, upper) => `\\u${(upper ? c.charCodeAt(0).toString(16).toUpperCase() : c.charCodeAt(0).toString(16)).padStart(4, '0')}`
const spellings = (name) => [name, escaped(name[0]) + name.slice(1), name.slice(0, -1) + escaped(name.at(-1), true), [...name].map((c) => escaped(c)).join('')]

for (const name of detached) {
  test(`${name}: no body that would be a JWT, in any spelling`, async () => {
    for (const member of f1) {
      for (const spelling of spellings(member)) {
        for (const body of [good(name).replace('{', `{"${spelling}":"x",`), good(name).replace(/}$/, `,"${spelling}":null}`)]) {
          isProblem(await box.post(door(name), body), rule(`/${member}`), `${name} ${spelling}`)
        }
      }
    }
  })

  test(`${name}: the same names deeper down are the bank's affair`, async () => {
    const body = good(name).replace('{', `{"deeper":{${f1.map((member) => `"${member}":"x"`).join(',')}},`)
    assert.equal((await box.post(door(name), body)).status, 200)
  })

  test(`${name}: what is not one JSON object`, async () => {
    for (const body of ['', ' ', '[]', '"x"', '1', 'null', `[${good(name)}]`, `${good(name)},`, `${good(name)}{}`]) {
      isProblem(await box.post(door(name), body), { status: 400, type: 'malformed' }, `${name} ${body}`)
    }
  })
}

for (const name of ['uk-313', 'rebit']) {
  test(`${name}: an unencoded payload starts with its brace`, async () => {
    for (const lead of [' ', '\n', '\t', '\r\n']) {
      isProblem(await box.post(door(name), lead + good(name)), { status: 422, type: 'rule-refused', detail: /\{|brace|start|begin/ }, `${name} ${JSON.stringify(lead)}`)
    }
  })
}

test('op-detached: the members a payment has', async () => {
  for (const member of ['amountEUR', 'payee']) {
    const body = JSON.stringify(without(JSON.parse(opPayment), member))
    isProblem(await box.post(door('op-detached'), body), rule(`/${member}`, /missing|required|wanted/), member)
  }
})

// --- F1, every operation against every other ----------------------------------------------------

// What a careless verifier takes an artefact for, by what is in it.
const looksLike = {
  jar: (header, claims) => 'response_type' in claims && claims.response_type !== 'token',
  'client-assertion': (header, claims) => 'sub' in claims || header.typ === 'client-authentication+jwt',
  'grant-assertion': (header, claims) => claims.response_type === 'token' || JSON.stringify(claims).includes('urn:openbanking:psd2:ca"'),
  registration: (header, claims) => 'software_statement' in claims || 'redirect_uris' in claims,
  'body-jwt': (header, claims) => 'iss' in claims && ('data' in claims || 'message' in claims),
  dpop: (header) => header.typ === 'dpop+jwt' || 'jwk' in header,
  'detached-jws': (header, claims, jws) => jws.split('.')[1] === '',
}

describe('F1: no operation makes an artefact of another kind', () => {
  for (const from of Object.keys(operations)) {
    test(`by ${from}`, { timeout: seconds(60) }, async () => {
      for (const to of Object.keys(operations)) {
        if (operations[from] === operations[to]) continue
        const model = await box.post(door(to), good(to))
        assert.equal(model.status, 200, model.bytes.toString())
        const whole = operations[to] === 'detached-jws' ? JSON.parse(good(to)) : payloadOf(model, to)
        const own = operations[from] === 'detached-jws' ? JSON.parse(good(from)) : good(from)
        const free = Object.fromEntries(Object.entries(whole).filter(([name]) => !serviceSet.includes(name)))
        for (const body of [whole, free, { ...own, ...whole }, { ...whole, ...own }, { ...own, ...free }, { ...free, ...own }]) {
          const answer = await box.post(door(from), body)
          assert.ok([200, 422].includes(answer.status), `${from} → ${to}: ${answer.status} ${answer.bytes}`)
          if (answer.status !== 200) continue
          const jws = answer.json[artefactMember[operations[from]]]
          const header = decode(jws.split('.')[0])
          const claims = jws.split('.')[1] === '' ? body : decode(jws.split('.')[1])
          const what = `${from} made ${operations[to]} of ${JSON.stringify(body).slice(0, 300)}`
          assert.ok(!looksLike[operations[to]](header, claims, jws), what)
          if (operations[from] === 'detached-jws') for (const name of f1) assert.ok(!(name in body), `${what}: ${name}`)
        }
      }
    })
  }

  test('the classifier knows each kind (or the above proves nothing)', async () => {
    for (const name of Object.keys(operations)) {
      const answer = await box.post(door(name), good(name))
      const jws = answer.json[artefactMember[operations[name]]]
      const claims = jws.split('.')[1] === '' ? JSON.parse(good(name)) : decode(jws.split('.')[1])
      assert.ok(looksLike[operations[name]](decode(jws.split('.')[0]), claims, jws), name)
    }
  })
})

// --- doors -------------------------------------------------------------------------------------

test('unknown profiles, and profiles of another operation: 404', async () => {
  for (const operation of new Set(Object.values(operations))) {
    isProblem(await box.post(`/v1/${operation}/no-such-profile`, '{}'), { status: 404, type: 'not-found' }, operation)
    for (const [name, own] of Object.entries(operations)) {
      if (own !== operation) isProblem(await box.post(`/v1/${operation}/${name}`, good(name)), { status: 404, type: 'not-found' }, `${operation}/${name}`)
    }
  }
  isProblem(await box.post('/v1/sign/op-jar-cof', '{}'), { status: 404, type: 'not-found' }, 'no such operation')
})

test('methods: 405 with Allow', async () => {
  for (const target of [door('op-jar-cof'), door('op-detached')]) {
    const answer = await box.get(target)
    isProblem(answer, { status: 405, type: 'method-not-allowed' }, target)
    assert.match(answer.headers.allow, /\bPOST\b/)
  }
  for (const target of ['/v1/health', '/v1/profiles', '/v1/keys', '/v1/jwks']) {
    const answer = await box.post(target, '{}')
    isProblem(answer, { status: 405, type: 'method-not-allowed' }, target)
    assert.match(answer.headers.allow, /\bGET\b/)
  }
})

test('media types: 415 names what is right', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jose']) {
    const answer = await box.post(door('op-jar-cof'), good('op-jar-cof'), { headers: { 'Content-Type': type } })
    isProblem(answer, { status: 415, type: 'unsupported-media-type', detail: /application\/json/ }, type)
  }
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', null]) {
    assert.equal((await box.post(door('op-jar-cof'), JSON.stringify(good('op-jar-cof')), { headers: { 'Content-Type': type } })).status, 200, type)
  }
})

test('sizes: 413', async () => {
  isProblem(await box.post(door('op-jar-cof'), JSON.stringify({ state: 'a'.repeat(70000) })), { status: 413, type: 'too-large' }, 'claims')
})

test('x-fapi-interaction-id that is no UUID: 400', async () => {
  for (const id of ['x', '550e8400-e29b-41d4-a716-44665544000', '550e8400e29b41d4a716446655440000', '{550e8400-e29b-41d4-a716-446655440000}']) {
    isProblem(await box.post(door('op-jar-cof'), good('op-jar-cof'), { headers: { 'x-fapi-interaction-id': id } }), { status: 400, type: 'malformed', detail: /x-fapi-interaction-id/ }, id)
  }
})

// --- configuration -----------------------------------------------------------------------------

describe('grants, limits, reload', () => {
  async function reload() {
    const { code, stdout, stderr } = await box.ctl('reload')
    assert.equal(code, 0, `qsealctl reload: ${stdout}${stderr}`)
  }

  // Runs `body` under a changed qseal.yaml, and puts the old one back.
  async function configured(change, body) {
    const before = box.editConfig(change)
    try {
      await reload()
      await body()
    } finally {
      fs.writeFileSync(box.configPath, before)
      await until('the old configuration is back', async () => (await box.ctl('reload')).code === 0)
    }
  }

  test('a profile that is there but not granted: 403; it is in no list', async () => {
    await configured((text) => text.replace('profiles: ["*"]', 'profiles: [op-jar-cof, fapi2-assertion]'), async () => {
      assert.equal((await box.post(door('op-jar-cof'), good('op-jar-cof'))).status, 200)
      for (const name of ['op-jar-pis', 'op-detached', 'paynet-assertion']) {
        isProblem(await box.post(door(name), good(name)), { status: 403, type: 'not-granted' }, name)
      }
      isProblem(await box.post('/v1/jar/no-such-profile', '{}'), { status: 404, type: 'not-found' }, 'unknown')
      assert.deepEqual(Object.keys(await box.profiles()).sort(), ['fapi2-assertion', 'op-jar-cof'])
    })
    assert.equal((await box.post(door('op-jar-pis'), good('op-jar-pis'))).status, 200)
  })

  test('a caller nobody knows: 403 everywhere', async () => {
    await configured((text) => text.replace(/uid: \d+, profiles/, 'uid: 65533, profiles'), async () => {
      isProblem(await box.post(door('op-jar-cof'), good('op-jar-cof')), { status: 403, type: 'not-granted' }, 'sign')
      isProblem(await box.get('/v1/profiles'), { status: 403, type: 'not-granted' }, 'profiles')
    })
  })

  test('over the rate: 429 at once, with Retry-After; later it goes on', async () => {
    await configured((text) => text.replace('in_flight: 256', 'rate: 5, burst: 5, in_flight: 256'), async () => {
      const answers = await Promise.all(Array.from({ length: 40 }, () => box.post(door('op-jar-cof'), good('op-jar-cof'))))
      const refused = answers.filter(({ status }) => status === 429)
      assert.ok(answers.every(({ status }) => [200, 429].includes(status)), answers.map(({ status }) => status).join())
      assert.ok(refused.length >= 20 && refused.length < 40, `${refused.length} of 40 refused`)
      for (const answer of refused) {
        isProblem(answer, { status: 429, type: 'limit-exceeded', detail: /rate/ }, 'rate')
        assert.match(answer.headers['retry-after'], /^[1-9]\d*$/)
      }
      await until('the rate allows one more', async () => (await box.post(door('op-jar-cof'), good('op-jar-cof'))).status === 200)
    })
  })

  const profilePath = (name) => path.join(box.dir, 'profiles.d', `${name}.yaml`)

  // Breaks a file, and says at which line.
  function damage(file, change) {
    const before = fs.readFileSync(file, 'utf8')
    const after = change(before)
    assert.notEqual(after, before)
    fs.writeFileSync(file, after)
    return () => fs.writeFileSync(file, before)
  }
  const append = (line) => (text) => `${text.replace(/\n*$/, '\n')}${line}\n`

  for (const [what, file, change, reason] of [
    ['an unknown key in a profile', () => profilePath('op-jar-cof'), append('surprise: 1'), /surprise/],
    ['YAML that is none', () => profilePath('op-jar-cof'), append('"'), /./],
    ['an unknown key in qseal.yaml', () => box.configPath, append('surprise: 1'), /surprise/],
    ['a role on a token that does not exist', () => box.configPath, (text) => text.replaceAll('tokens: [hsm-a]', 'tokens: [hsm-z]'), /token/],
    ['a binding of an algorithm the template does not have', () => profilePath('fapi2-jar'), (text) => text.replace('alg: PS256', 'alg: RS256'), /algorithm/],
    ['a binding without a value the template wants', () => profilePath('fapi2-jar'), (text) => text.replace(/.*name: issuer.*\n/, ''), /issuer/],
    ['a binding whose template is not there', () => profilePath('fapi2-jar'), (text) => text.replace('template: fapi2-jar', 'template: nowhere'), /template/],
    ['a limit that is no number', () => box.configPath, (text) => text.replace('in_flight: 256', 'in_flight: many'), /in_flight|number/],
    ['a grant of a profile that is not there', () => box.configPath, (text) => text.replace('profiles: ["*"]', 'profiles: [op-jar-cof, no-such-profile]'), /no-such-profile|profile/],
    ['a grant of a profile that was taken away', () => box.configPath, (text) => text.replace('profiles: ["*"]', 'profiles: [op-jar-cof, op-jar]'), /op-jar\b|profile/],
  ]) {
    test(`reload with ${what}: the old stays in force, and status says why`, async () => {
      const broken = file()
      const repair = damage(broken, change)
      try {
        const { code, stdout, stderr } = await box.ctl('reload')
        assert.equal(code, 1, `exit code: ${stdout}${stderr}`)
        assert.match(stdout + stderr, reason)
        assert.match(stdout + stderr, new RegExp(`${path.basename(broken).replaceAll('.', '\\.')}:\\d+: `), 'file and line')
        const { stdout: status } = await box.ctl('status')
        assert.match(status, new RegExp(`${path.basename(broken).replaceAll('.', '\\.')}:\\d+: `), 'status says why')
        assert.ok(JSON.stringify(await box.status()).includes(path.basename(broken)), 'status --json says why')
        for (const name of ['op-jar-cof', 'fapi2-jar']) assert.equal((await box.post(door(name), good(name))).status, 200)
      } finally {
        repair()
      }
      await reload()
      assert.ok(!(await box.ctl('status')).stdout.includes(`${path.basename(broken)}:`), 'a good reload clears it')
    })
  }

  test('SIGHUP is a reload', async () => {
    const before = box.editConfig((text) => text.replace('profiles: ["*"]', 'profiles: [op-jar-cof]'))
    try {
      box.signal('qseald', 'SIGHUP')
      await until('the grant is gone', async () => (await box.post(door('fapi2-jar'), good('fapi2-jar'))).status === 403)
    } finally {
      fs.writeFileSync(box.configPath, before)
      box.signal('qseald', 'SIGHUP')
      await until('the grant is back', async () => (await box.post(door('fapi2-jar'), good('fapi2-jar'))).status === 200)
    }
  })

  // What is wrong, the file, the change, the line that is to be named, the reason.
  for (const [what, file, change, lineOf, reason] of [
    ['a broken profile', () => profilePath('fapi2-jar'), append('surprise: 1'), (text) => text.trimEnd().split('\n').length, /surprise/],
    ['a grant of an unknown profile', () => box.configPath, (text) => text.replace('profiles: ["*"]', 'profiles: [op-jar-cof, no-such-profile]'),
      (text) => text.split('\n').findIndex((line) => line.includes('no-such-profile')) + 1, /profile/],
  ]) {
    test(`a start with ${what}: qseald ends, with file, line and reason`, { timeout: seconds(60) }, async () => {
      const broken = file()
      await box.kill('qseald', 'SIGTERM')
      const repair = damage(broken, change)
      try {
        const line = lineOf(fs.readFileSync(broken, 'utf8'))
        const before = box.logs().length
        const child = box.restart('qseald')
        const code = await child.ended
        assert.ok(Number.isInteger(code) && code !== 0, `ended with ${code}`)
        const said = box.logs()
        assert.ok(said.length > before)
        assert.match(said, new RegExp(`${path.basename(broken).replaceAll('.', '\\.')}:${line}: .*${reason.source}`))
        // The same by the program for it, which needs no service.
        const checked = await box.ctl('config', 'check', box.configPath)
        assert.equal(checked.code, 1, checked.stdout + checked.stderr)
        assert.match(checked.stdout + checked.stderr, new RegExp(`${path.basename(broken).replaceAll('.', '\\.')}:${line}: `))
      } finally {
        repair()
        box.restart('qseald')
      }
      await box.ready()
      assert.equal((await box.post(door('fapi2-jar'), good('fapi2-jar'))).status, 200)
    })
  }
})
