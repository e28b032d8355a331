// Files through the package: paths of bytes, errors with all that is known, options, origins.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as sessionreg from 'sessionreg'
import { SessionRecord } from 'sessionreg'
import { temporaryFolder } from './helper.mjs'

const FIELDS = { sessionId: 's', workDir: '/w' }
const WINDOWS = process.platform === 'win32'

test('a path may be the bytes that it is to the system', {
  skip: WINDOWS && 'not on Windows',
}, async (t) => {
  const folder = Buffer.from(`${temporaryFolder(t)}/`)
  const record = new SessionRecord(FIELDS)
  const path = Buffer.concat([folder, Buffer.from([0x66, 0xff, 0xfe])])
  sessionreg.writeSync(path, record)
  assert.deepEqual(fs.readdirSync(folder, { encoding: 'buffer' }), [
    Buffer.from([0x66, 0xff, 0xfe]),
  ])
  assert.ok(sessionreg.readSync(path).equals(record))
  assert.ok((await sessionreg.load(new Uint8Array(path))).equals(record))
  assert.equal(await sessionreg.clearIf(path, record), true)
  // Its name is no text, so the error has it as bytes; one that is text it has as text.
  assert.throws(
    () => sessionreg.loadSync(path),
    (error) => {
      assert.deepEqual(error.path, path)
      return true
    },
  )
  const named = Buffer.concat([folder, Buffer.from('é')])
  await assert.rejects(sessionreg.load(named), { path: named.toString() })
})

test('bytes are taken over at the call', async (t) => {
  const folder = temporaryFolder(t)
  const path = Buffer.from(join(folder, 'a'))
  const written = sessionreg.write(path, FIELDS)
  path[path.length - 1] = 'b'.charCodeAt(0)
  await written
  assert.deepEqual(fs.readdirSync(folder), ['a'])
})

test('an error has a code, the path, the number of the system and one form of message', async (t) => {
  const path = join(temporaryFolder(t), 'none', 's')
  const expected = {
    name: 'Error',
    code: 'NOT_FOUND',
    path,
    errno: os.constants.errno.ENOENT,
    message: /^failed to read `.*`: /,
  }
  assert.throws(() => sessionreg.loadSync(path), expected)
  await assert.rejects(sessionreg.load(path), expected)
})

test('an error of a promise tells who waited for it', async () => {
  async function whoWaited() {
    await sessionreg.load('/nowhere/s')
  }
  await assert.rejects(whoWaited, (error) => /at async whoWaited/.test(error.stack))
})

test('an error that is not of the system has no number', (t) => {
  const path = join(temporaryFolder(t), 's')
  fs.writeFileSync(path, '{}')
  assert.throws(
    () => sessionreg.loadSync(path),
    (error) => error.code === 'CORRUPT' && error.path === path && !('errno' in error),
  )
})

test('a missing folder is made unless that is unwanted', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a', 'b', 's')
  await assert.rejects(sessionreg.write(path, FIELDS, { createFolders: false }), {
    code: 'NOT_FOUND',
  })
  assert.deepEqual(fs.readdirSync(folder), [])
  await sessionreg.write(path, FIELDS, { durable: true, createFolders: undefined })
  assert.equal(fs.readdirSync(join(folder, 'a', 'b')).length, 1)
  if (!WINDOWS) assert.equal(fs.statSync(join(folder, 'a')).mode & 0o777, 0o700)
})

test('a record that was read keeps its origin, and a copy has none', {
  skip: (WINDOWS || process.getuid() !== 0) && 'needs root to give a file away',
}, (t) => {
  const path = join(temporaryFolder(t), 's')
  sessionreg.writeSync(path, FIELDS)
  fs.chownSync(path, 65534, 65534)
  const record = sessionreg.readSync(path)
  // The file is another user's: what it says of a process of ours is not believed.
  assert.deepEqual(sessionreg.liveness(record), { state: 'unknown', reason: 'permission' })
  assert.deepEqual(
    sessionreg
      .livenessAll([record, { ...record }, structuredClone(record)])
      .map(({ state }) => state),
    ['unknown', 'alive', 'alive'],
  )
})

test('many promises at once all come to their end', async (t) => {
  const folder = temporaryFolder(t)
  const paths = Array.from({ length: 500 }, (_, index) => join(folder, `${index}`))
  await Promise.all(
    paths.map((path, index) => sessionreg.write(path, { ...FIELDS, pid: index + 1 })),
  )
  const records = await Promise.all(paths.map((path) => sessionreg.read(path)))
  assert.deepEqual(
    records.map(({ pid }) => pid),
    paths.map((_, index) => index + 1),
  )
  const removed = await Promise.all(paths.map((path) => sessionreg.clear(path)))
  assert.ok(removed.every((was) => was === true))
  assert.deepEqual(fs.readdirSync(folder), [])
})

test('paths of sidecars come back as what the folder was given as', () => {
  assert.equal(sessionreg.sidecarInProject('/p', 's'), join('/p', 'chats', 's.runtime.json'))
  const bytes = sessionreg.sidecarInProject(Buffer.from('/p'), 's')
  assert.ok(Buffer.isBuffer(bytes))
  assert.equal(bytes.toString(), sessionreg.sidecarInProject('/p', 's'))
  const home = sessionreg.sidecarOf('kimi-cli', '/w', 's', { home: Buffer.from('/h') })
  assert.equal(home.toString(), sessionreg.sidecarOf('kimi-cli', '/w', 's', { home: '/h' }))
})

test('a long text of any script survives a file', (t) => {
  const path = join(temporaryFolder(t), 's')
  for (const unit of ['a', 'é', '中', '😀']) {
    for (const length of [340, 341, 342, 511, 512, 1018, 1019, 1020, 1023, 1024, 5000]) {
      const name = unit.repeat(length)
      sessionreg.writeSync(path, { ...FIELDS, pid: 1, name })
      assert.equal(sessionreg.readSync(path).name, name)
      const id = unit.repeat(length)
      assert.throws(() => sessionreg.checkSessionId(id), { code: 'INVALID_ID' })
    }
  }
})
