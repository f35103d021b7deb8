// SPDX-License-Identifier: Apache-2.0
// Every lie of tests/bank/op.mjs is one: npm jose, which is nobody's of ours, finds just that wrong in the answer which the
// lie is about, and nothing in the same answer without it. What the service verifies, it refuses by the same rule.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { lies as list } from '../bank/op-lies.mjs'
import { judgeIdToken, judgeMembers, judgeSignature, judgeToken } from './op-judge.mjs'
import { BankStand, funds, payments, Tpp } from './op-tpp.mjs'

const stand = new BankStand()
const control = (...args) => stand.control(...args)
let box
let bank
let tpp
let spare // an authorized payment, submitted, with the tokens of its customer

before(async () => {
  await stand.up()
  ;({ box, bank, tpp } = stand)
  spare = await tpp.authorized(body())
  await tpp.submit(spare.tokens.access_token, spare.paymentId, '1')
})
after(() => stand.down())

const content = { payee: { iban: 'FI2112345600000785', name: 'Shop' }, payer: { iban: 'FI5850009420172322' }, message: 'm', amountEUR: '4.00' }
const body = () => JSON.stringify(content)

const intent = async () => (await tpp.intent(await tpp.clientToken('fundsconfirmations'))).authorizationId

// An ID token by jose, and by the service: both must say the same.
async function judgedIdToken(profile, { id_token, nonce, authorizationId, texts }) {
  const jwks = await tpp.jwks(bank.file.jwks_uri)
  const names = { c_hash: 'code', s_hash: 'state', at_hash: 'access_token', rt_hash: 'refresh_token' }
  const sent = Object.fromEntries(Object.entries(texts).map(([name, text]) => [names[name], text]))
  const rule = await judgeIdToken(id_token, jwks, { issuer: bank.file.issuer, clientId: bank.file.client_id, nonce, intent: authorizationId, texts })
  const { json } = await box.post(`/v1/verify/id-token/${profile}`, { id_token, nonce, intent_id: authorizationId, sub: authorizationId, ...sent, jwks })
  assert.equal(json.valid === true ? undefined : json.rule, rule, `the service: ${JSON.stringify(json)}`)
  return rule
}

async function judgedSignature(answer) {
  const jwks = await tpp.jwks(bank.file.response_jwks_uri)
  const rule = await judgeSignature(answer, jwks)
  // The service judges the signature, and gives no claims where the members are doubled.
  if (rule === 'answer') assert.equal((await tpp.judgeAnswer(answer)).claims, undefined)
  else if (!['jws', 'header'].includes(rule)) assert.equal((await tpp.judgeAnswer(answer)).rule, rule)
  return rule
}

const common = (answer, status) => {
  if (answer.status >= 300 && answer.status < 400) return 'status'
  if (answer.headers['x-fapi-interaction-id'] !== answer.interaction) return 'interaction-id'
  try {
    if (answer.json.error) return answer.json.error
  } catch {
    return 'answer'
  }
  return answer.status === status ? undefined : `? ${answer.status}`
}

