// Nothing is coerced: a value is taken as it is, or refused with a code.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import sessionreg from 'sessionreg'
import { outcomeLater, outcomeOf, packageFolder, temporaryFolder } from './helper.mjs'

const { SessionRecord } = sessionreg
const FIELDS = { sessionId: 's', workDir: '/w', pid: 7, hostname: 'h' }
const REFUSED = { code: 'INVALID_INPUT' }

const NO_INTEGERS = [
  true,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  '1',
  1n,
  2n ** 70n,
  {},
  [1],
  new Number(1),
  Symbol('1'),
  new Date(),
  2 ** 53,
]

test('further keys are taken as they are or not at all', () => {
  const wrong = [
    { a: [undefined] },
    { a: Object(Number.NaN) },
    { a: new Map([[1, 2]]) },
    { a: new Date(0) },
    { a: -0 },
    { a: { toJSON: () => undefined } },
    new Map([['a', 1]]),
    /x/,
  ]
  for (const extra of wrong) {
    assert.throws(() => new SessionRecord({ ...FIELDS, extra }), REFUSED)
  }
  const { extra } = new SessionRecord({ ...FIELDS, extra: { a: [1, { b: null }], c: undefined } })
  assert.deepEqual(extra, { a: [1, { b: null }] })
})

test('text that is no Unicode gives the error of what it stands for', () => {
  assert.throws(() => sessionreg.checkSessionId('a\ud800'), { code: 'INVALID_ID' })
  assert.throws(() => SessionRecord.fromJsonText('{"a": "\ud800"}'), { code: 'CORRUPT' })
})

test('only integers are integers', () => {
  for (const field of ['pid', 'pidNs', 'timeNs', 'revision']) {
    for (const value of NO_INTEGERS) {
      const make = () => new SessionRecord({ ...FIELDS, [field]: value })
      assert.throws(make, REFUSED, `${field}: ${String(value)}`)
    }
  }
})

test('a pid never wraps around', () => {
  for (const pid of [2 ** 32 + 5, 2 ** 32, -(2 ** 32) + 5, 2 ** 53 - 1]) {
    assert.throws(() => new SessionRecord({ ...FIELDS, pid }), REFUSED)
    assert.throws(() => SessionRecord.ofProcess(pid, { sessionId: 's', workDir: '/w' }), REFUSED)
  }
  for (const pid of [0, 2 ** 31, 2 ** 32 - 1]) {
    assert.equal(new SessionRecord({ ...FIELDS, pid }).pid, pid)
    assert.deepEqual(sessionreg.liveness({ ...FIELDS, pid }), {
      state: 'unknown',
      reason: 'invalid',
    })
    assert.throws(() => sessionreg.writeSync('/nowhere/s', { ...FIELDS, pid }), REFUSED)
    assert.throws(() => SessionRecord.ofProcess(pid, { sessionId: 's', workDir: '/w' }), REFUSED)
  }
})

test('a time is a finite number', () => {
  for (const time of [true, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, new Date()]) {
    for (const field of ['startedAt', 'startedAtSeconds']) {
      assert.throws(() => new SessionRecord({ ...FIELDS, [field]: time }), REFUSED, String(time))
    }
  }
  assert.equal(new SessionRecord({ ...FIELDS, startedAt: -1500 }).startedAt, -1500)
})

const OTHER_FIELDS = [
  'pid',
  'startedAt',
  'startedAtSeconds',
  'pidNs',
  'timeNs',
  'revision',
  'updatedAt',
  'statusUpdatedAt',
  'terminal',
]
const TEXT_FIELDS = Object.keys({ ...new SessionRecord(FIELDS) }).filter(
  (field) => !OTHER_FIELDS.includes(field),
)

test('only strings are texts', () => {
  assert.equal(TEXT_FIELDS.length, 19)
  for (const field of TEXT_FIELDS) {
    for (const value of [1, true, {}, ['a'], 1n, Symbol('a'), new String('a'), Buffer.from('a')]) {
      const make = () => new SessionRecord({ ...FIELDS, [field]: value })
      assert.throws(make, { name: 'TypeError', ...REFUSED }, field)
    }
  }
})

