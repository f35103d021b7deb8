# shellcheck shell=bash disable=SC2154,SC2034 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# OP PSD2 Payments, the exemption flow: one small payment, or one between the customer's own accounts, for which an earlier
# authorization is used again. The limits are judged here, before anything is sent.

verb op-exemption 'OP: a payment that needs no authorization of its own' customer! payment! customer-ip! customer-agent! last-logged!

steps_op_exemption() {
    printf '%s\t%s\n' \
        limits 'all of it: nothing was sent' \
        token 'all of it' \
        create-1 'all of it: the idempotency key stays the same' \
        exempt 'resume: nothing is submitted. If the bank refuses, pay with op-payments' \
        submit-1 'resume: it asks the bank for the status first, and submits under the same submissionId. Do not begin anew' \
        status 'all of it: the payment is submitted, and only its status is asked'
}

run_op_exemption() {
    op_scope=payments
    op_refresher=exemption_refresh
    op_lost=
    at_refusal=exemption_refused
    op_begin response_jwks_uri profiles/exemption profiles/payment profiles/response
    customer_open "${opt[customer]}"
    [[ -r $customer/accounts.json ]] || usage "there is no $customer/accounts.json: the IBANs that the customer owns"
    jq -e 'type == "array" and all(type == "string")' "$customer/accounts.json" >/dev/null 2>&1 ||
        usage "$customer/accounts.json is not an array of IBANs"
    [[ -e $customer/refresh ]] || limit sca 'the customer has authorized nothing yet: there is no refresh token'
    pay_read "${opt[payment]}" 50
    [[ $payments -eq 1 ]] || limit bundle 'payments are not bundled here: one payment, one flow'
    customer_lock
    exemption_limits
    once token exemption_token
    once create-1 exemption_create
    state_get intent
    once exempt exemption_ask "$REPLY"
    once submit-1 pay_submit 1 exempt
    once status pay_follow 1 exempt
    pay_result
}

limit() {
    ending 2 "$1" "$2; nothing was sent" 'pay with op-payments: the customer authorizes'
}

# In each run, unless the payment is in the ledger, where the others were judged with it, or is exempt: others may have been made
# meanwhile, and the ledger begun anew.
exemption_limits() {
    local payer payee
    state_has exemption || state_put exemption "$(</proc/sys/kernel/random/uuid)"
    state_get exemption
    exemption=$REPLY
    amount_cents "$(jq -r .amountEUR "$state/order-1.json")"
    cents=$REPLY
    payer=$(jq -r .payer.iban "$state/order-1.json")
    payee=$(jq -r .payee.iban "$state/order-1.json")
    exemption_kind_of "$payer" "$payee"
    if state_has did-exempt || exemption_counts "$exemption"; then return; fi
    state_put at limits
    step 'The limits'
    exemption_judge "$exemption" "$cents" "$payer" "$payee"
    [[ -z $REPLY ]] || limit "$REPLY" "$fault"
    held "$exemption_held"
    state_put did-limits yes
}

exemption_token() {
    step 'The earlier authorization gives a token'
    exemption_refresh
}

# The bank may turn the refresh token: the new one is kept before the access token is used.
exemption_refresh() {
    op_form refresh_token
    form_add refresh_token "$(<"$customer/refresh")"
    form_add scope payments
    op_token user payments 'refresh token'
    token_get user refresh_token
    [[ -z $REPLY ]] || customer_put refresh "$REPLY"
}

exemption_create() {
    pay_create 1 user --header "x-fapi-customer-ip-address: ${opt[customer-ip]}" \
        --header "x-customer-user-agent: ${opt[customer-agent]}" --header "x-fapi-customer-last-logged-time: ${opt[last-logged]}"
}

# From here on the payment counts, whether it is answered or not.
exemption_ask() {
    local state_text nonce name value
    step 'The earlier authorization is confirmed for this payment'
    random_text
    state_text=$REPLY
    random_text
    nonce=$REPLY
    json_object state "$state_text" nonce "$nonce" max_age: 86400 authorizationId "$1"
    printf '%s' "$REPLY" >"$work/request"
    service_sign "grant-assertion/${profile[exemption]}" "$work/request"
    form_begin
    while IFS=$'\t' read -r name value; do
        form_add "$name" "$value"
    done < <(jq -r '.parameters | to_entries[] | [.key, .value] | @tsv' "$work/signed")
    bank_secret client_secret_file
    form_add client_secret "$REPLY"
    op_lost=
    ! state_has exemption-asked || op_lost=yes
    exemption_count "$exemption" "$cents"
    state_put exemption-asked yes
    op_token exempt payments 'assertion'
}

# What the bank refuses before it has exempted the payment does not count; but one answer that was lost may have been the yes.
exemption_refused() {
    if [[ -n ${exemption-} && -z $op_lost ]] && ! state_has did-exempt; then
        exemption_release "$exemption"
        state_drop exemption-asked
    fi
    more_advice='what the bank does not exempt is paid with op-payments'
}
