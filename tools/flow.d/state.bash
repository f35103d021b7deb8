# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# Where a flow stands: one file for each thing it must remember, in a folder of mode 0700. Files have mode 0600, appear
# whole or not at all, and are on the disk when state_put returns: what is sent is never ahead of what is remembered.
#
#   state_put NAME TEXT       remembers; TEXT may be a secret
#   state_keep NAME FILE      the same with the octets of a file
#   state_has NAME            whether it is there
#   state_get NAME            sets REPLY; it must be there
#   state_drop NAME…          forgets
#   once STEP COMMAND…        runs COMMAND unless STEP was done in an earlier run; it is done when COMMAND returns
#   state_undo STEP…          these steps are to be done again
#   $work                     a folder for bodies and answers of this run, emptied at its beginning and end
#
# One run at a time: the folder is locked as long as the flow, *or a curl that it started*, lives. Who kills a flow and
# resumes it waits for what is still on its way.

lock_wait_s=10
state=
work=
state_stands=
state_safe=

state_put() {
    printf '%s' "$2" >"$state/.new" || own "cannot write in $state"
    state_settle "$1"
}

state_keep() {
    cp --no-preserve=mode "$2" "$state/.new" || own "cannot write in $state"
    state_settle "$1"
}

state_settle() {
    if ! sync "$state/.new" || ! mv -T "$state/.new" "$state/$1" || ! sync "$state"; then
        own "cannot write $state/$1"
    fi
}

state_has() { [[ -e $state/$1 ]]; }

state_get() {
    REPLY=$(<"$state/$1") || own "$state/$1 is missing"
}

state_drop() {
    local name
    for name in "$@"; do rm -f "${state:?}/$name"; done
    sync "$state"
}

once() {
    local name=$1
    shift
    ! state_has "did-$name" || return 0
    state_put at "$name"
    "$@"
    state_put "did-$name" yes
}

state_undo() {
    state_drop "${@/#/did-}"
}

# The folder, for VERB with these OPTIONS of its own; a flow that is already there must be the same one.
state_open() {
    local name=$1 option line asked
    state=$(realpath -m -- "${opt[state]}")
    [[ -d $state ]] || mkdir -p "$state" || usage "cannot make the folder $state"
    [[ -O $state && $(stat -c %a "$state") == 700 ]] || usage "$state must be yours and of mode 0700: tokens are kept in it"
    state_lock
    json_object verb "$name" bank "$(realpath -m -- "${opt[bank]}")"
    asked=$REPLY
    for option in $2; do
        [[ -v opt[$option] ]] || continue
        line=${opt[$option]}
        [[ ! -e $line ]] || line=$(realpath -- "$line")
        json_object "$option" "$line"
        asked=${asked%\}},${REPLY#\{}
    done
    if state_has flow; then
        state_get flow
        [[ $REPLY == "$asked" ]] || usage "in $state is another flow: tools/flow status --state $state tells which"
    else
        [[ -z $(find "$state" -mindepth 1 -not -name lock -not -name .new -print -quit) ]] || usage "$state is not empty, and holds no flow"
        state_put flow "$asked"
    fi
    state_same_bank
    work=$state/work
    rm -rf "$work" && mkdir -m 0700 "$work"
    trap 'rm -rf "$work"' EXIT
}

# The bank file may have been mended since; but codes and tokens of one bank are not sent to another.
state_same_bank() {
    json_object issuer "${bank[issuer]}" client_id "${bank[client_id]}"
    local now=$REPLY
    state_has at-bank || state_put at-bank "$now"
    state_get at-bank
    [[ $REPLY == "$now" ]] || usage "${opt[bank]} has another issuer or client_id than when the flow began: $REPLY"
}

state_lock() {
    exec 9>"$state/lock"
    flock --wait "$lock_wait_s" 9 || usage "another run is at work in $state"
}

# For resume: verb, bank and options as they were.
state_recall() {
    local line
    [[ -f ${opt[state]}/flow ]] || usage "there is no flow in ${opt[state]}"
    verb=$(jq -r .verb "${opt[state]}/flow")
    [[ -v summary[$verb] ]] || usage "there is no verb $verb any more"
    while IFS=$'\t' read -r -d $'\n' name line; do
        printf -v line '%b' "$line"
        opt["$name"]=$line
    done < <(jq -r 'del(.verb) | to_entries[] | [.key, .value] | @tsv' "${opt[state]}/flow")
}

# Sets state_stands and state_safe.
state_where() {
    local at=''
    state_stands='nothing was begun' state_safe='all of it'
    if state_has finished; then
        state_stands='done' state_safe='nothing is left to do; a repeat sends nothing'
        return
    fi
    state_has at || return 0
    state_get at
    at=$REPLY
    state_stands=$at
    state_safe=$("steps_${verb//-/_}" | awk -F '\t' -v at="$at" '$1 == at {print $2}')
    ! state_has "did-$at" || state_stands="after $at"
}

state_show() {
    local steps step mark did=()
    state=$(realpath -m -- "${opt[state]}")
    [[ -f $state/flow ]] || usage "there is no flow in $state"
    verb=$(jq -r .verb "$state/flow")
    [[ -v summary[$verb] ]] || usage "there is no verb $verb any more"
    state_where
    steps=$("steps_${verb//-/_}")
    if [[ -n ${opt[json]-} ]]; then
        while IFS=$'\t' read -r step _; do
            state_has "did-$step" && did+=("$step")
        done <<<"$steps"
        json_texts "${did[@]}"
        json_object flow: "$(<"$state/flow")" did: "$REPLY" stands "$state_stands" repeat "$state_safe"
        printf '%s\n' "$REPLY"
        return
    fi
    printf '%s\n' "$verb"
    while IFS=$'\t' read -r step _; do
        mark=' '
        ! state_has "did-$step" || mark='✓'
        printf '  %s %s\n' "$mark" "$step"
    done <<<"$steps"
    printf 'it stands at: %s\nto repeat: %s\n' "$state_stands" "$state_safe"
}
