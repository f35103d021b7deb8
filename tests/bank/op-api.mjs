// SPDX-License-Identifier: Apache-2.0
// The OP bank's APIs: confirmation of funds (/confirmation-of-funds-psd2/v1) and payments (/payments-psd2/v1).

import { randomUUID } from 'node:crypto'

import { flattenedVerify } from '../e2e/jose.mjs'
import { compact, demand, digest, now, Refusal } from './lib.mjs'
import { cents } from './op-exemption.mjs'
import { judgeCertificate } from './op-oauth.mjs'

const balance = 100000 // cents, on every account
const time = () => new Date().toISOString()
const amountPattern = /^(0|[1-9]\d{0,9})\.\d{2}$/
const ibanPattern = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/

// --- who asks --------------------------------------------------------------------------------

// The token of a call for an API; `user`: of a customer (true), of the app alone (false), or of either (undefined).
function judgeCall(op, { incoming, headers }, api, user) {
  judgeCertificate(op, incoming)
  demand(headers['x-api-key'] === op.app.apiKey, 401, 'unauthorized', 'x-api-key is not that of the app')
  // The document's example of a submission has none.
  const needed = incoming.method !== 'PUT'
  demand(!needed || headers['x-fapi-financial-id'] === op.financialId, 400, 'invalid_request', `x-fapi-financial-id is ${op.financialId}`)
  const token = op.tokens.get(/^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1])
  demand(token !== undefined && token.until > now(), 401, 'invalid_token', 'Authorization has no access token that is good')
  demand(token.scope.split(' ').includes(api), 403, 'insufficient_scope', `the access token is not for ${api}`)
  const kinds = { true: 'of a customer', false: 'of client_credentials' }
  demand(user === undefined || (token.user ?? false) === user, 403, 'insufficient_scope', `this is for access tokens ${kinds[user]}`)
  return token
}

function parse(body) {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(400, 'invalid_request', 'the body is not JSON')
  }
}

function found(map, id) {
  demand(map.has(id), 404, 'not_found', 'there is no such resource')
  return map.get(id)
}

// A customer's token is for what the customer has authorized, and nothing else.
const judgeIntent = (token, intent) => demand(!token.user || token.intent === intent, 403, 'insufficient_scope', 'the access token is of another authorization')

// --- what the bank signs ---------------------------------------------------------------------

// An answer with x-jws-signature over exactly its bytes (RFC 7515 Appendix F).
function signed(op, step, status, content) {
  const truth = op.lies.at(`${step} content`)
  const draft = { header: { kid: op.paymentKeys.kid, alg: 'ES256' }, body: truth ? truth.change(content) : content, key: op.paymentKeys.privateKey }
  draft.bytes = draft.payload = JSON.stringify(draft.body)
  const lie = op.lies.at(`${step} signature`)
  lie?.change?.(draft, op)
  const bytes = Buffer.from(draft.bytes)
  const { head, signature } = compact(draft.header, draft.payload, draft.key)
  const jws = `${head}..${signature}`
  const header = lie?.mangle ? lie.mangle(jws, bytes) : jws
  return { status, headers: { 'content-type': 'application/json', ...(header && { 'x-jws-signature': header }) }, body: bytes }
}

// What the TPP signed: these bytes, and nothing that was read and written again.
async function judgeSignature(op, { headers, body }) {
  const refuse = (text) => {
    throw new Refusal(400, 'invalid_signature', text)
  }
  const jws = headers['x-jws-signature']
  if (jws === undefined) refuse('x-jws-signature is missing')
  const [head, middle, signature, ...more] = jws.split('.')
  if (middle !== '' || signature === undefined || more.length > 0) refuse('x-jws-signature is not a detached JWS')
  const options = { algorithms: ['ES256', 'RS256'] }
  const { protectedHeader } = await flattenedVerify({ protected: head, payload: body.toString('base64url'), signature }, op.tppKeys, options).catch(
    (error) => refuse(`x-jws-signature is not good: ${error.code ?? error.message}`),
  )
  if ('b64' in protectedHeader || 'crit' in protectedHeader) refuse('x-jws-signature has neither b64 nor crit')
}

// --- payments --------------------------------------------------------------------------------

