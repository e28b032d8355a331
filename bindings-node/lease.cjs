// A caller's share of a live session.
'use strict'

const { addon } = require('./addon.cjs')
const { disposable } = require('./disposal.cjs')
const { invalid } = require('./json.cjs')

const FROM_HANDLE = Symbol('from handle')

/** A lease of what the addon gave. */
let leaseOf

class Lease {
  #core
  #handle
  #view

  constructor(key, core, handle, view) {
    if (key !== FROM_HANDLE) throw invalid('a lease comes from `restore` or `spawn`')
    this.#core = core
    this.#handle = handle
    this.#view = view
  }

  static {
    leaseOf = (...given) => new Lease(FROM_HANDLE, ...given)
  }

  get sessionId() {
    return this.#view.sessionId
  }

  get attached() {
    return this.#view.attached
  }

  get state() {
    return this.#view.state
  }

  get ended() {
    return addon().leaseEnded(this.#handle)
  }

  release() {
    return this.#core.use('leaseRelease', this.#handle)
  }
}

const release = (lease) => lease.release()
disposable(Lease, release, release)

module.exports = { Lease, leaseOf }
