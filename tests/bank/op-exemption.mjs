// SPDX-License-Identifier: Apache-2.0
// When the OP bank lets a payment pass without asking the customer again ("Exemption flow" of its document).

const limits = { each: 3000, count: 5, sum: 10000 } // cents, and payments, since the last strong authentication

export const cents = (amount) => Number(amount.replace('.', ''))

// Counts the payment of this intent as one of the exemption, and authorizes it.
export function takeExemption(op, intent, refuse) {
  const [payment, ...others] = intent.payments ?? []
  if (!intent.exempt || payment === undefined) refuse('the authorizationId is not that of a payment which was created with a token of its customer')
  if (others.length > 0) refuse('an exemption is of one payment')
  if (intent.status !== 'Unauthorized') refuse(`the payment is ${intent.status}`)
  const { accounts } = op.customers[intent.customer]
  if (!accounts.includes(payment.content.payer?.iban)) refuse('the account of the payer is not owned by the customer')
  const own = accounts.includes(payment.content.payee.iban)
  const spent = op.sca.get(intent.customer) ?? { count: 0, cents: 0 }
  const amount = cents(payment.content.amountEUR)
  if (!own) {
    if (amount >= limits.each) refuse('the amount is not less than 30 EUR')
    if (spent.count >= limits.count) refuse('there were five exemption payments since the last strong authentication')
    if (spent.cents + amount >= limits.sum) refuse('the sum since the last strong authentication is not less than 100 EUR')
    op.sca.set(intent.customer, { count: spent.count + 1, cents: spent.cents + amount })
  }
  authorize(op, intent, intent.customer)
}

export function authorize(op, intent, customer) {
  Object.assign(intent, { status: 'Authorized', customer })
  for (const payment of intent.payments ?? []) payment.status = 'Authorized'
}
