// The calls of the package: each takes its arguments apart for the addon, and no more.
'use strict'

const { addon, version } = require('./addon.cjs')
const { rethrow, verdictAt } = require('./answers.cjs')
const { Channel } = require('./channel.cjs')
const { Batch } = require('./entries.cjs')
const { invalid, only } = require('./json.cjs')
const { Lease } = require('./lease.cjs')
const { Monitor, Watch } = require('./monitor.cjs')
const { SessionRecord, handleOf, recordOf } = require('./record.cjs')
const { Claim, Registry, Session } = require('./registry.cjs')
const { RestoreTable } = require('./restore.cjs')
const { Snapshot, noSources, snapshot, snapshotSync } = require('./snapshot.cjs')
const { Subscription } = require('./subscription.cjs')

const WRITE_OPTIONS = new Set(['durable', 'createFolders'])
const SIDECAR_OPTIONS = new Set(['home'])
const NONE = Object.freeze({})

async function write(path, record, options = NONE) {
  const { durable, createFolders } = only(options, WRITE_OPTIONS, 'the options object')
  await addon().write(path, handleOf(record), durable, createFolders).catch(rethrow)
}

function writeSync(path, record, options = NONE) {
  const { durable, createFolders } = only(options, WRITE_OPTIONS, 'the options object')
  addon().writeSync(path, handleOf(record), durable, createFolders)
}

async function read(path) {
  return recordOf(await addon().read(path).catch(rethrow))
}

function readSync(path) {
  return recordOf(addon().readSync(path))
}

async function load(path) {
  return recordOf(await addon().load(path).catch(rethrow))
}

function loadSync(path) {
  return recordOf(addon().loadSync(path))
}

async function clear(path) {
  return await addon().clear(path).catch(rethrow)
}

function clearSync(path) {
  return addon().clearSync(path)
}

async function clearIf(path, record) {
  return await addon().clearIf(path, handleOf(record)).catch(rethrow)
}

function clearIfSync(path, record) {
  return addon().clearIfSync(path, handleOf(record))
}

function liveness(record) {
  return verdictAt(addon().liveness(handleOf(record)))
}

function livenessAll(records) {
  if (typeof records?.[Symbol.iterator] !== 'function') throw invalid('the records are no list')
  return addon().livenessAll(Array.from(records, handleOf)).map(verdictAt)
}

function checkSessionId(id) {
  addon().checkSessionId(id)
  return id
}

function sidecarInProject(projectDir, sessionId) {
  return addon().sidecarInProject(projectDir, sessionId)
}

function sidecarOf(agent, workDir, sessionId, options = NONE) {
  const { home } = only(options, SIDECAR_OPTIONS, 'the options object')
  return addon().sidecarOf(agent, workDir, sessionId, home)
}

module.exports = {
  Batch,
  Channel,
  Claim,
  Lease,
  Monitor,
  Registry,
  RestoreTable,
  Session,
  SessionRecord,
  Snapshot,
  Subscription,
  Watch,
  checkSessionId,
  clear,
  clearIf,
  clearIfSync,
  clearSync,
  liveness,
  livenessAll,
  load,
  loadSync,
  noSources,
  read,
  readSync,
  sidecarInProject,
  sidecarOf,
  snapshot,
  snapshotSync,
  version,
  write,
  writeSync,
}
