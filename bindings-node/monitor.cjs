// The sessions of this machine, watched.
'use strict'

const { addon } = require('./addon.cjs')
const { listOf, rethrow, skippedOf } = require('./answers.cjs')
const { disposable } = require('./disposal.cjs')
const { invalid, only } = require('./json.cjs')
const { packedSources, snapshotOf } = require('./snapshot.cjs')
const { Reader, closeMonitor, keepAlive } = require('./watcher.cjs')

const NONE = Object.freeze({})
const MONITOR_OPTIONS = new Set(['foldMs', 'pollMs'])
const WAIT_OPTIONS = new Set(['timeoutMs', 'signal'])
const WATCH_OPTIONS = new Set(['cursor', 'signal'])
const CLEAN_UP_OPTIONS = new Set(['dryRun'])

class Monitor {
  /** Its handle, and whether it is closed. */
  #own

  constructor(sources = NONE, options = NONE) {
    const { foldMs, pollMs } = only(options, MONITOR_OPTIONS, 'the options object')
    const handle = addon().monitorOpen(packedSources(sources), foldMs, pollMs)
    this.#own = { handle, isClosed: false }
  }

  async snapshot() {
    return snapshotOf(await this.#ask('snapshot'))
  }

  snapshotSync() {
    return snapshotOf(this.#askSync('snapshot'))
  }

  async wait(cursor, options = NONE) {
    const { timeoutMs, signal } = only(options, WAIT_OPTIONS, 'the options object')
    checkSignal(signal)
    if (signal?.aborted) throw cancelled(signal)
    const reader = new Reader(this.#own, cursor)
    const cancel = () => reader.close(({ reject }) => reject(cancelled(signal)))
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await reader.read(timeoutMs).catch(rethrow)
    } finally {
      signal?.removeEventListener('abort', cancel)
      reader.close()
    }
  }

  watch(options = NONE) {
    const { cursor, signal } = only(options, WATCH_OPTIONS, 'the options object')
    checkSignal(signal)
    return new Watch(FROM_MONITOR, this.#own, cursor, signal)
  }

  async polled() {
    return polledOf(await this.#ask('polled'))
  }

  polledSync() {
    return polledOf(this.#askSync('polled'))
  }

  async recordTurnStart() {
    return await this.#ask('recordTurnStart')
  }

  recordTurnStartSync() {
    return this.#askSync('recordTurnStart')
  }

  async cleanUp(folders, options = NONE) {
    const { dryRun } = only(options, CLEAN_UP_OPTIONS, 'the options object')
    const named = listOf(folders, 'the folders')
    return cleanedOf(await addon().cleanUp(this.#own.handle, named, dryRun).catch(rethrow))
  }

  cleanUpSync(folders, options = NONE) {
    const { dryRun } = only(options, CLEAN_UP_OPTIONS, 'the options object')
    return cleanedOf(addon().cleanUpSync(this.#own.handle, listOf(folders, 'the folders'), dryRun))
  }

  close() {
    keepAlive(this, false)
    closeMonitor(this.#own)
  }

  ref() {
    if (!this.#own.isClosed) keepAlive(this, true)
    return this
  }

  unref() {
    keepAlive(this, false)
    return this
  }

  #ask(call) {
    return addon().askMonitor(this.#own.handle, call).catch(rethrow)
  }

  #askSync(call) {
    return addon().askMonitorSync(this.#own.handle, call)
  }
}

const FROM_MONITOR = Symbol('from monitor')

class Watch {
  #monitor
  #cursor
  #signal
  #reader
  #isClosed = false
  /** A cancellation that nobody has been told of yet. */
  #failure
  /** The turn of the one who asked last. */
  #last = Promise.resolve()

  constructor(key, monitor, cursor, signal) {
    if (key !== FROM_MONITOR) throw invalid('a watch comes from `watch`')
    this.#monitor = monitor
    this.#cursor = cursor ?? null
    this.#signal = signal
    signal?.addEventListener('abort', this.#cancel, { once: true })
    if (signal?.aborted) this.#cancel()
  }

  get cursor() {
    return this.#cursor
  }

  next() {
    const turn = this.#last.then(() => this.#read())
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async return() {
    this.close()
    return { done: true, value: undefined }
  }

  close() {
    this.#failure = undefined
    this.#end(({ resolve }) => resolve(null))
  }

  [Symbol.asyncIterator]() {
    return this
  }

  async #read() {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
    if (this.#isClosed) return { done: true, value: undefined }
    try {
      this.#reader ??= new Reader(this.#monitor, this.#cursor)
      const batch = await this.#reader.read().catch(rethrow)
      if (batch === null) return { done: true, value: undefined }
      this.#cursor = batch.cursor
      return { done: false, value: batch }
    } catch (error) {
      this.close()
      if (error.code === 'CLOSED') return { done: true, value: undefined }
      throw error
    }
  }

  #cancel = () => {
    this.#failure = cancelled(this.#signal)
    this.#end(({ reject }) => {
      reject(this.#failure)
      this.#failure = undefined
    })
  }

  #end(settle) {
    this.#isClosed = true
    this.#signal?.removeEventListener('abort', this.#cancel)
    this.#reader?.close(settle)
    this.#reader = undefined
  }
}

function polledOf(list) {
  const polled = []
  for (let at = 0; at < list.length; at += 2) {
    polled.push(Object.freeze({ what: list[at], everyMs: list[at + 1] }))
  }
  return polled
}

function cleanedOf([list, failed]) {
  const removed = []
  for (let at = 0; at < list.length; at += 2) {
    removed.push(Object.freeze({ path: list[at], reason: list[at + 1] }))
  }
  return { removed, failed: skippedOf(failed) }
}

function checkSignal(signal) {
  if (signal === undefined) return
  if (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function') {
    throw invalid('`signal` is not an AbortSignal')
  }
}

function cancelled(signal) {
  const error = new Error('the wait was cancelled', { cause: signal.reason })
  error.name = 'AbortError'
  error.code = 'CANCELLED'
  return error
}

for (const Class of [Monitor, Watch]) {
  const close = (of) => of.close()
  disposable(Class, close, close)
}

module.exports = { Monitor, Watch }
