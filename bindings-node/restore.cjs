// Restore tables: the values of JavaScript that the addon knows by their keys, and who is told what.
'use strict'

const { addon } = require('./addon.cjs')
const { rethrow } = require('./answers.cjs')
const { channelHandleOf, channelOf } = require('./channel.cjs')
const { invalid, only } = require('./json.cjs')
const { leaseOf } = require('./lease.cjs')
const { registryHandleOf } = require('./registry.cjs')
const { subscriptionOf } = require('./subscription.cjs')

const NONE = Object.freeze({})
const TABLE_OPTIONS = ['workspace', 'limit', 'timeoutMs', 'ringCapacity', 'registry', 'agent']
const TABLE = new Set(TABLE_OPTIONS)
const CALL_OPTIONS = new Set(['signal'])
const END_OPTIONS = new Set(['onlyIfUnattached'])
const SUBSCRIBE_OPTIONS = new Set(['lastEventId'])
const CLOSE_OPTIONS = new Set(['timeoutMs'])

/** A timer for longer than this fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

class RestoreTable {
  #core
  #isShared = false

  constructor(options = NONE) {
    const given = { ...only(options, TABLE, 'the options object') }
    if (given.registry !== undefined) {
      given.registry = registryHandleOf(given.registry)
      this.#isShared = true
    }
    const handle = addon().restoreTable(TABLE_OPTIONS.map((name) => given[name]))
    this.#core = new Core(handle)
  }

  async restore(action, sessionId, cwd, restore, options = NONE) {
    if (action === 'spawn') throw invalid('a session is spawned by `spawn`')
    return await this.#ask(action, sessionId, cwd, restore, options)
  }

  async spawn(sessionId, cwd, start, options = NONE) {
    return await this.#ask('spawn', sessionId, cwd, start, options)
  }

  end(sessionId, options = NONE) {
    const { onlyIfUnattached } = only(options, END_OPTIONS, 'the options object')
    return this.#core.call('restoreEnd', sessionId, onlyIfUnattached)
  }

  channel(onTeardown) {
    if (typeof onTeardown !== 'function') throw invalid('`onTeardown` is not a function')
    const key = this.#core.keep(() => quietly(onTeardown))
    return channelOf(this.#core, this.#core.call('channelOpen', key))
  }

  publish(sessionId, data) {
    return this.#core.call('restorePublish', sessionId, this.#core.keep(data))
  }

  subscribe(sessionId, options = NONE) {
    const { lastEventId } = only(options, SUBSCRIBE_OPTIONS, 'the options object')
    const handle = this.#core.call('restoreSubscribe', sessionId, lastEventId ?? undefined)
    return subscriptionOf(this.#core, handle)
  }

  status(sessionId) {
    return statusOf(this.#core.call('restoreStatus', sessionId))
  }

  sessions() {
    return this.#core.call('restoreSessions').map(statusOf)
  }

  defaultTarget() {
    return this.#core.call('restoreDefaultTarget')
  }

  async close(options = NONE) {
    const { timeoutMs = Number.POSITIVE_INFINITY } = only(
      options,
      CLOSE_OPTIONS,
      'the options object',
    )
    addon().checkMilliseconds(timeoutMs)
    let stop = () => undefined
    const closed = new Promise((resolve, reject) => {
      this.#core.call('restoreClose', this.#core.keep(resolve))
      const tooLate = () => {
        const running = `${this.sessions().length} restores have not ended`
        reject(coded('TIMEOUT', `failed to close the table: ${running}`))
      }
      // Whoever waits for so long has something to do after that.
      stop = after(timeoutMs, tooLate, { keepsAlive: true })
    })
    try {
      await closed
    } finally {
      stop()
    }
  }

  // Up to the first `await` it runs where it is called: there the caller is counted.
  async #ask(action, sessionId, cwd, restore, options) {
    const { signal } = only(options, CALL_OPTIONS, 'the options object')
    if (typeof restore !== 'function') throw invalid('what restores the session is no function')
    checkSignal(signal)
    if (signal?.aborted) throw cancelled(signal)
    const caller = new Caller(this.#core, sessionId, restore, signal, this.#isShared)
    return await caller.ask(action, cwd)
  }
}

/** The table in the addon, and the values that it knows by key. */
class Core {
  #handle
  #values = new Map()
  #lastKey = 0

  constructor(handle) {
    this.#handle = handle
  }

  /** A new key for a value, under which it stays until the addon lets go of it. */
  keep(value) {
    this.#lastKey += 1
    this.#values.set(this.#lastKey, value)
    return this.#lastKey
  }

  value(key) {
    return this.#values.get(key)
  }

