// The drop-in for qwen-code's module: what its users count on.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as runtimeStatus from 'sessionreg/runtime-status'
import { fineTimes, Processes, temporaryFolder } from './helper.mjs'

const { clearRuntimeStatus, readRuntimeStatus, writeRuntimeStatus } = runtimeStatus
const FIELDS = { sessionId: 's-1', workDir: '/srv/project', qwenVersion: '0.9.1' }

test('the schema is 1', () => {
  assert.equal(runtimeStatus.RUNTIME_STATUS_SCHEMA_VERSION, 1)
})

test('a write resolves to the path, makes the folder, and leaves no other file', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a', 'chats', 's.runtime.json')
  assert.equal(await writeRuntimeStatus(path, FIELDS), path)
  assert.deepEqual(fs.readdirSync(folder, { recursive: true }).sort(), [
    'a',
    join('a', 'chats'),
    join('a', 'chats', 's.runtime.json'),
  ])
})

test('the file is, byte for byte, what JSON.stringify writes of the seven keys', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const odd = {
    sessionId: 'é"\\\n\u0001😀\u2028',
    workDir: '/srv/中\u007f',
    pid: 4242,
    qwenVersion: '1"',
  }
  for (const fields of [FIELDS, odd, { sessionId: 's', workDir: '/w' }]) {
    await writeRuntimeStatus(path, fields)
    const text = fs.readFileSync(path, 'utf8')
    const { started_at: startedAt } = JSON.parse(text)
    const expected = {
      schema_version: 1,
      pid: fields.pid ?? process.pid,
      session_id: fields.sessionId,
      work_dir: fields.workDir,
      hostname: os.hostname(),
      started_at: startedAt,
      qwen_version: fields.qwenVersion ?? null,
    }
    assert.equal(text, JSON.stringify(expected, null, 2))
    assert.ok(Math.abs(startedAt - Date.now() / 1000) < 60)
  }
})

test('what was written is read, with the time in seconds', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  await writeRuntimeStatus(path, { ...FIELDS, pid: 4242 })
  const status = await readRuntimeStatus(path)
  const { started_at: startedAt } = JSON.parse(fs.readFileSync(path, 'utf8'))
  assert.deepEqual(status, {
    schemaVersion: 1,
    pid: 4242,
    sessionId: 's-1',
    workDir: '/srv/project',
    hostname: os.hostname(),
    startedAt,
    qwenVersion: '0.9.1',
  })
  assert.deepEqual(Object.keys(status), [
    'schemaVersion',
    'pid',
    'sessionId',
    'workDir',
    'hostname',
    'startedAt',
    'qwenVersion',
  ])
})

test('a version that is not given reads as null', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  for (const qwenVersion of [undefined, null]) {
    await writeRuntimeStatus(path, { sessionId: 's', workDir: '/w', qwenVersion })
    assert.equal((await readRuntimeStatus(path)).qwenVersion, null)
  }
})

test('a pid that is given is not looked up', async (t) => {
  const processes = new Processes()
  t.after(() => processes.close())
  const path = join(temporaryFolder(t), 's.runtime.json')
  for (const { pid } of [await processes.ask('spawn living'), await processes.ask('spawn gone')]) {
    await writeRuntimeStatus(path, { ...FIELDS, pid })
    assert.equal(Object.keys(JSON.parse(fs.readFileSync(path, 'utf8'))).length, 7)
  }
})

test('a status that its own program wrote is read, whatever else is in it', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const written = {
    schema_version: 1,
    pid: 7,
    session_id: 's',
    work_dir: '/w',
    hostname: 'h',
    started_at: 1763690000.123,
    qwen_version: '1',
    later: { a: 1 },
  }
  fs.writeFileSync(path, JSON.stringify(written, null, 2))
  const status = await readRuntimeStatus(path)
  assert.equal(status.startedAt, 1763690000.123)
  assert.equal(status.qwenVersion, '1')
})

test('the time is exactly the number in the file', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  await writeRuntimeStatus(path, FIELDS)
  const written = JSON.parse(fs.readFileSync(path, 'utf8'))
  for (const time of fineTimes(2000)) {
    fs.writeFileSync(path, JSON.stringify({ ...written, started_at: time }))
    const { started_at: startedAt } = JSON.parse(fs.readFileSync(path, 'utf8'))
    assert.equal((await readRuntimeStatus(path)).startedAt, startedAt)
  }
})

test('a write that cannot be done is rejected, and the old status stands', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  await writeRuntimeStatus(path, FIELDS)
  const before = fs.readFileSync(path)
  for (const fields of [
    { ...FIELDS, workDir: 'relative' },
    { ...FIELDS, pid: -1 },
    { ...FIELDS, sessionId: 5 },
    {},
    null,
    undefined,
  ]) {
    await assert.rejects(async () => await writeRuntimeStatus(path, fields))
  }
  await assert.rejects(writeRuntimeStatus(join(path, 'below', 'a', 'file'), FIELDS))
  await assert.rejects(writeRuntimeStatus('', FIELDS), { code: 'INVALID_INPUT' })
  assert.deepEqual(fs.readFileSync(path), before)
})

test('reading gives null, never undefined, and never rejects', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 's.runtime.json')
  for (const text of [
    '',
    '{}',
    '[]',
    'null',
    '{"schema_version": 2}',
    '\ufeff{}',
    'x'.repeat(70000),
  ]) {
    fs.writeFileSync(path, text)
    assert.equal(await readRuntimeStatus(path), null)
  }
  for (const bad of [join(folder, 'none'), folder, '', 'a\0b', undefined, null, 5, {}, '\ud800']) {
    assert.equal(await readRuntimeStatus(bad), null)
  }
})

test('reading follows a link', {
  skip: process.platform === 'win32' && 'not on Windows',
}, async (t) => {
  const folder = temporaryFolder(t)
  const [path, link, loop] = ['s', 'link', 'loop'].map((name) => join(folder, name))
  await writeRuntimeStatus(path, FIELDS)
  fs.symlinkSync(path, link)
  fs.symlinkSync(loop, loop)
  assert.deepEqual(await readRuntimeStatus(link), await readRuntimeStatus(path))
  assert.notEqual(await readRuntimeStatus(link), null)
  assert.equal(await readRuntimeStatus(loop), null)
})

test('clearing removes, is repeatable, and never rejects', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 's.runtime.json')
  await writeRuntimeStatus(path, FIELDS)
  assert.equal(await clearRuntimeStatus(path), undefined)
  assert.deepEqual(fs.readdirSync(folder), [])
  for (const bad of [path, folder, join(folder, 'none', 's'), '', undefined, 5, '\ud800']) {
    assert.equal(await clearRuntimeStatus(bad), undefined)
  }
  assert.ok(fs.existsSync(folder))
})
