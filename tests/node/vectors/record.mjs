// Records in the words of the vectors, where keys are snake_case and times are seconds.
import assert from 'node:assert/strict'
import { SessionRecord } from 'sessionreg'
import { Skip } from './text.mjs'

export const camel = (key) => key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

const KEYS = [
  'pid',
  'session_id',
  'work_dir',
  'hostname',
  'agent_version',
  'proc_start',
  'pid_inode',
  'host_key',
  'platform',
  'pid_ns',
  'time_ns',
  'instance',
  'revision',
  'agent',
  'kind',
  'name',
  'entrypoint',
  'transcript_path',
  'parent_session_id',
  'status',
  'waiting_for',
]

const TIMES = ['updated_at', 'status_updated_at']

/** A record as an expected one is written; what is absent is null. */
function describe(record) {
  const described = Object.fromEntries(KEYS.map((key) => [key, record[camel(key)]]))
  const parts = Object.entries(record.terminal ?? {}).filter(([, part]) => part !== null)
  described.started_at = record.startedAtSeconds
  for (const key of TIMES) described[key] = record[camel(key)] && record[camel(key)] / 1000
  described.terminal = record.terminal && Object.fromEntries(parts)
  return described
}

/** Compares a record with the expected one, laid over the base of its file. */
export function compare(record, base, expected, texts) {
  const { extra = {}, ...wanted } = { ...base, ...expected }
  const described = describe(record)
  for (const key of Object.keys(wanted)) assert.ok(key in described, `no such field: ${key}`)
  for (const [key, found] of Object.entries(described)) {
    const value = texts.value(wanted[key] ?? null)
    if (value === '<any>') {
      assert.notEqual(found, null, key)
    } else if ((key === 'started_at' || TIMES.includes(key)) && value !== null && found !== null) {
      assert.ok(Math.abs(found - value) < 1e-6, `${key}: ${found} is not ${value}`)
    } else {
      assert.deepEqual(found, value, key)
    }
  }
  if (extra === '<any>') {
    assert.notEqual(record.extraJson, null)
    return
  }
  const members = Object.entries(extra ?? {}).map(([key, value]) => [key, texts.value(value)])
  assert.equal(Object.keys(record.extra).length, members.length)
  for (const [key, value] of members) {
    assert.ok(Object.hasOwn(record.extra, key), `no extra key ${key}`)
    assert.ok(record.extraJson.includes(value), `the raw text of ${key} is not as in the file`)
  }
}

/** Compares only the keys that stand there. */
export function compareSome(record, expected, texts) {
  const described = { ...describe(record), extra: record.extra }
  for (const [key, given] of Object.entries(expected)) {
    assert.ok(key in described, `no such field: ${key}`)
    const value = key === 'extra' ? parsed(texts.deep(given)) : texts.deep(given)
    const found = described[key]
    if (value === '<any>') assert.notEqual(found, null, key)
    else if (typeof value === 'number' && key.endsWith('_at')) {
      assert.ok(Math.abs(found - value) < 1e-6, `${key}: ${found} is not ${value}`)
    } else if (key === 'extra') assert.deepEqual({ ...found }, value ?? {}, key)
    else assert.deepEqual(found, value, key)
  }
}

const parsed = (extra) =>
  extra === '<any>' || extra === null
    ? extra
    : Object.fromEntries(Object.entries(extra).map(([key, raw]) => [key, JSON.parse(raw)]))

/** The fields that a caller in JavaScript gives. */
export function fieldsOf(given, texts) {
  const { started_at: startedAt, extra, ...rest } = texts.value(given)
  const fields = Object.fromEntries(Object.entries(rest).map(([key, value]) => [camel(key), value]))
  const words = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }
  if (startedAt !== undefined) fields.startedAt = words[startedAt] ?? startedAt * 1000
  for (const key of TIMES.filter((key) => rest[key] !== undefined)) {
    fields[camel(key)] = words[rest[key]] ?? rest[key] * 1000
  }
  if (extra !== undefined) fields.extraJson = objectOf(extra)
  return fields
}

/** Raw values as one text of an object; each must be one value, or the text says something else. */
function objectOf(extra) {
  const members = Object.entries(extra).map(([key, raw]) => `${JSON.stringify(key)}:${raw}`)
  const text = `{${members.join()}}`
  const isJson = (json) => {
    try {
      JSON.parse(json)
      return true
    } catch {
      return false
    }
  }
  if (isJson(text) && !Object.values(extra).every(isJson)) {
    throw new Skip('JavaScript gives further keys as one text: two values for one key are two keys')
  }
  return text
}

/** Makes a record as a caller does. */
export const make = (fields) => new SessionRecord(fields)
