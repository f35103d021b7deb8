# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# OP PSD2 Confirmation of Funds: is there this much money in the account?

verb op-funds 'OP: whether an account has the money' iban! amount!

funds_path=/confirmation-of-funds-psd2/v1

steps_op_funds() {
    printf '%s\t%s\n' \
        client-token 'all of it' \
        intent 'all of it; an intent that no customer has seen is nothing' \
        customer 'all of it: resume makes a new request for the same intent; the customer authorizes once' \
        token 'all of it; a code counts once, so if it was sent, resume asks the customer again' \
        funds 'all of it: it is a question'
}

run_op_funds() {
    local intent
    # shellcheck disable=SC2034 # for op.bash
    op_scope=fundsconfirmations
    op_begin profiles/jar_cof
    amount_check "${opt[amount]}" || usage "--amount is not an amount like 4.00: ${opt[amount]}"
    iban_check "${opt[iban]}" || usage "--iban is no IBAN: ${opt[iban]}"
    once client-token op_first_token
    op_reconsider "$funds_path" intent
    once intent funds_intent
    state_get intent
    intent=$REPLY
    once customer op_customer jar_cof "$intent"
    once token op_redeem 'openid fundsconfirmations' "$intent"
    funds_ask
}

funds_intent() {
    step 'The intent'
    op_client_token fundsconfirmations
    json_object iban "${opt[iban]}"
    printf '%s' "$REPLY" >"$work/intent"
    tell bank "POST ${bank[api]}$funds_path/authorizations"
    op_use client bank_call POST "$funds_path/authorizations" --body "$work/intent" || bank_cut 'the intent'
    bank_expect 201 'the intent'
    bank_json
    bank_member .iban '[A-Z0-9]{5,34}' iban
    [[ $REPLY == "${opt[iban]}" ]] || lied intent 'the intent is for another account'
    bank_member .status '[A-Za-z]{1,32}' status
    [[ $REPLY == Unauthorized ]] || lied intent 'the intent is new, and should be Unauthorized'
    bank_member .authorizationId '[A-Za-z0-9-]{1,64}' authorizationId
    held 'iban, status'
    state_put intent "$REPLY"
}

funds_ask() {
    local answer text='the money is not there'
    state_put at funds
    step 'Is the money there?'
    json_object amountEUR "${opt[amount]}"
    printf '%s' "$REPLY" >"$work/question"
    tell bank "POST ${bank[api]}$funds_path/funds-confirmations"
    op_use user bank_ask POST "$funds_path/funds-confirmations" --body "$work/question"
    bank_expect 200 'the question'
    bank_json
    answer=$(jq -e '.fundsAvailable | booleans | tostring' "$work/body") || lied answer 'fundsAvailable is neither true nor false'
    answer=${answer//\"/}
    [[ $answer != true ]] || text='the money is there'
    state_put did-funds yes
    json_object fundsAvailable: "$answer" authorizationId "$(<"$state/intent")"
    result "$text" "$REPLY"
}
