// A patch as the core takes it: JSON text, fields under the names that they have there.
'use strict'

const { isPlain, invalid, jsonText } = require('./json.cjs')
const { FIELDS_OF_RECORDS } = require('./record.cjs')

/** `waitingFor` is `waiting_for` in the core; also for fields that no patch may change. */
const NAMES = new Map(
  FIELDS_OF_RECORDS.map((name) => [name, name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)]),
)

function packedPatch(patch) {
  if (!isPlain(patch)) throw invalid('the patch is not a plain object')
  // Without a prototype: `__proto__` is a key like any other.
  const named = Object.create(null)
  for (const [name, value] of Object.entries(patch)) {
    named[NAMES.get(name) ?? name] = name === 'terminal' ? place(value) : value
  }
  return jsonText(named, 'the patch')
}

/** A terminal that a record gave has its further keys as text. */
function place(terminal) {
  if (typeof terminal?.extraJson !== 'string') return terminal
  const { extraJson, ...known } = terminal
  return { ...JSON.parse(extraJson), ...known }
}

module.exports = { packedPatch }
