#compdef qsealctl
# SPDX-License-Identifier: Apache-2.0
# Completion of qsealctl(1) for zsh. Nothing is listed here: commands and options come from the program itself, tokens, keys
# and the roles that have keys from the running service, when it answers within QSEAL_COMPLETION_S seconds (1).

# _qsealctl_list NOUN MEMBER: offers the values of that member in the service's list of these, as completion.bash does.
_qsealctl_list() {
    local found
    found=$(timeout "${QSEAL_COMPLETION_S:-1}" $ask --json $1 list 2>/dev/null |
        sed -n "s/^ \\{6\\}\"$2\": \"\\([A-Za-z0-9._-]\\{1,\\}\\)\",\\{0,1\\}\$/\\1/p" | sort -u)
    compadd -- ${(f)found}
}

# What the value of this option may be.
_qsealctl_value() {
    case $1 in
        --socket | --config | --file | --callers | --key | --checkpoint | --to | --position) _files ;;
        --token) _qsealctl_list token name ;;
        --kid) _qsealctl_list key kid ;;
        *) compadd -- ${(s:,:)values[$1]} ;;
    esac
}

# What may stand where the help says this.
_qsealctl_word() {
    local offered=1
    case $1 in
        *FILE* | *FOLDER*) _files && offered=0 ;;
        *TOKEN*) _qsealctl_list token name && offered=0 ;;
    esac
    [[ $1 != *KID* ]] || { _qsealctl_list key kid && offered=0 }
    [[ $1 != *ROLE* ]] || { _qsealctl_list key role && offered=0 }
    return $offered
}

# Reads what the program lists: "NOUN|VERB|WORDS", "--option" and "--option=VALUES".
_qsealctl_read() {
    local line
    for line in ${(f)"$($ask --list-commands 2>/dev/null)"}; do
        case $line in
            --*=*) values[${line%%=*}]=${line#*=} options+=(${line%%=*}) ;;
            --*) options+=($line) ;;
            *) commands+=($line) ;;
        esac
    done
}

# The words of the line before the cursor, without options and their values.
_qsealctl_split() {
    local i word
    for ((i = 2; i < CURRENT; i++)); do
        word=${(Q)words[i]}
        if [[ $word == --socket=* ]]; then
            ask+=($word)
        elif ((${+values[$word]})); then
            i=$((i + 1))
            [[ $word != --socket || $i -ge $CURRENT ]] || ask+=(--socket ${(Q)words[i]})
            [[ $i -lt $CURRENT ]] || open=$word
        elif [[ $word != -?* ]]; then
            given+=($word)
        fi
    done
}

_qsealctl() {
    local open='' line noun verb what offered=1
    local -a ask=(${(Q)words[1]}) options commands given firsts
    local -A values
    _qsealctl_read
    _qsealctl_split
    if [[ -z $open ]] && compset -P 1 '--*='; then
        open=${IPREFIX%=}
    fi
    if [[ -n $open ]]; then
        _qsealctl_value $open
        return
    fi
    [[ $PREFIX != -* ]] || { compadd -a options && offered=0 }
    for line in $commands; do
        IFS='|' read -r noun verb what <<<$line
        if [[ ${#given} -eq 0 ]]; then
            firsts+=($noun)
        elif [[ ${#given} -eq 1 && $noun == ${given[1]} && -n $verb ]]; then
            firsts+=($verb)
        elif [[ "$noun${verb:+ $verb}" == "$given" ]]; then
            _qsealctl_word $what && offered=0
        fi
    done
    compadd -- ${(u)firsts} && offered=0
    return $offered
}

_qsealctl "$@"
