// `using` and `await using`, where the runtime has the symbols for them.
'use strict'

/** Makes a class disposable: at once, and as a promise; what these give is nobody's. */
function disposable(Class, end, endLater) {
  if (Symbol.dispose) {
    Class.prototype[Symbol.dispose] = function () {
      end(this)
    }
  }
  if (Symbol.asyncDispose) {
    Class.prototype[Symbol.asyncDispose] = async function () {
      await endLater(this)
    }
  }
}

module.exports = { disposable }
