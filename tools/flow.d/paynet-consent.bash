# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# PayNet: a customer's consent to look at their accounts, from the pushed request to the first look.

verb paynet-consent 'PayNet: a consent, its tokens, and the accounts' permissions! until! purpose dp-id auth

steps_paynet_consent() {
    printf '%s\t%s\n' \
        request 'all of it; a pushed request that no customer has seen is nothing' \
        customer 'resume --callback FILE goes on with the customer who comes back late; resume alone makes a new consent and sends them again' \
        token 'all of it; a code counts once, so if it was sent, resume makes a new consent and asks the customer again' \
        check 'all of it: what the bank answered is kept, and judged then; if it was refused, resume makes a new consent' \
        accounts 'all of it: it is a question'
}

run_paynet_consent() {
    consent_options
    paynet_begin profiles/jar
    consent_recover
    once request consent_request
    once customer consent_customer
    once token consent_redeem
    once check consent_check
    consent_accounts
}

consent_options() {
    [[ ${opt[permissions]} =~ ^[a-z_]{1,64}(,[a-z_]{1,64}){0,31}$ ]] || usage '--permissions is a list such as read_accounts,read_balances'
    [[ ${opt[purpose]-pfm} =~ ^[A-Za-z0-9_.:-]{1,64}$ ]] || usage '--purpose is one word, such as pfm'
    [[ ! -v opt[dp-id] || ${opt[dp-id]} =~ ^[A-Za-z0-9_.:-]{1,128}$ ]] || usage '--dp-id is an id of a data provider'
    paynet_time "${opt[until]}" || usage '--until is a time such as 2027-12-31T23:59:59Z'
    [[ $REPLY -gt $(date +%s) ]] || usage '--until is over'
}

# --- what an earlier run has left ------------------------------------------------------------

# A customer who was sent to the bank may have consented, a code that was sent may have been used: both end with this consent.
consent_recover() {
    if state_has did-token && ! state_has did-check; then
        if ! state_has fresh.json; then
            consent_anew 'what the bank answered was refused'
        elif paynet_late; then
            consent_anew 'what the bank answered has waited too long'
        fi
    elif state_has code-sent && ! state_has did-token; then
        consent_anew 'the code was sent, and no answer came'
    elif state_has did-request && ! state_has did-customer && [[ ! -v opt[callback] ]]; then
        if state_has customer-sent; then
            consent_anew 'the customer did not come back'
        else
            state_get request-until
            [[ $REPLY -gt $(($(date +%s) + 5)) ]] || { note 'the pushed request is over; another one'; state_undo request; }
        fi
    fi
}

consent_anew() {
    note "$1: a new consent"
    if state_has asked.json; then
        REPLY=
        ! state_has abandoned || state_get abandoned
        [[ -z $REPLY ]] || REPLY+=$'\n'
        state_put abandoned "$REPLY$(jq -r .consent_id "$state/asked.json")"
    fi
    state_undo request customer token
    state_drop asked.json state nonce verifier request-uri request-until customer-sent callback.url code code-sent response-iss \
        fresh.json identity.json
}

# --- the pushed request ----------------------------------------------------------------------

# What makes the request one's own is made once, and is in the state before anything is sent.
consent_ask() {
    local permissions purpose=${opt[purpose]-pfm} more=() text texts
    ! state_has asked.json || return 0
    for text in state nonce verifier; do
        random_text
        state_put "$text" "$REPLY"
    done
    IFS=, read -ra texts <<<"${opt[permissions]}"
    json_texts "${texts[@]}"
    permissions=$REPLY
    [[ ! -v opt[dp-id] ]] || more=(dp_id "${opt[dp-id]}")
    json_object consent_id "$(</proc/sys/kernel/random/uuid)" consent_purpose "$purpose" permissions: "$permissions" \
        expiration_datetime "${opt[until]}" "${more[@]}"
    state_put asked.json "$REPLY"
}

consent_claims() {
    local challenge details nonce
    state_get asked.json
    json_object type "$paynet_type" consent: "$REPLY"
    details=[$REPLY]
    state_get verifier
    pkce_challenge "$REPLY"
    challenge=$REPLY
    state_get nonce
    nonce=$REPLY
    state_get state
    json_object scope "$paynet_scope" redirect_uri "${bank[redirect_uri]}" state "$REPLY" nonce "$nonce" max_age: 3600 \
        code_challenge "$challenge" authorization_details: "$details"
    printf '%s' "$REPLY" >"$work/claims"
}

