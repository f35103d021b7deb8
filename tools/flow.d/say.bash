# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# What a flow says, and how it ends.
#
#   step TITLE             a step begins
#   tell WHOM WHAT         what goes to the service, the bank or the customer; WHAT holds no secret
#   held TEXT              what was checked, and held
#   note TEXT              anything else worth a line
#   result TEXT JSON       the end: TEXT for people, JSON one object for programs; does not return
#
#   usage TEXT             2   nothing was sent
#   own TEXT               1   a fault on this side
#   lied RULE TEXT         3   the bank lied
#   refused NAME TEXT      4   the bank refused; what to do is added from the table of errors.bash
#   unserved NAME TEXT     5   the service refused, or is not there
#   broken NAME TEXT       6   the way to the bank is broken; what is safe to repeat is added from the state
#   gone NAME TEXT         7   the customer
#
# $at_refusal, if it is set, is a command that runs when the bank refuses.
#
# None of these seven returns. With --json standard output has one object for each step and one for the end.

step_count=0
step_title=
step_told=()
step_held=()

# json_text TEXT: sets REPLY to it as a JSON string.
json_text() {
    local text=$1 i octal character code
    text=${text//\\/"\\\\"}
    text=${text//\"/"\\\""}
    if [[ $text == *[[:cntrl:]]* ]]; then
        for ((i = 1; i < 32; i++)); do
            printf -v octal '%03o' "$i"
            printf -v character '%b' "\\0$octal"
            printf -v code '\\u%04x' "$i"
            text=${text//"$character"/"$code"}
        done
    fi
    REPLY=\"$text\"
}

# json_object NAME VALUE…: sets REPLY to an object. A NAME that ends with ":" has JSON as its VALUE, not a text.
json_object() {
    local out='' value
    while [[ $# -gt 0 ]]; do
        if [[ $1 == *: ]]; then
            value=$2
        else
            json_text "$2"
            value=$REPLY
        fi
        json_text "${1%:}"
        out+=${out:+,}$REPLY:$value
        shift 2
    done
    REPLY="{$out}"
}

json_texts() {
    local out='' text
    for text in "$@"; do
        json_text "$text"
        out+=${out:+,}$REPLY
    done
    REPLY="[$out]"
}

step_end() {
    local told held
    [[ -n $step_title && -n ${opt[json]-} ]] || return 0
    json_texts "${step_told[@]}"
    told=$REPLY
    json_texts "${step_held[@]}"
    held=$REPLY
    json_object step: "$step_count" title "$step_title" told: "$told" held: "$held"
    printf '%s\n' "$REPLY"
    step_title=
}

plainly() {
    [[ -z ${opt[json]-}${opt[quiet]-} ]]
}

step() {
    step_end
    step_count=$((step_count + 1))
    step_title=$1
    step_told=()
    step_held=()
    if plainly; then printf '%d. %s\n' "$step_count" "$1"; fi
}

tell() {
    step_told+=("$1: $2")
    if plainly; then printf '   → %-8s %s\n' "$1" "$2"; fi
}

held() {
    step_held+=("$1")
    if plainly; then printf '   ✓ %s\n' "$1"; fi
}

note() {
    step_told+=("$1")
    if plainly; then printf '   · %s\n' "$1"; fi
}

result() {
    step_end
    state_put result.text "$1"
    state_put result.json "$2"
    state_put finished yes
    result_again
}

result_again() {
    if [[ -n ${opt[json]-} ]]; then
        state_get result.json
        json_object result: "$REPLY"
    else
        state_get result.text
    fi
    printf '%s\n' "$REPLY"
    exit 0
}

# ending CODE NAME TEXT [ADVICE]
ending() {
    local code=$1 name=$2 text=$3 advice=${4-} stands='' safe=''
    step_end
    if [[ -n ${state-} && $code -ge 3 ]]; then
        state_where
        stands=$state_stands safe=$state_safe
    fi
    if [[ -n ${opt[json]-} ]]; then
        json_object exit: "$code" name "$name" text "$text" advice "$advice" stands "$stands" repeat "$safe"
        json_object failed: "$REPLY"
        printf '%s\n' "$REPLY"
    fi
    printf 'tools/flow: %s%s\n' "${name:+$name: }" "$text" >&2
    [[ -z $advice ]] || printf '  what to do: %s\n' "$advice" >&2
    [[ -z $stands ]] || printf '  it stands at: %s\n' "$stands" >&2
    [[ -z $safe ]] || printf '  to repeat: %s\n' "$safe" >&2
    exit "$code"
}

own() { ending 1 '' "$1"; }
usage() { ending 2 '' "$1"; }
lied() { ending 3 "$1" "$2" 'use nothing of what the bank sent; ask the bank, and keep the interaction id'; }
refused() {
    more_advice=
    [[ -z ${at_refusal-} ]] || "$at_refusal"
    error_advice "$1"
    ending 4 "$1" "$2" "$REPLY${more_advice:+; $more_advice}"
}
unserved() { ending 5 "$1" "$2" "${3-}"; }
broken() { ending 6 "$1" "$2"; }
gone() { ending 7 "$1" "$2"; }
