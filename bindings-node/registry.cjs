// The live registry: each call takes its arguments apart for the addon, and no more.
'use strict'

const { addon } = require('./addon.cjs')
const { listOf, rethrow, skippedOf, threes, verdictAt } = require('./answers.cjs')
const { disposable } = require('./disposal.cjs')
const { extraText, invalid, only } = require('./json.cjs')
const { packedPatch } = require('./patch.cjs')
const { packedTerminal, recordOf } = require('./record.cjs')

const NONE = Object.freeze({})
const REGISTRY_OPTIONS = new Set(['dialect'])
const SWEEP_OPTIONS = new Set(['dryRun', 'sidecarFolders'])
const SELECTORS = new Set(['pid', 'sessionId'])

// The order in which the addon takes them: `src/session.rs` has the same.
const NEW_FIELDS = [
  'sessionId',
  'workDir',
  'agent',
  'agentVersion',
  'kind',
  'name',
  'entrypoint',
  'status',
  'transcriptPath',
  'parentSessionId',
  'sidecar',
  'pidFile',
  'keepSidecar',
  'pid',
]
const NEW = new Set([...NEW_FIELDS, 'terminal', 'extra', 'extraJson', 'onError'])

function entriesOf(list) {
  return threes(list, (record, reason, path) =>
    Object.freeze({ record: recordOf(record), verdict: verdictAt(reason), path }),
  )
}

function scanOf([entries, skipped]) {
  return { entries: entriesOf(entries), skipped: skippedOf(skipped) }
}

function sweptOf([removed, live, failed]) {
  const gone = (path, reason, record) => Object.freeze({ path, reason, record: recordOf(record) })
  return { removed: threes(removed, gone), live, failed: skippedOf(failed) }
}

/** The handle of a registry, for a restore table. */
let registryHandleOf

class Registry {
  #handle

