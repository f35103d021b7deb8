# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# Amounts and accounts. Amounts are counted in cents, in integers.
#
#   amount_check TEXT     an amount above nothing, with two decimals: 4.00
#   amount_cents TEXT     sets REPLY
#   cents_text CENTS      sets REPLY
#   iban_check TEXT       letters, length and check digits (ISO 13616)
#   sepa_check IBAN       its country takes part in SEPA

sepa_countries=' AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA '

amount_check() {
    [[ $1 =~ ^(0|[1-9][0-9]{0,8})\.[0-9]{2}$ && $1 != 0.00 ]]
}

amount_cents() {
    REPLY=$((10#${1/./}))
}

cents_text() {
    printf -v REPLY '%d.%02d' "$(($1 / 100))" "$(($1 % 100))"
}

iban_check() {
    local turned digits='' rest=0 i c
    [[ $1 =~ ^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$ ]] || return 1
    turned=${1:4}${1:0:4}
    for ((i = 0; i < ${#turned}; i++)); do
        c=${turned:i:1}
        [[ $c == [0-9] ]] || printf -v c '%d' "$(($(printf '%d' "'$c") - 55))"
        digits+=$c
    done
    for ((i = 0; i < ${#digits}; i++)); do rest=$(((rest * 10 + ${digits:i:1}) % 97)); done
    [[ $rest -eq 1 ]]
}

sepa_check() {
    [[ $sepa_countries == *" ${1:0:2} "* ]]
}
