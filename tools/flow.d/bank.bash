# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# The bank: its file, and calls with curl.
#
#   ${bank[NAME]}                      a text member of the bank file; ${profile[NAME]} one of its `profiles`
#   bank_need NAME…                    these members must be there, or it is a usage fault; profiles/NAME for a profile
#   bank_call METHOD URL [OPTION…]     0 when the bank answered, whatever its status; 1 when it did not
#       --token TEXT                   Authorization: Bearer
#       --header TEXT                  one more; may be a secret
#       --form                         $form (see form_add in oauth.bash) is the body
#       --body FILE                    the octets of FILE are the body, as application/json
#       --empty                        there is no body, and the request says so
#       --no-certificate               the customer's side of the bank: no client certificate is shown
#     then:  $bank_status              of HTTP
#            $bank_sent                no, maybe or yes: whether the bank may have done what it was asked
#            $work/body, $work/head    the answer, octet for octet
#   bank_ask METHOD URL …              the same, tried again while nothing is broken by it; `broken` when it does not help
#   bank_expect STATUS WHAT            any other status: `refused` by the bank's error name, `broken` for 5xx and 429
#   bank_json                          $work/body must be one JSON object, or `lied`
#   bank_member FILTER PATTERN NAME    sets REPLY to a text of $work/body that fits; NAME is for people
#   bank_header NAME                   sets REPLY to the value of the header, '' without it; twice is a lie
#   bank_jwks URL FILE                 the JWK Set there, once in a run
#   bank_jwks_for JWS URL FILE         the same; once more if it lacks the key that the JWS names

declare -A bank=() profile=() bank_texts=()
bank_known=
bank_tries=3
bank_most_kib=1000 # of an answer
bank_status=
bank_sent=
service_socket=

# bank_read FILE. Paths in it are relative to its folder.
bank_read() {
    local file=$1 name value place
    [[ -r $file ]] || usage "cannot read the bank file $file"
    jq -es 'length == 1 and (.[0] | type == "object" and (.profiles | type == "object"))' "$file" >/dev/null 2>&1 ||
        usage "$file is not one JSON object with an object \`profiles\`"
    place=$(cd "$(dirname "$file")" && pwd)
    while IFS=$'\t' read -r name value; do
        printf -v value '%b' "$value"
        case $name in
            profiles/*) profile[${name#*/}]=$value ;;
            ca | cert | key | *_file) [[ $value == /* ]] && bank[$name]=$value || bank[$name]=$place/$value ;;
            *) bank[$name]=$value ;;
        esac
    done < <(jq -r '[to_entries[] | select(.value | type == "string")]
        + [.profiles | to_entries[] | .key |= "profiles/" + .] | .[] | [.key, .value] | @tsv' "$file")
    service_socket=${opt[socket]-${QSEAL_SOCKET-/run/qseal/qseal.sock}}
    bank_need issuer client_id ca cert key
    for name in ca cert key client_secret_file api_key_file; do
        [[ ! -v bank[$name] || -r ${bank[$name]} ]] || usage "cannot read ${bank[$name]}, which the bank file names as $name"
    done
    ! grep -q 'PRIVATE KEY' "${bank[key]}" || usage "${bank[key]} is a private key; the flow wants a key reference (docs/tls.md)"
}

bank_need() {
    local name
    for name in "$@"; do
        case $name in
            profiles/*) [[ -n ${profile[${name#*/}]-} ]] || usage "the bank file names no profile ${name#*/} in \`profiles\`" ;;
            *) [[ -n ${bank[$name]-} ]] || usage "the bank file has no $name" ;;
        esac
    done
}

# Sets REPLY to the one line of a secret's file.
bank_secret() {
    REPLY=$(<"${bank[$1]}")
    [[ -n $REPLY && $REPLY != *[!\!-~]* ]] || usage "${bank[$1]} must hold one line of visible characters"
}

# A line of curl's configuration, which it reads from standard input.
curl_line() {
    local text=${2//\\/"\\\\"}
    text=${text//\"/"\\\""}
    [[ $text != *[$'\r\n']* ]] || own 'a header of two lines'
    curl_lines+="$1 = \"$text\""$'\n'
}

bank_call() {
    local method=$1 url=$2 code=0 curl_lines='' certificate=yes
    shift 2
    [[ $url == https://* ]] || usage "the address of the bank is not https: $url"
    curl_line url "$url"
    curl_line request "$method"
    curl_line header 'Accept: application/json'
    interaction=$(</proc/sys/kernel/random/uuid)
    curl_line header "x-fapi-interaction-id: $interaction"
    while [[ $# -gt 0 ]]; do
        case $1 in
            --token) curl_line header "Authorization: Bearer $2"; shift ;;
            --header) curl_line header "$2"; shift ;;
            --form)
                curl_line header 'Content-Type: application/x-www-form-urlencoded'
                curl_line data-raw "$form"
                ;;
            --body)
                curl_line header 'Content-Type: application/json'
                curl_line data-binary "@$2"
                shift
                ;;
            --empty)
                curl_line header 'Content-Type:'
                curl_line data-raw ''
                ;;
            --no-certificate) certificate= ;;
        esac
        shift
    done
    if [[ -n $certificate ]]; then
        curl_line cert "${bank[cert]}"
        curl_line key "${bank[key]}"
    fi
    rm -f "$work/body" "$work/head"
    : >"$work/body"
    bank_known=
    # --max-filesize holds for what the bank announces; the shell's limit, for what it sends.
    bank_status=$(
        trap '' XFSZ
        ulimit -f "$bank_most_kib"
        printf '%s' "$curl_lines" | curl -q --silent --show-error --config - --cacert "${bank[ca]}" --proto =https \
            --tlsv1.2 --tls-max "${opt[tls-max]-1.3}" --connect-timeout 10 --max-time 60 --max-filesize "$((bank_most_kib * 1024))" \
            --output "$work/body" --dump-header "$work/head" --write-out '%{http_code}' 2>"$work/curl.log"
    ) || code=$?
    bank_judge "$code"
}

