# shellcheck shell=bash disable=SC2154 # the parts share variables; each says which are its own
# SPDX-License-Identifier: Apache-2.0
# What a bank's refusals mean, by name, and what to do: OAuth 2.0's (RFC 6749 §4.1.2.1, §5.2; RFC 9126, RFC 9396), those of
# the banks' own pages, and HTTP's.

declare -A advice=(
    [access_denied]='the customer said no; ask them, and begin anew if they want'
    [invalid_request]='a parameter is missing, twice there or malformed: compare the bank file and the profile with what the bank has registered'
    [invalid_request_object]='the bank does not accept the signed request: has it fetched the JWK Set since the key is active, and is the client id of the profile its own?'
    [invalid_request_uri]='the pushed request is over or used: begin anew'
    [invalid_grant]='the code or token is over, used, or of another client; the customer must authorize again. resume does so'
    [unsupported_grant_type]='the application is not registered for this flow: ask the bank'
    [unsupported_response_type]='the application is not registered for this flow: ask the bank'
    [invalid_scope]='the scope is not what was asked or registered: compare the profile with the registration'
    [invalid_client]='client id, secret, assertion or certificate is not what the bank has registered'
    [invalid_client_assertion]='the assertion is over or not signed by a key the bank knows: look at the clock and at the JWK Set the bank fetches'
    [unauthorized_client]='the application is not registered for this flow, or the code was given to another: ask the bank'
    [invalid_token]='the access token is over or withdrawn; resume gets another'
    [insufficient_scope]='the access token is for another scope'
    [invalid_authorization_details]="the bank does not know this kind of consent, or its members: compare it with the bank's page"
    [login_required]='the customer was not logged in: let them try again'
    [consent_required]='the customer did not consent: let them try again'
    [interaction_required]='the customer must do something at the bank: let them try again'
    [unauthorized]='the API key is not that of the application: compare api_key_file with what the bank has given'
    [invalid_signature]='the bank does not accept x-jws-signature: has it fetched the JWK Set since the key is active?'
    [conflict]='the bank has this already, or it is in a state that does not allow it; resume asks for the status first'
    [not_found]='it is not there: is the api of the bank file right, and the intent not over?'
    [server_error]='the bank failed; try again later'
    [temporarily_unavailable]='the bank is busy or closed for now; try again later'
    [http-400]="the request is not what the bank wants: compare it with the bank's page"
    [http-401]='token, API key or certificate is not accepted'
    [http-403]='the application may not do this: scope, API key, and role in the certificate'
    [http-404]='it is not there: is the api of the bank file right, and the intent not over?'
    [http-409]='the bank has this already, or it is in a state that does not allow it: ask for its status first'
    [http-410]='it is over: begin anew'
    [http-422]='the bank refuses the content'
)

# Sets REPLY.
error_advice() {
    REPLY=${advice[$1]-"the bank's page has this error; the interaction id is what its support asks for"}
}
