# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# OP payments: creating one, submitting one, asking for its status. A payment is a number from 1, what was asked is
# $state/payment-N.json, octet for octet what was signed and sent.
#
#   pay_read FILE MOST                the payments of a file, checked, become $state/order-N.json; $payments is their number
#   pay_create N TOKEN [OPTION…]      signs and creates; $state/payment-N.id. OPTIONs go to bank_call
#   pay_submit N TOKEN                submits under one submissionId for ever
#   pay_follow N TOKEN                asks until the bank has made it, or not; sets REPLY to the status
#
# After a request to submit without an answer the status is asked, and only if the bank has nothing is the request repeated,
# with the same submissionId. Key and submissionId are in the state before they are sent.

payments_path=/payments-psd2/v1
payments=0
pay_looks=10

# Each refusal says which payment. What was read once is what is paid: a file that has changed since is refused, one that is gone
# is not missed.
pay_read() {
    local n fault
    if state_has orders; then
        payments=$(<"$state/orders")
        [[ ! -e $1 ]] || pay_same "$1" || usage "$1 is not what it was when the flow began; for other payments begin one in another folder"
        return
    fi
    jq -es 'length == 1 and (.[0] | type == "array" or type == "object")' "$1" >/dev/null 2>&1 ||
        usage "$1 is not one JSON array of payments, nor one payment"
    payments=$(jq 'if type == "array" then length else 1 end' "$1")
    [[ $payments -ge 1 && $payments -le $2 ]] || usage "$1 has $payments payments; there must be from 1 to $2"
    for ((n = 1; n <= payments; n++)); do
        jq -c --argjson n "$n" 'if type == "array" then .[$n - 1] else . end' "$1" >"$work/order"
        fault=$(pay_fault "$work/order")
        [[ -z $fault ]] || usage "payment $n of $1: $fault"
        state_keep "order-$n.json" "$work/order"
    done
    state_put orders "$payments"
}

pay_same() {
    local n orders=()
    for ((n = 1; n <= payments; n++)); do orders+=("$state/order-$n.json"); done
    jq -e --slurpfile orders <(cat "${orders[@]}") '(if type == "array" then . else [.] end) == $orders' "$1" >/dev/null 2>&1
}

