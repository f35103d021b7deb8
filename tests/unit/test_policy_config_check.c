/* SPDX-License-Identifier: Apache-2.0
 * Each rule of qseal.yaml: one good file, one change to it, one reason with its line. */
#include "policy/config_check.h"

#include "yaml_file.h"

#include <unistd.h>

#define PIN "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

static const char good[] = "sockets:\n"                              /* 1 */
                           "  callers: /run/q/callers.sock\n"        /* 2 */
                           "  admin: /run/q/admin.sock\n"            /* 3 */
                           "  signing: /run/q/signing.sock\n"        /* 4 */
                           "state: /var/lib/q\n"                     /* 5 */
                           "templates: [/etc/q/t,\n"                 /* 6 */
                           "  /usr/share/q/t]\n"                     /* 7 */
                           "profiles: /etc/q/p\n"                    /* 8 */
                           "users: {httpd: 0, qseald: 0}\n"          /* 9 */
                           "limits:\n"                               /* 10 */
                           "  workers: 8\n"                          /* 11 */
                           "callers:\n"                              /* 12 */
                           "  - name: one\n"                         /* 13 */
                           "    uid: 1001\n"                         /* 14 */
                           "    profiles: [a, b]\n"                  /* 15 */
                           "    rate: 10\n"                          /* 16 */
                           "  - name: two\n"                         /* 17 */
                           "    user: \"1002\"\n"                    /* 18 */
                           "    profiles: ['*']\n"                   /* 19 */
                           "administrators:\n"                       /* 20 */
                           "  - uid: 0\n"                            /* 21 */
                           "    rights: [operator]\n"                /* 22 */
                           "  - user: \"7\"\n"                       /* 23 */
                           "    rights: [auditor, custodian]\n"      /* 24 */
                           "tokens:\n"                               /* 25 */
                           "  - name: hsm-a\n"                       /* 26 */
                           "    module: /usr/lib/a.so\n"             /* 27 */
                           "    uri: pkcs11:token=a?pin-source=/a\n" /* 28 */
                           "  - name: hsm-b\n"                       /* 29 */
                           "    module: /usr/lib/b.so\n"             /* 30 */
                           "    uri: pkcs11:token=b?pin-source=/b\n" /* 31 */
                           "    socket: /run/q/b.sock\n"             /* 32 */
                           "    state: /var/lib/q-b\n"               /* 33 */
                           "roles:\n"                                /* 34 */
                           "  - name: seal\n"                        /* 35 */
                           "    purpose: seal\n"                     /* 36 */
                           "    key: rsa-2048\n"                     /* 37 */
                           "    algorithms: [RS256, PS256]\n"        /* 38 */
                           "    tokens: [hsm-a,\n"                   /* 39 */
                           "      hsm-b]\n"                          /* 40 */
                           "  - name: seal-ec\n"                     /* 41 */
                           "    purpose: seal\n"                     /* 42 */
                           "    key: p-256\n"                        /* 43 */
                           "    algorithms: [ES256]\n"               /* 44 */
                           "    tokens: [hsm-b]\n"                   /* 45 */
                           "  - name: tls\n"                         /* 46 */
                           "    purpose: transport\n"                /* 47 */
                           "    key: p-256\n"                        /* 48 */
                           "    tokens: [hsm-b]\n"                   /* 49 */
                           "    peers:\n"                            /* 50 */
                           "      - dns: '*.bank.example'\n"         /* 51 */
                           "        issuer: /etc/q/ca.pem\n"         /* 52 */
                           "        spki: " PIN "\n";                /* 53 */

#define NAME ": a name is 1 to 63 of a-z 0-9 - _ . and has no dot in front"
#define ABSOLUTE ": an absolute path is wanted here"
#define S50 "12345678901234567890123456789012345678901234567890"
#define SPKI                                                                                       \
    "", ":53: /roles/2/peers/0/spki: BASE64URL(SHA-256(SubjectPublicKeyInfo)) is wanted here, 43 " \
        "characters"