// Step → what leads to it, honestly; then `go`, which meets the lie, and `judge`, which says what is wrong in the answer.
const steps = {
  'client-token': async () => ({
    go: (more) => tpp.token({ grant_type: 'client_credentials', scope: 'payments' }, more),
    judge: (answer) => common(answer, 200) ?? judgeToken(answer, 'payments'),
  }),
  intent: async () => {
    const token = await tpp.clientToken('fundsconfirmations')
    return {
      go: ({ headers }) => tpp.api('POST', `${funds}/authorizations`, token, { body: '{"iban":"FI8659986920068681"}', headers }),
      judge: (answer) => common(answer, 201) ?? judgeNewIntent(answer.json),
    }
  },
  redirection: async () => {
    const authorizationId = await intent()
    const sent = await tpp.jar('op-jar-cof', authorizationId)
    return {
      go: async () => ({ url: await tpp.visitHere(sent.parameters) }),
      judge: ({ url }) => judgeRedirection(url, { ...sent, authorizationId }),
    }
  },
  'code-token': async () => {
    const authorizationId = await intent()
    const sent = await tpp.jar('op-jar-cof', authorizationId)
    const { code } = Tpp.answer(await tpp.visitHere(sent.parameters))
    return {
      go: ({ headers }) => tpp.token({ grant_type: 'authorization_code', code, redirect_uri: bank.file.redirect_uri }, { headers }),
      again: () => tpp.token({ grant_type: 'authorization_code', code, redirect_uri: bank.file.redirect_uri }),
      judge: async (answer) => {
        const wrong = common(answer, 200) ?? judgeToken(answer, 'openid fundsconfirmations')
        if (wrong) return wrong
        const { id_token, access_token, refresh_token } = answer.json
        if (id_token === undefined) return 'answer'
        return judgedIdToken('op-id-token', { id_token, nonce: sent.nonce, authorizationId, texts: { at_hash: access_token, rt_hash: refresh_token } })
      },
    }
  },
  funds: async () => {
    const { tokens } = await tpp.authorize('op-jar-cof', await intent())
    return {
      go: ({ headers }) => tpp.api('POST', `${funds}/funds-confirmations`, tokens.access_token, { body: '{"amountEUR":"4.00"}', headers }),
      judge: (answer) => common(answer, 200) ?? (judgeMembers(answer.json, { fundsAvailable: true }) && 'answer'),
    }
  },
  create: async () => creation(await tpp.clientToken('payments')),
  join: async () => {
    const token = await tpp.clientToken('payments')
    return creation(token, (await tpp.create(token, body())).json.authorizationId)
  },
  submit: async () => {
    const { paymentId, tokens } = await tpp.authorized(body())
    return {
      go: ({ headers }) => tpp.api('PUT', `${payments}/${paymentId}/submissions/a`, tokens.access_token, { headers }),
      judge: async (answer) => common(answer, 200) ?? (await judgedSignature(answer)) ?? judgeMembers(answer.json, { submissionId: 'a', paymentId }),
    }
  },
  status: async () => ({
    go: ({ headers }) => tpp.api('GET', `${payments}/${spare.paymentId}`, spare.tokens.access_token, { headers }),
    judge: async (answer) => common(answer, 200) ?? (await judgedSignature(answer)) ??
      judgePayment(answer.json, { ...content, paymentId: spare.paymentId, authorizationId: spare.authorizationId, status: isUnderWay }),
  }),
  'refresh-token': async () => {
    const { refresh_token } = spare.tokens
    return {
      go: ({ headers }) => tpp.token({ grant_type: 'refresh_token', refresh_token, scope: 'payments' }, { headers }),
      judge: (answer) => common(answer, 200) ?? judgeToken(answer, 'payments'),
    }
  },
  'exemption-token': async () => {
    const own = JSON.stringify({ ...content, payee: { iban: 'FI4950009420028730', name: 'Me' } })
    const { parameters } = await tpp.exemption(spare.tokens.refresh_token, own)
    return {
      go: ({ headers }) => tpp.token(parameters, { headers }),
      judge: (answer) => common(answer, 200) ?? judgeToken(answer, 'payments'),
    }
  },
  'oidc-jwks': async () => setOf(bank.file.jwks_uri),
  'payments-jwks': async () => setOf(bank.file.response_jwks_uri),
}

const creation = (token, authorizationId) => ({
  go: ({ headers }) => tpp.create(token, JSON.stringify({ ...content, authorizationId }), { headers }),
  judge: async (answer) => common(answer, 201) ?? (await judgedSignature(answer)) ??
    judgePayment(answer.json, { ...content, status: 'Unauthorized', ...(authorizationId && { authorizationId }) }),
})

// An id is a rule of its own, all else is the payment.
function judgePayment(json, want) {
  const found = judgeMembers(json, want)
  return found === undefined || found.endsWith('Id') ? found : 'payment'
}

const isUnderWay = (status) => ['Pending', 'Completed'].includes(status)

function judgeNewIntent(json) {
  if (json.authorizationId === undefined) return 'answer'
  return judgeMembers(json, { iban: 'FI8659986920068681', status: 'Unauthorized' }) && 'intent'
}

const setOf = (uri) => ({
  go: ({ headers }) => tpp.send('GET', uri, { client: {}, headers }),
  judge: (answer) => common(answer, 200) ?? judgeKeys(answer.json),
})

