// SPDX-License-Identifier: Apache-2.0
// The rows of hostile.test.mjs: bytes, and the only results that may come of them.

import { randomBytes } from 'node:crypto'

import { opPayment } from './bodies.mjs'
import { slow } from './lib.mjs'

// In every payload; must be in no log and in no answer.
export const canary = `canary${randomBytes(12).toString('hex')}`

const jar = '/v1/jar/op-jar-cof'
const bytes = (part) => (Buffer.isBuffer(part) ? part : Buffer.from(part, 'utf8'))
const join = (...parts) => Buffer.concat(parts.map(bytes))
const b = (...octets) => Buffer.from(octets)

export function post(target, body, headers = ['Content-Type: application/json']) {
  const content = bytes(body)
  return join([`POST ${target} HTTP/1.1`, 'Host: localhost', ...headers, `Content-Length: ${content.length}`, '', ''].join('\r\n'), content)
}
const head = (...lines) => [...lines, '', ''].join('\r\n')

// --- JSON --------------------------------------------------------------------------------------

// A body whose only fault is `member`.
const member = (text) => join(`{"canary":"${canary}",`, text, '}')
const string = (content) => member(join('"x":"', content, '"'))
const nest = (open, close, times) => open.repeat(times) + close.repeat(times)
// The outer object is depth 1.
const depth = (levels) => member(`"x":${nest('{"x":', '}', levels - 1).replace('{"x":}', '{}')}`)