test('a lone surrogate is refused and never becomes another character', () => {
  for (const field of TEXT_FIELDS) {
    for (const value of ['\ud800', 'a\udc00b', 'x\ud83d']) {
      assert.throws(() => new SessionRecord({ ...FIELDS, [field]: value }), REFUSED, field)
    }
  }
  // Not even where the halves of two fields would make one whole character between them.
  const halves = { ...FIELDS, sessionId: 'a\ud83d', workDir: '\ude00b' }
  assert.throws(() => new SessionRecord(halves), REFUSED)
  assert.throws(() => new SessionRecord({ ...FIELDS, terminal: { pane: '\ud800' } }), REFUSED)
  assert.throws(() => sessionreg.sidecarOf('qwen-code', '/\ud800', 'i'), REFUSED)
})

test('a replacement character that is one stays one', () => {
  assert.equal(new SessionRecord({ ...FIELDS, name: 'a\ufffd' }).name, 'a\ufffd')
})

test('a field of another name is refused, and one that is needed is missed', () => {
  assert.throws(() => new SessionRecord({ ...FIELDS, session_id: 's' }), /no field "session_id"/)
  assert.throws(() => new SessionRecord({ ...FIELDS, terminal: { window: '1' } }), REFUSED)
  assert.throws(() => new SessionRecord({ sessionId: 's' }), /`workDir`/)
  assert.throws(() => new SessionRecord({ workDir: '/w', sessionId: null }), /`sessionId`/)
})

test('what is no object is no record', () => {
  for (const value of [undefined, null, 1, 's', [], () => FIELDS, Symbol('r')]) {
    assert.throws(() => new SessionRecord(value), { name: 'TypeError', ...REFUSED })
    assert.throws(() => sessionreg.liveness(value), { name: 'TypeError', ...REFUSED })
  }
  assert.throws(() => sessionreg.livenessAll(5), { name: 'TypeError', ...REFUSED })
  assert.throws(() => sessionreg.livenessAll([FIELDS, 5]), { name: 'TypeError', ...REFUSED })
})

test('further keys hold what JSON has, and are never silently changed', () => {
  const loop = {}
  loop.self = loop
  const values = [Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol('a'), 1n, loop]
  for (const value of values) {
    assert.throws(() => new SessionRecord({ ...FIELDS, extra: { a: value } }), REFUSED)
    assert.throws(() => new SessionRecord({ ...FIELDS, extra: { a: [value] } }), REFUSED)
  }
  for (const extra of [5, 'a', [], true]) {
    assert.throws(() => new SessionRecord({ ...FIELDS, extra }), REFUSED)
  }
  for (const extraJson of ['', '[]', '{', '{"a":1}}', '{"a":NaN}', 'null', '{"a":01}']) {
    assert.throws(() => new SessionRecord({ ...FIELDS, extraJson }), REFUSED, extraJson)
  }
})

test('options are what they are called, and of their type', async (t) => {
  const path = join(temporaryFolder(t), 's')
  for (const options of [
    { durable: 1 },
    { durable: 'yes' },
    { createFolders: null },
    { sync: true },
    5,
    null,
  ]) {
    assert.throws(() => sessionreg.writeSync(path, FIELDS, options), {
      name: 'TypeError',
      ...REFUSED,
    })
    assert.deepEqual(await outcomeLater(() => sessionreg.write(path, FIELDS, options)), {
      error: 'INVALID_INPUT',
    })
  }
  assert.throws(() => sessionreg.sidecarOf('qwen-code', '/w', 'i', { house: '/h' }), REFUSED)
  assert.ok(!existsSync(path))
})

const BAD_PATHS = [
  undefined,
  null,
  5,
  {},
  [],
  new URL('file:///a'),
  new Uint16Array(2),
  new ArrayBuffer(2),
  'a\0b',
  Buffer.from('a\0b'),
  '',
  '\ud800',
  '/tmp/\udfff',
  '.',
  '/',
  'a/',
]

