// Records as values of JavaScript.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { clearIfSync, liveness, loadSync, SessionRecord, write, writeSync } from 'sessionreg'
import { fineTimes, Processes, temporaryFolder } from './helper.mjs'

// Every field, each with a value of its own: one in another's place would show.
const FULL = {
  pid: 4242,
  sessionId: 'séance-中文-😀',
  workDir: '/srv/😀/projet',
  hostname: 'hôte',
  startedAt: 1763690000125,
  startedAtSeconds: 1763690000.125,
  agentVersion: '1.2.3',
  procStart: 'a0817061-b481-495a-9477-a8968e34da2c:302587',
  pidInode: '18446744073709551615',
  hostKey: '4c1571c4b120892162f9ef0063bb9877',
  platform: 'linux',
  pidNs: 4026531836,
  timeNs: 4026531834,
  instance: 'ad66fae6c87597620a545db652c50aa5',
  revision: Number.MAX_SAFE_INTEGER,
  agent: 'qwen-code',
  kind: 'interactive',
  name: 'ein Name, ohne 😀 kein Spaß',
  entrypoint: 'cli',
  transcriptPath: '/srv/log',
  parentSessionId: 'parent',
  status: 'waiting',
  waitingFor: 'une réponse',
  updatedAt: 1763690000126,
  statusUpdatedAt: 1763690000127,
  terminal: { multiplexer: 'tmux', session: 'work', pane: '%3' },
  versionKey: 'qwen_version',
  extraJson: '{"a":1,"b":[true,null]}',
}
const MINIMAL = { sessionId: 's', workDir: '/w' }

test('every field comes back as it was given', () => {
  assert.deepEqual({ ...new SessionRecord(FULL) }, FULL)
})

test('every field survives a file', (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  writeSync(path, FULL)
  assert.deepEqual({ ...loadSync(path) }, FULL)
})

test('a field that is absent is null, whether it was left out, undefined or null', () => {
  const given = { ...MINIMAL, pid: 1, hostname: 'h', startedAt: 5 }
  const leftOut = new SessionRecord(given)
  const nulls = new SessionRecord({
    ...given,
    agent: null,
    terminal: null,
    extra: null,
    kind: null,
  })
  const undef = new SessionRecord({ ...given, agent: undefined, terminal: undefined })
  assert.equal(leftOut.agent, null)
  assert.equal(leftOut.terminal, null)
  assert.ok(leftOut.equals(nulls))
  assert.ok(leftOut.equals(undef))
})

test('null takes away what a record of the own process would have', () => {
  const own = new SessionRecord(MINIMAL)
  assert.match(own.instance, /^[0-9a-f]{32}$/)
  assert.equal(own.pid, process.pid)
  assert.equal(own.revision, 1)
  const bare = new SessionRecord({ ...MINIMAL, instance: null, revision: null, hostKey: null })
  assert.equal(bare.instance, null)
  assert.equal(bare.revision, null)
  assert.equal(bare.hostKey, null)
  assert.equal(bare.procStart, own.procStart)
})

test('a record is frozen', () => {
  const record = new SessionRecord(FULL)
  assert.ok(Object.isFrozen(record))
  assert.ok(Object.isFrozen(record.terminal))
  assert.ok(Object.isFrozen(record.extra))
  assert.throws(() => {
    record.pid = 1
  }, TypeError)
})

test('further keys are parsed only when they are asked for, and their text loses nothing', (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const seven = new SessionRecord({ ...MINIMAL, pid: 7 }).toJsonText().slice(0, -2)
  writeFileSync(
    path,
    `${seven},\n  "big": 12345678901234567890.5,\n  "deep": ${'['.repeat(20000)}${']'.repeat(20000)}\n}`,
  )
  const record = loadSync(path)
  assert.match(record.extraJson, /"big":12345678901234567890\.5/)
  assert.equal(record.extra.big, 12345678901234567000)
  assert.ok(Array.isArray(record.extra.deep))
  // Neither JSON.stringify nor a copy fails for it, though it nests deeper than the stack.
  assert.equal(JSON.parse(JSON.stringify(record)).extraJson, record.extraJson)
  writeSync(path, { ...record })
  assert.ok(loadSync(path).equals(record))
})

test('further keys of a copy can be changed beside the text that came with it', () => {
  const copy = new SessionRecord({ ...new SessionRecord(FULL), extra: { c: 'new' } })
  assert.deepEqual(copy.extra, { c: 'new' })
  assert.equal(new SessionRecord({ ...copy, extra: null }).extraJson, null)
})

test('keys of a terminal that are not known survive every copy', () => {
  const text = new SessionRecord({
    sessionId: 's',
    workDir: '/w',
    pid: 1,
    terminal: { pane: '%3' },
  })
    .toJsonText()
    .replace('"pane": "%3"', '"pane": "%3",\n    "window": 1.50')
  const record = SessionRecord.fromJsonText(text)
  assert.equal(record.terminal.extraJson, '{"window":1.50}')
  for (const copy of [{ ...record }, structuredClone({ ...record })]) {
    assert.equal(new SessionRecord(copy).toJsonText(), text)
  }
  const wrong = { sessionId: 's', workDir: '/w', terminal: { extraJson: '[]' } }
  assert.throws(() => new SessionRecord(wrong), { code: 'INVALID_INPUT' })
})

test('a key named __proto__ is a key', () => {
  const record = new SessionRecord({ ...MINIMAL, extraJson: '{"__proto__":{"polluted":true}}' })
  assert.deepEqual(Object.keys(record.extra), ['__proto__'])
  assert.equal(record.extra.polluted, undefined)
})

