// The record as JavaScript sees it: frozen fields in front of a handle of the addon's.
'use strict'

const { addon } = require('./addon.cjs')
const { extraText, invalid, only } = require('./json.cjs')

// The order in which the addon takes fields and gives them: `src/record.rs` has the same.
const NUMBERS = [
  'pid',
  'startedAt',
  'startedAtSeconds',
  'pidNs',
  'timeNs',
  'revision',
  'updatedAt',
  'statusUpdatedAt',
]
const TEXTS = [
  'sessionId',
  'workDir',
  'hostname',
  'agentVersion',
  'procStart',
  'pidInode',
  'hostKey',
  'platform',
  'instance',
  'agent',
  'kind',
  'name',
  'entrypoint',
  'transcriptPath',
  'parentSessionId',
  'status',
  'waitingFor',
]
const TERMINAL_TEXTS = ['multiplexer', 'session', 'pane', 'extraJson']
const FURTHER_TEXTS = ['versionKey', 'extraJson']
const FIELDS = new Set([...NUMBERS, ...TEXTS, 'terminal', ...FURTHER_TEXTS, 'extra'])
const TERMINAL_FIELDS = new Set(TERMINAL_TEXTS)

// Numbers, then lengths of texts, on their way to the addon and back. Filled and read in one go:
// no call of anything that could fill it again comes in between.
const table = new Float64Array(
  NUMBERS.length + TEXTS.length + TERMINAL_TEXTS.length + FURTHER_TEXTS.length,
)

const FROM_HANDLE = Symbol('from handle')

/** The handle of a record, or of a new one made of a plain object. */
let handleOf
/** The record of a handle, and null of null. */
let recordOf

class SessionRecord {
  #handle
  #extra

  constructor(fields, handle) {
    if (fields !== FROM_HANDLE) handle = handleOf(fields)
    this.#handle = handle
    const text = addon().takeApart(handle, table)
    let index = NUMBERS.length
    let start = 0
    const next = () => {
      const length = table[index++]
      if (length < 0) return null
      const end = start + length
      const value = text.slice(start, end)
      start = end
      return value
    }
    this.pid = table[0]
    this.sessionId = next()
    this.workDir = next()
    this.hostname = next()
    this.startedAt = table[1]
    this.startedAtSeconds = table[2]
    this.agentVersion = next()
    this.procStart = next()
    this.pidInode = next()
    this.hostKey = next()
    this.platform = next()
    this.pidNs = numberAt(3)
    this.timeNs = numberAt(4)
    this.instance = next()
    this.revision = numberAt(5)
    this.agent = next()
    this.kind = next()
    this.name = next()
    this.entrypoint = next()
    this.transcriptPath = next()
    this.parentSessionId = next()
    this.status = next()
    this.waitingFor = next()
    this.updatedAt = numberAt(6)
    this.statusUpdatedAt = numberAt(7)
    this.terminal = terminalOf(next(), next(), next(), next())
    this.versionKey = next()
    this.extraJson = next()
    Object.freeze(this)
  }

  static {
    handleOf = (value) => {
      if (typeof value === 'object' && value !== null && #handle in value) return value.#handle
      return addon().make(pack(value), table)
    }
    recordOf = (handle) => (handle === null ? null : new SessionRecord(FROM_HANDLE, handle))
  }

  static ofProcess(pid, fields) {
    return recordOf(addon().makeOfProcess(pack({ ...fields, pid }), table))
  }

  static fromJsonText(text) {
    return recordOf(addon().fromJson(text))
  }

  get extra() {
    this.#extra ??= Object.freeze(JSON.parse(this.extraJson ?? '{}'))
    return this.#extra
  }

  equals(other) {
    return addon().equals(this.#handle, handleOf(other))
  }

  toJsonText() {
    return addon().toJson(this.#handle)
  }

  toJSON() {
    return { ...this }
  }
}

function numberAt(index) {
  const value = table[index]
  return Number.isNaN(value) ? null : value
}

function terminalOf(multiplexer, session, pane, extraJson) {
  if (extraJson !== null) return Object.freeze({ multiplexer, session, pane, extraJson })
  if (multiplexer === null && session === null && pane === null) return null
  return Object.freeze({ multiplexer, session, pane })
}

/** Fills the table with a plain object's fields; gives the texts among them, joined. */
function pack(fields) {
  // Copies: a getter of the caller's may make a record, and that needs the table.
  const known = { ...only(fields, FIELDS, 'the record') }
  const terminal = known.terminal === null ? NOWHERE : copyOfTerminal(known.terminal)
  const extra = extraText(known)
  let index = 0
  for (const name of NUMBERS) table[index++] = packedNumber(known[name], name)
  let text = ''
  const pack = (value, name) => {
    table[index++] = packedLength(value, name)
    text += value ?? ''
  }
  for (const name of TEXTS) pack(known[name], name)
  for (const name of TERMINAL_TEXTS) pack(terminal?.[name], name)
  pack(known.versionKey, 'versionKey')
  pack(extra, 'extraJson')
  return text
}

/** The parts of a terminal in the addon's order; all undefined where there is none. */
function packedTerminal(terminal) {
  const parts = copyOfTerminal(terminal ?? {})
  return TERMINAL_TEXTS.map((name) => parts[name])
}

function copyOfTerminal(terminal) {
  return terminal === undefined ? undefined : { ...only(terminal, TERMINAL_FIELDS, '`terminal`') }
}

const NOWHERE = Object.freeze({ multiplexer: null, session: null, pane: null, extraJson: null })

/** NaN and -Infinity stand for what is no number; so neither may come from outside. */
function packedNumber(value, name) {
  if (value === undefined) return Number.NaN
  if (value === null) return Number.NEGATIVE_INFINITY
  if (typeof value !== 'number') throw invalid(`\`${name}\` is not a number`)
  if (!Number.isFinite(value)) throw invalid(`\`${name}\` is not a finite number`, RangeError)
  return value
}

function packedLength(value, name) {
  if (value === undefined) return -2
  if (value === null) return -1
  if (typeof value !== 'string') throw invalid(`\`${name}\` is not a string`)
  return value.length
}

module.exports = {
  FIELDS_OF_RECORDS: [...NUMBERS, ...TEXTS],
  SessionRecord,
  handleOf,
  packedTerminal,
  recordOf,
}
