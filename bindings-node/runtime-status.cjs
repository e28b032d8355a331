// A drop-in for the `runtimeStatus` module of qwen-code: the seven keys of schema 1, and no more.
'use strict'

const { fs } = require('./addon.cjs')
const { clear, read, write } = require('./index.cjs')

const RUNTIME_STATUS_SCHEMA_VERSION = 1
const VERSION_KEY = 'qwen_version'

async function writeRuntimeStatus(filePath, fields) {
  const { sessionId, workDir, pid, qwenVersion } = fields
  await write(filePath, {
    // Given explicitly, it is not looked up, and no identity is added.
    pid: pid ?? process.pid,
    sessionId,
    workDir,
    agentVersion: qwenVersion ?? null,
    versionKey: VERSION_KEY,
  })
  return filePath
}

async function readRuntimeStatus(filePath) {
  try {
    // Links are followed here and nowhere else, so only what is not read at once may be one.
    const record = (await read(filePath)) ?? (await read(await fs().promises.realpath(filePath)))
    return record && statusOf(record)
  } catch {
    return null
  }
}

function statusOf(record) {
  return {
    schemaVersion: RUNTIME_STATUS_SCHEMA_VERSION,
    pid: record.pid,
    sessionId: record.sessionId,
    workDir: record.workDir,
    hostname: record.hostname,
    startedAt: record.startedAtSeconds,
    qwenVersion: record.versionKey === VERSION_KEY ? record.agentVersion : null,
  }
}

async function clearRuntimeStatus(filePath) {
  try {
    await clear(filePath)
  } catch {
    // Best effort, as ever: a status that cannot be removed speaks of a process that ends now.
  }
}

module.exports = {
  RUNTIME_STATUS_SCHEMA_VERSION,
  clearRuntimeStatus,
  readRuntimeStatus,
  writeRuntimeStatus,
}