const malformed = [
  ['empty body', ''],
  ['white space only', ' \r\n\t '],
  ['array', `["${canary}"]`],
  ['string', `"${canary}"`],
  ['number', '1'],
  ['null', 'null'],
  ['true', 'true'],
  ['unclosed object', `{"canary":"${canary}"`],
  ['unclosed string', `{"canary":"${canary}`],
  ['only an opening brace', '{'],
  ['closing brace too many', `{"canary":"${canary}"}}`],
  ['two objects', `{"canary":"${canary}"}{"state":"a"}`],
  ['trailing text', `{"canary":"${canary}"} x`],
  ['trailing NUL', join(`{"canary":"${canary}"}`, b(0))],
  ['trailing 0xFF', join(`{"canary":"${canary}"}`, b(0xff))],
  ['leading NUL', join(b(0), `{"canary":"${canary}"}`)],
  ['leading no-break space', join(b(0xc2, 0xa0), `{"canary":"${canary}"}`)],
  ['leading vertical tab', `\v{"canary":"${canary}"}`],
  ['byte order mark', join(b(0xef, 0xbb, 0xbf), `{"canary":"${canary}"}`)],
  ['UTF-16 LE', join(b(0xff, 0xfe), Buffer.from(`{"canary":"${canary}"}`, 'utf16le'))],
  ['UTF-16 without mark', Buffer.from(`{"canary":"${canary}"}`, 'utf16le')],
  ['line comment', member('"x":1 // one\n')],
  ['block comment', member('/* one */"x":1')],
  ['hash comment', member('"x":1 # one\n')],
  ['single quotes', `{'canary':'${canary}'}`],
  ['name without quotes', member('x:1')],
  ['trailing comma', `{"canary":"${canary}",}`],
  ['missing comma', `{"canary":"${canary}" "x":1}`],
  ['missing colon', member('"x" 1')],
  ['missing value', member('"x":')],
  ['undefined', member('"x":undefined')],
  ['True', member('"x":True')],
  ['NaN', member('"max_age":NaN')],
  ['Infinity', member('"max_age":Infinity')],
  ['-Infinity', member('"max_age":-Infinity')],
  ['hexadecimal number', member('"max_age":0x10')],
  ['octal number', member('"max_age":0123')],
  ['leading zeros', member('"max_age":007')],
  ['leading plus', member('"max_age":+1')],
  ['only a minus', member('"max_age":-')],
  ['ends in a point', member('"max_age":1.')],
  ['begins with a point', member('"max_age":.5')],
  ['exponent without digits', member('"max_age":1e')],
  ['underscore in number', member('"max_age":1_000')],
  ['beyond a double', member('"max_age":1e400')],
  ['2 to the 64', member('"max_age":18446744073709551616')],
  ['below minus 2 to the 63', member('"max_age":-9223372036854775809')],
  ['10000 digits', member(`"max_age":${'9'.repeat(10000)}`)],
  ['raw newline in a string', string('a\nb')],
  ['raw tab in a string', string('a\tb')],
  ['raw control character', string(b(0x01))],
  ['raw NUL in a string', string(b(0x61, 0x00, 0x62))],
  ['raw NUL in a name', member(join('"a', b(0), 'b":1'))],
  ['escaped NUL', string('a\\u0000b')],
  ['escaped NUL in a name', member('"\\u0000":1')],
  ['escaped NUL deep inside', member('"claims":{"id_token":{"acr":{"values":["\\u0000"]}}}')],
  ['\\x escape', string('\\x41')],
  ['\\u with three digits', string('\\u041')],
  ['\\u{} escape', string('\\u{41}')],
  ['escape of nothing', string('\\')],
  ['lone high surrogate', string('\\ud800')],
  ['lone low surrogate', string('\\udc00')],
  ['surrogates in wrong order', string('\\udc00\\ud800')],
  ['high surrogate, then a letter', string('\\ud800a')],
  ['two high surrogates', string('\\ud800\\ud800')],
  ['lone surrogate in a name', member('"\\ud800":1')],
  ['surrogate encoded in UTF-8', string(b(0xed, 0xa0, 0x80))],
  ['lone continuation octet', string(b(0x80))],
  ['truncated sequence of two', string(b(0xc3))],
  ['truncated sequence of three', string(b(0xe2, 0x82))],
  ['truncated sequence of four', string(b(0xf0, 0x9f, 0x98))],
  ['overlong slash, two octets', string(b(0xc0, 0xaf))],
  ['overlong slash, three octets', string(b(0xe0, 0x80, 0xaf))],
  ['overlong slash, four octets', string(b(0xf0, 0x80, 0x80, 0xaf))],
  ['overlong NUL', string(b(0xc0, 0x80))],
  ['five octet sequence', string(b(0xf8, 0x88, 0x80, 0x80, 0x80))],
  ['six octet sequence', string(b(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80))],
  ['above U+10FFFF', string(b(0xf4, 0x90, 0x80, 0x80))],
  ['0xFE', string(b(0xfe))],
  ['0xFF', string(b(0xff))],
  ['invalid UTF-8 in a name', member(join('"', b(0xc3, 0x28), '":1'))],
  ['Latin-1', string(b(0xe9))],
  ['duplicate member', member(`"canary":"${canary}"`)],
  ['duplicate member, other type', member('"canary":1')],
  ['duplicate after unescaping', member(`"\\u0063anary":"${canary}"`)],
  ['both spelled with escapes', member('"\\u0078":1,"\\u0078":2')],
  ['duplicate by escaped slash', member('"a/b":1,"a\\/b":2')],
  ['duplicate by surrogate pair', member(join('"', '\u{1f600}', '":1,"\\ud83d\\ude00":2'))],
  ['duplicate, hex in other case', member('"\\u00e9":1,"\\u00E9":2')],
  ['duplicate empty name', member('"":1,"":2')],
  ['duplicate __proto__', member('"__proto__":1,"__proto__":2')],
  ['duplicate deep inside', member('"claims":{"id_token":{"acr":{"values":["a"],"values":["b"]}}}')],
  ['duplicate inside an array', member('"authorization_details":[{"type":"a","type":"b"}]')],
  ['depth 17, objects', depth(17)],
  ['depth 17, arrays', member(`"x":${nest('[', ']', 16)}`)],
  ['depth 17, mixed', member(`"x":${nest('[{"x":', '}]', 8).replace('{"x":}', '{}')}`)],
]

// Over what the doors of claims take, within what those of bodies take.
const malformedBig = [
  ['depth 100000, arrays', member(`"x":${nest('[', ']', 100000)}`)],
  ['depth 100000, objects', depth(100000)],
  ['depth 100000, never closed', `{"canary":"${canary}","x":${'['.repeat(100000)}`],
  ['depth 400000, top level', '['.repeat(400000)],
]