consent_request() {
    local signed try
    step 'The request is pushed'
    consent_ask
    consent_claims
    service_sign "jar/${profile[jar]}" "$work/claims"
    mapfile -t signed < <(jq -r '.request, .parameters.client_id' "$work/signed")
    [[ ${signed[1]-} == "${bank[client_id]}" ]] || usage "the profile ${profile[jar]} is of another client than the bank file"
    for ((try = 1; ; try++)); do
        form_begin
        paynet_client
        form_add request "${signed[0]}"
        tell bank "POST ${bank[par_endpoint]} (request, $paynet_auth)"
        if bank_call POST "${bank[par_endpoint]}" --form && [[ $bank_status != 5?? ]]; then break; fi
        if ((try == bank_tries)); then
            [[ $bank_status == 000 ]] || bank_expect 201 'the pushed request'
            bank_cut 'the pushed request'
        fi
        note 'no answer to use; once more'
    done
    bank_expect 201 'the pushed request'
    consent_pushed
}

consent_pushed() {
    local seconds
    bank_json
    seconds=$(jq -er '.expires_in | numbers | select(. > 0 and . <= 600 and . == floor) | floor' "$work/body") ||
        lied expires_in 'expires_in of the pushed request is no number of seconds up to 600'
    state_put request-until "$(($(date +%s) + seconds))"
    bank_member .request_uri 'urn:ietf:params:oauth:request_uri:[!-~]{1,512}' request_uri
    state_put request-uri "$REPLY"
    held 'request_uri, expires_in'
}

# --- the customer, and the code --------------------------------------------------------------

consent_customer() {
    local uri
    step 'The customer consents'
    if [[ -v opt[callback] && ${opt[callback]} != - ]]; then
        state_has customer-sent || usage '--callback is for a customer who was sent to the bank in an earlier run'
        customer_go ''
    else
        state_get request-uri
        url_encode "$REPLY"
        uri=$REPLY
        url_encode "${bank[client_id]}"
        tell customer "${bank[authorization_endpoint]} (client_id, request_uri)"
        state_put customer-sent yes
        customer_go "${bank[authorization_endpoint]}?client_id=$REPLY&request_uri=$uri"
    fi
    if [[ ${bank[response_iss]} == true ]]; then callback_read query iss; else callback_read query; fi
    state_put code "${callback[code]}"
    [[ ! -v callback[iss] ]] || state_put response-iss "${callback[iss]}"
    # The URL holds the code, too.
    state_drop callback.url
}

# A code counts once: that it is being sent is remembered before it is.
consent_redeem() {
    step 'The code becomes tokens'
    paynet_form authorization_code
    state_get code
    form_add code "$REPLY"
    form_add redirect_uri "${bank[redirect_uri]}"
    state_get verifier
    form_add code_verifier "$REPLY"
    state_put code-sent yes
    if ! token_ask fresh "$paynet_scope" 'authorization code'; then
        if [[ $bank_sent == no ]]; then state_drop code-sent; fi
        [[ $bank_status == 000 ]] || bank_expect 200 'authorization code'
        bank_cut 'authorization code'
    fi
}

consent_check() {
    local more=(max_age: 3600) name
    step 'What the bank answered'
    for name in code state; do
        state_get "$name"
        more+=("$name" "$REPLY")
    done
    if state_has response-iss; then
        state_get response-iss
        more+=(iss "$REPLY")
    fi
    paynet_judge id_token "${more[@]}"
    # Used: no later run has use for them.
    state_drop fresh.json code verifier request-uri
}

consent_renew() {
    paynet_renew
    state_drop fresh.json
}

consent_accounts() {
    state_put at accounts
    if token_is_over user; then consent_renew; fi
    paynet_accounts consent_renew
    state_put did-accounts yes
    result "consented: $(jq -r '.consent_id + ", " + (.permissions | join(", "))' "$state/consent.json"), $(jq '.accounts | length' "$state/accounts.json") accounts" \
        "$(jq -c --slurpfile read "$state/accounts.json" '{consent_id, status, permissions, expiration_datetime, accounts: ($read[0].accounts | length)}' "$state/consent.json")"
}
