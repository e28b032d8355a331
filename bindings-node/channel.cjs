// One agent process that carries several sessions.
'use strict'

const { addon } = require('./addon.cjs')
const { invalid } = require('./json.cjs')

const FROM_HANDLE = Symbol('from handle')

/** A channel of what the addon gave. */
let channelOf
/** The handle of a channel. */
let channelHandleOf

class Channel {
  #core
  #handle

  constructor(key, core, handle) {
    if (key !== FROM_HANDLE) throw invalid('a channel comes from `channel` of a table')
    this.#core = core
    this.#handle = handle
  }

  static {
    channelOf = (...given) => new Channel(FROM_HANDLE, ...given)
    channelHandleOf = (value) => {
      if (typeof value === 'object' && value !== null && #handle in value) return value.#handle
      throw invalid('what carries the session is no Channel')
    }
  }

  get isOpen() {
    return addon().channelIsOpen(this.#handle)
  }

  exited(info) {
    this.#core.use('channelExited', this.#handle, info)
  }
}

module.exports = { Channel, channelHandleOf, channelOf }