# What curl's exit code says of the request: whether the bank can have seen it.
bank_judge() {
    bank_said=$(<"$work/curl.log")
    bank_sent=yes
    if [[ $1 -eq 0 ]]; then
        bank_header x-fapi-interaction-id
        [[ -z $REPLY || ${REPLY,,} == "$interaction" ]] || lied interaction-id 'the answer has the interaction id of another request'
        return 0
    fi
    bank_status=000
    case $1 in
        5 | 6 | 7) bank_sent=no ;;
        27 | 35 | 51 | 53 | 54 | 58 | 60 | 66 | 77 | 83 | 91)
            bank_sent=no
            bank_handshake
            ;;
        *) bank_sent=maybe ;;
    esac
    return 1
}

# A handshake fails, too, when the service does not sign it.
bank_handshake() {
    curl -q --silent --max-time 5 --output "$work/health" --unix-socket "$service_socket" http://localhost/v1/health ||
        unserved service "no answer from $service_socket, so there is no handshake with the bank" \
            'start qseald, qseal-httpd and qseal-tokend; nothing was sent to the bank'
    [[ -n ${OPENSSL_CONF-} ]] || usage 'OPENSSL_CONF is not set: without the provider curl cannot read the key reference (docs/tls.md)'
}

# For what may be asked twice: reads, and what has an idempotency key.
bank_ask() {
    local try
    for ((try = 1; ; try++)); do
        if bank_call "$@" && [[ $bank_status != 5?? ]]; then return; fi
        ((try < bank_tries)) || break
        note "no answer to use (${bank_said:-HTTP $bank_status}); once more"
        sleep 0.3
    done
    [[ $bank_status != 000 ]] || bank_cut "$1 ${2%%\?*}"
}

bank_cut() {
    if [[ $bank_sent == no ]]; then
        broken unreachable "$1: ${bank_said#curl: }; the bank has not seen it"
    else
        broken broken "$1: ${bank_said#curl: }; whether the bank has done it is not known"
    fi
}

bank_expect() {
    local name
    [[ $bank_status != "$1" ]] || return 0
    name=$(jq -r '.error? // .code? // empty | strings' "$work/body" 2>/dev/null) || name=
    [[ $name =~ ^[A-Za-z0-9_.-]{1,64}$ ]] || name=http-$bank_status
    case $bank_status in
        5?? | 429) broken "$name" "$2: the bank answered $bank_status (interaction $interaction)" ;;
        2?? | 3??) lied status "$2: the bank answered $bank_status; it should be $1" ;;
    esac
    refused "$name" "$2: the bank answered $bank_status (interaction $interaction)"
}

# Its texts are kept, so that jq is not asked for each. One with a NUL is none: a shell would read another.
bank_json() {
    local name value
    jq -rs 'if length == 1 and (.[0] | type == "object") then .[0] | to_entries[] | select(.key != "" and (.value | type == "string"))
        | if .value | index("\u0000") then error else [.key, .value] | @tsv end else error end' \
        "$work/body" >"$work/texts" 2>/dev/null || lied answer 'the answer is not one JSON object'
    bank_texts=()
    while IFS=$'\t' read -r name value; do
        printf -v value '%b' "$value"
        bank_texts[$name]=$value
    done <"$work/texts"
    rm -f "$work/texts"
    bank_known=yes
}

bank_member() {
    if [[ -n $bank_known && $1 =~ ^\.([A-Za-z_]+)$ ]]; then
        [[ -v bank_texts[${BASH_REMATCH[1]}] ]] || lied answer "the answer has no $3, or one that is no text"
        REPLY=${bank_texts[${BASH_REMATCH[1]}]}
    else
        REPLY=$(jq -er "$1 | strings" "$work/body" 2>/dev/null) || lied answer "the answer has no $3, or one that is no text"
    fi
    [[ ${#REPLY} -le 8192 && $REPLY =~ ^($2)$ ]] || lied answer "$3 of the answer is not what it must look like"
}

bank_header() {
    local lines
    # Of the last answer: before it there may be a 100.
    mapfile -t lines < <(awk -v name="${1,,}:" '/^HTTP\// {n = 0} tolower(substr($0, 1, length(name))) == name {
        value = substr($0, length(name) + 1); sub(/\r$/, "", value); gsub(/^[ \t]+|[ \t]+$/, "", value); found[n++] = value}
        END {for (i = 0; i < n; i++) print found[i]}' "$work/head")
    [[ ${#lines[@]} -le 1 ]] || lied header "the answer has the header $1 more than once"
    REPLY=${lines[0]-}
}

bank_jwks() {
    [[ ! -s $2 ]] || return 0
    bank_ask GET "$1" --no-certificate
    bank_expect 200 'the JWK Set'
    bank_json
    cp "$work/body" "$2"
}

# The bank may have a new key since its keys were fetched. What is not there after another look is refused.
bank_jwks_for() {
    if [[ -s $3 ]]; then
        if printf '%s' "$1" | jq -eR --slurpfile jwks "$3" 'split(".")[0] | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson | .kid
            | type == "string" and IN($jwks[0].keys[]?.kid)' >/dev/null 2>&1; then return 0; fi
        note 'the bank signs with a key that is not in its JWK Set as it was; once more'
        rm -f "$3"
    fi
    bank_jwks "$2" "$3"
}
