# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# OP Financial Group: what its flows have in common.
#
#   op_client_token SCOPE             the application's own token, $state/client.json; asked for when there is none, or it is over
#   op_customer PROFILE INTENT        the customer authorizes INTENT; their code and the claims of the ID token are in the state
#   op_redeem SCOPE INTENT            the code becomes $state/user.json; its ID token is held against the first one
#   op_use TOKEN CALL METHOD PATH …   CALL is bank_call or bank_ask; TOKEN is client, user or exempt. After a 401 once more, with a
#                                     new token
#   op_answer WHAT                    the answer's signature is verified over the octets that came; $work/body is what it says
#   op_reconsider PATH STEP…          before the customer is asked again: an intent they have authorized already, without our
#                                     seeing a token of it, is withdrawn, and these steps are to be done again

op_needs='token_endpoint authorization_endpoint jwks_uri client_secret_file api_key_file redirect_uri financial_id api'

op_begin() {
    # shellcheck disable=SC2086 # a list
    bank_need $op_needs profiles/id_token_front profiles/id_token "$@"
    [[ ${bank[bank]-} == op ]] || usage "the bank file is not of OP: its \`bank\` is ${bank[bank]-missing}"
    op_recover
}

# The credentials are those of every form to the token endpoint.
op_form() {
    form_begin
    form_add grant_type "$1"
    form_add client_id "${bank[client_id]}"
    bank_secret client_secret_file
    form_add client_secret "$REPLY"
}

# Tokens that cost nothing: asked for again while the bank fails. op_lost is set when one may have been given and is not here.
op_token() {
    local try
    for ((try = 1; ; try++)); do
        if token_ask "$@"; then return; fi
        # shellcheck disable=SC2034 # for op-exemption.bash
        [[ $bank_sent == no ]] || op_lost=yes
        ((try < bank_tries)) || break
        sleep 0.3
    done
    [[ $bank_status == 000 ]] || bank_expect 200 "$3"
    bank_cut "$3"
}

op_first_token() {
    step 'A token for this application'
    op_client_token "$op_scope"
}

op_client_token() {
    token_is_over client || return 0
    op_form client_credentials
    form_add scope "$1"
    op_token client "$1" 'client credentials'
}

# The customer's. The bank may have turned the refresh token: what it sends is kept before it is used.
op_refresh() {
    local old
    token_get user refresh_token
    old=$REPLY
    [[ -n $old ]] || refused invalid_token 'the access token is over, and there is no refresh token'
    op_form refresh_token
    form_add refresh_token "$old"
    op_token user "openid $op_scope" 'refresh token'
    token_get user refresh_token
    if [[ -z $REPLY ]]; then
        json_object refresh_token "$old"
        printf '%s' "$REPLY" >"$work/old"
        jq -c --slurpfile old "$work/old" '. + $old[0]' "$state/user.json" >"$work/token"
        state_keep user.json "$work/token"
        rm "$work/old" "$work/token"
    fi
    token_get user id_token
    if [[ -n $REPLY ]]; then
        state_get intent
        op_second_token "$REPLY"
    fi
}

op_use() {
    local token=$1 call=$2 method=$3 path=$4 key
    shift 4
    bank_secret api_key_file
    key=$REPLY
    token_get "$token" access_token
    [[ -n $REPLY ]] || own "there is no token in $state/$token.json"
    "$call" "$method" "${bank[api]}$path" --token "$REPLY" --header "x-api-key: $key" \
        --header "x-fapi-financial-id: ${bank[financial_id]}" "$@" || return 1
    [[ $bank_status == 401 && $token != exempt && -z ${op_renewing-} ]] || return 0
    note 'the access token is over; another one'
    local op_renewing=yes
    if [[ $token == user ]]; then
        "${op_refresher:-op_refresh}"
    else
        state_drop client.json
        op_client_token "$op_scope"
    fi
    op_use "$token" "$call" "$method" "$path" "$@"
}

# With --callback for a request of an earlier run no new one is made.
op_customer() {
    local url query
    step 'The customer authorizes'
    if [[ -n ${opt[callback]-} ]]; then
        state_has state || usage '--callback is for a customer who was sent to the bank in an earlier run'
        customer_go ''
    else
        op_request "$1" "$2"
        query=$(jq -r '.parameters | to_entries | map("\(.key)=\(.value | @uri)") | join("&")' "$work/signed")
        url="${bank[authorization_endpoint]}?$query"
        tell customer "${bank[authorization_endpoint]} (request, response_type, client_id, scope)"
        customer_go "$url"
    fi
    rm -f "$work"/jwks* # people take their time
    callback_read fragment
    op_front_token "$2"
    state_put code "${callback[code]}"
    # The URL holds the code, too.
    state_drop callback.url
}

