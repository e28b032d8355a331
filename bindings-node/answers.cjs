// What the addon answers, as the package gives it.
'use strict'

const { addon } = require('./addon.cjs')
const { invalid } = require('./json.cjs')

/** An error of the thread pool knows nothing of who waits for it; here V8 does. */
function rethrow(error) {
  Error.captureStackTrace(error, rethrow)
  throw error
}

let verdicts

/** The verdict of an index that the addon gave. */
function verdictAt(index) {
  verdicts ??= addon()
    .reasons()
    .map(([state, reason]) => Object.freeze({ state, reason }))
  return verdicts[index]
}

/** One element for each three of a list. */
function threes(list, make) {
  const made = []
  for (let at = 0; at < list.length; at += 3) made.push(make(list[at], list[at + 1], list[at + 2]))
  return made
}

function skippedOf(list) {
  return threes(list, (path, code, reason) => Object.freeze({ path, code, reason }))
}

/** What is to be given as a list: a string is one too, and never meant. */
function listOf(values, what) {
  if (typeof values === 'string' || typeof values?.[Symbol.iterator] !== 'function') {
    throw invalid(`${what} is no list`)
  }
  return Array.from(values)
}

module.exports = { listOf, rethrow, skippedOf, threes, verdictAt }
