# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# Asking the service, over its unix socket.
#
#   service_sign OPERATION/PROFILE FILE [TYPE]    FILE is the body; the answer is in $work/signed
#   service_member NAME                           sets REPLY to a member of $work/signed
#   service_verify id-token/PROFILE JSON JWKS     JSON is the request without its `jwks`; JWKS a file with the bank's set. The
#                                                 claims that were verified are in $work/claims. `lied` if a rule failed
#   service_verify detached-jws/PROFILE JSON JWKS
#
# A body goes by file or standard input, never on a command line.

service_tries=3

# service_ask METHOD PATH FILE TYPE: the answer is in $work/service, its status in service_status.
service_ask() {
    local try wait said
    for ((try = 1; ; try++)); do
        service_status=$(curl -q --silent --show-error --max-time 30 --unix-socket "$service_socket" --request "$1" \
            --header "Content-Type: $4" --data-binary "@$3" --output "$work/service" --dump-header "$work/service.head" \
            --write-out '%{http_code}' "http://localhost$2" 2>"$work/service.log") || {
            said=$(<"$work/service.log")
            unserved service "no answer from $service_socket: ${said:-curl failed}" \
                'start qseald, qseal-httpd and qseal-tokend; a request that was not answered has released nothing'
        }
        [[ $service_status == 503 || $service_status == 429 ]] && ((try < service_tries)) || return 0
        wait=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$work/service.head")
        sleep "$((${wait:-1} > 5 ? 5 : ${wait:-1}))"
    done
}

# The service's own words: they repeat no value that was sent.
service_problem() {
    local type detail where
    type=$(jq -r '.type // "none" | ltrimstr("urn:qseal:problem:")' "$work/service" 2>/dev/null) || type='no problem document'
    detail=$(jq -r '.detail // .title // ""' "$work/service" 2>/dev/null) || detail=
    where=$(jq -r '[(.rule // empty | "rule " + .), (.claim // empty | "claim " + .)] | join(", ")' "$work/service" 2>/dev/null) || where=
    unserved "$type" "$1: the service answered $service_status${where:+, $where}: $detail" \
        'docs/api.md has each problem and what to do'
}

service_sign() {
    tell service "POST /v1/$1"
    service_ask POST "/v1/$1" "$2" "${3-application/json}"
    [[ $service_status == 200 ]] || service_problem "$1"
    mv "$work/service" "$work/signed"
}

service_member() {
    REPLY=$(jq -er --arg name "$1" '.[$name]' "$work/signed") || own "the service's answer has no $1"
}

service_verify() {
    local rule detail
    tell service "POST /v1/verify/$1"
    printf '%s,"jwks":%s}' "${2%\}}" "$(<"$3")" >"$work/verify" # which bank_json has seen to be one object
    service_ask POST "/v1/verify/$1" "$work/verify" application/json
    rm -f "$work/verify"
    if [[ $service_status == 422 ]] && rule=$(jq -er .rule "$work/service"); then
        detail=$(jq -r '.detail // ""' "$work/service")
        lied "$rule" "${1%%/*}: $detail"
    fi
    # All of it that is long is the bank's.
    [[ $service_status != 413 ]] || lied answer "${1%%/*}: what the bank sent is more than the service reads"
    [[ $service_status == 200 ]] || service_problem "$1"
    jq -c '.claims // null' "$work/service" >"$work/claims"
}
