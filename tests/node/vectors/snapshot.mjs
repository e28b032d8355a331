// The operations `snapshot` and `watch`, through one of the two forms of each call.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import sessionreg from 'sessionreg'
import { camel } from './record.mjs'
import { registryForms } from './registry.mjs'
import { put, remove } from './tree.mjs'

const PATIENCE_MS = 10_000
const SECRET = 's3cr3t'

export async function snapshot({ given, expect, texts, disk, call }) {
  await prepared({ given, texts, disk }, async (sources, compareAll) => {
    const before = disk.contents()
    const check = (found) => {
      compareAll(found.sessions, expect.sessions)
      const { sessions } = JSON.parse(found.toJsonText())
      assert.equal(sessions.length, found.sessions.length)
      for (const [at, session] of found.sessions.entries()) sameButForTimes(session, sessions[at])
      const wanted = (expect.skipped ?? []).map(({ file, error }) => ({
        path: disk.beside(texts.text(file)),
        code: error,
      }))
      const short = ({ path, code }) => ({ path: String(path), code })
      assert.deepEqual(found.skipped.map(short), wanted, 'what was skipped')
      assert.equal(found.deadBefore, expect.dead_before ?? 0)
      checkQueries(found)
      const shown = inspect(found, { depth: 9, showHidden: true }) + JSON.stringify(found)
      assert.ok(!`${shown}${found.toJsonText()}`.includes(SECRET), 'a secret is shown')
    }
    check(value(await call(sessionreg, 'snapshot', sources)))

    const monitor = new sessionreg.Monitor(sources).ref()
    try {
      const first = value(await call(monitor, 'snapshot'))
      check(first)
      const second = value(await call(monitor, 'snapshot'))
      assert.deepEqual(second.sessions, first.sessions, 'a second snapshot')
      const batch = await monitor.wait(null, { timeoutMs: PATIENCE_MS })
      assert.equal(batch.reset, true)
      assert.deepEqual(batch.added, first.sessions, 'the first batch')
    } finally {
      monitor.close()
    }
    assert.deepEqual(disk.contents(), before, 'the files are as they were')
  })
}

/** One form goes on from cursor to cursor, the other one iterates. */
export async function watch({ given, texts, disk, call, processes }) {
  await prepared({ given, texts, disk }, async (sources, compareAll) => {
    const monitor = new sessionreg.Monitor(sources).ref()
    const batches = monitor.watch()
    const table = new Map()
    let cursor
    const next =
      call === registryForms.sync
        ? () => monitor.wait(cursor, { timeoutMs: PATIENCE_MS })
        : async () => (await batches.next()).value
    const take = (batch) => {
      if (batch.reset) table.clear()
      for (const session of [...batch.added, ...batch.changed]) table.set(session.key, session)
      for (const key of batch.removed) table.delete(key)
      cursor = batch.cursor
    }
    const late = new AbortController()
    try {
      for (const [at, step] of given.steps.entries()) {
        await act(step, { disk, texts, processes })
        const end = sleep(PATIENCE_MS, null, { signal: late.signal }).catch(() => null)
        for (;;) {
          const found = [...table.values()].sort(byIdAndPid)
          try {
            assert.notEqual(cursor, undefined, 'there was no batch')
            compareAll(found, step.expect.sessions)
            break
          } catch (error) {
            const batch = await Promise.race([next(), end])
            if (batch === null) throw new Error(`step ${at + 1}: ${error.message}`)
            take(batch)
          }
        }
      }
      monitor.close()
      await assert.rejects(monitor.wait(cursor), { code: 'CLOSED' })
      assert.equal((await batches.next()).done, true)
    } finally {
      monitor.close()
      late.abort()
    }
  })
}

/** Puts the files of a case, and looks for sessions in it and nowhere else. */
async function prepared({ given, texts, disk }, run) {
  const home = process.env.SESSIONREG_HOME
  process.env.SESSIONREG_HOME = disk.beside('home')
  try {
    for (const file of given.files) {
      await put(disk, texts.text(file.path), file, texts, disk.beside('target'))
    }
    const compareAll = (sessions, expected) => {
      const ids = sessions.map(({ sessionId }) => sessionId)
      assert.deepEqual(
        ids,
        expected.map(({ session_id: id }) => (id == null ? null : texts.text(id))),
        'the session ids',
      )
      for (const [at, wanted] of expected.entries()) compare(sessions[at], wanted, texts, disk)
    }
    await run(sourcesOf(given.sources, disk), compareAll)
  } finally {
    if (home === undefined) delete process.env.SESSIONREG_HOME
    else process.env.SESSIONREG_HOME = home
  }
}

