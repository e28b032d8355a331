// Values of JavaScript as JSON text: nothing is coerced, and nothing is lost on the way.
'use strict'

/** The object itself, if it is one and has none but these keys: a misspelt one would be lost. */
function only(object, keys, what) {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    throw invalid(`${what} is not an object`)
  }
  for (const key of Object.keys(object)) {
    if (!keys.has(key)) throw invalid(`${what} has no field ${JSON.stringify(key)}`)
  }
  return object
}

/** The parsed form wins over the text beside it, which a copy of a record brings along. */
function extraText(fields) {
  const { extra } = fields
  if (extra === undefined) return fields.extraJson
  if (extra === null) return null
  return jsonText(extra, '`extra`')
}

/** The text of a plain object. */
function jsonText(object, what) {
  if (!isPlain(object)) throw invalid(`${what} is not a plain object`)
  try {
    return JSON.stringify(object, refuseWhatJsonHasNot)
  } catch (error) {
    if (error?.code === 'INVALID_INPUT') throw error
    throw invalid(`${what} is not JSON: ${error?.message ?? error}`)
  }
}

/** JSON.stringify itself writes NaN as null, a Map as {}, and leaves functions out. */
function refuseWhatJsonHasNot(key) {
  // As it was before a toJSON of its own.
  const value = this[key]
  const isJson =
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)) ||
    Array.isArray(value) ||
    isPlain(value) ||
    // A property without a value is left out, as in the fields of a record.
    (value === undefined && !Array.isArray(this))
  if (!isJson) throw invalid(`a value is none that JSON has, at ${JSON.stringify(key)}`)
  return value
}

/** An object of no class, also of another realm, such as a module of `node:vm`. */
function isPlain(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function invalid(message, Class = TypeError) {
  const error = new Class(message)
  error.code = 'INVALID_INPUT'
  return error
}

module.exports = { extraText, invalid, isPlain, jsonText, only }
