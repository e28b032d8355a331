// Every agent session at one moment, and where to look for them.
'use strict'

const { addon } = require('./addon.cjs')
const { listOf, rethrow, skippedOf } = require('./answers.cjs')
const { millis, sessionsOf } = require('./entries.cjs')
const { invalid, only } = require('./json.cjs')

const NONE = Object.freeze({})

// The order in which the addon takes them: `src/snapshot.rs` has the same.
const FOLDERS = ['registries', 'claudeCode', 'qwenCode', 'kimiCli', 'codex', 'copilot', 'hooks']
const FURTHER = ['processes', 'multiplexers', 'superseded', 'deadWithinMs']
const SOURCES = new Set([...FOLDERS, ...FURTHER])

function noSources() {
  const folders = Object.fromEntries(FOLDERS.map((name) => [name, []]))
  return { ...folders, processes: false }
}

function packedSources(sources) {
  const known = { ...only(sources, SOURCES, 'the sources object') }
  const folders = FOLDERS.map((name) =>
    known[name] === undefined ? undefined : listOf(known[name], `\`${name}\``),
  )
  return [...folders, ...FURTHER.map((name) => known[name])]
}

async function snapshot(sources = NONE) {
  return snapshotOf(await addon().snapshot(packedSources(sources)).catch(rethrow))
}

function snapshotSync(sources = NONE) {
  return snapshotOf(addon().snapshotSync(packedSources(sources)))
}

const FROM_HANDLE = Symbol('from handle')

/** The snapshot of what the addon gave: its handle, its text, what is beside that, skipped files. */
let snapshotOf

class Snapshot {
  #handle

  constructor(key, handle, text, beside, skipped) {
    if (key !== FROM_HANDLE) throw invalid('a snapshot comes from `snapshot`')
    this.#handle = handle
    const { sessions, dead_before: deadBefore, cursor, taken_at: takenAt } = JSON.parse(text)
    this.sessions = Object.freeze(sessionsOf(sessions, beside))
    this.skipped = Object.freeze(skippedOf(skipped))
    this.deadBefore = deadBefore
    this.cursor = cursor
    this.takenAt = millis(takenAt)
    Object.freeze(this)
  }

  static {
    snapshotOf = (given) => new Snapshot(FROM_HANDLE, ...given)
  }

  live() {
    return this.#ask('live')
  }

  countLive() {
    return addon().countLive(this.#handle)
  }

  findByPid(pid) {
    return this.#ask('findByPid', pid)
  }

  findBySession(sessionId) {
    return this.#ask('findBySession', sessionId)
  }

  findByWorkDir(workDir) {
    return this.#ask('findByWorkDir', workDir)
  }

  ownerOf(pid) {
    return this.#ask('ownerOf', pid)
  }

  findUnder(pid) {
    return this.#ask('findUnder', pid)
  }

  toJsonText() {
    return addon().snapshotText(this.#handle)
  }

  toJSON() {
    return { ...this }
  }

  #ask(question, argument) {
    const numbers = addon().askSnapshot(this.#handle, question, argument)
    return numbers.map((number) => this.sessions[number])
  }
}

module.exports = {
  Snapshot,
  noSources,
  packedSources,
  snapshot,
  snapshotOf: (given) => snapshotOf(given),
  snapshotSync,
}