const refusedByRule = [
  ['depth 16 is strict JSON', depth(16)],
  ['a string of 60 kB', member(`"state":"${'a'.repeat(60000)}"`)],
  ['5000 members', member(Array.from({ length: 5000 }, (_, i) => `"m${i}":1`).join(','))],
  ['an array of 10000', member(`"x":[${'1,'.repeat(9999)}1]`)],
  ['__proto__ once', '{"__proto__":{"iss":"x"}}'],
  ['an empty name', '{"":1}'],
  ['a name of 60000 octets', `{"${'n'.repeat(60000)}":1}`],
  ['names with format characters', '{"%s%n%n%x":1}'],
  ['a name with slash and tilde', '{"a/b~c":1}', '/a~1b~0c'],
  ['a name of escapes', '{"\\u001b[2J\\r\\nSet-Cookie: a=b":1}'],
  ['2 to the 63 less one', member('"max_age":9223372036854775807')],
  ['minus zero as a float', member('"max_age":-0.0')],
]

// The same strictness holds at the doors that sign bodies as they are.
const detachedMalformed = [
  ['duplicate member', opPayment.replace('"message"', '"payee"')],
  ['duplicate after unescaping', opPayment.replace('"message"', '"p\\u0061yee"')],
  ['trailing bytes', `${opPayment}x`],
  ['byte order mark', join(b(0xef, 0xbb, 0xbf), opPayment)],
  ['array', `[${opPayment}]`],
  ['string', JSON.stringify(opPayment)],
  ['empty', ''],
  ['raw NUL', opPayment.replace('test', '\0')],
  ['escaped NUL', opPayment.replace('test', '\\u0000')],
  ['invalid UTF-8', join(opPayment.slice(0, -2), b(0xff), '"}')],
  ['lone surrogate', opPayment.replace('test', '\\ud800')],
  ['depth 17', opPayment.replace('"test_payment"', nest('[', ']', 16))],
  ['a JWS instead of a body', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
  ['a digest', randomBytes(32)],
  ['a TLS 1.3 CertificateVerify content', join(' '.repeat(64), 'TLS 1.3, client CertificateVerify', b(0), randomBytes(32))],
  ['DER of a request', join(b(0x30, 0x82, 0x01, 0x00), randomBytes(256))],
]

const paymentOf = (size) => opPayment.replace('test_payment', 'a'.repeat(size - opPayment.length + 'test_payment'.length))

export function jsonRows() {
  return [
    ...malformed.map(([name, body]) => ({ name, parts: [post(jar, body)], expect: [400], type: 'malformed' })),
    ...malformedBig.flatMap(([name, body]) => [
      { name: `${name}, claims`, parts: [post(jar, body)], expect: [413], type: 'too-large' },
      { name: `${name}, detached`, parts: [post('/v1/detached-jws/op-detached', body)], expect: [400], type: 'malformed' },
    ]),
    ...refusedByRule.map(([name, body, claim]) => ({ name, parts: [post(jar, body)], expect: [422], type: 'rule-refused', claim })),
    ...['op-detached', 'uk-314'].flatMap((profile) =>
      detachedMalformed.map(([name, body]) => ({
        name: `${profile}: ${name}`,
        parts: [post(`/v1/detached-jws/${profile}`, body)],
        expect: [400],
        type: 'malformed',
      })),
    ),
    { name: 'a body of exactly 1 MiB', parts: [post('/v1/detached-jws/op-detached', paymentOf(1024 * 1024))], expect: [200] },
    { name: 'a body of 1 MiB and one octet', parts: [post('/v1/detached-jws/op-detached', paymentOf(1024 * 1024 + 1))], expect: [413], type: 'too-large' },
    { name: 'more values than a request has', parts: [post(jar, member(`"x":[${'1,'.repeat(19999)}1]`))], expect: [413], type: 'too-large' },
    { name: 'a body of 2 MB', parts: [post(jar, member(`"x":"${'a'.repeat(2e6)}"`))], expect: [413, 'close'], type: 'too-large', timeout: 10000 * slow },
    { name: 'a chunked body of 2 MB', parts: [chunked(jar, [member(`"x":"${'a'.repeat(2e6)}"`)])], expect: [413, 'close'], timeout: 10000 * slow },
  ]
}

// --- HTTP --------------------------------------------------------------------------------------

function chunked(target, chunks, last = '0\r\n\r\n') {
  const parts = chunks.map((chunk) => join(`${bytes(chunk).length.toString(16)}\r\n`, chunk, '\r\n'))
  return join(head(`POST ${target} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', 'Transfer-Encoding: chunked'), ...parts, last)
}

const body = `{"canary":"${canary}"}`
const withHeaders = (...lines) => join(head(`POST ${jar} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', ...lines), body)
const health = (...lines) => head('GET /v1/health HTTP/1.1', 'Host: localhost', ...lines)
const path = (target) => head(`GET ${target} HTTP/1.1`, 'Host: localhost')
const method = (name, target = jar) => head(`${name} ${target} HTTP/1.1`, 'Host: localhost', 'Content-Length: 0')
const length = body.length

// Refused, and nothing that follows on this connection is read as another request.
const refusedAndClosed = [
  ['Content-Length and Transfer-Encoding', withHeaders(`Content-Length: ${length}`, 'Transfer-Encoding: chunked')],
  ['Transfer-Encoding and Content-Length', withHeaders('Transfer-Encoding: chunked', `Content-Length: ${length}`)],
  ['both, in odd case', withHeaders(`content-LENGTH: ${length}`, 'transfer-ENCODING: Chunked')],
  ['smuggled request behind both', join(head(`POST ${jar} HTTP/1.1`, 'Host: localhost', 'Content-Length: 4', 'Transfer-Encoding: chunked'), '0\r\n\r\n', health())],
  ['two equal Content-Lengths', withHeaders(`Content-Length: ${length}`, `Content-Length: ${length}`)],
  ['two different Content-Lengths', withHeaders(`Content-Length: ${length}`, 'Content-Length: 2')],
  ['two Content-Lengths in one line', withHeaders(`Content-Length: ${length}, ${length}`)],
  ['negative Content-Length', withHeaders('Content-Length: -1')],
  ['Content-Length with a plus', withHeaders(`Content-Length: +${length}`)],
  ['hexadecimal Content-Length', withHeaders('Content-Length: 0x10')],
  ['Content-Length with a letter', withHeaders(`Content-Length: ${length}a`)],
  ['Content-Length with a point', withHeaders(`Content-Length: ${length}.0`)],
  ['empty Content-Length', withHeaders('Content-Length:')],
  ['Content-Length over 64 bits', withHeaders('Content-Length: 99999999999999999999999')],
  ['Content-Length of exabytes', withHeaders('Content-Length: 9223372036854775807')],
  ['unknown Transfer-Encoding', withHeaders('Transfer-Encoding: xchunked')],
  ['Transfer-Encoding: gzip, chunked', withHeaders('Transfer-Encoding: gzip, chunked')],
  ['Transfer-Encoding: chunked twice', withHeaders('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
  ['Transfer-Encoding: identity', withHeaders('Transfer-Encoding: identity', `Content-Length: ${length}`)],
  ['missing Host', head('GET /v1/health HTTP/1.1')],
  ['two Hosts', head('GET /v1/health HTTP/1.1', 'Host: localhost', 'Host: localhost')],
  ['two different Hosts', head('GET /v1/health HTTP/1.1', 'Host: localhost', 'Host: example.com')],
  ['space before the colon of Content-Length', withHeaders(`Content-Length : ${length}`)],
  ['header without a colon', health('NoColonHere')],
  ['white space before the first header', `GET /v1/health HTTP/1.1\r\n Host: localhost\r\n\r\n`],
  ['chunk size that is no number', chunked(jar, [], `zz\r\n${body}\r\n0\r\n\r\n`)],
  ['chunk size beyond 64 bits', chunked(jar, [], `FFFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`)],
  ['chunk size of exabytes', chunked(jar, [], `7FFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`)],
  ['negative chunk size', chunked(jar, [], `-5\r\n${body}\r\n0\r\n\r\n`)],
  ['chunk longer than it says', chunked(jar, [], `5\r\n${body}\r\n0\r\n\r\n`)],
  ['garbage', join('\x01\x02\x03 what ', body, '\r\n\r\n')],
  ['TLS ClientHello', join(b(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03), randomBytes(500), '\r\n\r\n')],
  ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['unknown HTTP version', head('GET /v1/health HTTP/3.7', 'Host: localhost')],
  ['no HTTP version number', head('GET /v1/health HTTP/x.y', 'Host: localhost')],
  ['a header of 33000 octets', health(`X-Long: ${canary}${'a'.repeat(33000)}`)],
  ['2000 headers', health(...Array.from({ length: 2000 }, (_, i) => `X-${i}: ${canary}`))],
  ['a URL of 40000 octets', path(`/v1/jar/${'a'.repeat(40000)}`)],
  ['a method of 40000 letters', method('A'.repeat(40000))],
]

const notFound = [
  '/', '/v1', '/v1/', '/v2/health', '/v1/healthz', '/v1/health/', '//v1/health', '/V1/health', '/v1/Health',
  '/v1/../v1/health', '/v1/./health', '/v1/jar/../health', '/v1/jar/..%2fhealth', '/v1%2fhealth', '/v1%2Fjwks',
  '/v1/health%00', '/v1/health%00/x', '/v1/health%20', '/v1/health%0d%0aX:%20y', '/v1/keys/..%2f..%2fetc%2fpasswd', '/v1/profiles/%2e%2e',
  '/etc/passwd', '/v1/jwks.json', '*', 'v1/health',
]

const postNotFound = [
  '/v1/jar/', '/v1/jar', '/v1/jar/op-jar-cof/', '/v1/jar/op-jar-cof%00', '/v1/jar/op-jar-cof%00.yaml', '/v1/jar/op-jar-cof.yaml',
  '/v1/jar/OP-JAR-COF', '/v1/jar/../jar/op-jar-cof', '/v1/jar/..', '/v1/jar/%2e%2e%2fop-jar-cof', '/v1/jar/op-jar-cof%2f',
  `/v1/jar/${'a'.repeat(64)}`, `/v1/jar/${'a'.repeat(4000)}`, '/v1/jar/%s%n', '/v1/sign/op-jar-cof', '/v1/raw/seal', '/v1/jar/op-jar-cof/op-jar-cof',
]

const methods = ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'BREW', 'post', 'PROPFIND']

// Harmless, or a matter of taste: but always one definite answer.
const definite = [
  ['HTTP/1.0', head('GET /v1/health HTTP/1.0', 'Host: localhost'), [200, 400, 505]],
  ['HTTP/1.0 without Host', head('GET /v1/health HTTP/1.0'), [200, 400, 505]],
  ['HTTP/0.9', 'GET /v1/health\r\n\r\n', [400, 505, 'close']],
  ['HTTP/1.1 in lower case', head('GET /v1/health http/1.1', 'Host: localhost'), [400, 505, 'close']],
  ['absolute URI', head('GET http://localhost/v1/health HTTP/1.1', 'Host: localhost'), [200, 400, 404]],
  ['absolute URI of another host', head('GET http://example.com/v1/health HTTP/1.1', 'Host: localhost'), [200, 400, 404]],
  ['no target', head('GET  HTTP/1.1', 'Host: localhost'), [400, 404, 'close']],
  ['space in the target', head('GET /v1/health x HTTP/1.1', 'Host: localhost'), [400, 404, 'close']],
  ['bare LF', 'GET /v1/health HTTP/1.1\nHost: localhost\n\n', [200, 400, 'close']],
  ['empty lines before the request', `\r\n\r\n${health()}`, [200, 400, 'close']],
  ['folded header', health('X-Folded: a', `\t${canary}`), [200, 400, 'close']],
  ['folded Content-Length', withHeaders('Content-Length:', ` ${length}`), [400, 422, 'close']],
  ['NUL in a header', health(`X-Nul: a\0${canary}`), [200, 400, 'close']],
  ['bare CR in a header', health(`X-Cr: a\r${canary}`), [200, 400, 'close']],
  ['octets over 127 in a header', join('GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-High: ', b(0xff, 0xfe), '\r\n\r\n'), [200, 400, 'close']],
  ['space in a header name', health('X Y: z'), [200, 400, 'close']],
  ['strange Host', head('GET /v1/health HTTP/1.1', 'Host: a/../b@c:99999'), [200, 400]],
  ['body on GET', join(head('GET /v1/health HTTP/1.1', 'Host: localhost', `Content-Length: ${length}`), body), [200, 400, 413]],
  ['Upgrade: h2c', health('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'), [200, 400]],
  ['Upgrade: websocket', health('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), [200, 400]],
  ['Expect: 100-continue', withHeaders(`Content-Length: ${length}`, 'Expect: 100-continue'), [422]],
  ['Expect of something else', withHeaders(`Content-Length: ${length}`, 'Expect: cake'), [417, 422, 400]],
  ['query on a door', path('/v1/health?alg=none&kid=x'), [200, 400, 404]],
  ['Range', health('Range: bytes=0-0'), [200]],
  ['chunked, in pieces of one octet', chunked(jar, [...body]), [422]],
  ['chunk extension', chunked(jar, [], `${length.toString(16)};a=b\r\n${body}\r\n0\r\n\r\n`), [422, 400, 'close']],
  ['chunked with a trailer', chunked(jar, [body], '0\r\nContent-Length: 5\r\n\r\n'), [422, 400, 'close']],
]

const media = [
  ['text/plain', ['Content-Type: text/plain'], 415, 'unsupported-media-type'],
  ['form', ['Content-Type: application/x-www-form-urlencoded'], 415, 'unsupported-media-type'],
  ['application/jsonx', ['Content-Type: application/jsonx'], 415, 'unsupported-media-type'],
  ['application/jwt', ['Content-Type: application/jwt'], 415, 'unsupported-media-type'],
  ['no slash', ['Content-Type: json'], 415, 'unsupported-media-type'],
  ['a type of 4000 octets', [`Content-Type: application/${'j'.repeat(4000)}`], 400, 'malformed'],
  ['two Content-Types', Array(2).fill('Content-Type: application/json'), 400, 'malformed'],
  ['a body said to be gzip', ['Content-Type: application/json', 'Content-Encoding: gzip'], 415, 'unsupported-media-type'],
  ['interaction id that is no UUID', ['x-fapi-interaction-id: 1234'], 400, 'malformed'],
  ['interaction id with a line break in code', ['x-fapi-interaction-id: 550e8400-e29b-41d4-a716-44665544000%0a'], 400, 'malformed'],
  ['empty interaction id', ['x-fapi-interaction-id:'], 400, 'malformed'],
  ['interaction id one too long', ['x-fapi-interaction-id: 550e8400-e29b-41d4-a716-4466554400001'], 400, 'malformed'],
  ['two interaction ids', Array(2).fill('x-fapi-interaction-id: 550e8400-e29b-41d4-a716-446655440000'), 400, 'malformed'],
]

export function httpRows() {
  return [
    ...refusedAndClosed.map(([name, data]) => ({
      name, http: true, parts: [data], want: 99, closes: true, halfClose: false, timeout: 15000 * slow,
      expect: [400, 411, 413, 414, 431, 501, 505, 'close'],
      check: (result) => {
        if (result.responses.some((response) => response.status < 400)) throw new Error(`${name}: answered with success`)
      },
    })),
    ...notFound.map((target) => ({ name: `GET ${target}`, http: true, parts: [path(target)], expect: [404, 400] })),
    ...postNotFound.map((target) => ({ name: `POST ${target.slice(0, 80)}`, http: true, parts: [post(target, body)], expect: [404, 400, 405] })),
    ...methods.map((name) => ({ name: `method ${name}`, http: true, parts: [method(name)], bodyless: name === 'HEAD', expect: [405, 501, 400] })),
    ...definite.map(([name, data, expect]) => ({ name, http: true, parts: [data], expect, halfClose: expect.includes('close') })),
    ...media.map(([name, headers, status, type]) => ({ name, parts: [post(jar, body, headers)], expect: [status], type })),
    { name: 'two requests in one write', http: true, parts: [health() + health()], want: 2, expect: [200],
      check: (result) => { if (result.responses.length !== 2) throw new Error('not both were answered') } },
    { name: 'garbage behind a good request', http: true, parts: [join(health(), 'garbage\r\n\r\n')], want: 99, closes: true, expect: [200] },
    { name: 'more body than Content-Length says', http: true, parts: [join(head(`POST ${jar} HTTP/1.1`, 'Host: localhost', `Content-Length: ${length - 3}`), body, '\r\n\r\n')], want: 99, closes: true, expect: [400] },
    { name: 'less body than Content-Length says, then half closed', http: true, parts: [join(head(`POST ${jar} HTTP/1.1`, 'Host: localhost', `Content-Length: ${length + 10}`), body)], halfClose: true, expect: [400, 'close'] },
    // libmicrohttpd drops such a line before anybody sees it (src/http/head.h).
    { name: 'header without a name', http: true, parts: [health(': value') + health()], want: 2, expect: [200, 400],
      check: (result) => {
        const [first, second] = result.responses
        if (first.status === 200 ? second?.status !== 200 : !result.closed) throw new Error('neither used on nor closed')
      } },
    { name: 'half closed before a byte', http: true, parts: [''], halfClose: true, expect: ['close'] },
    { name: 'half closed in the head', http: true, parts: ['POST /v1/jar/op'], halfClose: true, expect: ['close', 400] },
    { name: 'half closed after a whole request', http: true, parts: [health()], halfClose: true, expect: [200, 'close'] },
    { name: 'chunked body that never ends, half closed', http: true, parts: [chunked(jar, [body], '')], halfClose: true, expect: ['close', 400] },
  ]
}

// --- slowness ----------------------------------------------------------------------------------

const drip = (text, pause, times) => Array.from(text.slice(0, times)).flatMap((c) => [c, pause])
const tooSlow = (name, parts, limit) => ({
  name, http: true, parts, want: 99, closes: true, timeout: limit + 4000 * slow, within: limit + 1500 * slow, expect: [400, 408, 'close'],
})

// The limits of an instance for pipelinedRows(): a head's time is long, so that what closes the
// connection is the other one.
export const pipelinedLimits = { head_ms: 30000, idle_ms: 1000 }

// What libmicrohttpd has read together with a whole request looks like silence (src/http/head.h).
export function pipelinedRows() {
  const behind = (name, half) => ({ ...tooSlow(name, [`${health()}${half}`, 20000], pipelinedLimits.idle_ms), expect: [200] })
  return [
    behind('head: half of one in the same write as a good request', 'GET /v1/hea'),
    behind('head: all but its last octet in the same write as a good request', health().slice(0, -1)),
    behind('head: NUL and garbage in the same write as a good request', '\0\x01garbage\r\n\r\n'),
    behind('head: nothing, after a good request', ''),
  ]
}

// Sent while httpd is held up: its first look finds the bytes there.
export function lateRows() {
  return Array.from({ length: 8 }, (_, i) => tooSlow(`head: part of one, there at once, ${i}`, [health().slice(0, 1 + i * 5), 12000], 2300))
}

export function slowRows() {
  const start = head(`POST ${jar} HTTP/1.1`, 'Host: localhost', 'Content-Length: 1000')
  return [
    tooSlow('head: one octet, then silence', ['P', 8000], 2000),
    tooSlow('head: a request line, then silence', [`POST ${jar} HTTP/1.1\r\n`, 8000], 2000),
    tooSlow('head: one octet each 100 ms', drip(`POST ${jar} HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(60)}`, 100, 80), 2000),
    tooSlow('head: a header each 100 ms', [`POST ${jar} HTTP/1.1\r\nHost: localhost\r\n`, ...Array.from({ length: 80 }, (_, i) => [`X-${i}: a\r\n`, 100]).flat()], 2000),
    { ...tooSlow('head: half of one a moment after a good request', [health(), 300, 'GET /v1/hea', 8000], 2500), expect: [200] },
    tooSlow('head: NUL and garbage', ['\0\x01garbage\r\n\r\n', 8000], 2000),
    tooSlow('head: empty lines for ever', Array.from({ length: 80 }, () => ['\r\n', 100]).flat(), 2000),
    tooSlow('body: none at all', [start, 12000], 5000),
    tooSlow('body: one octet, then silence', [join(start, '{'), 12000], 5000),
    tooSlow('body: one octet each 100 ms', [start, ...drip(`{"canary":"${canary}${'a'.repeat(100)}`, 100, 110)], 5000),
    tooSlow('body: a chunk each 100 ms', [chunked(jar, [], ''), ...Array.from({ length: 110 }, () => ['1\r\n{\r\n', 100]).flat()], 5000),
    tooSlow('body: chunk sizes only', [chunked(jar, [], ''), '1', 12000], 5000),
    tooSlow('body: stops before the last octet', [withHeaders(`Content-Length: ${length + 1}`), 12000], 5000),
  ]
}
