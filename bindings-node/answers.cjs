// What the addon answers, as the package gives it.
'use strict'

const { addon } = require('./addon.cjs')

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

module.exports = { rethrow, verdictAt }
