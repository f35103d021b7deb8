# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# OP PSD2 Payments, the default flow: several payments, authorized by the customer at once.

verb op-payments 'OP: payments that the customer authorizes' payments! customer

steps_op_payments() {
    local n
    printf 'client-token\tall of it\n'
    for ((n = 1; n <= $(find "$state" -name 'order-*.json' | wc -l); n++)); do
        printf 'create-%d\tall of it: the idempotency key stays the same\n' "$n"
    done
    printf '%s\t%s\n' \
        customer 'all of it: resume makes a new request for the same payments; nothing is paid before the customer is back' \
        token 'all of it; a code counts once, so if it was sent, resume asks the customer again'
    for ((n = 1; n <= $(find "$state" -name 'order-*.json' | wc -l); n++)); do
        printf 'submit-%d\tresume: it asks the bank for the status first, and submits under the same submissionId. Do not begin anew\n' "$n"
    done
    printf 'status\tall of it: the payments are submitted, and only their status is asked\n'
}

run_op_payments() {
    local n creates=()
    # shellcheck disable=SC2034 # for op.bash
    op_scope=payments
    op_begin response_jwks_uri profiles/jar_pis profiles/payment profiles/response
    pay_read "${opt[payments]}" 50
    [[ ! -v opt[customer] ]] || customer_open "${opt[customer]}"
    for ((n = 1; n <= payments; n++)); do creates+=("create-$n"); done
    once client-token op_first_token
    op_reconsider "$payments_path" "${creates[@]}"
    state_has intent || payments_forget
    for ((n = 1; n <= payments; n++)); do once "create-$n" payments_create "$n"; done
    state_get intent
    once customer op_customer jar_pis "$REPLY"
    state_get intent
    once token payments_redeem "$REPLY"
    for ((n = 1; n <= payments; n++)); do once "submit-$n" pay_submit "$n" user; done
    once status payments_follow
    pay_result
}

# A new authorization is of new payments.
payments_forget() {
    local n
    for ((n = 1; n <= payments; n++)); do
        ! state_has "payment-$n.id" || state_drop "payment-$n.id" "payment-$n.key" "payment-$n.json"
    done
}

payments_create() {
    op_client_token payments
    pay_create "$1" client
}

# With a customer's folder: strong authentication has happened, so their exemptions are counted anew.
payments_redeem() {
    op_redeem 'openid payments' "$1"
    [[ -v opt[customer] ]] || return 0
    token_get user refresh_token
    [[ -z $REPLY ]] || customer_authenticated "$REPLY"
}

payments_follow() {
    local n
    for ((n = 1; n <= payments; n++)); do pay_follow "$n" user; done
}
