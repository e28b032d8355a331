// One who follows the events of a session.
'use strict'

const { addon } = require('./addon.cjs')
const { disposable } = require('./disposal.cjs')
const { invalid } = require('./json.cjs')

const FROM_HANDLE = Symbol('from handle')
const DONE = Object.freeze({ value: undefined, done: true })

// A subscriber whom nobody can ask any more leaves, or he would count for ever.
const forgotten = new FinalizationRegistry(leave)

function leave({ core, handle }) {
  core.use('subscriptionLeave', handle)
}

/** A subscription of what the addon gave. */
let subscriptionOf

class Subscription {
  #of
  /** The one who asked before. */
  #before = Promise.resolve()
  /** Ends the wait for an event. */
  #wake

  constructor(key, core, handle) {
    if (key !== FROM_HANDLE) throw invalid('a subscription comes from `subscribe`')
    this.#of = { core, handle }
    forgotten.register(this, this.#of, this)
  }

  static {
    subscriptionOf = (...given) => new Subscription(FROM_HANDLE, ...given)
  }

  async next() {
    const before = this.#before
    let letOn
    this.#before = new Promise((resolve) => {
      letOn = resolve
    })
    await before
    try {
      for (;;) {
        const event = this.#take()
        if (event === false) return DONE
        if (event !== true) return { value: event, done: false }
        await this.#ready()
      }
    } finally {
      letOn()
    }
  }

  async return(value) {
    this.close()
    return { value, done: true }
  }

  close() {
    forgotten.unregister(this)
    leave(this.#of)
    this.#wake?.()
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** The next event; true if there is none yet, false if there will be none. */
  #take() {
    const { core, handle } = this.#of
    // Not by the table: that would let go of the data, if nobody else needs it.
    const found = addon().subscriptionNext(handle)
    return typeof found === 'boolean' ? found : eventOf(core, found)
  }

  #ready() {
    const { core, handle } = this.#of
    return new Promise((resolve) => {
      this.#wake = resolve
      core.call('subscriptionOnReady', handle, core.keep(resolve))
    })
  }
}

function eventOf(core, [kind, ...parts]) {
  switch (kind) {
    case 'published':
      return Object.freeze({ kind, id: parts[0], data: core.value(parts[1]) })
    case 'gap':
      return Object.freeze({ kind, missed: parts[0] })
    case 'ended':
      return Object.freeze({ kind, reason: parts[0] })
    default:
      return Object.freeze({ kind })
  }
}

const close = (subscription) => subscription.close()
disposable(Subscription, close, close)

module.exports = { Subscription, subscriptionOf }
