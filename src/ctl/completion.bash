# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of qsealctl(1). Nothing is listed here: commands and options come from the program itself, tokens, keys and
# the roles that have keys from the running service, when it answers within QSEAL_COMPLETION_S seconds (1).

# _qsealctl_list NOUN MEMBER: the values of that member in the service's list of these, and not of what is inside them.
# Only plain names: compgen expands.
_qsealctl_list() {
    timeout "${QSEAL_COMPLETION_S:-1}" "${ask[@]}" --json "$1" list 2>/dev/null |
        sed -n "s/^ \\{6\\}\"$2\": \"\\([A-Za-z0-9._-]\\{1,\\}\\)\",\\{0,1\\}\$/\\1/p" | sort -u
}

# _qsealctl_offer WORDS…: those that begin as the word under the cursor does.
_qsealctl_offer() {
    local word
    for word in "$@"; do
        [[ $word != "$cur"* ]] || COMPREPLY+=("$word")
    done
}

_qsealctl_offer_list() {
    local words=()
    mapfile -t words < <(_qsealctl_list "$@")
    _qsealctl_offer "${words[@]}"
}

_qsealctl_offer_files() {
    compopt -o filenames 2>/dev/null
    local files=()
    mapfile -t files < <(compgen -f -- "$cur")
    COMPREPLY+=("${files[@]}")
}

# What the value of this option may be.
_qsealctl_value() {
    case $1 in
        --socket | --config | --file | --callers | --key | --checkpoint | --to | --position) _qsealctl_offer_files ;;
        --token) _qsealctl_offer_list token name ;;
        --kid) _qsealctl_offer_list key kid ;;
        *) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "${values[$1]//,/ }" -- "$cur") ;;
    esac
}

# What may stand where the help says this.
_qsealctl_word() {
    case $1 in
        *FILE* | *FOLDER*) _qsealctl_offer_files ;;
        *TOKEN*) _qsealctl_offer_list token name ;;
    esac
    [[ $1 != *KID* ]] || _qsealctl_offer_list key kid
    [[ $1 != *ROLE* ]] || _qsealctl_offer_list key role
}

# Reads what the program lists: "NOUN|VERB|WORDS", "--option" and "--option=VALUES".
_qsealctl_read() {
    local line
    while IFS= read -r line; do
        case $line in
            --*=*) values[${line%%=*}]=${line#*=} options+=("${line%%=*}") ;;
            --*) options+=("$line") ;;
            *) commands+=("$line") ;;
        esac
    done < <("$1" --list-commands 2>/dev/null)
}

# The words of the line before the cursor, without options and their values.
_qsealctl_split() {
    local i word
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == --* && -v values[$word] ]]; then
            [[ ${COMP_WORDS[i + 1]-} != = ]] || i=$((i + 1))
            i=$((i + 1))
            [[ $word != --socket || $i -ge $COMP_CWORD ]] || ask+=(--socket "${COMP_WORDS[i]}")
            [[ $i -lt $COMP_CWORD ]] || open=$word
        elif [[ $word != -?* ]]; then
            words+=("$word")
        fi
    done
}

_qsealctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} open='' options=() commands=() words=() ask=("${COMP_WORDS[0]}") line noun verb what
    local -A values=()
    COMPREPLY=()
    [[ $cur != = ]] || cur=
    _qsealctl_read "${COMP_WORDS[0]}"
    _qsealctl_split
    if [[ -n $open ]]; then
        _qsealctl_value "$open"
        return
    fi
    [[ $cur != -* ]] || _qsealctl_offer "${options[@]}"
    for line in "${commands[@]}"; do
        IFS='|' read -r noun verb what <<<"$line"
        if [[ ${#words[@]} -eq 0 ]]; then
            [[ " ${COMPREPLY[*]} " == *" $noun "* ]] || _qsealctl_offer "$noun"
        elif [[ ${#words[@]} -eq 1 && $noun == "${words[0]}" && -n $verb ]]; then
            _qsealctl_offer "$verb"
        elif [[ "$noun${verb:+ $verb}" == "${words[*]}" ]]; then
            _qsealctl_word "$what"
        fi
    done
}

complete -F _qsealctl qsealctl
