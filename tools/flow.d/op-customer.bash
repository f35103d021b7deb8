# shellcheck shell=bash disable=SC2154,SC2034 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# A customer of OP, beyond one flow: a folder of mode 0700 with
#   accounts.json    the IBANs the customer owns at OP, an array; written by whoever knows
#   refresh          the refresh token of their last strong authentication
#   ledger.json      the exemption payments since then: [{flow, cents, kind}]
#
#   customer_open DIR                    must be there, or is made
#   customer_lock                        one flow at a time, until this one ends
#   customer_authenticated TOKEN         a strong authentication: its refresh token, and an empty ledger
#   customer_owns IBAN
#   exemption_kind_of PAYER PAYEE        sets exemption_kind: own, between two accounts of the customer, or small
#   exemption_judge FLOW CENTS PAYER PAYEE    sets REPLY to '', or to the limit that is in the way and $fault
#   exemption_counts FLOW                whether it is in the ledger
#   exemption_count FLOW CENTS           the bank is asked to exempt it: it counts for this authentication
#   exemption_release FLOW               the bank refused
#
# A payment that was judged and never asked for leaves nothing behind; the lock is what keeps two from being judged at once.

customer=
exemption_each=3000 # cents; a payment is less than this
exemption_sum=10000 # cents; those since the authentication are less than this
exemption_most=5    # and fewer than this are before it

customer_open() {
    customer=$(realpath -m -- "$1")
    [[ -d $customer ]] || mkdir -p "$customer" || usage "cannot make the folder $customer"
    [[ -O $customer && $(stat -c %a "$customer") == 700 ]] || usage "$customer must be yours and of mode 0700: a refresh token is kept in it"
}

customer_lock() {
    exec 8>"$customer/lock"
    flock --wait "$lock_wait_s" 8 || usage "another flow of this customer is at work: $customer"
    customer_ledger | jq -es 'length == 1 and (.[0] | type == "array" and all((.flow | type == "string")
        and (.kind == "small" or .kind == "own") and (.cents | type == "number" and . >= 0 and . == floor)))' >/dev/null 2>&1 || own "$customer/ledger.json is damaged; without it no exemption can be judged"
}

customer_put() {
    [[ -n $2 ]] || own "nothing to write to $customer/$1"
    printf '%s' "$2" >"$customer/.new" || own "cannot write in $customer"
    if ! sync "$customer/.new" || ! mv -T "$customer/.new" "$customer/$1" || ! sync "$customer"; then own "cannot write $customer/$1"; fi
}

customer_authenticated() {
    customer_lock
    customer_put refresh "$1"
    customer_put ledger.json '[]'
    exec 8>&-
}

customer_ledger() {
    if [[ -e $customer/ledger.json ]]; then cat "$customer/ledger.json"; else printf '[]'; fi
}

customer_owns() {
    jq -e --arg iban "$1" 'index($iban) != null' "$customer/accounts.json" >/dev/null
}

exemption_kind_of() {
    exemption_kind=small
    if customer_owns "$1" && customer_owns "$2"; then exemption_kind=own; fi
}

exemption_judge() {
    local count sum
    fault=
    exemption_held='payer, SEPA'
    customer_owns "$3" || { REPLY=payer fault='the account of the payer is not one of the customer'; return; }
    if ! sepa_check "$3" || ! sepa_check "$4"; then REPLY=sepa fault='only SEPA payments are exempt'; return; fi
    if [[ $exemption_kind == own ]]; then
        exemption_held+=", both accounts are the customer's own"
    else
        read -r count sum < <(customer_ledger | jq -r --arg flow "$1" 'map(select(.kind == "small" and .flow != $flow))
            | "\(length) \(map(.cents) | add // 0)"')
        [[ $2 -lt $exemption_each ]] || { REPLY=amount fault='the amount must be less than 30.00 EUR'; return; }
        [[ $count -lt $exemption_most ]] || { REPLY=count fault="there were $count exemption payments since the last strong authentication"; return; }
        cents_text "$((sum + $2))"
        [[ $((sum + $2)) -lt $exemption_sum ]] || {
            fault="with this one the exemption payments since the last strong authentication are $REPLY EUR, and must be less than 100.00"
            REPLY='sum'
            return
        }
        exemption_held+=", less than 30.00 EUR, $count since the last strong authentication, with this one $REPLY EUR"
    fi
    REPLY=
}

exemption_counts() {
    customer_ledger | jq -e --arg flow "$1" 'any(.flow == $flow)' >/dev/null
}

exemption_count() {
    customer_put ledger.json "$(customer_ledger | jq -c --arg flow "$1" --argjson cents "$2" --arg kind "$exemption_kind" \
        'map(select(.flow != $flow)) + [{flow: $flow, cents: $cents, kind: $kind}]')"
}

exemption_release() {
    customer_put ledger.json "$(customer_ledger | jq -c --arg flow "$1" 'map(select(.flow != $flow))')"
}
