// SPDX-License-Identifier: Apache-2.0
// A reader of the audit log that is not qseal's: what docs/audit.md says, and nothing else, in another language.
// It holds the records against what callers have received.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

export const digest = (bytes) => createHash('sha256').update(bytes).digest('base64url')
const noHash = 'A'.repeat(43)
const begin = /^\{"seq":([1-9]\d*),"prev":"([\w-]{43})","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","kind":"([a-z]+)"[,}]/
const segmentName = /^audit-(\d{10})\.jsonl$/
// Why a segment begins, and how the one before may have ended: undefined is without a word.
const causes = { begin: [], size: ['size'], age: ['age'], start: ['stop', 'size', 'age', undefined], fault: ['size', 'age', undefined] }

// --- the records -------------------------------------------------------------------------------

// Where the text between the quotes is taken out nothing is left but punctuation and numbers.
function isStrict(line) {
  return /^[\x20-\x7e]*$/.test(line) && !/\s/.test(line.replace(/"(?:[^"\\]|\\.)*"/g, '""'))
}

// The lines of `text` as records, each with where it ends; what stands behind the last whole one is `rest`.
function parseLines(text, tell) {
  const records = []
  let at = 0
  for (let end = text.indexOf(10, at); end >= 0; end = text.indexOf(10, at)) {
    const line = text.subarray(at, end).toString('latin1')
    const match = begin.exec(line)
    let record
    try {
      record = JSON.parse(line)
    } catch {
      record = undefined
    }
    if (match === null || record === undefined || !isStrict(line)) {
      tell(`byte ${at}: not a record: ${line.slice(0, 100)}`)
      return { records, rest: text.subarray(at) }
    }
    at = end + 1
    Object.defineProperty(record, 'hash', { value: digest(`${line}\n`) })
    Object.defineProperty(record, 'ends', { value: at })
    records.push(record)
  }
  return { records, rest: text.subarray(at) }
}

function withoutNuls(bytes) {
  let len = bytes.length
  while (len > 0 && bytes[len - 1] === 0) len -= 1
  return bytes.subarray(0, len)
}

// The first record of a segment, before it is known how much of it holds.
function firstOf(bytes) {
  try {
    return JSON.parse(bytes.subarray(0, bytes.indexOf(10)).toString('latin1'))
  } catch {
    return {}
  }
}

// What holds of a segment is said by the next one; of the last one it is all but the NULs.
function holding(bytes, next, tell) {
  if (next === undefined) return withoutNuls(bytes)
  const { previous_bytes: len, cause } = firstOf(next)
  if (!Number.isInteger(len) || len > bytes.length) tell(`${bytes.length} bytes, and the next one says ${len}`)
  else if (len < bytes.length && cause !== 'fault') tell(`${bytes.length - len} bytes more than the next one says, without a fault`)
  return bytes.subarray(0, len)
}

// --- the chain ---------------------------------------------------------------------------------

function checkSegment(segment, before, tell) {
  const { number, records } = segment
  const [first] = records
  const rows = [
    [first?.kind === 'segment', 'does not begin with its segment record'],
    [first?.segment === number && first?.version === 1, `its first record is of segment ${first?.segment}, version ${first?.version}`],
    [before === undefined ? first?.cause === 'begin' : causes[first?.cause]?.includes(before.end), `cause ${first?.cause} after an end of ${before?.end}`],
    [before === undefined || first?.chain === before.records[0]?.chain, 'another chain'],
    [records.slice(1).every(({ kind }) => kind !== 'segment'), 'a segment record in the middle'],
    [records.slice(0, -1).every(({ kind }) => kind !== 'end'), 'something behind its end'],
  ]
  for (const [good, what] of rows) if (!good) tell(what)
}

function checkChain(records, tell) {
  let before = { seq: 0, hash: noHash }
  for (const record of records) {
    if (record.seq !== before.seq + 1) tell(`record ${record.seq} follows ${before.seq}`)
    if (record.prev !== before.hash) tell(`record ${record.seq} does not have the hash of the one before`)
    before = record
  }
}

// A done is of an earlier sign, admin or keyring record, and there is one at most.
function checkReferences(records, tell) {
  const bySeq = new Map(records.map((record) => [record.seq, record]))
  for (const record of records) {
    if (record.kind === 'done') {
      const of = bySeq.get(record.of)
      if (!['sign', 'admin', 'keyring'].includes(of?.kind) || of.seq > record.seq || of.done !== undefined) tell(`record ${record.seq} is done of ${record.of}`)
      else Object.defineProperty(of, 'done', { value: record })
    }
    if (record.kind === 'checkpoint') {
      const [version, chain, sequence, head] = record.note.split('\n')
      const covered = bySeq.get(record.covers)
      const good = version === 'qseal audit checkpoint v1' && chain === `chain ${records[0].chain}` && sequence === `sequence ${record.covers}` &&
        head === `head ${record.head}` && record.covers < record.seq && covered?.hash === record.head
      if (!good) tell(`record ${record.seq} is a checkpoint of another chain`)
    }
  }
}