test('a copy through JSON, structuredClone or a port says the same', async () => {
  const record = new SessionRecord(FULL)
  assert.ok(record.equals(JSON.parse(JSON.stringify(record))))
  assert.ok(record.equals(structuredClone(record)))
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(record)
  const [copy] = await once(port2, 'message')
  port1.close()
  assert.ok(record.equals(copy))
})

test('records are equal if they say the same', () => {
  const record = new SessionRecord(FULL)
  assert.ok(record.equals(new SessionRecord(FULL)))
  for (const [field, value] of Object.entries({ ...FULL, terminal: null })) {
    const other = typeof value === 'number' ? value - 1 : value === null ? null : `${value}x`
    // One is a set of keys and no value, the other gives way to `startedAt`.
    if (field === 'extraJson' || field === 'startedAtSeconds') continue
    assert.ok(!record.equals({ ...FULL, [field]: other }), field)
  }
})

test('a time in seconds comes back exactly, also through a copy', (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const text = (time) =>
    new SessionRecord({ ...MINIMAL, pid: 7, startedAt: 0 })
      .toJsonText()
      .replace('"started_at": 0', `"started_at": ${time}`)
  for (const time of ['0', '1763690000', '1763690000.125', '1763690000.123457', '0.1', '1.5e-7']) {
    writeFileSync(path, text(time))
    const record = loadSync(path)
    writeSync(path, record)
    const direct = JSON.parse(readFileSync(path, 'utf8')).started_at
    assert.equal(direct, Number(time))
    writeSync(path, { ...record })
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).started_at, Number(time), 'a copy')
  }
  assert.equal(SessionRecord.fromJsonText(text('1763690000.001')).startedAt, 1763690000001)
})

test('every kind of copy is the record that was read, however fine its time', (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const written = JSON.parse(new SessionRecord({ ...MINIMAL, pid: 7 }).toJsonText())
  const copies = [
    (record) => ({ ...record }),
    (record) => structuredClone(record),
    (record) => JSON.parse(JSON.stringify(record)),
  ]
  for (const [index, time] of fineTimes(2000).entries()) {
    writeFileSync(path, JSON.stringify({ ...written, started_at: time }))
    const record = loadSync(path)
    assert.equal(record.startedAtSeconds, time)
    assert.ok(Math.abs(record.startedAt - time * 1000) < 0.001)
    for (const copy of copies) assert.ok(record.equals(copy(record)), String(time))
    assert.equal(clearIfSync(path, copies[index % copies.length](record)), true, String(time))
  }
})

test('a time that is changed in a copy is the one that counts', () => {
  const record = new SessionRecord(FULL)
  const later = new SessionRecord({ ...record, startedAt: FULL.startedAt + 1 })
  assert.equal(later.startedAt, FULL.startedAt + 1)
  assert.equal(later.startedAtSeconds, (FULL.startedAt + 1) / 1000)
  const { startedAtSeconds } = new SessionRecord({ ...MINIMAL, startedAtSeconds: 1.25 })
  assert.equal(startedAtSeconds, 1.25)
})

test('a further key that is half a character is one, and is written escaped', (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const record = new SessionRecord({ ...MINIMAL, extra: { '\ud800': 1 } })
  assert.deepEqual(record.extra, { '\ud800': 1 })
  writeSync(path, record)
  const text = readFileSync(path, 'utf8')
  assert.ok(text.includes('"\\ud800": 1'), text)
  assert.equal(JSON.parse(text)['\ud800'], 1)
  assert.ok(loadSync(path).equals(record))
})

test('a record by default begins now, in whole milliseconds', () => {
  const before = Date.now()
  const { startedAt } = new SessionRecord(MINIMAL)
  assert.ok(Number.isInteger(startedAt))
  assert.ok(startedAt >= before && startedAt <= Date.now())
})

test('another process is looked up only where that is asked for', async (t) => {
  const processes = new Processes()
  t.after(() => processes.close())
  const { pid, proc_start: start } = await processes.ask('spawn living')
  const known = SessionRecord.ofProcess(pid, { ...MINIMAL, agent: 'codex' })
  assert.equal(known.agent, 'codex')
  if (!start.includes('$')) assert.equal(known.procStart, start)
  assert.deepEqual(liveness(known), { state: 'alive', reason: 'verified' })
  assert.equal(new SessionRecord({ ...MINIMAL, pid }).procStart, null)
  const gone = await processes.ask('spawn gone')
  assert.throws(() => SessionRecord.ofProcess(gone.pid, MINIMAL), { code: 'NOT_FOUND' })
})

test('a record shows its fields when it is printed', () => {
  assert.match(
    inspect(new SessionRecord(FULL)),
    /^SessionRecord \{\n {2}pid: 4242,\n {2}sessionId:/,
  )
})

test('a getter that makes records itself does not disturb the one being made', async (t) => {
  const path = join(temporaryFolder(t), 's.runtime.json')
  const fields = {
    pid: 7,
    get sessionId() {
      return new SessionRecord({ ...FULL, sessionId: 'from a getter' }).sessionId
    },
    workDir: '/w',
    extra: {
      get a() {
        return new SessionRecord(FULL).pid
      },
    },
  }
  await write(path, fields)
  const { sessionId, pid, extra } = loadSync(path)
  assert.deepEqual(
    { sessionId, pid, extra },
    { sessionId: 'from a getter', pid: 7, extra: { a: 4242 } },
  )
})
