# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# PayNet Open Finance Platform, a FAPI 2.0 authorization server: what its flows have in common.
#
#   paynet_begin [NEED…]        the bank file is PayNet's and has what is needed; where the endpoints are, and the bank's keys
#   paynet_form GRANT           begins $form for the token endpoint; paynet_client adds client id and client assertion
#   paynet_judge PROFILE MORE…  $state/fresh.json, an answer of the token endpoint, is held against what was asked; only then
#                               it is $state/user.json, too, and the caller drops the first. PROFILE is id_token or
#                               id_token_refresh, MORE are members for the service beside tokens and nonce
#   paynet_renew                a refresh
#   paynet_late                 fresh.json has waited too long for the service: its ID token would be refused for its age
#   paynet_accounts COMMAND     the accounts of the consent; $state/accounts.json. COMMAND, unless it is '', gets another token
#                               after a 401
#
# In the state: asked.json is the consent that was asked for, consent.json the one that was given.

paynet_type=urn:openfinance-ml:account-access-consent:v1.2
paynet_scope='openid accounts'
paynet_auth=
paynet_hosts=()

paynet_begin() {
    bank_need well_known api redirect_uri profiles/id_token "$@"
    [[ ${bank[bank]-} == paynet ]] || usage "the bank file is not of PayNet: its \`bank\` is ${bank[bank]-missing}"
    paynet_auth=${opt[auth]-${bank[auth]-private_key_jwt}}
    case $paynet_auth in
        private_key_jwt) bank_need profiles/assertion ;;
        tls_client_auth) ;;
        *) usage "client authentication is private_key_jwt or tls_client_auth, not $paynet_auth" ;;
    esac
    # What the bank lied about is used by no later run, and an address that was come back to by none at all.
    trap 'code=$?; [[ $code -ne 3 ]] || rm -f "$state/fresh.json"; rm -rf "$work" "$state/callback.url"' EXIT
    paynet_discover
}

# --- where the bank is -----------------------------------------------------------------------

paynet_discover() {
    step 'Where the bank is'
    tell bank "GET ${bank[well_known]}"
    bank_ask GET "${bank[well_known]}" --no-certificate
    bank_expect 200 'the well-known document'
    bank_json
    paynet_endpoints
    held "issuer; the endpoints are https, at ${paynet_hosts[*]}"
    tell bank "GET ${bank[jwks_uri]}"
    bank_jwks "${bank[jwks_uri]}" "$work/jwks"
}