// What was set aside is on record, the last time that it was: a segment that had no record yet may be torn once more.
// Returns how many there are.
function checkRepairs(segments, torn, tell) {
  const records = segments.flatMap((segment) => segment.records)
  const repairs = new Map(records.filter(({ kind }) => kind === 'repair').map((record) => [record.segment, record]))
  const length = (wanted) => segments.find(({ number }) => number === wanted)?.bytes
  for (const [segment, { seq, kept_bytes: kept, cut_bytes: cut }] of repairs) {
    if (![0, length(segment)].includes(kept) || cut !== torn.get(segment)) tell(`record ${seq}: segment ${segment} has ${length(segment)} bytes, its torn end ${torn.get(segment)}`)
  }
  for (const segment of torn.keys()) if (!repairs.has(segment)) tell(`segment ${segment} has a torn end of which there is no record`)
  return repairs.size
}

// The folder of a log that nobody writes: { segments, records, repairs, torn, breaks }. `breaks` says in words
// what is not as docs/audit.md has it; `torn` is segment → bytes that were set aside.
export function readLog(folder) {
  const names = fs.readdirSync(folder).filter((name) => segmentName.test(name)).sort()
  const texts = names.map((name) => fs.readFileSync(path.join(folder, name)))
  const breaks = []
  const segments = []
  for (const [i, bytes] of texts.entries()) {
    const tell = (what) => breaks.push(`${names[i]}: ${what}`)
    const number = Number(segmentName.exec(names[i])[1])
    const held = holding(bytes, texts[i + 1], tell)
    const { records, rest } = parseLines(held, tell)
    const last = records.at(-1)
    const segment = { name: names[i], number, bytes: held.length, behind: withoutNuls(bytes.subarray(held.length)).length, records, end: last?.kind === 'end' ? last.cause : undefined }
    if (number !== i + 1) tell(`is the ${i + 1}th`)
    if (rest.length > 0) tell(`${rest.length} bytes at its end are no record`)
    checkSegment(segment, segments.at(-1), tell)
    segments.push(segment)
  }
  const tell = (what) => breaks.push(what)
  const records = segments.flatMap((segment) => segment.records)
  checkChain(records, tell)
  checkReferences(records, tell)
  const torn = new Map(fs.readdirSync(folder).filter((name) => name.endsWith('.torn')).map((name) => [Number(name.slice(6, 16)), fs.statSync(path.join(folder, name)).size]))
  return { segments, records, repairs: checkRepairs(segments, torn, tell), torn, breaks }
}

// --- what was received -------------------------------------------------------------------------

// What a caller got, as far as it is in the log: of a JWS, detached or not (RFC 7515 §5.1, App. F; RFC 7797 §3).
// `thumbprints` is kid → RFC 7638 thumbprint of the published keys.
export function receivedOf(jws, { request, body, thumbprints }) {
  const [encoded, middle, signature] = jws.split('.')
  const header = JSON.parse(Buffer.from(encoded, 'base64url'))
  const payload = middle === '' ? Buffer.from(body) : Buffer.from(middle, 'base64url')
  const sent = header.b64 === false ? payload : payload.toString('base64url')
  return {
    request,
    kid: header.jwk === undefined ? thumbprints.get(header.kid) : thumbprint(header.jwk),
    alg: header.alg,
    jti: middle === '' ? undefined : JSON.parse(payload).jti,
    payload_sha256: digest(payload),
    input_sha256: createHash('sha256').update(`${encoded}.`).update(sent).digest('base64url'),
    released_sha256: digest(Buffer.from(signature, 'base64url')),
  }
}

// RFC 7638 §3.2
export function thumbprint({ kty, n, e, crv, x, y }) {
  return digest(JSON.stringify(kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }))
}

// Why this record is not that of what was received; undefined when it is.
function misfit(received, record) {
  const wrong = ['kid', 'alg', 'jti', 'payload_sha256', 'input_sha256'].filter((name) => received[name] !== record[name])
  if (wrong.length > 0) return `record ${record.seq} has another ${wrong.join(', ')}`
  if (record.done === undefined) return undefined
  if (record.done.outcome !== 'released') return `record ${record.done.seq} says ${record.done.outcome}`
  return record.done.released_sha256 === received.released_sha256 ? undefined : `record ${record.done.seq} is of another signature`
}

// Each signature that a caller has received has a record that fits, and says nothing else of what became of it.
export function compare(received, log) {
  const signs = log.records.filter(({ kind }) => kind === 'sign')
  const byRequest = new Map()
  for (const record of signs) byRequest.set(record.request, [...(byRequest.get(record.request) ?? []), record])
  const unlogged = []
  for (const one of received) {
    const misfits = (byRequest.get(one.request) ?? []).map((record) => misfit(one, record))
    if (!misfits.includes(undefined)) unlogged.push(`request ${one.request}: ${misfits.join('; ') || 'no record'}`)
  }
  return {
    released: received.length,
    records: log.records.length,
    segments: log.segments.length,
    unlogged,
    breaks: log.breaks,
    withoutDone: signs.filter(({ done }) => done === undefined).length,
    torn: log.torn.size,
    repairs: log.repairs,
  }
}
