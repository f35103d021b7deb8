# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# PayNet: another access token for a consent that is there, and a look at the accounts with it.

verb paynet-refresh 'PayNet: another access token for a consent' consent! auth

steps_paynet_refresh() {
    printf '%s\t%s\n' \
        refresh 'all of it; a bank that turns refresh tokens may have done so, and then the customer must consent again' \
        accounts 'all of it: it is a question'
}

run_paynet_refresh() {
    refresh_take
    paynet_begin
    once refresh refresh_renew
    refresh_accounts
}

# What belongs to the consent stays in its folder, which no other run uses meanwhile; here are copies.
refresh_take() {
    local names=(nonce asked.json identity.json consent.json user.json) name
    consent=$(realpath -m -- "${opt[consent]}")
    [[ $consent != "$state" ]] || usage '--state is a folder of its own, beside that of the consent'
    [[ -f $consent/finished && $(jq -r .verb "$consent/flow") == paynet-consent ]] || usage "$consent is not the state of a paynet-consent that is done"
    [[ $(jq -r .bank "$consent/flow") == "$(jq -r .bank "$state/flow")" ]] || usage "$consent is a consent at another bank than --bank"
    exec 8>"$consent/lock"
    flock --wait "$lock_wait_s" 8 || usage "another run is at work in $consent"
    # An answer that came in an earlier run is newer than what the consent has.
    if state_has fresh.json; then unset 'names[-1]'; fi
    for name in "${names[@]}"; do
        state_keep "$name" "$consent/$name"
    done
}

refresh_renew() {
    paynet_renew
    refresh_give consent.json
    refresh_give user.json
    state_drop fresh.json
}

refresh_give() {
    if ! { cp --no-preserve=mode "$state/$1" "$consent/.new" && sync "$consent/.new" && mv -T "$consent/.new" "$consent/$1" && sync "$consent"; }; then
        own "cannot write $consent/$1"
    fi
}

refresh_accounts() {
    state_put at accounts
    paynet_accounts ''
    state_put did-accounts yes
    result "refreshed: $(jq -r .consent_id "$state/consent.json"), $(jq '.accounts | length' "$state/accounts.json") accounts" \
        "$(jq -c --slurpfile read "$state/accounts.json" '{consent_id, status, accounts: ($read[0].accounts | length)}' "$state/consent.json")"
}