op_request() {
    local state_text nonce
    random_text
    state_text=$REPLY
    random_text
    nonce=$REPLY
    json_object response_type 'code id_token' redirect_uri "${bank[redirect_uri]}" state "$state_text" nonce "$nonce" \
        max_age: 86400 authorizationId "$2"
    printf '%s' "$REPLY" >"$work/request"
    service_sign "jar/${profile[$1]}" "$work/request"
    state_put nonce "$nonce"
    state_put state "$state_text"
    state_put asked yes
}

op_front_token() {
    local nonce asked
    [[ ${callback[id_token]-} =~ ^[A-Za-z0-9_.-]+$ ]] || lied redirect 'there is no ID token'
    bank_jwks_for "${callback[id_token]}" "${bank[jwks_uri]}" "$work/jwks"
    state_get nonce
    nonce=$REPLY
    asked=(id_token "${callback[id_token]}" nonce "$nonce" state "${callback[state]}" code "${callback[code]}" intent_id "$1")
    [[ ! -v callback[iss] ]] || asked+=(iss "${callback[iss]}")
    json_object "${asked[@]}"
    service_verify "id-token/${profile[id_token_front]}" "$REPLY" "$work/jwks"
    held 'ID token: signature, iss, aud, time, nonce, acr, c_hash, s_hash, sub, authorizationId'
    state_keep front.json "$work/claims"
}

# A code counts once: that it is being sent is remembered before it is.
op_redeem() {
    step 'The code becomes a token of the customer'
    op_form authorization_code
    state_get code
    form_add code "$REPLY"
    form_add redirect_uri "${bank[redirect_uri]}"
    state_put code-sent yes
    if ! token_ask user "$1" 'authorization code'; then
        if [[ $bank_sent == no ]]; then state_drop code-sent; fi
        [[ $bank_status == 000 ]] || bank_expect 200 'authorization code'
        bank_cut 'authorization code'
    fi
    op_second_token "$2"
    state_drop code
}

op_second_token() {
    local -a asked=()
    local name sub
    for name in id_token access_token refresh_token; do
        token_get user "$name"
        [[ -z $REPLY ]] || asked+=("$name" "$REPLY")
    done
    [[ ${asked[0]-} == id_token ]] || lied answer 'there is no ID token'
    bank_jwks_for "${asked[1]}" "${bank[jwks_uri]}" "$work/jwks"
    state_get nonce
    asked+=(nonce "$REPLY" intent_id "$1")
    sub=$(jq -r '.sub' "$state/front.json")
    json_object "${asked[@]}" sub "$sub"
    service_verify "id-token/${profile[id_token]}" "$REPLY" "$work/jwks"
    [[ $(jq -r .iss "$work/claims") == $(jq -r .iss "$state/front.json") ]] || lied iss 'the two ID tokens are of different issuers'
    held 'ID token: signature, iss, aud, time, nonce, acr, at_hash, rt_hash, authorizationId; sub and iss are those of the first'
}

op_recover() {
    if state_has code-sent && ! state_has did-token; then
        state_undo customer
        state_drop code-sent code state nonce callback.url front.json user.json
    fi
}

# Authorized, and no token seen: the URL was lost, or the code. Only a new intent helps; the old one is withdrawn first,
# so that there is never a way to do both.
op_reconsider() {
    local path=$1/authorizations
    shift
    if ! state_has asked || state_has did-customer || [[ -n ${opt[callback]-} ]]; then return 0; fi
    # Given up in a run that ended before all of it was forgotten.
    state_has intent || { state_drop asked; return; }
    step 'What became of the authorization'
    state_get intent
    path+=/$REPLY
    tell bank "GET ${bank[api]}$path"
    op_use client bank_ask GET "$path"
    if [[ $bank_status != 404 ]]; then
        bank_expect 200 'the authorization'
        if [[ $path == "$payments_path"/* ]]; then op_answer 'the authorization'; else bank_json; fi
        bank_member .authorizationId '[A-Za-z0-9-]{1,64}' authorizationId
        [[ $path == */"$REPLY" ]] || lied authorizationId 'the status is that of another authorization'
        bank_member .status '[A-Za-z]{1,32}' status
        note "it is $REPLY"
        [[ $REPLY != Unauthorized ]] || return 0
        tell bank "DELETE ${bank[api]}$path"
        op_use client bank_ask DELETE "$path"
        [[ $bank_status == 404 ]] || bank_expect 204 'withdrawing the authorization'
        note 'it is withdrawn; a new one is made'
    fi
    state_undo "$@"
    state_drop intent asked
}

op_answer() {
    local jws
    bank_header x-jws-signature
    jws=$REPLY
    [[ -n $jws ]] || lied jws "$1: the answer has no x-jws-signature"
    mv "$work/body" "$work/answer" # it steps aside while the keys are fetched
    bank_jwks_for "$jws" "${bank[response_jwks_uri]}" "$work/jwks.payments"
    json_object jws "$jws" payload "$(basenc --base64url --wrap=0 "$work/answer" | tr -d '=')"
    service_verify "detached-jws/${profile[response]}" "$REPLY" "$work/jwks.payments"
    cp "$work/claims" "$work/body"
    bank_json
    held 'x-jws-signature over the octets that came'
}
