// SPDX-License-Identifier: Apache-2.0
// The front channel of the OP bank: where the customer's browser is sent, and the bank's JWK Sets.

import { demand, now, page, Refusal, secret } from './lib.mjs'
import { authorize } from './op-exemption.mjs'
import { idToken, judgeIntent, judgeJwt } from './op-oauth.mjs'

const codeLifetime = 60 // seconds
const scopes = { 'openid payments': 'payments', 'openid fundsconfirmations': 'fundsconfirmations' }

// A page and no redirection: until the request object is believed, so is no redirect_uri.
const refuse = (text) => {
  throw new Refusal(400, 'invalid_request_object', text)
}

// Back to the TPP, the answer in the fragment when there is an ID token in it, else in the query.
function redirection(op, jar, answer) {
  const draft = { uri: jar.redirect_uri, mark: 'id_token' in answer ? '#' : '?', parameters: new URLSearchParams({ state: jar.state, ...answer }) }
  op.lies.at('redirection')?.change(draft)
  return { status: 303, headers: { location: `${draft.uri}${draft.mark}${draft.parameters}` } }
}

async function judgeRequest(op, query) {
  const jar = await judgeJwt(op, query.request ?? '', {}, refuse)
  if (!op.app.redirectUris.includes(jar.redirect_uri)) refuse('redirect_uri is not registered')
  if (!['code', 'code id_token'].includes(jar.response_type)) refuse('response_type is code or code id_token')
  if (scopes[jar.scope] === undefined) refuse('scope is openid and one of payments, fundsconfirmations')
  for (const name of ['response_type', 'client_id', 'scope']) {
    if (query[name] !== jar[name]) refuse(`${name} of the query is not that of the request object`)
  }
  return jar
}

const loginForm = (visit, text = '') =>
  page('Log in', {
    action: '/oauth/login',
    hidden: { visit },
    fields: [['username', 'Username'], ['password', 'Password'], ['code', 'Key code']],
    buttons: [['login', 'Log in']],
    text,
  })

function consentForm(visit, { intent }) {
  const what = intent.payments
    ? intent.payments.map(({ content }) => `${content.amountEUR} EUR to ${content.payee.name}, ${content.payee.iban}`).join('; ')
    : `whether there are funds on ${intent.iban}`
  return page('Confirm', { action: '/oauth/consent', hidden: { visit }, buttons: [['approve', 'Confirm'], ['deny', 'Reject']], text: what })
}

function visitOf(op, { form }) {
  const visit = op.visits.get(form?.visit ?? '')
  demand(visit !== undefined, 400, 'invalid_request', 'this page is not of a log-in that is under way')
  return visit
}

function consent(op, { jar, intent, customer }, decision) {
  if (decision !== 'approve') return redirection(op, jar, { error: 'access_denied' })
  if (intent.status !== 'Unauthorized') return redirection(op, jar, { error: 'invalid_request' })
  const payer = intent.payments?.find(({ content }) => content.payer && !op.customers[customer].accounts.includes(content.payer.iban))
  const foreign = payer !== undefined || (intent.iban !== undefined && !op.customers[customer].accounts.includes(intent.iban))
  if (foreign) return redirection(op, jar, { error: 'access_denied' })
  authorize(op, intent, customer)
  op.sca.delete(customer) // strong authentication: the exemptions are counted anew
  const code = secret()
  op.codes.set(code, { intent, jar, until: now() + codeLifetime })
  if (jar.response_type === 'code') return redirection(op, jar, { code })
  return redirection(op, jar, { code, id_token: idToken(op, 'front', { intent, nonce: jar.nonce, texts: { s_hash: jar.state, c_hash: code } }) })
}

const htmlOf = async (act) => {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return page('This does not work', { text: `${error.error}: ${error.message}` }, error.status)
  }
}

const routes = (op) => [
  {
    step: 'authorize',
    method: 'GET',
    path: '/oauth/authorize',
    async act({ url }) {
      const jar = await judgeRequest(op, Object.fromEntries(url.searchParams))
      const intent = judgeIntent(op, jar, 'urn:openbanking:psd2:sca', refuse)
      if (intent.api !== scopes[jar.scope]) refuse('the authorizationId is not of the API that scope names')
      if (intent.status !== 'Unauthorized') return redirection(op, jar, { error: 'invalid_request' })
      const visit = secret()
      op.visits.set(visit, { jar, intent })
      return loginForm(visit)
    },
  },
  {
    step: 'login',
    method: 'POST',
    path: '/oauth/login',
    act(call) {
      const { form } = call
      const visit = visitOf(op, call)
      const customer = Object.hasOwn(op.customers, form.username) ? op.customers[form.username] : undefined
      if (customer?.password !== form.password || customer?.code !== form.code) return loginForm(form.visit, 'That was not right.')
      visit.customer = form.username
      return consentForm(form.visit, visit)
    },
  },
  {
    step: 'consent',
    method: 'POST',
    path: '/oauth/consent',
    act(call) {
      const visit = visitOf(op, call)
      demand(visit.customer !== undefined, 400, 'invalid_request', 'nobody has logged in')
      op.visits.delete(call.form.visit)
      return consent(op, visit, call.form.decision)
    },
  },
]

const publish = (step, path, signer) => ({
  step,
  method: 'GET',
  path,
  act: () => ({ status: 200, headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'max-age=60' }, body: signer().jwks }),
})

export const authorizeRoutes = (op) => [
  ...routes(op).map((route) => ({ ...route, act: (call) => htmlOf(() => route.act(call)) })),
  publish('oidc-jwks', '/oauth/jwks/PSD2_OIDC', () => op.oidcKeys),
  publish('payments-jwks', '/psd2/sandbox/jwks/payments/jwks.json', () => op.paymentKeys),
]