# An alias is where a client certificate is looked at (RFC 8705 §5).
paynet_endpoints() {
    local said
    mapfile -t said < <(jq -r '(if .mtls_endpoint_aliases | type == "object" then .mtls_endpoint_aliases else {} end) as $mtls | [
        .issuer, .authorization_endpoint, .jwks_uri, ($mtls.token_endpoint // .token_endpoint),
        ($mtls.pushed_authorization_request_endpoint // .pushed_authorization_request_endpoint),
        (.authorization_response_iss_parameter_supported == true | tostring)]
        | .[] | if type == "string" and test("^[!-~]{1,1024}$") then . else "none" end' "$work/body")
    [[ ${said[0]-} == "${bank[issuer]}" ]] || lied issuer 'the well-known document is of another issuer than the bank file'
    mapfile -t paynet_hosts < <(printf '%s\n' "${bank[well_known]}" "${bank[api]}" "${bank[hosts]-}" |
        tr ' ' '\n' | sed -E 's#^https://([^/:]+).*#\1#' | awk 'NF && !seen[$0]++')
    paynet_endpoint authorization_endpoint "${said[1]-}"
    paynet_endpoint jwks_uri "${said[2]-}"
    paynet_endpoint token_endpoint "${said[3]-}"
    paynet_endpoint par_endpoint "${said[4]-}"
    bank[response_iss]=${said[5]-}
}

# paynet_endpoint NAME ADDRESS: sets bank[NAME], if it is at one of the hosts where the bank may be.
paynet_endpoint() {
    local host
    [[ $2 =~ ^https://([A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$ ]] || lied endpoint "$1 is not a plain https address"
    for host in "${paynet_hosts[@]}"; do
        [[ ${BASH_REMATCH[1],,} != "${host,,}" ]] || { bank[$1]=$2; return; }
    done
    lied endpoint "$1 is at ${BASH_REMATCH[1]}, where the bank file does not have the bank"
}

# --- the client ------------------------------------------------------------------------------

paynet_form() {
    form_begin
    form_add grant_type "$1"
    paynet_client
}

# An assertion counts once: each request has its own.
paynet_client() {
    local name value
    if [[ $paynet_auth == tls_client_auth ]]; then
        form_add client_id "${bank[client_id]}"
        return
    fi
    printf '{}' >"$work/claims"
    service_sign "client-assertion/${profile[assertion]}" "$work/claims"
    while IFS=$'\t' read -r name value; do
        [[ $name != client_id || $value == "${bank[client_id]}" ]] || usage "the profile ${profile[assertion]} is of another client than the bank file"
        form_add "$name" "$value"
    done < <(jq -r '.parameters | to_entries[] | [.key, .value] | @tsv' "$work/signed")
    rm -f "$work/signed"
}

# --- what the token endpoint says ------------------------------------------------------------

paynet_judge() {
    local -a tokens=()
    local id=$1
    shift
    mapfile -t tokens < <(jq -r '.id_token, .access_token, .refresh_token | if type == "string" then @json[1:-1] else "" end' "$state/fresh.json")
    if [[ -n ${tokens[0]-} ]]; then
        state_get nonce
        paynet_id_token "$id" "${tokens[0]}" access_token "${tokens[1]}" nonce "$REPLY" \
            ${tokens[2]:+refresh_token "${tokens[2]}"} "$@"
    elif [[ $id == id_token ]]; then
        lied id_token 'there is no ID token'
    else
        note 'a refresh without an ID token: the customer is the one who was known' # OpenID Connect Core §12.2
    fi
    paynet_consent_given "$id"
    state_keep user.json "$state/fresh.json"
}

paynet_id_token() {
    local id=$1 token=$2
    shift 2
    [[ $id == id_token ]] || set -- "$@" sub "$(jq -r .sub "$state/identity.json")"
    bank_jwks_for "$token" "${bank[jwks_uri]}" "$work/jwks"
    json_object id_token "$token" "$@"
    service_verify "id-token/${profile[$id]-${profile[id_token]}}" "$REPLY" "$work/jwks"
    held 'ID token: signature, iss, aud, time, nonce, at_hash, sub'
    [[ $id != id_token ]] || state_keep identity.json "$work/claims"
}

# Never more than was asked for.
paynet_consent_given() {
    local rule text until asked
    IFS=$'\t' read -r rule text until asked < <(jq -rn --arg id "$1" --arg type "$paynet_type" \
        --slurpfile asked "$state/asked.json" --slurpfile got "$state/fresh.json" '
        def texts: type == "array" and length > 0 and all(type == "string");
        $asked[0] as $a | $got[0].authorization_details as $d | ($d[0]? | .consent? // {}) as $c
        | if $d == null and $id == "id_token_refresh" then "none\tas it was"
        elif ($d | type) != "array" or ($d | length) != 1 then "authorization_details\tthere is not exactly one"
        elif $d[0].type? != $type or (($c.consent_type // $type) != $type) then "consent_type\tit is not an account access consent"
        elif $c.consent_id? != $a.consent_id then "consent_id\tit is not the consent that was asked for"
        elif $c.status != "authorized" then "consent_status\tthe consent is not authorized"
        elif ($c.permissions | texts | not) then "permissions\tthere are none"
        elif ($c.permissions - $a.permissions) != [] then "permissions\tthere are some that nobody asked for"
        elif ($c.consent_purpose // $a.consent_purpose) != $a.consent_purpose then "consent_purpose\tit is another purpose"
        elif ($c.accounts | type) != "array" or ([$c.accounts[].account_id?] | texts | not) then "accounts\tthere are none, or they have no account_id"
        else "good\t-\t\($c.expiration_datetime // "-" | tostring | @json[1:-1])\t\($a.expiration_datetime)" end') || true
    [[ $rule != none ]] || return 0
    [[ $rule == good ]] || lied "${rule:-authorization_details}" "authorization_details: ${text:-it cannot be read}"
    paynet_time "$until" || lied expiration_datetime 'authorization_details: the consent has no end that can be read'
    [[ $REPLY -le $(date -d "$asked" +%s) ]] || lied expiration_datetime 'authorization_details: the consent lasts longer than was asked for'
    held 'authorization_details: consent_id, status, permissions, purpose, end, accounts'
    jq -c '.authorization_details[0].consent' "$state/fresh.json" >"$work/consent"
    state_keep consent.json "$work/consent"
}

# Sets REPLY to the seconds of an RFC 3339 time.
paynet_time() {
    [[ $1 =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$ ]] && REPLY=$(date -d "$1" +%s 2>/dev/null)
}

# --- with the tokens -------------------------------------------------------------------------

# An answer of an earlier run, which the service could not judge then, comes first: the bank may have turned the refresh token.
paynet_renew() {
    local from=user old try
    step 'Another access token'
    if state_has fresh.json && cmp -s "$state/fresh.json" "$state/user.json"; then return; fi
    if ! state_has fresh.json || paynet_late; then
        ! state_has fresh.json || from=fresh
        token_get "$from" refresh_token
        [[ -n $REPLY ]] || refused invalid_token 'the bank has given no refresh token'
        old=$REPLY
        for ((try = 1; ; try++)); do
            paynet_form refresh_token
            form_add refresh_token "$old"
            if token_ask fresh "$paynet_scope" 'refresh token'; then break; fi
            if ((try == bank_tries)); then
                [[ $bank_status == 000 ]] || bank_expect 200 'refresh token'
                bank_cut 'refresh token'
            fi
            note 'no answer to use; once more'
        done
        paynet_keep_old "$old"
    fi
    paynet_judge id_token_refresh
}

paynet_late() {
    jq -e '.received + 540 < now' "$state/fresh.json" >/dev/null
}

# A refresh token that is not replaced stays.
paynet_keep_old() {
    token_get fresh refresh_token
    [[ -z $REPLY ]] || return 0
    json_object refresh_token "$1"
    printf '%s' "$REPLY" >"$work/old"
    jq -c --slurpfile old "$work/old" '. + $old[0]' "$state/fresh.json" >"$work/token"
    state_keep fresh.json "$work/token"
    rm -f "$work/old" "$work/token"
}

paynet_accounts() {
    local said
    step 'The accounts'
    tell bank "GET ${bank[api]}/accounts"
    token_get user access_token
    bank_ask GET "${bank[api]}/accounts" --token "$REPLY"
    if [[ $bank_status == 401 && -n $1 ]]; then
        note 'the access token is not accepted; another one'
        "$1"
        paynet_accounts ''
        return
    fi
    bank_expect 200 'the accounts'
    bank_json
    said=$(jq -r --slurpfile consent "$state/consent.json" 'if (.accounts | type == "array" and all(.account_id? | type == "string") | not) then "there is no list of accounts"
        elif ([.accounts[].account_id] - [$consent[0].accounts[].account_id]) != [] then "there is an account that the customer has not shared"
        else "good" end' "$work/body") || said='they cannot be read'
    [[ $said == good ]] || lied accounts "$said"
    held 'each account is one of the consent'
    state_keep accounts.json "$work/body"
}