# Prints what is wrong with a payment, first.
pay_fault() {
    local fault payee payer
    fault=$(jq -r 'def text: type == "string" and length > 0 and length <= 140;
        if type != "object" then "is no object"
        else first(
            (keys - ["amountEUR", "message", "payee", "payer"] | select(length > 0) | "has the member \(.[0]), which is not for SEPA payments"),
            (select(.payee | type != "object" or keys != ["iban", "name"]) | "payee must have iban and name, and nothing else"),
            (select(.payer | type != "object" or keys != ["iban"]) | "payer must have iban, and nothing else"),
            (select([.payee[], .payer[], (.message // "-"), .amountEUR] | all(text) | not)
                | "iban, name, message and amountEUR are texts of 1 to 140 characters"),
            "") end' "$1")
    [[ -z $fault ]] || { printf '%s' "$fault"; return; }
    amount_check "$(jq -r .amountEUR "$1")" || { printf 'amountEUR must be an amount like 4.00'; return; }
    payee=$(jq -r .payee.iban "$1")
    payer=$(jq -r .payer.iban "$1")
    if ! iban_check "$payee" || ! iban_check "$payer"; then printf 'payee and payer must have IBANs with good check digits'; fi
}

pay_create() {
    local n=$1 token=$2 jws key
    shift 2
    step "Payment $n is created"
    pay_prepare "$n"
    service_sign "detached-jws/${profile[payment]}" "$state/payment-$n.json"
    service_member jws
    jws=$REPLY
    state_get "payment-$n.key"
    key=$REPLY
    tell bank "POST ${bank[api]}$payments_path/sepa-payments (x-jws-signature, x-idempotency-key)"
    op_use "$token" bank_ask POST "$payments_path/sepa-payments" --body "$state/payment-$n.json" \
        --header "x-jws-signature: $jws" --header "x-idempotency-key: $key" "$@"
    bank_expect 201 "payment $n"
    op_answer "payment $n"
    pay_compare "$n"
    bank_member .status '[A-Za-z]{1,32}' status
    [[ $REPLY == Unauthorized ]] || lied payment "payment $n is new, and should be Unauthorized"
    pay_take "$n"
}

# What is sent, and under which key, is the same in every run. The first payment makes the authorization, the others join it.
pay_prepare() {
    state_has "payment-$1.key" || state_put "payment-$1.key" "$(</proc/sys/kernel/random/uuid)"
    state_has "payment-$1.json" && return
    if state_has intent; then
        state_get intent
        jq -c --arg id "$REPLY" '. + {authorizationId: $id}' "$state/order-$1.json" | tr -d '\n' >"$work/payment"
    else
        tr -d '\n' <"$state/order-$1.json" >"$work/payment"
    fi
    state_keep "payment-$1.json" "$work/payment"
}

# The bank will pay what was asked: every member that was sent is in the answer as it was, and the currency is not another.
pay_compare() {
    local differs
    differs=$(jq -r --slurpfile order "$state/order-$1.json" '. as $answer
        | ($order[0] | map_values({wanted: .})) + ({currency: "EUR", paymentOrder: "SEPA", paymentType: "SepaPayment"} | map_values({wanted: ., free: true}))
        | [to_entries[] | select($answer[.key] != .value.wanted and ((.value.free and $answer[.key] == null) | not)) | .key][0] // ""' "$work/body")
    [[ -z $differs ]] || lied payment "payment $1: $differs of the answer is not what was asked, or not that of a SEPA payment in euros"
    held 'amount, payee, payer, message, currency'
}

# Ids: one authorization for all, a payment for each.
pay_take() {
    local n id
    bank_member .paymentId '[A-Za-z0-9-]{1,64}' paymentId
    id=$REPLY
    for ((n = 1; n <= payments; n++)); do
        [[ $n -eq $1 ]] || ! state_has "payment-$n.id" || [[ $(<"$state/payment-$n.id") != "$id" ]] ||
            lied paymentId "payment $1 has the paymentId of payment $n"
    done
    bank_member .authorizationId '[A-Za-z0-9-]{1,64}' authorizationId
    if state_has intent; then
        [[ $REPLY == "$(<"$state/intent")" ]] || lied authorizationId "payment $1 belongs to another authorization than it was sent for"
    else
        state_put intent "$REPLY"
    fi
    held 'paymentId, authorizationId, status'
    state_put "payment-$1.id" "$id"
}

# pay_ask N TOKEN: sets REPLY to the status. 1 without an answer.
pay_ask() {
    local path
    state_get "payment-$1.id"
    path=$payments_path/sepa-payments/$REPLY
    tell bank "GET ${bank[api]}$path"
    op_use "$2" bank_call GET "$path" && [[ $bank_status != 5?? ]] || return 1
    bank_expect 200 "the status of payment $1"
    op_answer "the status of payment $1"
    bank_member .paymentId '[A-Za-z0-9-]{1,64}' paymentId
    [[ $REPLY == "$(<"$state/payment-$1.id")" ]] || lied paymentId "the status is that of another payment than $1"
    bank_member .authorizationId '[A-Za-z0-9-]{1,64}' authorizationId
    [[ $REPLY == "$(<"$state/intent")" ]] || lied authorizationId "payment $1 belongs to another authorization now"
    pay_compare "$1"
    pay_status "$1"
    note "payment $1 is $REPLY"
}

# Sets REPLY to the status of the answer, which must be one that is known: what nobody knows cannot be acted on.
pay_status() {
    bank_member .status '[A-Za-z]{1,32}' status
    case $REPLY in
        Unauthorized | Authorized | Submitted | Pending | Completed | Rejected | Failed | Cancelled) ;;
        *) lied payment "the status of payment $1 is none that is known" ;;
    esac
}

pay_submit() {
    local n=$1 token=$2 path try
    step "Payment $n is submitted"
    state_has "payment-$n.submission" || state_put "payment-$n.submission" "$(</proc/sys/kernel/random/uuid)"
    path=$payments_path/sepa-payments/$(<"$state/payment-$n.id")/submissions/$(<"$state/payment-$n.submission")
    for ((try = 1; try <= bank_tries; try++)); do
        if state_has "payment-$n.sent"; then
            if pay_was_submitted "$n" "$token"; then return; fi
        fi
        state_put "payment-$n.sent" yes
        tell bank "PUT ${bank[api]}$path"
        if op_use "$token" bank_call PUT "$path" --empty && [[ $bank_status != 5?? ]]; then
            pay_submitted "$n"
            return
        fi
        note "no answer to use (${bank_said:-HTTP $bank_status})"
        if [[ $bank_sent == no ]]; then state_drop "payment-$n.sent"; fi
        sleep 0.3
    done
    [[ $bank_status == 000 ]] || bank_expect 200 "the submission of payment $n"
    bank_cut "the submission of payment $n"
}

# Whether it has come already. Without an answer the flow ends here, before anything is sent.
pay_was_submitted() {
    local try
    for ((try = 1; ; try++)); do
        if pay_ask "$1" "$2"; then break; fi
        [[ $try -lt $bank_tries ]] || broken unknown "payment $1 may be submitted, and the bank does not say: ${bank_said:-HTTP $bank_status}"
        sleep 0.3
    done
    [[ $REPLY != Authorized ]]
}

pay_submitted() {
    bank_expect 200 "the submission of payment $1"
    op_answer "the submission of payment $1"
    bank_member .paymentId '[A-Za-z0-9-]{1,64}' paymentId
    [[ $REPLY == "$(<"$state/payment-$1.id")" ]] || lied paymentId "what was submitted is another payment than $1"
    bank_member .submissionId '[A-Za-z0-9-]{1,64}' submissionId
    [[ $REPLY == "$(<"$state/payment-$1.submission")" ]] || lied submissionId "payment $1 was submitted under another id"
    pay_status "$1"
    [[ $REPLY != *uthorized ]] || lied payment "payment $1 was submitted, and is $REPLY"
    held "paymentId, submissionId, status $REPLY"
}

pay_follow() {
    local look
    step "What becomes of payment $1"
    for ((look = 1; ; look++)); do
        pay_ask "$1" "$2" || bank_cut "the status of payment $1"
        case $REPLY in
            Completed | Rejected | Failed | Cancelled) break ;;
            *uthorized) lied payment "payment $1 was submitted, and is $REPLY again" ;;
        esac
        [[ $look -lt $pay_looks ]] || break
        sleep 0.3
    done
    state_put "payment-$1.status" "$REPLY"
}

# The end: what became of each.
pay_result() {
    local n text='' list='' amount
    for ((n = 1; n <= payments; n++)); do
        amount=$(jq -r .amountEUR "$state/order-$n.json")
        text+=${text:+$'\n'}"$(<"$state/payment-$n.id") $amount EUR $(<"$state/payment-$n.status")"
        json_object paymentId "$(<"$state/payment-$n.id")" submissionId "$(<"$state/payment-$n.submission")" amountEUR "$amount" \
            status "$(<"$state/payment-$n.status")"
        list+=${list:+,}$REPLY
    done
    json_object authorizationId "$(<"$state/intent")" payments: "[$list]"
    result "$text" "$REPLY"
}