function judgePayment(content) {
  const refuse = (text) => {
    throw new Refusal(400, 'invalid_request', text)
  }
  if (!amountPattern.test(content.amountEUR ?? '') || cents(content.amountEUR) === 0) refuse('amountEUR is a text such as 4.00')
  if (!ibanPattern.test(content.payee?.iban ?? '') || typeof content.payee.name !== 'string') refuse('payee has an iban and a name')
  if (content.payer !== undefined && !ibanPattern.test(content.payer.iban ?? '')) refuse('payer has an iban')
  if ((content.paymentOrder ?? 'SEPA') !== 'SEPA') refuse('only SEPA payments are made')
}

// The intent that a new payment belongs to: its own, or one that is there.
function intentFor(op, token, authorizationId) {
  if (authorizationId === undefined) {
    // With a customer's token it is a payment of the exemption flow.
    const intent = { id: randomUUID(), api: 'payments', status: 'Unauthorized', payments: [], ...(token.user && { exempt: true, customer: token.customer }) }
    op.intents.set(intent.id, intent)
    return intent
  }
  demand(!token.user, 400, 'invalid_request', 'payments of the exemption flow are not bundled')
  const intent = op.intents.get(authorizationId)
  demand(intent?.payments !== undefined && !intent.exempt, 400, 'invalid_request', 'there is no such authorizationId')
  demand(intent.status === 'Unauthorized', 409, 'conflict', `the authorization is ${intent.status}`)
  return intent
}

const shown = ({ id, intent, status, created, modified, content }) => ({
  paymentId: id, authorizationId: intent.id, status, created, modified, detailsOfCharges: 'SHA', paymentOrder: 'SEPA', count: 1, ...content,
  paymentType: 'SepaPayment',
})

// The same key with the same body is the same order, however often it comes.
async function create(op, call) {
  const token = judgeCall(op, call, 'payments')
  const key = call.headers['x-idempotency-key']
  demand(key !== undefined && key.length <= 128, 400, 'invalid_request', 'x-idempotency-key is missing, or longer than 128 characters')
  if (token.user) {
    for (const name of ['x-fapi-customer-ip-address', 'x-customer-user-agent', 'x-fapi-customer-last-logged-time']) {
      demand(call.headers[name] !== undefined, 400, 'invalid_request', `${name} is missing`)
    }
  }
  await judgeSignature(op, call)
  const before = [...op.payments.values()].find((payment) => payment.key === key)
  if (before !== undefined) {
    demand(before.digest === digest(call.body), 409, 'conflict', 'x-idempotency-key was used with another body')
    before.orders++
    return signed(op, before.step, 201, before.answer)
  }
  const { authorizationId, ...content } = parse(call.body)
  judgePayment(content)
  const intent = intentFor(op, token, authorizationId)
  // Lies about a payment that joins others are lies of their own.
  const step = authorizationId === undefined ? 'create' : 'join'
  const payment = {
    id: randomUUID(), step, intent, status: 'Unauthorized', created: time(), modified: time(), content,
    key, digest: digest(call.body), orders: 1, submissions: new Map(),
  }
  payment.answer = shown(payment)
  intent.payments.push(payment)
  op.payments.set(payment.id, payment)
  return signed(op, step, 201, payment.answer)
}

// Submitted, then Pending at the first look, and Completed from the second.
const next = { Submitted: 'Pending', Pending: 'Completed' }

function look(op, call) {
  const token = judgeCall(op, call, 'payments')
  const payment = found(op.payments, call.params.paymentId)
  judgeIntent(token, payment.intent)
  const answer = shown(payment)
  if (next[payment.status]) Object.assign(payment, { status: next[payment.status], modified: time() })
  answer.status = payment.status
  return signed(op, 'status', 200, answer)
}

function remove(op, call) {
  judgeCall(op, call, 'payments', false)
  const payment = found(op.payments, call.params.paymentId)
  demand(payment.submissions.size === 0, 409, 'conflict', 'the payment is submitted')
  op.payments.delete(payment.id)
  payment.intent.payments = payment.intent.payments.filter((other) => other !== payment)
  return { status: 204 }
}

// The submissionId is the TPP's. The same again is the same submission; another one would pay twice.
function submit(op, call) {
  const token = judgeCall(op, call, 'payments', true)
  const { paymentId, submissionId } = call.params
  const payment = found(op.payments, paymentId)
  judgeIntent(token, payment.intent)
  demand(call.body.length === 0, 400, 'invalid_request', 'a submission has no body')
  demand(/^[A-Za-z0-9-]{1,64}$/.test(submissionId), 400, 'invalid_request', 'submissionId has letters, digits and -, at most 64')
  if (payment.submission === undefined) {
    demand(payment.status === 'Authorized', 409, 'conflict', `the payment is ${payment.status}`)
    Object.assign(payment, { status: 'Submitted', modified: time() })
    payment.submission = { submissionId, archiveId: randomUUID(), created: time(), modified: time(), status: 'Submitted' }
    op.transfers.push({ paymentId, submissionId, amountEUR: payment.content.amountEUR, payee: payment.content.payee.iban })
  }
  demand(payment.submission.submissionId === submissionId, 409, 'conflict', 'the payment was submitted under another submissionId')
  payment.submissions.set(submissionId, (payment.submissions.get(submissionId) ?? 0) + 1)
  return signed(op, 'submit', 200, { paymentId, ...payment.submission })
}