#define DNS                                                                                        \
    "", ":51: /roles/2/peers/0/dns: a DNS name is wanted here, \"*.\" in front of two or more "    \
        "labels stands for one"
#define ROLE(key, value)                                                                           \
    "    tokens: [hsm-b]\n  -", "    tokens: [hsm-b]\n    " key ": " value "\n  -"
#define AUDIT(more)                                                                                \
    "tokens: [hsm-b]\n  - name: tls",                                                              \
        "tokens: [hsm-b]\n  - {name: a, purpose: audit, key: p-256, tokens: [hsm-a]" more          \
        "}\n  - name: tls"
#define LIMIT(key, value) "  workers: 8\n", "  workers: 8\n  " key ": " value "\n"

static const struct {
    const char *from;
    const char *to;
    const char *reason; /* behind the path */
} rows[] = {
    /* sockets and folders */
    {"/run/q/callers.sock", "run/callers.sock", ":2: /sockets/callers" ABSOLUTE},
    {"/run/q/callers.sock", "'@abstract'", ":2: /sockets/callers" ABSOLUTE},
    {"/run/q/admin.sock", "/" S50 "/" S50 "/1234", ""},
    {"/run/q/admin.sock", "/" S50 "/" S50 "/12345",
     ":3: /sockets/admin: the path of a socket has at most 107 bytes, this one has 108"},
    {"  callers: /run/q/callers.sock\n",
     "  callers: /run/q/callers.sock\n  callers_second: /run/q/callers.sock\n",
     ":3: /sockets/callers_second: the same as /sockets/callers"},
    {"/run/q/signing.sock", "/run/q/admin.sock",
     ":4: /sockets/signing: the same as /sockets/admin"},
    {"/run/q/b.sock", "/run/q/admin.sock", ":32: /tokens/1/socket: the same as /sockets/admin"},
    {"/run/q/b.sock", "b.sock", ":32: /tokens/1/socket" ABSOLUTE},
    {"/var/lib/q\n", "./q\n", ":5: /state" ABSOLUTE},
    {"/usr/share/q/t", "share", ":7: /templates/1" ABSOLUTE},
    {"/etc/q/p", "p", ":8: /profiles" ABSOLUTE},
    /* users */
    {"httpd: 0", "httpd: no-such-user-here",
     ":9: /users/httpd: user \"no-such-user-here\" does not exist on this host"},
    {"qseald: 0", "qseald: 4294967295", ":9: /users/qseald: no uid is that large"},
    {"user: \"1002\"", "user: no-such-user-here",
     ":18: /callers/1/user: user \"no-such-user-here\" does not exist on this host"},
    {"uid: 1001", "uid: 4294967295", ":14: /callers/0/uid: no uid is that large"},
    {"    uid: 1001\n", "",
     ":13: /callers/0: one of `user` and `uid` is wanted here, and there is none"},
    {"    uid: 1001\n", "    uid: 1001\n    user: root\n",
     ":13: /callers/0: one of `user` and `uid` is wanted here, not both"},
    {"  - uid: 0\n", "  - uid: 0\n    user: root\n",
     ":21: /administrators/0: one of `user`, `uid`, `group` and `gid` is wanted here, "
     "not several"},
    {"  - uid: 0\n", "  - uid: 0\n    gid: 0\n",
     ":21: /administrators/0: one of `user`, `uid`, `group` and `gid` is wanted here, "
     "not several"},
    {"  - uid: 0\n    rights", "  - rights",
     ":21: /administrators/0: one of `user`, `uid`, `group` and `gid` is wanted here, "
     "and there is none"},
    {"  - uid: 0\n", "  - gid: 4294967295\n", ":21: /administrators/0/gid: no gid is that large"},
    {"  - uid: 0\n", "  - group: \"4294967295\"\n",
     ":21: /administrators/0/group: no gid is that large"},
    {"  - uid: 0\n", "  - group: no-such-group-here\n",
     ":21: /administrators/0/group: group \"no-such-group-here\" does not exist on this host"},
    {"  - uid: 0\n", "  - group: root\n", ""},
    /* limits */
    {"workers: 8", "workers: 0", ":11: /limits/workers: 0 is out of range; 1 to 256"},
    {"workers: 8", "workers: 257", ":11: /limits/workers: 257 is out of range; 1 to 256"},
    {LIMIT("connections", "0"), ":12: /limits/connections: 0 is out of range; 1 to 100000"},
    {LIMIT("body_max", "1048577"),
     ":12: /limits/body_max: 1048577 is out of range; 1024 to 1048576"},
    {LIMIT("body_max", "1023"), ":12: /limits/body_max: 1023 is out of range; 1024 to 1048576"},
    {LIMIT("head_ms", "99"), ":12: /limits/head_ms: 99 is out of range; 100 to 60000"},
    {LIMIT("body_ms", "60001"), ":12: /limits/body_ms: 60001 is out of range; 100 to 60000"},
    {LIMIT("idle_ms", "0"), ":12: /limits/idle_ms: 0 is out of range; 100 to 3600000"},
    {LIMIT("deadline_ms", "60001"),
     ":12: /limits/deadline_ms: 60001 is out of range; 100 to 60000"},
    {LIMIT("drain_ms", "60001"), ":12: /limits/drain_ms: 60001 is out of range; 0 to 60000"},
    {LIMIT("jwks_max_age_s", "86401"),
     ":12: /limits/jwks_max_age_s: 86401 is out of range; 0 to 86400"},
    {LIMIT("clock_jump_s", "86401"),
     ":12: /limits/clock_jump_s: 86401 is out of range; 0 to 86400"},
    /* callers */
    {"name: one", "name: One", ":13: /callers/0/name" NAME},
    {"name: two", "name: one", ":17: /callers/1/name: the same as /callers/0/name"},
    {"user: \"1002\"", "user: \"1001\"",
     ":17: /callers/1: the same uid 1001 as /callers/0; one caller, one uid"},
    {"profiles: [a, b]", "profiles: []",
     ":15: /callers/0/profiles: fewer than 1 entries in this list"},
    {"    profiles: [a, b]\n", "",
     ":13: /callers/0: `profiles` or `roles` is wanted here, and there is neither"},
    {"profiles: [a, b]", "roles: [tls]", ""},
    {"profiles: [a, b]", "roles: ['*']", ""},
    {"profiles: [a, b]", "roles: []", ":15: /callers/0/roles: fewer than 1 entries in this list"},
    {"profiles: [a, b]", "roles: [tls, '*']",
     ":15: /callers/0/roles/1: \"*\" grants all roles and stands alone"},
    {"profiles: [a, b]", "roles: [tls, tls]",
     ":15: /callers/0/roles/1: the same as /callers/0/roles/0"},
    {"profiles: [a, b]", "roles: [t l s]", ":15: /callers/0/roles/0" NAME},
    {"profiles: [a, b]", "roles: [tls, tl]",
     ":15: /callers/0/roles/1: there is no role of this name under /roles"},
    {"profiles: [a, b]", "roles: [seal]",
     ":15: /callers/0/roles/0: a role of purpose seal is not granted by itself; `roles` are those "
     "of "
     "purpose transport, others are used through `profiles`"},
    {"profiles: [a, b]", "profiles: [a, .b]", ":15: /callers/0/profiles/1" NAME},
    {"profiles: [a, b]", "profiles: [a, op-*]", ":15: /callers/0/profiles/1" NAME},
    {"profiles: [a, b]", "profiles: [a, a]",
     ":15: /callers/0/profiles/1: the same as /callers/0/profiles/0"},
    {"profiles: ['*']", "profiles: ['*', a]",
     ":19: /callers/1/profiles/0: \"*\" grants all profiles and stands alone"},
    {"rate: 10", "rate: 1000001", ":16: /callers/0/rate: 1000001 is out of range; 0 to 1000000"},
    {"rate: 10", "burst: 10", ":16: /callers/0/burst: a burst means nothing without a rate"},
    {"    rate: 10\n", "    rate: 10\n    burst: 0\n",
     ":17: /callers/0/burst: 0 is out of range; 1 to 1000000"},
    {"rate: 10", "in_flight: 0", ":16: /callers/0/in_flight: 0 is out of range; 1 to 10000"},
    {"rate: 10", "connections: 10001",
     ":16: /callers/0/connections: 10001 is out of range; 1 to 10000"},
    /* administrators */
    {"rights: [operator]", "rights: []",
     ":22: /administrators/0/rights: at least one of operator, custodian, auditor, "
     "approver is wanted here"},
    {"rights: [operator]", "rights: [root]",
     ":22: /administrators/0/rights/0: one of these is wanted here: operator, custodian, "
     "auditor, approver"},
    {"user: \"7\"", "uid: 0",
     ":23: /administrators/1: the same uid 0 as /administrators/0; list its rights there"},
    {"  - uid: 0\n    rights: [operator]\n  - user: \"7\"\n",
     "  - gid: 7\n    rights: [operator]\n  - group: \"7\"\n",
     ":23: /administrators/1: the same gid 7 as /administrators/0; list its rights there"},
    {"  - uid: 0\n", "  - gid: 7\n", ""},
    /* approval */
    {"tokens:\n  - name: hsm-a\n", "approval: {required: true}\ntokens:\n  - name: hsm-a\n",
     ":25: /approval/required: no administrator but uid 0 has the right approver, and uid 0 is not "
     "a second person"},
    {"    rights: [operator]\n  - user: \"7\"\n    rights: [auditor, custodian]\n",
     "    rights: [approver]\n  - user: \"7\"\n    rights: [custodian]\napproval: {required: "
     "true}\n",
     ":25: /approval/required: no administrator but uid 0 has the right approver, and uid 0 is not "
     "a second person"},
    {"[auditor, custodian]\n", "[approver]\napproval: {required: true}\n", ""},
    {"[auditor, custodian]\n", "[approver]\napproval: {valid_s: 0}\n",
     ":25: /approval/valid_s: 0 is out of range; 1 to 2592000"},
    {"[auditor, custodian]\n", "[approver]\napproval: {valid_s: 2592001}\n",
     ":25: /approval/valid_s: 2592001 is out of range; 1 to 2592000"},
    {"[auditor, custodian]\n", "[approver]\napproval: {required: maybe}\n",
     ":25: /approval/required: true or false is wanted here"},
    /* audit */
    {"[auditor, custodian]\n", "[auditor]\naudit: {}\n", ""},
    {"[auditor, custodian]\n", "[auditor]\naudit: {folder: log}\n", ":25: /audit/folder" ABSOLUTE},
    {"[auditor, custodian]\n", "[auditor]\naudit: {segment_mib: 0}\n",
     ":25: /audit/segment_mib: 0 is out of range; 1 to 4096"},
    {"[auditor, custodian]\n", "[auditor]\naudit: {segment_age_s: 59}\n",
     ":25: /audit/segment_age_s: 59 is out of range; 60 to 31622400"},
    {"[auditor, custodian]\n", "[auditor]\naudit: {checkpoint_records: 0}\n",
     ":25: /audit/checkpoint_records: 0 is out of range; 1 to 10000000"},
    {"[auditor, custodian]\n", "[auditor]\naudit: {checkpoint_s: 86401}\n",
     ":25: /audit/checkpoint_s: 86401 is out of range; 1 to 86400"},
    {"[auditor, custodian]\n", "[auditor]\naudit: {retention_days: 36526}\n",
     ":25: /audit/retention_days: 36526 is out of range; 0 to 36525"},
    {"[auditor, custodian]\n", "[auditor]\naudit: {enabled: maybe}\n",
     ":25: /audit/enabled: true or false is wanted here"},
    /* tokens */
    {"name: hsm-a", "name: ../a", ":26: /tokens/0/name" NAME},
    {"name: hsm-b", "name: hsm-a", ":29: /tokens/1/name: the same as /tokens/0/name"},
    {"/usr/lib/a.so", "a.so", ":27: /tokens/0/module" ABSOLUTE},
    {"    module: /usr/lib/a.so\n", "",
     ":26: missing key \"module\" in /tokens/0; known here: name, socket, module, uri, pin, "
     "state, sessions, deadline_ms, mechanisms, session_copy"},
    {"pkcs11:token=a?pin-source=/a\n", "token=a\n",
     ":28: /tokens/0/uri: a PKCS#11 URI (RFC 7512) is wanted here, pkcs11:token=NAME"},
    {"pkcs11:token=a?pin-source=/a\n", "pkcs11:token=a?pin-value=4711\n",
     ":28: /tokens/0/uri: a PIN (pin-value) in a configuration file is refused; use pin-source"},
    {"pkcs11:token=a?pin-source=/a\n", "pkcs11:token=a\n    pin: typed\n", ""},
    {"pkcs11:token=a?pin-source=/a\n", "pkcs11:token=a\n",
     ":26: /tokens/0: neither a pin-source in the URI nor `pin: typed`; one of the two is wanted "
     "here"},
    {"pkcs11:token=a?pin-source=/a\n", "pkcs11:token=a?pin-source=/a\n    pin: typed\n",
     ":26: /tokens/0: `pin: typed` and a pin-source in the URI; one of the two is wanted here"},
    {"pkcs11:token=a?pin-source=/a\n", "pkcs11:token=a\n    pin: \"4711\"\n",
     ":29: /tokens/0/pin: one of these is wanted here: typed"},
    {"state: /var/lib/q-b", "state: q-b", ":33: /tokens/1/state" ABSOLUTE},
    {"state: /var/lib/q-b", "state: /var/lib/qseal-tokend/hsm-a",
     ":33: /tokens/1/state: the same as /tokens/0/state"},
    {"    socket: /run/q/b.sock\n", "    sessions: 0\n",
     ":32: /tokens/1/sessions: 0 is out of range; 1 to 256"},
    {"    socket: /run/q/b.sock\n", "    deadline_ms: 99\n",
     ":32: /tokens/1/deadline_ms: 99 is out of range; 100 to 60000"},
    {"    socket: /run/q/b.sock\n", "    mechanisms: raw\n",
     ":32: /tokens/1/mechanisms: one of these is wanted here: auto, prehash, token-hash"},
    /* roles */
    {"name: seal\n", "name: ''\n", ":35: /roles/0/name: a text is wanted here, and there is none"},
    {"name: seal\n", "name: s e\n", ":35: /roles/0/name" NAME},
    {"name: seal-ec", "name: seal", ":41: /roles/1/name: the same as /roles/0/name"},
    {"    purpose: seal\n    key: rsa", "    purpose: audits\n    key: rsa",
     ":36: /roles/0/purpose: one of these is wanted here: seal, transport, audit"},
    {"key: rsa-2048", "key: rsa-1024",
     ":37: /roles/0/key: one of these is wanted here: rsa-2048, rsa-3072, rsa-4096, p-256, p-384, "
     "p-521, ed25519"},
    {"[RS256, PS256]", "[]", ":38: /roles/0/algorithms: at least one algorithm is wanted here"},
    {"[RS256, PS256]", "[PS256, ES256]",
     ":38: /roles/0/algorithms: ES256 does not fit a key of type rsa-2048"},
    {"[ES256]", "[ES384]", ":44: /roles/1/algorithms: ES384 does not fit a key of type p-256"},
    {"[RS256, PS256]", "[none]",
     ":38: /roles/0/algorithms/0: one of these is wanted here: RS256, RS384, RS512, PS256, PS384, "
     "PS512, ES256, ES384, ES512, Ed25519"},
    {"      hsm-b]", "      hsm-c]",
     ":40: /roles/0/tokens/1: there is no token of this name under /tokens"},
    {"      hsm-b]", "      hsm-a]", ":40: /roles/0/tokens/1: the same as /roles/0/tokens/0"},
    {"tokens: [hsm-b]", "tokens: []", ":45: /roles/1/tokens: fewer than 1 entries in this list"},
    {"    algorithms: [ES256]\n", "",
     ":41: /roles/1/algorithms: at least one algorithm is wanted here"},
    {ROLE("publish_before_use_s", "31622401"),
     ":46: /roles/1/publish_before_use_s: 31622401 is out of range; 0 to 31622400"},
    {ROLE("cryptoperiod_days", "36526"),
     ":46: /roles/1/cryptoperiod_days: 36526 is out of range; 0 to 36525"},
    {ROLE("warn_days", "36526"), ":46: /roles/1/warn_days: 36526 is out of range; 0 to 36525"},
    {ROLE("at_end", "never"), ":46: /roles/1/at_end: one of these is wanted here: warn, stop"},
    /* transport roles: a curve goes with any digest in TLS 1.2 */
    {"    key: p-256\n    tokens",
     "    key: p-256\n    algorithms: [ES256, ES384, ES512]\n    tokens", ""},
    {"    key: p-256\n    tokens", "    key: p-384\n    algorithms: [ES256]\n    tokens", ""},
    {"    key: p-256\n    tokens", "    key: p-384\n    algorithms: []\n    tokens",
     ":49: /roles/2/algorithms: at least one algorithm is wanted here"},
    {"    key: p-256\n    tokens", "    key: p-384\n    algorithms: [RS256]\n    tokens",
     ":49: /roles/2/algorithms: RS256 does not fit a key of type p-384"},
    {"    key: p-256\n    tokens", "    key: rsa-2048\n    algorithms: [RS256, PS512]\n    tokens",
     ""},
    {"    key: p-256\n    tokens", "    key: rsa-2048\n    algorithms: [ES256]\n    tokens",
     ":49: /roles/2/algorithms: ES256 does not fit a key of type rsa-2048"},
    /* gates */
    {"tokens: [hsm-b]\n  - name: tls",
     "tokens: [hsm-b]\n    backup: required\n    seen: required\n    probe_file: /var/q/jwks\n  - "
     "name: tls",
     ""},
    {"    tokens: [hsm-b]\n    peers", "    tokens: [hsm-b]\n    seen: required\n    peers", ""},
    {"    tokens: [hsm-b]\n    peers", "    tokens: [hsm-b]\n    probe_file: /p\n    peers",
     ":50: /roles/2/probe_file: only keys of purpose seal are in the JWK Set"},
    {"tokens: [hsm-b]\n  - name: tls", "tokens: [hsm-b]\n    probe_file: jwks\n  - name: tls",
     ":46: /roles/1/probe_file" ABSOLUTE},
    {"tokens: [hsm-b]\n  - name: tls", "tokens: [hsm-b]\n    backup: yes\n  - name: tls",
     ":46: /roles/1/backup: one of these is wanted here: optional, required"},
    {"tokens: [hsm-b]\n  - name: tls", "tokens: [hsm-b]\n    seen: true\n  - name: tls",
     ":46: /roles/1/seen: one of these is wanted here: optional, required"},
    /* audit: one role, one algorithm, nothing for callers */
    {AUDIT(""), ""},
    {AUDIT(", algorithms: [ES256], certificate: required, backup: required, at_end: stop"), ""},
    {AUDIT(", algorithms: []"), ":46: /roles/2/algorithms: at least one algorithm is wanted here"},
    {AUDIT(", algorithms: [ES384]"),
     ":46: /roles/2/algorithms: ES384 does not fit a key of type p-256"},
    {AUDIT("}\n  - {name: b, purpose: audit, key: p-256, tokens: [hsm-b]"),
     ":47: /roles/3/purpose: there is one audit log and one role for it, and role a is of this "
     "purpose already"},
    {"    purpose: seal\n    key: rsa", "    purpose: audit\n    key: rsa",
     ":38: /roles/0/algorithms: an audit key signs with one algorithm, and more are granted here"},
    {AUDIT(", seen: required"),
     ":46: /roles/2/seen: keys of purpose audit are in no JWK Set, and nobody sees them outside"},
    {AUDIT(", probe_file: /p"),
     ":46: /roles/2/probe_file: only keys of purpose seal are in the JWK Set"},
    {AUDIT(", peers: [{spki: " PIN "}]"),
     ":46: /roles/2/peers: only a role of purpose transport has peers"},
    /* peers */
    {"tokens: [hsm-b]\n  - name: tls",
     "tokens: [hsm-b]\n    peers: [{spki: " PIN "}]\n  - name: tls",
     ":46: /roles/1/peers: only a role of purpose transport has peers"},
    {"        issuer: /etc/q/ca.pem\n", "        issuer: ca.pem\n",
     ":52: /roles/2/peers/0/issuer" ABSOLUTE},
    {"        issuer: /etc/q/ca.pem\n", "",
     ":51: /roles/2/peers/0/dns: `dns` needs `issuer` beside it: anybody can write a name into a "
     "certificate of his own"},
    {"      - dns: '*.bank.example'\n        issuer: /etc/q/ca.pem\n        spki: " PIN "\n",
     "      - {}\n",
     ":51: /roles/2/peers/0: `spki`, or `issuer` with or without `dns`, is wanted here"},
    {"      - dns: '*.bank.example'\n        issuer:", "      - issuer:", ""},
    {"      - dns: '*.bank.example'\n        issuer: /etc/q/ca.pem\n        spki:", "      - spki:",
     ""},
    {"        spki: " PIN "\n", "", ""},
    {"dns: '*.bank", "ip: '*.bank",
     ":51: unknown key \"ip\" in /roles/2/peers/0; known here: dns, issuer, spki"},
    {PIN, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF" SPKI},
    {PIN, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFUU" SPKI},
    {PIN, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" SPKI},
    {PIN, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV" SPKI}, /* bits that mean nothing */
    {"*.bank.example", "xs2a.bank.example", ""},
    {"*.bank.example", "localhost", ""},
    {"*.bank.example", S50 "1234567890123.example", ""},
    {"*.bank.example", S50 "12345678901234.example" DNS},
    {"*.bank.example", "Bank.example", ""},
    {"*.bank.example", "bank_1.example", ""},
    {"*.bank.example", "*.example" DNS},
    {"*.bank.example", "bank.example." DNS},
    {"*.bank.example", ".bank.example" DNS},
    {"*.bank.example", "bank..example" DNS},
    {"*.bank.example", "*." DNS},
    {"*.bank.example", "*" DNS},
    {"*.bank.example", "a*.bank.example" DNS},
    {"*.bank.example", "*.*.bank.example" DNS},
    {"*.bank.example", "-bank.example" DNS},
    {"*.bank.example", "bank-.example" DNS},
    {"*.bank.example", "192.0.2.1" DNS},
};

/* `good` with the first `from` replaced. */
static void replace(const char *from, const char *to, char out[4096])
{
    const char *hit = strstr(good, from);
    assert_non_null(hit);
    int len = snprintf(out, 4096, "%.*s%s%s", (int)(hit - good), good, to, hit + strlen(from));
    assert_in_range(len, 1, 4095);
}

static void test_good(void **state)
{
    (void)state;
    YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(good, strlen(good));
    struct reason why = {0};
    struct config *config = NULL;
    enum outcome outcome = config_load(file.path, &config, &why);
    assert_string_equal(why.detail, "");
    assert_int_equal(outcome, OUTCOME_OK);
    assert_int_equal(config_check(config, &why), OUTCOME_OK);
    config_free(config);
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[4096];
        replace(rows[i].from, rows[i].to, text);
        YAML_FILE_CLEANUP struct yaml_file file = yaml_file_write(text, strlen(text));
        struct reason why = {0};
        struct config *config = NULL;
        enum outcome outcome = config_load(file.path, &config, &why);
        assert_reason(outcome == OUTCOME_OK ? file.path : why.detail, &file, rows[i].reason);
        assert_int_equal(outcome, rows[i].reason[0] == '\0' ? OUTCOME_OK : OUTCOME_RULE);
        assert_int_equal(config != NULL, outcome == OUTCOME_OK);
        assert_null(strstr(why.detail, "4711"));
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
