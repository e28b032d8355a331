// Readers of monitors: what JavaScript waits for, and the thread of the addon's that waits.
'use strict'

const { addon } = require('./addon.cjs')
const { batchOf } = require('./entries.cjs')

let watcher
let lastNumber = 0

/** Who waits, by the number of the reader. */
const waiting = new Map()

/** Those for which the process stays. */
const kept = new Set()

function started() {
  watcher ??= addon().watcherStart(news)
  return watcher
}

/** Called for every answer, which may be that of several; who does not wait any more has closed. */
function news(numbers, error, text, beside) {
  const waits = numbers.flatMap((number) => {
    const waits = waiting.get(number)
    waiting.delete(number)
    return waits ?? []
  })
  if (waits.length === 0) return
  if (error !== null) {
    for (const { reject } of waits) reject(error)
    return
  }
  try {
    const batch = text === null ? null : batchOf(text, beside)
    for (const { resolve } of waits) resolve(batch)
  } catch (defect) {
    for (const { reject } of waits) reject(defect)
  }
}

/** A reader of a monitor; it reads once at a time. */
class Reader {
  #number = ++lastNumber
  #monitor
  #handle

  /** The monitor is given by its handle and whether it is closed: it may be collected meanwhile. */
  constructor(monitor, cursor) {
    if (monitor.isClosed) throw closed()
    this.#monitor = monitor
    const { handle } = monitor
    this.#handle = addon().readerOpen(started(), handle, this.#number, cursor ?? undefined)
  }

  /** The next batch; null when the time is over. */
  async read(timeoutMs) {
    const monitor = this.#monitor
    if (monitor.isClosed) throw closed()
    addon().readerRead(this.#handle, timeoutMs)
    return await new Promise((resolve, reject) => {
      waiting.set(this.#number, { monitor, resolve, reject })
    })
  }

  /** Ends it; who still waits is settled by the function. */
  close(settle) {
    addon().readerClose(this.#handle)
    const waits = waiting.get(this.#number)
    if (waits === undefined) return
    waiting.delete(this.#number)
    settle(waits)
  }
}

/** Ends a monitor, and tells who reads it: at once, for nothing may keep the process any more. */
function closeMonitor(monitor) {
  monitor.isClosed = true
  addon().monitorClose(monitor.handle, watcher)
  for (const [number, waits] of waiting) {
    if (waits.monitor !== monitor) continue
    waiting.delete(number)
    waits.reject(closed())
  }
}

function closed() {
  const error = new Error('failed to use the monitor: it was closed')
  error.code = 'CLOSED'
  return error
}

/** Whether the process stays for the sake of somebody. */
function keepAlive(who, keep) {
  const before = kept.size
  if (keep) kept.add(who)
  else kept.delete(who)
  const isKept = kept.size > 0
  if (isKept !== before > 0) addon().watcherKeepAlive(started(), isKept)
}

module.exports = { Reader, closeMonitor, keepAlive }
