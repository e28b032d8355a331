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
  let terminal
  for (const [name, value] of Object.entries(patch)) {
    if (name === 'terminal' && typeof value?.extraJson === 'string') terminal = textOf(value)
    else named[NAMES.get(name) ?? name] = value
  }
  const text = jsonText(named, 'the patch')
  return terminal === undefined ? text : joined(text, `{"terminal":${terminal}}`)
}

/** A terminal that a record gave has its further keys as text, which stays as it is. */
function textOf({ extraJson, ...known }) {
  let extra
  try {
    extra = JSON.parse(extraJson)
  } catch (error) {
    throw invalid(`\`terminal.extraJson\` is not JSON: ${error.message}`)
  }
  if (!isPlain(extra)) throw invalid('`terminal.extraJson` is not an object')
  // The last of two equal keys counts.
  return joined(extraJson.trim(), jsonText(known, '`terminal`'))
}

/** The members of two objects as the text of one. */
function joined(one, other) {
  const members = [one, other].map((text) => text.slice(1, -1)).filter((text) => text.trim() !== '')
  return `{${members.join()}}`
}

module.exports = { packedPatch }