function judgeKeys({ keys }) {
  const good = keys.length === new Set(keys.map(({ kid }) => kid)).size && keys.length > 0 && keys.every((key) => key.use === 'sig' && !('d' in key))
  if (!good) return 'key'
  // What would not verify.
  const own = [...bank.op.oidcKeys.keys, ...bank.op.paymentKeys.keys].map(({ jwk }) => jwk)
  return keys.every((key) => own.some(({ kid, n, x }) => key.kid === kid && key.n === n && key.x === x)) ? undefined : 'signature'
}

async function judgeRedirection(url, sent) {
  const doubled = (text) => new Set(new URLSearchParams(text).keys()).size !== [...new URLSearchParams(text).keys()].length
  if (!url.startsWith(`${sent.redirect_uri}#`) && !url.startsWith(`${sent.redirect_uri}?`)) return 'redirect'
  if (doubled(url.slice(sent.redirect_uri.length + 1))) return 'redirect'
  const answer = Tpp.answer(url)
  if (answer.state !== sent.state) return 'state'
  if (answer.error) return answer.error
  if (answer.iss && answer.iss !== bank.file.issuer) return 'iss'
  if (!answer.fragment || !answer.code || !answer.id_token) return 'redirect'
  const { nonce, authorizationId } = sent
  return judgedIdToken('op-id-token-front', { id_token: answer.id_token, nonce, authorizationId, texts: { c_hash: answer.code, s_hash: answer.state } })
}

// One request of a step, and what is wrong in its answer.
async function meet({ go, judge }) {
  const interaction = randomUUID()
  try {
    const answer = await go({ headers: { 'x-fapi-interaction-id': interaction } })
    return await judge(Object.assign(answer, { interaction }))
  } catch (error) {
    if (!/socket hang up|ECONNRESET/.test(error.message)) throw error
    return 'closed'
  }
}

const stepOf = ({ at }) => ({ front: 'redirection', token: 'code-token' })[at.split(' ')[0]] ?? at.split(' ')[0]
const expected = ({ rule, error, way }) => (way ? ['server_error', 'closed', 'temporarily_unavailable'] : [rule ?? error].flat())
// What was done, as the bank's book has it.
const done = async () => {
  const { authorizations, payments: all, transfers } = (await control('GET', '/ledger')).json
  return { intent: authorizations.length, create: all.length, submit: transfers.length }
}

test('the list: each lie has a name of its own, a moment, words, and one answer', () => {
  assert.equal(new Set(list.map(({ name }) => name)).size, list.length)
  for (const lie of list) {
    assert.ok(lie.says && Object.hasOwn(steps, stepOf(lie)), lie.name)
    assert.equal([lie.rule, lie.error, lie.way].filter((one) => one !== undefined).length, 1, lie.name)
  }
})

test('what it is told over the control socket', async () => {
  const { json } = await control('GET', '/lies')
  assert.equal(json.lies.length, list.length)
  assert.deepEqual((await control('PUT', '/lie', { lie: 'none' })).json.error, 'unknown_lie')
  assert.deepEqual((await control('PUT', '/lie', { lie: list[0].name, times: 0 })).json.error, 'invalid_request')
  await control('PUT', '/lie', { lie: list[0].name, times: 2 })
  assert.deepEqual((await control('GET', '/lies')).json.current, { lie: list[0].name, left: 2, told: 0 })
  await control('DELETE', '/lie')
  assert.equal((await control('GET', '/lies')).json.current, undefined)
})

for (const [step, reach] of Object.entries(steps)) {
  describe(step, () => {
    test('without a lie nothing is wrong', async () => assert.equal(await meet(await reach()), undefined))
    for (const lie of list.filter((one) => stepOf(one) === step)) {
      test(`${lie.name}: ${lie.says}`, async () => {
        const reached = await reach()
        const book = await done()
        await control('PUT', '/lie', { lie: lie.name })
        const wrong = await meet(reached)
        assert.deepEqual((await control('GET', '/lies')).json.current, { lie: lie.name, left: 0, told: 1 })
        assert.ok(expected(lie).includes(wrong), `${wrong} is wrong; the list says ${expected(lie)}`)
        if (!lie.at.endsWith(' before') && !lie.at.endsWith(' after')) return
        const more = lie.at.endsWith(' after') ? 1 : 0
        if (step in book) assert.equal((await done())[step] - book[step], more, 'whether it was done')
        if (step === 'code-token') assert.equal((await reached.again()).status, more ? 400 : 200, 'whether the code is used')
      })
    }
  })
}
