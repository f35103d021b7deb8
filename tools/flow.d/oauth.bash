# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# OAuth 2.0 and OpenID Connect, what all flows have in common.
#
#   random_text                        sets REPLY to 256 bits of the kernel's, base64url: a state, a nonce, a code verifier
#   pkce_challenge VERIFIER            sets REPLY: S256
#   url_encode TEXT                    sets REPLY
#   form_begin; form_add NAME VALUE    $form, for bank_call --form; it may hold secrets and is on no command line
#   customer_go URL                    sends the customer there; $state/callback.url is where they came back. `gone` if not
#   callback_read fragment|query [iss] ${callback[NAME]}: what came, after address, state and issuer were compared with what was
#                                      sent; with iss the issuer must be there
#   token_ask NAME SCOPE WHAT          posts $form to the token endpoint; its answer, checked, is $state/NAME.json.
#                                      token_sent says no, maybe or yes if there was none: the caller decides
#   token_get NAME MEMBER              sets REPLY; '' if it is not there
#   token_is_over NAME                 its time is over, or there is none

declare -A callback=()
form=

random_text() {
    REPLY=$(head -c 32 /dev/urandom | basenc --base64url --wrap=0)
    REPLY=${REPLY//=/}
}

pkce_challenge() {
    REPLY=$(printf '%s' "$1" | sha256sum | cut -c 1-64 | tr a-f A-F | basenc --base16 --decode | basenc --base64url --wrap=0)
    REPLY=${REPLY//=/}
}

url_encode() {
    local text=$1 out='' i c octet
    for ((i = 0; i < ${#text}; i++)); do
        c=${text:i:1}
        if [[ $c != [A-Za-z0-9._~-] ]]; then
            printf -v octet '%d' "'$c" # negative above 127
            printf -v c '%%%02X' "$((octet & 255))"
        fi
        out+=$c
    done
    REPLY=$out
}

# Sets REPLY; 1 if that is no octet sequence of a URL.
url_decode() {
    local text=${1//+/ }
    [[ $text != *[!' '-~]* && $text != *\\* && ! $text =~ %([^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$|00) ]] || return 1
    printf -v REPLY '%b' "${text//%/\\x}"
}

form_begin() { form=; }
form_add() {
    url_encode "$2"
    form+=${form:+&}$1=$REPLY
}

customer_go() {
    local words came
    rm -f "$state/callback.url"
    if [[ -n ${opt[browser]-} ]]; then
        read -ra words <<<"${opt[browser]}"
        came=$(env -u OPENSSL_CONF timeout "${opt[wait]-900}" "${words[@]}" "$1" </dev/null 2>"$work/browser.log" 9>&- |
            awk 'NF {last = $0} END {print last}') || note "${words[0]##*/} says: $(tail -n 1 "$work/browser.log" | tr -cd '[:print:]')"
    elif [[ -n ${opt[callback]-} && ${opt[callback]} != - ]]; then
        came=$(<"${opt[callback]}") || usage "cannot read ${opt[callback]}"
    else
        [[ -n ${opt[callback]-} ]] || customer_show "$1"
        read -r -t "${opt[wait]-900}" came || true
    fi
    [[ ${#came} -le 65536 ]] || lied redirect 'the URL the customer came back to has more than 64 KiB'
    [[ -n $came ]] || gone no-return 'the customer did not come back'
    state_put callback.url "$came"
}

customer_show() {
    printf 'Send the customer to\n\n%s\n\nand enter the URL they came back to:\n' "$1" >&2
}

# Exactly the redirect_uri, then parameters in the part where they belong, each once.
callback_read() {
    local url rest pair name
    state_get callback.url
    url=$REPLY
    callback=()
    [[ $url == "${bank[redirect_uri]}"[?#]* ]] || lied redirect 'the customer came back to another address than the redirect_uri'
    rest=${url#"${bank[redirect_uri]}"}
    [[ ${rest:1} != *[?#]* ]] || lied redirect 'the URL the customer came back to has a query and a fragment'
    while [[ -n ${rest:1} ]]; do
        pair=${rest:1}
        pair=${pair%%&*}
        rest=${rest:$((${#pair} + 1))}
        name=${pair%%=*}
        [[ $name =~ ^[a-z_]{1,32}$ ]] || lied redirect 'a parameter of the URL has a name that none should have'
        [[ ! -v callback[$name] ]] || lied redirect "the parameter $name is there twice"
        url_decode "${pair#*=}" || lied redirect "the parameter $name is not URL-encoded"
        callback[$name]=$REPLY
    done
    state_get state
    [[ ${callback[state]-} == "$REPLY" ]] || lied state 'the state is not the one that was sent: this answer belongs to another request'
    held 'redirect_uri, state'
    [[ ! -v callback[iss] || ${callback[iss]} == "${bank[issuer]}" ]] || lied iss 'the answer is of another issuer than the one that was asked (RFC 9207)'
    [[ -v callback[iss] || ${2-} != iss ]] || lied iss 'the answer does not say whose it is, as this issuer does (RFC 9207)'
    [[ ! -v callback[code] || ! -v callback[error] ]] || lied redirect 'there are a code and an error'
    callback_error
    [[ $1 == query && $url == *'?'* || $1 == fragment && $url == *'#'* ]] || lied redirect "the answer is not in the $1 of the URL"
    [[ ${callback[code]-} =~ ^[!-~]+$ ]] || lied redirect 'there is neither a code nor an error'
}

callback_error() {
    local name=${callback[error]-}
    [[ -v callback[error] ]] || return 0
    [[ $name =~ ^[a-z_]{1,64}$ ]] || name=unknown
    case $name in
        access_denied) gone "$name" 'the customer denied' ;;
        server_error | temporarily_unavailable) broken "$name" 'the authorization server sent the customer back with an error' ;;
    esac
    refused "$name" 'the authorization server sent the customer back with an error'
}

# token_ask NAME SCOPE WHAT: 1 without an answer that could be judged, see bank_sent.
token_ask() {
    tell bank "POST ${bank[token_endpoint]} ($3)"
    bank_call POST "${bank[token_endpoint]}" --form || return 1
    [[ $bank_status != 5?? && $bank_status != 429 ]] || return 1
    bank_expect 200 "$3"
    bank_json
    token_check "$2"
    state_keep "$1.json" "$work/token"
    rm -f "$work/token" "$work/body"
    form=
}

# Nothing of an answer is used before all of this holds; it is in $work/token then, with the time at which it came.
token_check() {
    bank_member .token_type '[A-Za-z]+' token_type
    [[ ${REPLY,,} == bearer ]] || lied token_type 'the token is not a bearer token'
    bank_member .access_token '[A-Za-z0-9._~+/-]+=*' access_token
    jq -ce --argjson now "$(date +%s)" '(.expires_in | if type == "string" and test("^[0-9]{1,9}$") then tonumber else . end) as $for
        | if ($for | type) == "number" and $for > 0 and $for < 1e9 then . + {received: $now} else error end' \
        "$work/body" >"$work/token" 2>/dev/null || lied expires_in 'expires_in is no number of seconds'
    same_words "${bank_texts[scope]-}" "$1" || lied scope "the scope is not the one that was asked for: $1"
    held "token_type, expires_in, scope $1"
}

same_words() {
    local word given=() wanted=()
    read -ra given <<<"$1"
    read -ra wanted <<<"$2"
    [[ ${#given[@]} -eq ${#wanted[@]} && $1 != *$'\n'* ]] || return 1
    for word in "${wanted[@]}"; do
        [[ " ${given[*]} " == *" $word "* ]] || return 1
    done
}

token_get() {
    REPLY=$(jq -r --arg name "$2" '.[$name] // "" | strings' "$state/$1.json") || own "$state/$1.json is damaged"
}

token_is_over() {
    state_has "$1.json" || return 0
    jq -e '(.received + (.expires_in | tonumber)) <= (now + 5)' "$state/$1.json" >/dev/null
}