// --- authorizations --------------------------------------------------------------------------

const shownIntent = ({ id, created, status, expires, iban, payments }) => ({
  authorizationId: id, created, status, expires, iban, ...(payments && { payments: payments.map(shown) }),
})

function register(op, call) {
  judgeCall(op, call, 'fundsconfirmations', false)
  const { iban } = parse(call.body)
  demand(ibanPattern.test(iban ?? ''), 400, 'invalid_request', 'iban is missing, or is none')
  const expires = new Date(Date.now() + 365 * 86400000).toISOString()
  const intent = { id: randomUUID(), api: 'fundsconfirmations', status: 'Unauthorized', created: time(), expires, iban }
  op.intents.set(intent.id, intent)
  return { status: 201, body: shownIntent(intent) }
}

const intentOf = (op, call, api) => {
  judgeCall(op, call, api, false)
  const intent = op.intents.get(call.params.authorizationId)
  demand(intent?.api === api, 404, 'not_found', 'there is no such resource')
  return intent
}

const examine = (op, call) => ({ status: 200, body: shownIntent(intentOf(op, call, 'fundsconfirmations')) })
const examineBundle = (op, call) => signed(op, 'bundle', 200, shownIntent(intentOf(op, call, 'payments')))

// Of the authorization, with all that was given for it.
function revoke(op, intent) {
  for (const payment of intent.payments ?? []) {
    demand(payment.submissions.size === 0, 409, 'conflict', 'a payment of it is submitted')
  }
  for (const payment of intent.payments ?? []) op.payments.delete(payment.id)
  for (const list of [op.tokens, op.refreshTokens, op.codes]) for (const [text, grant] of list) if (grant.intent === intent) list.delete(text)
  op.intents.delete(intent.id)
  return { status: 204 }
}

function confirm(op, call) {
  const token = judgeCall(op, call, 'fundsconfirmations', true)
  demand(token.intent.status === 'Authorized', 403, 'insufficient_scope', 'the authorization is not in force')
  const { amountEUR } = parse(call.body)
  demand(amountPattern.test(amountEUR ?? ''), 400, 'invalid_request', 'amountEUR is a text such as 4.00')
  return { status: 200, body: { fundsAvailable: cents(amountEUR) <= balance } }
}

// --- routes ----------------------------------------------------------------------------------

const funds = '/confirmation-of-funds-psd2/v1'
const payments = '/payments-psd2/v1'

export const apiRoutes = (op) => [
  { step: 'intent', method: 'POST', path: `${funds}/authorizations`, act: (call) => register(op, call) },
  { step: 'intent-status', method: 'GET', path: `${funds}/authorizations/{authorizationId}`, act: (call) => examine(op, call) },
  { step: 'revoke', method: 'DELETE', path: `${funds}/authorizations/{authorizationId}`, act: (call) => revoke(op, intentOf(op, call, 'fundsconfirmations')) },
  { step: 'funds', method: 'POST', path: `${funds}/funds-confirmations`, act: (call) => confirm(op, call) },
  { step: 'create', method: 'POST', path: `${payments}/sepa-payments`, act: (call) => create(op, call) },
  { step: 'status', method: 'GET', path: `${payments}/sepa-payments/{paymentId}`, act: (call) => look(op, call) },
  { step: 'remove', method: 'DELETE', path: `${payments}/sepa-payments/{paymentId}`, act: (call) => remove(op, call) },
  { step: 'submit', method: 'PUT', path: `${payments}/sepa-payments/{paymentId}/submissions/{submissionId}`, act: (call) => submit(op, call) },
  { step: 'bundle', method: 'GET', path: `${payments}/authorizations/{authorizationId}`, act: (call) => examineBundle(op, call) },
  { step: 'revoke-bundle', method: 'DELETE', path: `${payments}/authorizations/{authorizationId}`, act: (call) => revoke(op, intentOf(op, call, 'payments')) },
]