function sourcesOf(given, disk) {
  const sources = sessionreg.noSources()
  for (const [name, value] of Object.entries(given)) {
    if (name === 'superseded') sources.superseded = value
    else if (name === 'dead_within') sources.deadWithinMs = value * 1000
    else {
      assert.ok(Array.isArray(sources[camel(name)]), `no such source: ${name}`)
      sources[camel(name)] = value.map((path) => disk.beside(path))
    }
  }
  return sources
}

async function act({ do: name, args }, { disk, texts, processes }) {
  if (name === 'put_file') await put(disk, texts.text(args.path), args, texts)
  else if (name === 'remove_file') remove(disk, texts.text(args.path))
  else if (name === 'end') await processes.ask(`end ${texts.fact('pid')}`)
  else assert.equal(name, 'check', `no such step: ${name}`)
}

/** Of equal ones the order is that of a stable sort. */
function byIdAndPid(one, other) {
  const order = (a, b) => (a < b ? -1 : Number(a > b))
  return order(one.sessionId ?? '', other.sessionId ?? '') || order(one.pid ?? -1, other.pid ?? -1)
}

const TIMES = new Set(['started_at', 'updated_at'])

/** Of finer times than microseconds, no number of milliseconds may be theirs alone. */
function sameButForTimes(session, parsed) {
  const own = inJson(session)
  for (const name of TIMES) {
    if (own[name] !== undefined) {
      assert.ok(Math.abs(own[name] - parsed[name]) < 1e-6, name)
      own[name] = parsed[name]
    }
  }
  assert.deepEqual(own, parsed, 'a session of the text')
}

/** A session as the text of JSON has it, by what JavaScript says of it. */
function inJson(session) {
  const { extraJson, ...known } = session
  assert.equal(extraJson === null, Object.keys(known.extra).length === 0)
  return named(known)
}

function named(object) {
  const members = Object.entries(object).flatMap(([key, value]) => {
    if (value === null) return []
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    if (name === 'extra' || Array.isArray(value)) return [[name, value]]
    if (name === 'extra_json') return Object.entries(JSON.parse(value))
    if (TIMES.has(name)) return [[name, value / 1000]]
    return [[name, typeof value === 'object' ? named(value) : value]]
  })
  return Object.fromEntries(members)
}

function compare(session, expected, texts, disk) {
  const found = inJson(session)
  for (const [key, given] of Object.entries(expected)) {
    assert.ok(camel(key) in session, `no such field: ${key}`)
    const what = `${key} of ${session.sessionId}`
    let wanted = texts.deep(given)
    if (wanted === '<any>') {
      assert.ok(key in found, what)
      continue
    }
    if (key === 'files') wanted = wanted.map((path) => disk.beside(path))
    if (key === 'transcript' && wanted !== null) {
      for (const [part, value] of Object.entries(wanted)) {
        if (value === '<any>') assert.ok(part in found.transcript, `${part} of ${what}`)
        else {
          const whole = part === 'path' ? disk.beside(value) : value
          assert.deepEqual(found.transcript[part], whole, `${part} of ${what}`)
        }
      }
    } else assert.deepEqual(found[key] ?? null, wanted, what)
  }
}

/** Every question gives the sessions of the list that say the same, themselves. */
function checkQueries(found) {
  const same = (name, answer, isWanted) => {
    const wanted = found.sessions.filter(isWanted)
    assert.equal(answer.length, wanted.length, name)
    for (const [at, session] of answer.entries()) assert.equal(session, wanted[at], name)
  }
  const isLive = ({ state }) => state === 'alive'
  same('live', found.live(), isLive)
  assert.equal(found.countLive(), found.sessions.filter(isLive).length)
  for (const { pid, sessionId, workDir } of found.sessions) {
    if (pid !== null) same('findByPid', found.findByPid(pid), (of) => of.pid === pid)
    if (sessionId !== null) {
      same('findBySession', found.findBySession(sessionId), (of) => of.sessionId === sessionId)
    }
    if (workDir !== null) {
      same('findByWorkDir', found.findByWorkDir(workDir), (of) => of.workDir === workDir)
    }
  }
}

function value({ error, thrown, value }) {
  if (error !== undefined) throw thrown
  return value
}
