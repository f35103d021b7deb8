// SPDX-License-Identifier: Apache-2.0
// docs/openapi.yaml and docs/api.md tell the truth: every example request is sent to a sandbox and
// its answer compared with the schema of the file; every example answer fits its schema; the list
// of problems is the one of src/model/outcome.c, in both documents; every profile has an example.

import assert from 'node:assert/strict'
import { verify, X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

import { operations, verifying } from './bodies.mjs'
import { freshIdToken } from './id-tokens.mjs'
import { repository, Sandbox, seconds } from './lib.mjs'

const read = (name) => fs.readFileSync(path.join(repository, name), 'utf8')
const api = parse(read('docs/openapi.yaml'))

const ajv = new (Ajv2020.default ?? Ajv2020)({ strict: false, allErrors: true })
;(addFormats.default ?? addFormats)(ajv)
ajv.addSchema({ $id: 'api', components: api.components })

// Pointers inside the file are made pointers into the schema registered as `api`.
const absolute = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components'))

function resolve(node) {
  return node?.$ref === undefined ? node : node.$ref.slice(2).split('/').reduce((at, step) => at[step], api)
}

function check(schema, value, what) {
  const validate = ajv.compile(absolute(schema))
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`)
}

function checkAnswer(operation, answer, what) {
  const response = resolve(operation.responses[answer.status] ?? operation.responses.default)
  const [type] = (answer.headers['content-type'] ?? '').split(';')
  const media = response.content[type]
  assert.ok(media, `${what}: Content-Type ${type} is not in the description of ${answer.status}`)
  const isJson = type.endsWith('json')
  check(media.schema, isJson ? answer.json : answer.bytes.toString('latin1'), what)
  for (const [name, wanted] of Object.entries(response.headers ?? {})) {
    const header = resolve(wanted)
    const value = answer.headers[name.toLowerCase()]
    if (header.required) assert.ok(value !== undefined, `${what}: no ${name}`)
    if (value !== undefined) check(header.schema, value, `${what}: ${name}`)
  }
  if (isJson && answer.json.request_id !== undefined) {
    assert.equal(answer.json.request_id, answer.headers['qseal-request-id'], `${what}: request_id`)
  }
}

// A door with the example of its role.
const filled = (target) => target.replace('{role}', api.components.parameters.Role.example)

const rows = Object.entries(api.paths).flatMap(([target, item]) =>
  ['get', 'post'].filter((method) => item[method]).map((method) => ({ target, method, operation: item[method] })),
)

// The rows of the closed list in C: name, status, Retry-After.
function outcomes() {
  const found = [...read('src/model/outcome.c').matchAll(/\[OUTCOME_\w+\] = \{"([a-z-]+)",\s*"([^"]*)",\s*(\d+),\s*(\d+)\}/g)]
  return found.map(([, name, title, status, retry]) => ({ name, title, status: Number(status), retry: Number(retry) })).filter((row) => row.name !== 'ok')
}

describe('documents', () => {
  test('OpenAPI 3.1, and every pointer leads somewhere', () => {
    assert.match(api.openapi, /^3\.1\.\d$/)
    const text = JSON.stringify(api)
    for (const [, pointer] of text.matchAll(/"\$ref":"([^"]+)"/g)) assert.ok(resolve({ $ref: pointer }), pointer)
    const ids = rows.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
  })

  test('every operation has examples of request and answer, and they fit the schemas', () => {
    for (const { target, method, operation } of rows) {
      const json = operation.requestBody?.content['application/json']
      const body = json ?? operation.requestBody?.content['application/octet-stream']
      if (method === 'post') {
        assert.ok(Object.keys(body.examples).length > 0, target)
        for (const [name, example] of Object.entries(body.examples)) check(body.schema, example.value, `${target} ${name}`)
      }
      for (const [status, response] of Object.entries(operation.responses)) {
        for (const [type, media] of Object.entries(resolve(response).content)) {
          assert.ok(Object.keys(media.examples).length > 0, `${target} ${status} ${type}`)
          for (const [name, example] of Object.entries(media.examples)) check(media.schema, example.value, `${target} ${status} ${name}`)
        }
      }
    }
  })

  test('every profile of the sandbox has an example', () => {
    const named = rows.flatMap(({ operation }) => Object.keys(operation.requestBody?.content['application/json']?.examples ?? {}))
    assert.deepEqual(named.sort(), [...Object.keys(operations), ...Object.keys(verifying)].sort())
  })

  test('the closed list of problems is the one of the source', () => {
    const list = outcomes()
    assert.ok(list.length >= 17, `found ${list.length} rows in outcome.c`)
    assert.deepEqual(
      api.components.schemas.Problem.properties.type.enum,
      list.map(({ name }) => `urn:qseal:problem:${name}`),
    )
    const table = [...read('docs/api.md').matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| (\d+|–) \|/gm)]
    assert.deepEqual(
      table.map(([, name, status, retry]) => ({ name, status: Number(status), retry: retry === '–' ? 0 : Number(retry) })),
      list.map(({ name, status, retry }) => ({ name, status, retry })),
    )
  })

  test('every door is on the page for people', () => {
    const page = read('docs/api.md')
    for (const { target, method } of rows) assert.ok(page.includes(`${method.toUpperCase()} ${target}`), `${method} ${target}`)
  })
})

describe('examples against a sandbox', () => {
  let box
  before(async () => {
    box = await Sandbox.up()
  })
  after(() => box?.down())

  // The one door that takes no JSON: its headers come from the description, too.
  function handshake(target, operation) {
    const body = Buffer.from(operation.requestBody.content['application/octet-stream'].examples.tls13.value, 'latin1')
    const headers = { 'Content-Type': 'application/octet-stream', 'Qseal-Signature-Scheme': api.components.parameters.SignatureScheme.example }
    test(`POST ${target}`, { timeout: seconds(30) }, async () => {
      const key = (await box.get('/v1/keys')).json.keys.find(({ role }) => role === api.components.parameters.Role.example)
      for (const more of [{}, { 'Qseal-Key': key.kid }]) {
        const answer = await box.post(filled(target), body, { headers: { ...headers, ...more } })
        assert.equal(answer.status, 200, answer.bytes.toString())
        checkAnswer(operation, answer, target)
        const public_ = await box.get(`${filled('/v1/keys/{role}/certificate')}?kid=${key.kid}`)
        assert.ok(verify('sha256', body, new X509Certificate(public_.bytes).publicKey, answer.bytes))
      }
    })
    test(`POST ${target}: refusals fit the schema of problems`, { timeout: seconds(30) }, async () => {
      for (const [answer, status, reason] of [
        [await box.post(filled(target), body, { headers: { ...headers, 'Qseal-Key': 'x' } }), 400, /RFC 7638 thumbprint/],
        [await box.post(filled(target), body, { headers: { ...headers, 'Qseal-Signature-Scheme': '' } }), 400, /Qseal-Signature-Scheme/],
        [await box.post(target.replace('{role}', 'no-such-role'), body, { headers }), 404, /no transport role no-such-role/],
        [await box.get(filled(target)), 405, /another method/],
        [await box.post(filled(target), body, { headers: { ...headers, 'Content-Type': 'text/plain' } }), 415, /application\/octet-stream/],
        [await box.post(filled(target), body.subarray(1), { headers }), 422, /CertificateVerify/],
        [await box.post(filled(target), body, { headers: { ...headers, 'Qseal-Signature-Scheme': 'rsa_pkcs1_sha1' } }), 422, /rsa_pkcs1_sha256, /],
      ]) {
        assert.equal(answer.status, status, answer.bytes.toString())
        assert.match(answer.json.detail, reason)
        checkAnswer(operation, answer, `${target} ${status}`)
      }
    })
  }

  for (const { target, method, operation } of rows) {
    if (method === 'get') {
      test(`GET ${target}`, { timeout: seconds(30) }, async () => {
        const answer = await box.get(filled(target))
        assert.equal(answer.status, 200, answer.bytes.toString())
        checkAnswer(operation, answer, target)
      })
      continue
    }
    if (operation.requestBody.content['application/json'] === undefined) {
      handshake(target, operation)
      continue
    }
    const examples = operation.requestBody.content['application/json'].examples
    for (const [profile, { value }] of Object.entries(examples)) {
      test(`POST ${target}: ${profile}`, { timeout: seconds(30) }, async () => {
        const door = target.replace('{profile}', profile)
        const sent = target.includes('/id-token/') ? await freshIdToken(box, profile, value) : value
        const answer = await box.post(door, sent, { headers: { 'x-fapi-interaction-id': '550e8400-e29b-41d4-a716-446655440000' } })
        assert.equal(answer.status, 200, answer.bytes.toString())
        checkAnswer(operation, answer, door)
        const sample = operation.responses[200].content['application/json'].examples[profile]?.value
        if (sample !== undefined) assert.deepEqual(Object.keys(answer.json).sort(), Object.keys(sample).sort(), 'members as in the example answer')
      })
    }
    test(`POST ${target}: refusals fit the schema of problems`, { timeout: seconds(30) }, async () => {
      const [profile] = Object.keys(examples)
      const door = target.replace('{profile}', profile)
      for (const [answer, status] of [
        [await box.post(door, '{'), 400],
        [await box.post(target.replace('{profile}', 'no-such-profile'), '{}'), 404],
        [await box.get(door), 405],
        [await box.post(door, '{"iss":"x"}'), 422],
      ]) {
        assert.equal(answer.status, status, answer.bytes.toString())
        checkAnswer(operation, answer, `${door} ${status}`)
      }
    })
  }
})