test('what is no path is refused: promises reject and do not throw', async (t) => {
  const folder = temporaryFolder(t)
  const calls = {
    write: [FIELDS],
    read: [],
    load: [],
    clear: [],
    clearIf: [new SessionRecord(FIELDS)],
  }
  const before = process.cwd()
  process.chdir(folder)
  try {
    for (const [name, args] of Object.entries(calls)) {
      for (const path of BAD_PATHS) {
        const sync = outcomeOf(() => sessionreg[`${name}Sync`](path, ...args))
        assert.deepEqual(sync, { error: 'INVALID_INPUT' }, `${name}Sync(${String(path)})`)
        assert.deepEqual(await outcomeLater(() => sessionreg[name](path, ...args)), sync, name)
      }
    }
  } finally {
    process.chdir(before)
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('promises reject, and do not throw, for what is no record', async () => {
  for (const record of [undefined, 5, {}, { ...FIELDS, pid: -1 }]) {
    assert.deepEqual(await outcomeLater(() => sessionreg.write('/nowhere/s', record)), {
      error: 'INVALID_INPUT',
    })
    assert.deepEqual(await outcomeLater(() => sessionreg.clearIf('/nowhere/s', record)), {
      error: 'INVALID_INPUT',
    })
  }
})

test('session ids and folders are strict too', () => {
  for (const id of [undefined, null, 5, {}, Buffer.from('s')]) {
    assert.throws(() => sessionreg.checkSessionId(id), { name: 'TypeError', ...REFUSED })
    assert.throws(() => sessionreg.sidecarInProject('/p', id), { name: 'TypeError', ...REFUSED })
  }
  for (const folder of [undefined, 5, 'a\0b', '\ud800', Buffer.from('a\0')]) {
    assert.throws(() => sessionreg.sidecarInProject(folder, 's'), REFUSED)
  }
  assert.throws(() => sessionreg.sidecarOf('qwen-code', '/w', 's', { home: null }), REFUSED)
  assert.throws(() => sessionreg.sidecarOf('qwen-code', 'w', 's'), REFUSED)
  assert.throws(() => sessionreg.sidecarOf('vim', '/w', 's'), REFUSED)
})

test('a handle of one kind is never taken for another, nor is anything else', async (t) => {
  const { addon } = createRequire(import.meta.url)(join(packageFolder, 'addon.cjs'))
  const call = addon()
  const folder = temporaryFolder(t)
  const table = new Float64Array(64)
  const none = Array(11)
  none[7] = false
  none.fill([], 0, 7)
  const registry = call.registryOpen(join(folder, 'sessions'), 'ours')
  const [snapshot] = call.snapshotSync(none)
  const monitor = call.monitorOpen(none, undefined, undefined)
  const watcher = call.watcherStart(() => {})
  const handles = {
    record: call.fromJson(
      '{"schema_version":1,"pid":7,"session_id":"s","work_dir":"/","hostname":"h","started_at":1}',
    ),
    registry,
    claim: null,
    session: call.registerSync(registry, ['s', '/'])[0],
    snapshot,
    monitor,
    watcher,
    reader: call.readerOpen(watcher, monitor, 1, undefined),
  }
  process.env.SESSIONREG_HOME = folder
  handles.claim = call.claimSync(registry, 'a', 's')[0]
  delete process.env.SESSIONREG_HOME
  const takers = {
    record: (handle) => call.takeApart(handle, table),
    registry: (handle) => call.registryDir(handle),
    claim: (handle) => call.releaseSync(handle),
    session: (handle) => call.sessionView(handle),
    snapshot: (handle) => call.snapshotText(handle),
    monitor: (handle) => call.askMonitorSync(handle, 'polled'),
    watcher: (handle) => call.watcherKeepAlive(handle, false),
    reader: (handle) => call.readerClose(handle),
  }
  const others = { none: undefined, null: null, object: {}, array: [], text: 'x', number: 5 }
  for (const [kind, take] of Object.entries(takers)) {
    for (const [other, handle] of Object.entries({ ...handles, ...others })) {
      if (other !== kind) assert.throws(() => take(handle), REFUSED, `${other} for a ${kind}`)
    }
    take(handles[kind])
  }
  call.callSync(handles.session, 'close')
  call.monitorClose(monitor, watcher)
})