  /** A function of the addon's that takes the table first. */
  call(name, ...args) {
    return this.use(name, this.#handle, ...args)
  }

  /** Any other one after which something may have happened in the table. */
  use(name, ...args) {
    try {
      return addon()[name](...args)
    } finally {
      this.tell()
    }
  }

  /** Tells everybody what has happened. */
  tell() {
    const news = addon().restoreNews(this.#handle)
    if (news === null) return
    const [happened, freed] = news
    // What is called may come here again: what it frees is named by nothing that is still untold.
    for (const [key, ...what] of happened) this.#values.get(key)(...what)
    for (const key of freed) this.#values.delete(key)
  }
}

/** One who asks for a session. */
class Caller {
  #core
  #sessionId
  #restore
  #signal
  #isShared
  #share
  #hasLeft = false
  /** Is called once, with a function that gives the lease, or throws. */
  #answer

  constructor(core, sessionId, restore, signal, isShared) {
    this.#core = core
    this.#sessionId = sessionId
    this.#restore = restore
    this.#signal = signal
    this.#isShared = isShared
  }

  async ask(action, cwd) {
    const forget = onAbort(this.#signal, () => this.#leave())
    try {
      const answer = await new Promise((resolve) => {
        this.#answer = resolve
        const key = this.#core.keep((...outcome) => this.#hear(...outcome))
        const begun = this.#core.call('restoreBegin', key, action, this.#sessionId, cwd)
        this.#hear(...begun)
      })
      return answer()
    } finally {
      forget()
    }
  }

  #hear(what, ...parts) {
    if (what === 'lease') {
      const [handle, attached, state] = parts
      const view = { sessionId: this.#sessionId, attached, state: this.#core.value(state) }
      this.#answer(() => leaseOf(this.#core, handle, view))
    } else if (what === 'failed') {
      const [error, key] = parts
      const thrown = this.#core.value(key)
      this.#answer(() => (error === null ? fail(thrown) : rethrow(error)))
    } else if (what === 'owner') {
      this.#share = parts[1]
      this.#run(...parts)
    } else {
      this.#share = parts[0]
    }
  }

  #leave() {
    if (this.#share === undefined || !this.#core.use('shareCancel', this.#share)) return
    this.#hasLeft = true
    const error = cancelled(this.#signal)
    this.#answer(() => rethrow(error))
  }

  /** Carries the restore out. Whatever comes of it is told to those who wait for it. */
  async #run(run, share, left) {
    const core = this.#core
    const restore = this.#restore
    // A timer may fire a moment early, and his word counts for nothing once he has left.
    const stop = after(left + 1, () => core.use('shareTimeOut', share))
    const controller = new AbortController()
    const { signal } = controller
    core.call(
      'runOnCancelled',
      run,
      core.keep(() => controller.abort(addon().runCancelled(run))),
    )
    try {
      if (this.#isShared) await addon().runSecure(run).catch(rethrow)
      // Nothing is restored for nobody, and the others have functions of their own.
      signal.throwIfAborted()
      if (this.#hasLeft) return core.use('runHandOver', run)
      const state = await restore(contextOf(core, run, this.#sessionId, signal))
      core.call('runComplete', run, core.keep(state))
    } catch (error) {
      // That somebody has left is no failure of the others'.
      if (this.#hasLeft && isOf(error, this.#signal)) core.use('runHandOver', run)
      else core.call('runFail', run, core.keep(error))
    } finally {
      stop()
    }
  }
}

/** What the function that restores a session is given; its parts may be taken apart. */
function contextOf(core, run, sessionId, signal) {
  const carriedBy = (channel) => core.use('runCarriedBy', run, channelHandleOf(channel))
  return Object.freeze({ sessionId, signal, carriedBy })
}

function checkSignal(signal) {
  if (signal === undefined) return
  if (typeof signal?.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw invalid('`signal` is no AbortSignal')
  }
}

/** What is to be called when a signal is given. */
const leavers = new WeakMap()

/**
 * Calls the function when the signal is given, unless it is forgotten before. One listener for all
 * callers who share a signal: of more than ten of them Node warns.
 */
function onAbort(signal, call) {
  if (signal === undefined) return () => undefined
  let calls = leavers.get(signal)
  if (calls === undefined) {
    calls = new Set()
    leavers.set(signal, calls)
    const all = calls
    const callAll = () => {
      for (const one of all) one()
    }
    signal.addEventListener('abort', callAll, { once: true })
  }
  calls.add(call)
  return () => calls.delete(call)
}

/** Whether a function failed because its own caller's signal was given. */
function isOf(error, { reason }) {
  // Not every implementation of signals knows a reason.
  const isReason = reason !== undefined && (error === reason || error?.cause === reason)
  return isReason || error?.name === 'AbortError'
}

function statusOf(parts) {
  if (parts === null) return null
  const [sessionId, action, stage, attachments, subscribers] = parts
  return Object.freeze({ sessionId, action, stage, attachments, subscribers })
}

/** Calls the function after that many milliseconds, unless it is stopped before. */
function after(milliseconds, call, { keepsAlive = false } = NONE) {
  let timer
  const wait = (left) => {
    if (left === Number.POSITIVE_INFINITY) return
    const next = left > LONGEST_TIMER ? () => wait(left - LONGEST_TIMER) : call
    timer = setTimeout(next, Math.min(left, LONGEST_TIMER))
    if (!keepsAlive) timer.unref?.()
  }
  wait(milliseconds)
  return () => clearTimeout(timer)
}

function cancelled(signal) {
  const error = coded('CANCELLED', 'failed to restore the session: whoever asked for it has left')
  error.cause = signal.reason
  return error
}

function coded(code, message) {
  const error = new Error(message)
  error.code = code
  return error
}

/** A failure of the caller's own function is nobody's here: it is reported as uncaught. */
function quietly(call) {
  try {
    call()
  } catch (uncaught) {
    queueMicrotask(() => fail(uncaught))
  }
}

function fail(thrown) {
  throw thrown
}

module.exports = { RestoreTable }