  static {
    registryHandleOf = (value) => {
      if (typeof value === 'object' && value !== null && #handle in value) return value.#handle
      throw invalid('`registry` is no Registry')
    }
  }

  constructor(dir, options = NONE) {
    const { dialect } = only(options, REGISTRY_OPTIONS, 'the options object')
    this.#handle = addon().registryOpen(dir ?? undefined, dialect)
  }

  get dir() {
    return addon().registryDir(this.#handle)
  }

  get dialect() {
    return addon().registryDialect(this.#handle)
  }

  async scan() {
    return scanOf(await this.#query('scan'))
  }

  scanSync() {
    return scanOf(this.#querySync('scan'))
  }

  async records() {
    return entriesOf(await this.#query('records'))
  }

  recordsSync() {
    return entriesOf(this.#querySync('records'))
  }

  async live() {
    return entriesOf(await this.#query('live'))
  }

  liveSync() {
    return entriesOf(this.#querySync('live'))
  }

  async countLive() {
    return await this.#query('countLive')
  }

  countLiveSync() {
    return this.#querySync('countLive')
  }

  async findByPid(pid) {
    return entriesOf(await this.#query('findByPid', pid))
  }

  findByPidSync(pid) {
    return entriesOf(this.#querySync('findByPid', pid))
  }

  async findBySession(sessionId) {
    return entriesOf(await this.#query('findBySession', sessionId))
  }

  findBySessionSync(sessionId) {
    return entriesOf(this.#querySync('findBySession', sessionId))
  }

  async findByWorkDir(workDir) {
    return entriesOf(await this.#query('findByWorkDir', workDir))
  }

  findByWorkDirSync(workDir) {
    return entriesOf(this.#querySync('findByWorkDir', workDir))
  }

  async ownerOf(pid) {
    return entriesOf(await this.#query('ownerOf', pid))
  }

  ownerOfSync(pid) {
    return entriesOf(this.#querySync('ownerOf', pid))
  }

  async findUnder(pid) {
    return entriesOf(await this.#query('findUnder', pid))
  }

  findUnderSync(pid) {
    return entriesOf(this.#querySync('findUnder', pid))
  }

  async register(fields) {
    const onError = onErrorOf(fields)
    try {
      const registered = await addon().register(this.#handle, packNew(fields)).catch(rethrow)
      return sessionOf(registered, onError)
    } catch (error) {
      return refused(error, onError)
    }
  }

  registerSync(fields) {
    const onError = onErrorOf(fields)
    try {
      return sessionOf(addon().registerSync(this.#handle, packNew(fields)), onError)
    } catch (error) {
      return refused(error, onError)
    }
  }

  async openSession(by) {
    const { pid, sessionId } = selector(by)
    return sessionOf(await addon().openSession(this.#handle, pid, sessionId).catch(rethrow))
  }

  openSessionSync(by) {
    const { pid, sessionId } = selector(by)
    return sessionOf(addon().openSessionSync(this.#handle, pid, sessionId))
  }

  async sweep(options = NONE) {
    const { dryRun, sidecarFolders = [] } = only(options, SWEEP_OPTIONS, 'the options object')
    const folders = listOf(sidecarFolders, '`sidecarFolders`')
    return sweptOf(await addon().sweep(this.#handle, dryRun, folders).catch(rethrow))
  }

  sweepSync(options = NONE) {
    const { dryRun, sidecarFolders = [] } = only(options, SWEEP_OPTIONS, 'the options object')
    const folders = listOf(sidecarFolders, '`sidecarFolders`')
    return sweptOf(addon().sweepSync(this.#handle, dryRun, folders))
  }

  async claim(agent, sessionId) {
    return claimOf(await addon().claim(this.#handle, agent, sessionId).catch(rethrow))
  }

  claimSync(agent, sessionId) {
    return claimOf(addon().claimSync(this.#handle, agent, sessionId))
  }

  #query(name, argument) {
    return addon().query(this.#handle, name, argument).catch(rethrow)
  }

  #querySync(name, argument) {
    return addon().querySync(this.#handle, name, argument)
  }
}

function selector(by) {
  const { pid, sessionId } = only(by, SELECTORS, 'what the session is looked up by')
  if ((pid === undefined) === (sessionId === undefined)) {
    throw invalid('a session is looked up by `pid` or by `sessionId`')
  }
  return { pid, sessionId }
}

function onErrorOf(fields) {
  const onError = fields?.onError
  if (onError === undefined || onError === null) return undefined
  if (typeof onError !== 'function') throw invalid('`onError` is not a function')
  return onError
}

/** The fields in the order of the list, then the terminal's and the further keys. */
function packNew(fields) {
  const known = { ...only(fields, NEW, 'the session') }
  const values = NEW_FIELDS.map((name) => known[name])
  return [...values, ...packedTerminal(known.terminal), extraText(known)]
}

const FROM_HANDLE = Symbol('from handle')

/** Of a session that was never made: no record, no files, not registered. */
const NO_VIEW = Object.freeze([null, null, null, null, null, false])

/** A session of what the addon gave: its handle, and why it is inert, if it is. */
let sessionOf

class Session {
  #handle
  #onError

  constructor(key, handle, onError) {
    if (key !== FROM_HANDLE) throw invalid('a session comes from `register` or `openSession`')
    this.#handle = handle
    this.#onError = onError
  }

  // A `using` declaration is quiet about what has ended already.
  static {
    disposable(
      Session,
      (session) => session.#callSync('close', nothing, isClosed),
      (session) => session.#call('close', nothing, isClosed),
    )
    sessionOf = ([handle, error], onError) => {
      if (error !== null) {
        if (onError === undefined) throw error
        tell(onError, error)
      }
      return new Session(FROM_HANDLE, handle, onError)
    }
  }

  get record() {
    return recordOf(this.#view()[0])
  }

  get sessionId() {
    return this.record?.sessionId ?? null
  }

  get pid() {
    return this.record?.pid ?? null
  }

  get path() {
    return this.#view()[1]
  }

  get sidecarPath() {
    return this.#view()[2]
  }

  get sidecarHolder() {
    return this.#view()[3]
  }

  get pidFileHolder() {
    return this.#view()[4]
  }

  get registered() {
    return this.#view()[5]
  }

  async update(patch) {
    return await this.#call('update', () => [undefined, packedPatch(patch)])
  }

  updateSync(patch) {
    return this.#callSync('update', () => [undefined, packedPatch(patch)])
  }

  async switch(newId, patch = NONE) {
    return await this.#call('switch', () => [newId, packedPatch(patch)])
  }

  switchSync(newId, patch = NONE) {
    return this.#callSync('switch', () => [newId, packedPatch(patch)])
  }

  async refresh() {
    return await this.#call('refresh')
  }

  refreshSync() {
    return this.#callSync('refresh')
  }

  async leave() {
    return await this.#call('leave')
  }

  leaveSync() {
    return this.#callSync('leave')
  }

  async close() {
    return await this.#call('close')
  }

  closeSync() {
    return this.#callSync('close')
  }

  #view() {
    return this.#handle === null ? NO_VIEW : addon().sessionView(this.#handle)
  }

  // Up to the first `await` it runs where it is called: there the call takes its place.
  async #call(name, pack = nothing, isNoFailure = never) {
    if (this.#handle === null) return false
    try {
      const [id, patch] = pack()
      return await addon().call(this.#handle, name, id, patch).catch(rethrow)
    } catch (error) {
      return !isNoFailure(error) && this.#failed(error)
    }
  }

  #callSync(name, pack = nothing, isNoFailure = never) {
    if (this.#handle === null) return false
    try {
      const [id, patch] = pack()
      return addon().callSync(this.#handle, name, id, patch)
    } catch (error) {
      return !isNoFailure(error) && this.#failed(error)
    }
  }

  #failed(error) {
    if (this.#onError === undefined) throw error
    tell(this.#onError, error)
    return false
  }
}

/** The texts of a call that has none. */
function nothing() {
  return []
}

function never() {
  return false
}

function isClosed(error) {
  return error?.code === 'CLOSED'
}

/**
 * A session whose arguments were refused is inert, as one that could not be registered, and has no
 * record. Without a function for its failures it is an error.
 */
function refused(error, onError) {
  if (onError === undefined) throw error
  tell(onError, error)
  return sessionOf([null, null], onError)
}

/** A failure of the function for failures is nobody's here: it is reported as uncaught. */
function tell(onError, error) {
  try {
    onError(error)
  } catch (uncaught) {
    queueMicrotask(() => {
      throw uncaught
    })
  }
}

/** A claim of what the addon gave: its handle and its path. */
let claimOf

class Claim {
  #handle
  #path

  constructor(key, handle, path) {
    if (key !== FROM_HANDLE) throw invalid('a claim comes from `claim`')
    this.#handle = handle
    this.#path = path
  }

  static {
    disposable(
      Claim,
      (claim) => {
        try {
          claim.releaseSync()
        } catch (error) {
          if (!isClosed(error)) throw error
        }
      },
      (claim) =>
        claim.release().catch((error) => {
          if (!isClosed(error)) throw error
        }),
    )
    claimOf = ([handle, path]) => new Claim(FROM_HANDLE, handle, path)
  }

  get path() {
    return this.#path
  }

  async release() {
    await addon().release(this.#handle).catch(rethrow)
  }

  releaseSync() {
    addon().releaseSync(this.#handle)
  }
}

module.exports = { Claim, Registry, Session, registryHandleOf }
