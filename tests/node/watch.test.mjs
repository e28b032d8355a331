// Snapshots and changes: what servers, status bars and scripts build on.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  Batch,
  Monitor,
  noSources,
  Registry,
  Snapshot,
  snapshot,
  snapshotSync,
  Watch,
} from 'sessionreg'
import { here, packageFolder, run, temporaryFolder } from './helper.mjs'

const LINUX = process.platform === 'linux'

/** A registry in a folder of its own, and a monitor of nothing else. */
function monitorOf(t, options) {
  const folder = temporaryFolder(t)
  process.env.SESSIONREG_HOME = join(folder, 'home')
  const dir = join(folder, 'sessions')
  const sources = { ...noSources(), registries: [dir] }
  const monitor = new Monitor(sources, options).ref()
  t.after(() => monitor.close())
  t.after(() => delete process.env.SESSIONREG_HOME)
  return { folder, dir, sources, monitor, registry: new Registry(dir) }
}

const me = (sessionId, fields = {}) => ({ sessionId, workDir: '/srv/project', ...fields })
const ids = (sessions) => sessions.map(({ sessionId }) => sessionId)

/** How many descriptors and threads this process has. */
const has = () => ({
  fd: readdirSync('/proc/self/fd').length,
  task: readdirSync('/proc/self/task').length,
})

async function until(isSo, what) {
  const end = Date.now() + 10_000
  while (!isSo()) {
    assert.ok(Date.now() < end, what())
    await sleep(10)
  }
}

test('a reader gets the full state, then each change, and nothing twice', async (t) => {
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const batches = monitor.watch()
  const next = async () => (await batches.next()).value
  const first = await next()
  assert.ok(first instanceof Batch && Object.isFrozen(first))
  assert.deepEqual([first.reset, ids(first.added), first.removed], [true, ['a'], []])
  const [{ key }] = first.added
  session.updateSync({ status: 'busy' })
  const second = await next()
  assert.deepEqual([second.reset, second.added, second.removed], [false, [], []])
  assert.deepEqual([second.changed[0].key, second.changed[0].status], [key, 'busy'])
  session.switchSync('b')
  const third = await next()
  assert.deepEqual([third.changed[0].key, third.changed[0].sessionId], [key, 'b'])
  session.closeSync()
  assert.deepEqual((await next()).removed, [key])
  assert.equal(await monitor.wait(batches.cursor, { timeoutMs: 50 }), null)
})

test('a process that exits is a change that every reader is told of', async (t) => {
  const { dir, monitor } = monitorOf(t)
  const source = `
    import { Registry } from 'sessionreg'
    new Registry(process.argv[1]).registerSync({ sessionId: 'x', workDir: '/' })
    console.log('ready')
    setInterval(() => {}, 1000)
  `
  const args = ['--input-type=module', '--eval', source, dir]
  const child = spawn(process.execPath, args, { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const first = await monitor.wait()
  assert.equal(first.added[0].state, 'alive')
  const readers = Array.from({ length: 5 }, () => monitor.wait(first.cursor))
  child.kill('SIGKILL')
  for (const batch of await Promise.all(readers)) {
    assert.deepEqual([batch.changed[0].pid, batch.changed[0].state], [child.pid, 'dead'])
  }
})

test('a burst is folded, and its last state always arrives', async (t) => {
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const batches = monitor.watch()
  await batches.next()
  let count = 0
  for (let n = 0; n < 300; n++) await session.update({ status: `s${n}` })
  for (let status; status !== 's299'; count++)
    status = (await batches.next()).value.changed[0].status
  assert.ok(count < 300, `${count} batches`)
  assert.equal(await monitor.wait(batches.cursor, { timeoutMs: 100 }), null)
})

test('readers have cursors of their own, and one of another monitor gets the full state', async (t) => {
  const { registry, sources, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  assert.equal(cursor, monitor.snapshotSync().cursor)
  session.updateSync({ status: 'busy' })
  const one = await monitor.wait(cursor)
  assert.deepEqual([one.reset, one.changed.length], [false, 1])
  session.updateSync({ status: 'idle' })
  const two = await monitor.wait(one.cursor)
  const both = await monitor.wait(cursor)
  assert.equal(both.changed[0].status, two.changed[0].status)
  assert.equal((await monitor.watch({ cursor }).next()).value.reset, false)
  const other = new Monitor(sources).ref()
  t.after(() => other.close())
  for (const old of [cursor, two.cursor, 'nonsense', '', 'x-1']) {
    const batch = await other.wait(old)
    assert.deepEqual([batch.reset, ids(batch.added)], [true, ['a']], old)
  }
})

test('many readers at once all come to the last state', async (t) => {
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const readers = Array.from({ length: 200 }, async () => {
    for await (const { added, changed } of monitor.watch()) {
      if ([...added, ...changed].some(({ status }) => status === 'last')) return true
    }
    return false
  })
  for (let n = 0; n < 20; n++) session.updateSync({ status: `s${n}` })
  session.updateSync({ status: 'last' })
  assert.deepEqual(new Set(await Promise.all(readers)), new Set([true]))
})

test('closing ends every wait and every loop at once, and is the end of the monitor', async (t) => {
  const { registry, monitor } = monitorOf(t)
  registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  const waits = Array.from({ length: 10 }, () => monitor.wait(cursor))
  const loops = Array.from({ length: 10 }, async () => {
    let count = 0
    for await (const _ of monitor.watch({ cursor })) count += 1
    return count
  })
  const idle = monitor.watch()
  await sleep(50)
  monitor.close()
  monitor.close()
  for (const wait of waits) await assert.rejects(wait, { code: 'CLOSED' })
  assert.deepEqual(
    await Promise.all(loops),
    loops.map(() => 0),
  )
  assert.deepEqual(await idle.next(), { done: true, value: undefined })
  await assert.rejects(monitor.wait(cursor), { code: 'CLOSED' })
  await assert.rejects(monitor.snapshot(), { code: 'CLOSED' })
  await assert.rejects(monitor.polled(), { code: 'CLOSED' })
  await assert.rejects(monitor.recordTurnStart(), { code: 'CLOSED' })
  await assert.rejects(monitor.cleanUp([]), { code: 'CLOSED' })
  assert.throws(() => monitor.snapshotSync(), { code: 'CLOSED' })
  for await (const batch of monitor.watch()) assert.fail(`a batch ${batch.cursor}`)
})

test('a signal cancels one wait and no other, and says why', async (t) => {
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  const expected = { name: 'AbortError', code: 'CANCELLED', cause: 'enough' }
  const controller = new AbortController()
  const { signal } = controller
  const other = monitor.wait(cursor)
  const cancelled = monitor.wait(cursor, { signal })
  const loop = (async () => {
    for await (const _ of monitor.watch({ cursor, signal })) assert.fail('a batch')
  })()
  const idle = monitor.watch({ signal })
  await sleep(20)
  controller.abort('enough')
  await assert.rejects(cancelled, expected)
  await assert.rejects(loop, expected)
  await assert.rejects(idle.next(), expected)
  assert.deepEqual(await idle.next(), { done: true, value: undefined }, 'told once')
  await assert.rejects(monitor.wait(cursor, { signal }), expected)
  await assert.rejects(monitor.watch({ signal }).next(), expected)
  const closed = monitor.watch({ signal })
  closed.close()
  assert.equal((await closed.next()).done, true)
  session.updateSync({ status: 'busy' })
  assert.equal((await other).changed[0].status, 'busy')
})

test('a watch that is closed, or left, ends for whoever awaits it', async (t) => {
  const { registry, monitor } = monitorOf(t)
  registry.registerSync(me('a'))
  const batches = monitor.watch()
  assert.ok(batches instanceof Watch)
  assert.equal(batches.cursor, null)
  for await (const { cursor } of batches) {
    assert.equal(batches.cursor, cursor)
    break
  }
  assert.equal((await batches.next()).done, true)
  const { cursor } = monitor.snapshotSync()
  const asked = monitor.watch({ cursor })
  const answers = [asked.next(), asked.next(), asked.next()]
  await sleep(20)
  asked.close()
  assert.deepEqual(
    (await Promise.all(answers)).map(({ done }) => done),
    [true, true, true],
  )
  assert.equal((await asked.return()).done, true)
})

test('calls of `next` that are not awaited are answered in order', async (t) => {
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const batches = monitor.watch()
  const answers = [batches.next(), batches.next(), batches.next()]
  assert.equal((await answers[0]).value.reset, true)
  session.updateSync({ status: 'one' })
  assert.equal((await answers[1]).value.changed[0].status, 'one')
  session.updateSync({ status: 'two' })
  assert.equal((await answers[2]).value.changed[0].status, 'two')
})

test('a time is kept to, and an idle reader costs no time', async (t) => {
  const { registry, monitor } = monitorOf(t)
  registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  const before = process.cpuUsage()
  const started = Date.now()
  assert.equal(await monitor.wait(cursor, { timeoutMs: 300 }), null)
  assert.ok(Date.now() - started >= 299)
  assert.equal(await monitor.wait(cursor, { timeoutMs: 0 }), null)
  const { user, system } = process.cpuUsage(before)
  // A busy loop would take all of it.
  assert.ok(user + system < 150_000, `${user + system} microseconds of 300,000`)
})

test('where the system tells of all changes, nothing wakes while nothing happens', async (t) => {
  if (!LINUX) return t.skip('counts what /proc shows')
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  assert.deepEqual(await monitor.polled(), [])
  const waits = Array.from({ length: 50 }, () => monitor.wait(cursor))
  const tasks = '/proc/self/task'
  const isWatcher = (task) => readFileSync(join(tasks, task, 'comm'), 'utf8') === 'sessionreg\n'
  const [watcher, ...others] = readdirSync(tasks).filter(isWatcher)
  assert.deepEqual(others, [])
  const wakes = () => {
    const status = readFileSync(join(tasks, watcher, 'status'), 'utf8')
    return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)[1])
  }
  await sleep(300)
  const before = wakes()
  await sleep(500)
  assert.equal(wakes(), before)
  session.updateSync({ status: 'busy' })
  for (const batch of await Promise.all(waits)) assert.equal(batch.changed[0].status, 'busy')
  assert.ok(wakes() > before)
})

test('nothing is waited for in the thread pool: files are read beside any number of readers', async (t) => {
  const { registry, monitor, folder } = monitorOf(t)
  registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  const waits = Array.from({ length: 100 }, () => monitor.wait(cursor).catch(({ code }) => code))
  await sleep(50)
  writeFileSync(join(folder, 'f'), 'text')
  const late = sleep(5000, 'late', { ref: false })
  assert.equal(await Promise.race([readFile(join(folder, 'f'), 'utf8'), late]), 'text')
  monitor.close()
  assert.deepEqual(new Set(await Promise.all(waits)), new Set(['CLOSED']))
})

const LIVES = {
  'nobody asked it to stay': ['', 'waiting\n'],
  'it was asked to stay, and closed': [
    'monitor.ref(); setTimeout(() => monitor.close(), 100)',
    'waiting\nCLOSED\n',
  ],
  'it was asked to stay, and then not to': ['monitor.ref().unref()', 'waiting\n'],
}

for (const [name, [source, expected]] of Object.entries(LIVES)) {
  test(`a process that only waits ends where ${name}`, async (t) => {
    const program = `
      const { Monitor, noSources } = require(${JSON.stringify(packageFolder)})
      const monitor = new Monitor(noSources())
      ${source}
      const { cursor } = monitor.snapshotSync()
      monitor.wait(cursor).catch(({ code }) => console.log(code))
      monitor.watch().next()
      console.log('waiting')
    `
    const { stdout } = await run(process.execPath, ['-e', program], { cwd: temporaryFolder(t) })
    assert.equal(stdout, expected)
  })
}

test('a process that is asked to stay is told of a change that comes late', async (t) => {
  const { registry, dir } = monitorOf(t)
  const program = `
    import { Monitor, noSources } from 'sessionreg'
    const monitor = new Monitor({ ...noSources(), registries: [process.argv[1]] }).ref()
    const { cursor } = await monitor.wait()
    console.log('ready')
    console.log((await monitor.wait(cursor)).added[0].sessionId)
    monitor.unref()
  `
  const args = ['--input-type=module', '--eval', program, dir]
  const child = spawn(process.execPath, args, { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  await once(child.stdout, 'data')
  const gone = once(child, 'exit')
  registry.registerSync(me('late'))
  assert.deepEqual(await gone, [0, null])
  assert.equal(String(Buffer.concat(chunks)), 'ready\nlate\n')
})

test('1,000 monitors, opened, watched and closed, leave no descriptor and no thread', async (t) => {
  if (!LINUX) return t.skip('counts what /proc shows')
  const { sources } = monitorOf(t)
  const cycle = async () => {
    const monitor = new Monitor(sources).ref()
    const { cursor } = await monitor.wait()
    const waits = monitor.wait(cursor).catch(() => null)
    const batches = monitor.watch()
    await batches.next()
    const pending = batches.next()
    monitor.watch().next()
    monitor.close()
    await Promise.all([waits, pending])
  }
  for (let n = 0; n < 20; n++) await cycle()
  const before = has()
  for (let n = 0; n < 1000; n++) await cycle()
  const isSo = () => has().fd <= before.fd && has().task <= before.task
  await until(isSo, () => JSON.stringify([before, has()]))
})

test('watches that are closed, cancelled, or collected give their descriptors back', async (t) => {
  if (!LINUX) return t.skip('counts what /proc shows')
  const { dir } = monitorOf(t)
  const source = `
    import { readdirSync } from 'node:fs'
    import { Monitor, noSources } from 'sessionreg'
    const count = () => readdirSync('/proc/self/fd').length
    const settle = async (isSo) => {
      for (let n = 0; n < 500 && !isSo(); n++) {
        globalThis.gc()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const monitor = new Monitor({ ...noSources(), registries: [process.argv[1]] }).ref()
    await monitor.wait()
    const before = count()
    const ways = {
      closed: async () => {
        const watch = monitor.watch()
        await watch.next()
        watch.close()
      },
      cancelled: async () => {
        const controller = new AbortController()
        const watch = monitor.watch({ signal: controller.signal })
        await watch.next()
        controller.abort()
      },
      collected: async () => void (await monitor.watch().next()),
      monitors: async () => void (await new Monitor(noSources()).snapshot()),
    }
    const left = {}
    for (const [name, way] of Object.entries(ways)) {
      for (let n = 0; n < 50; n++) await way()
      await settle(() => count() <= before)
      left[name] = count() - before
    }
    console.log(JSON.stringify(left))
    monitor.close()
  `
  const args = ['--expose-gc', '--input-type=module', '--eval', source, dir]
  const { stdout } = await run(process.execPath, args)
  assert.deepEqual(JSON.parse(stdout), { closed: 0, cancelled: 0, collected: 0, monitors: 0 })
})

const ENDS = {
  'comes to its end': '',
  exits: 'process.exit()',
  throws: 'throw new Error("on purpose")',
  'is terminated': 'setInterval(() => {}, 1000)',
}

test('100 workers that watch, however they end, leave no descriptor and no thread', async (t) => {
  if (!LINUX) return t.skip('counts what /proc shows')
  const { registry, dir, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const first = await monitor.wait()
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { Monitor, noSources } = require(workerData.module)
    const monitor = new Monitor({ ...noSources(), registries: [workerData.dir] }).ref()
    monitor.watch().next().then(({ value }) => {
      monitor.wait(value.cursor).catch(() => {})
      parentPort.postMessage(value.added[0].sessionId)
      monitor.unref()
      `
  const ends = Object.values(ENDS)
  const cycle = async (n) => {
    const end = ends[n % ends.length]
    const workerData = { module: packageFolder, dir }
    const worker = new Worker(`${source}${end} })`, { eval: true, workerData })
    worker.on('error', (error) => assert.equal(error.message, 'on purpose'))
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    const message = await new Promise((resolve) => worker.once('message', resolve))
    if (end.includes('setInterval')) await worker.terminate()
    await gone
    assert.equal(message, 'a')
  }
  for (let n = 0; n < 8; n++) await cycle(n)
  const before = has()
  for (let n = 0; n < 100; n++) await cycle(n)
  const isSo = () => has().fd <= before.fd && has().task <= before.task
  await until(isSo, () => JSON.stringify([before, has()]))
  // The reader of this thread is as it was.
  session.updateSync({ status: 'busy' })
  assert.equal((await monitor.wait(first.cursor)).changed[0].status, 'busy')
})

test('loading, and taking snapshots, starts no thread; waiting starts one', async (t) => {
  if (!LINUX) return t.skip('counts what /proc shows')
  const program = `
    const { readdirSync } = require('node:fs')
    const { Monitor, noSources, snapshotSync } = require(${JSON.stringify(packageFolder)})
    const count = () => readdirSync('/proc/self/task').length
    snapshotSync(noSources())
    const before = count()
    const monitors = [1, 2, 3].map(() => new Monitor(noSources()))
    monitors.map((monitor) => monitor.snapshotSync())
    const opened = count()
    for (const monitor of monitors) monitor.wait()
    console.log(JSON.stringify([opened - before, count() - opened]))
  `
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: temporaryFolder(t) })
  assert.deepEqual(JSON.parse(stdout), [0, 1])
})

test('a process whose signals come while it waits goes on waiting', async (t) => {
  const { registry, monitor } = monitorOf(t)
  const session = registry.registerSync(me('a'))
  const { cursor } = await monitor.wait()
  let signals = 0
  const count = () => {
    signals += 1
  }
  process.on('SIGUSR2', count)
  t.after(() => process.off('SIGUSR2', count))
  const wait = monitor.wait(cursor)
  for (let n = 0; n < 20; n++) {
    process.kill(process.pid, 'SIGUSR2')
    await sleep(2)
  }
  await until(
    () => signals > 0,
    () => 'no signal came',
  )
  session.updateSync({ status: 'busy' })
  assert.equal((await wait).changed[0].status, 'busy')
})

test('a snapshot, in both forms and of a monitor, is one frozen view of the sessions', async (t) => {
  const { registry, dir, sources, monitor } = monitorOf(t)
  const extra = { big: 1, list: ['é'] }
  const terminal = { multiplexer: 'tmux', session: 's', pane: '%1', extraJson: '{"x": 1e400}' }
  registry.registerSync(me('b', { status: 'busy', extra, terminal }))
  writeFileSync(join(dir, '9.json'), '{')
  const taken = [await snapshot(sources), snapshotSync(sources), await monitor.snapshot()]
  for (const found of taken) {
    assert.ok(found instanceof Snapshot && Object.isFrozen(found))
    const [session] = found.sessions
    assert.ok(Object.isFrozen(found.sessions) && Object.isFrozen(session))
    assert.equal(Object.getPrototypeOf(session), Object.prototype)
    assert.deepEqual(session, taken[0].sessions[0])
    assert.deepEqual([session.extra, JSON.parse(session.extraJson)], [extra, extra])
    assert.deepEqual(session.terminal, { ...terminal, extraJson: '{"x":1e400}' })
    const { record } = registry.liveSync()[0]
    assert.deepEqual([session.startedAt, session.workDir], [record.startedAt, record.workDir])
    assert.ok(Math.abs(Date.now() - found.takenAt) < 60_000)
    assert.deepEqual(
      [found.skipped[0].code, found.skipped[0].path],
      ['CORRUPT', join(dir, '9.json')],
    )
    assert.equal(found.findByPid(process.pid)[0], session)
    assert.equal(found.ownerOf(process.pid)[0], session)
    assert.equal(found.findUnder(process.ppid)[0], session)
    assert.deepEqual([found.countLive(), found.live().length], [1, 1])
    const plain = JSON.parse(JSON.stringify(found))
    assert.equal(plain.sessions[0].sessionId, 'b')
    assert.equal(JSON.parse(found.toJsonText()).sessions[0].session_id, 'b')
    assert.deepEqual(structuredClone(found.toJSON()).sessions[0], session)
    for (const wrong of ['1', null, 1.5, -1, 2 ** 32]) {
      assert.throws(() => found.findByPid(wrong), { code: 'INVALID_INPUT' })
    }
    assert.deepEqual(found.findBySession('none'), [])
  }
  assert.equal(taken[0].cursor, '')
})

test('a path that is no text is given as the bytes that it is', async (t) => {
  if (!LINUX) return t.skip('paths of this system are text')
  const { folder } = monitorOf(t)
  const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])])
  const registry = new Registry(odd)
  const session = registry.registerSync(me('a'))
  const bad = Buffer.concat([odd, Buffer.from('/8.json')])
  writeFileSync(bad, '{')
  const sources = { ...noSources(), registries: [odd] }
  const found = snapshotSync(sources)
  assert.deepEqual(found.sessions[0].files, [session.path])
  assert.deepEqual(found.skipped[0].path, bad)
  const monitor = new Monitor(sources).ref()
  assert.deepEqual((await monitor.wait()).added[0].files, [session.path])
  monitor.close()
})

test('what is not taken is refused, and by promises never before they return', async (t) => {
  const { sources, monitor } = monitorOf(t)
  const refused = { code: 'INVALID_INPUT' }
  for (const wrong of [
    { registries: '/p' },
    { codex: 5 },
    { hooks: null },
    { hooks: [5] },
    { hooks: [null] },
    { claude: [] },
    { processes: 1 },
    { superseded: 'yes' },
    { deadWithinMs: -1 },
    { deadWithinMs: Number.NaN },
    { deadWithinMs: '1' },
    { deadWithinMs: 1n },
    [],
    null,
    '/p',
  ]) {
    assert.throws(() => snapshotSync(wrong), refused, JSON.stringify(String(wrong)))
    await assert.rejects(snapshot(wrong), refused)
    assert.throws(() => new Monitor(wrong), refused)
  }
  for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '1', true, null, 1n]) {
    assert.throws(() => new Monitor(sources, { foldMs: wrong }), refused, String(wrong))
    assert.throws(() => new Monitor(sources, { pollMs: wrong }), refused, String(wrong))
  }
  for (const timeoutMs of [-1, Number.NaN, '1', true, null, 1n, 1e300]) {
    await assert.rejects(monitor.wait(null, { timeoutMs }), refused, String(timeoutMs))
  }
  for (const cursor of [5, {}, true, '\ud800']) {
    await assert.rejects(monitor.wait(cursor), refused)
    await assert.rejects(monitor.watch({ cursor }).next(), refused)
  }
  for (const signal of [null, 5, {}, 'abort']) {
    await assert.rejects(monitor.wait(null, { signal }), refused)
    assert.throws(() => monitor.watch({ signal }), refused)
  }
  await assert.rejects(monitor.wait(null, { timeout: 5 }), refused)
  assert.throws(() => monitor.watch({ timeoutMs: 5 }), refused)
  assert.throws(() => monitor.cleanUpSync('/p'), refused)
  assert.throws(() => monitor.cleanUpSync([5]), refused)
  await assert.rejects(monitor.cleanUp([], { dryRun: 1 }), refused)
  for (const Class of [Snapshot, Watch, Batch]) assert.throws(() => new Class(), refused)
  assert.notEqual(await monitor.wait(null, { timeoutMs: Number.POSITIVE_INFINITY }), null)
  snapshotSync({ ...sources, deadWithinMs: Number.POSITIVE_INFINITY })
})

test('what is polled is named, and looked at as often as is said', async (t) => {
  const { dir } = monitorOf(t)
  const monitor = new Monitor(
    { ...noSources(), registries: [dir], processes: true },
    { pollMs: 50 },
  )
  const polled = await monitor.polled()
  assert.ok(polled.some(({ what, everyMs }) => what === 'processes' && everyMs === 50))
  assert.deepEqual(monitor.polledSync(), polled)
  monitor.close()
})

/** A data folder fed by hooks, with a session of claude on a transcript. */
function hooks(folder) {
  const data = join(folder, 'amc')
  mkdirSync(join(data, 'sessions'), { recursive: true })
  mkdirSync(join(data, 'events'))
  const transcript = join(folder, 't.jsonl')
  const usage = { input_tokens: 1000, output_tokens: 1 }
  writeFileSync(transcript, `${JSON.stringify({ message: { usage } })}\n`)
  const put = (name, fields) => {
    const path = join(data, 'sessions', `${name}.json`)
    writeFileSync(`${path}.new`, JSON.stringify({ session_id: name, ...fields }))
    renameSync(`${path}.new`, path)
    return path
  }
  return { data, transcript, put }
}

test('clean-up goes where it is sent, tells before it acts, and takes nothing else', async (t) => {
  const { folder, monitor } = monitorOf(t)
  const { data } = hooks(folder)
  const old = Date.now() / 1000 - 100_000
  const orphan = join(data, 'events', 'gone.jsonl')
  for (const name of ['gone.jsonl', 'new.jsonl', 'other.txt']) {
    writeFileSync(join(data, 'events', name), '{}\n')
  }
  utimesSync(orphan, old, old)
  utimesSync(join(data, 'events', 'other.txt'), old, old)
  const expected = [{ path: orphan, reason: 'orphan' }]
  assert.deepEqual(await monitor.cleanUp([data], { dryRun: true }), {
    removed: expected,
    failed: [],
  })
  assert.ok(existsSync(orphan))
  assert.deepEqual(monitor.cleanUpSync([]), { removed: [], failed: [] })
  assert.ok(existsSync(orphan), 'not named, not touched')
  const { removed } = monitor.cleanUpSync(new Set([Buffer.from(data)]))
  assert.deepEqual(removed, expected)
  assert.deepEqual(readdirSync(join(data, 'events')).sort(), ['new.jsonl', 'other.txt'])
  assert.deepEqual(await monitor.cleanUp([data]), { removed: [], failed: [] })
})

test('the beginning of a turn is recorded in our home, and the file of the hook stays', async (t) => {
  const { folder } = monitorOf(t)
  const { data, transcript, put } = hooks(folder)
  const path = put('s', {
    agent: 'claude',
    status: 'active',
    last_event: 'UserPromptSubmit',
    transcript_path: transcript,
    cwd: '/srv/project',
    updated_at: Date.now() / 1000,
  })
  const before = readFileSync(path, 'utf8')
  const monitor = new Monitor({ ...noSources(), hooks: [data] }).ref()
  t.after(() => monitor.close())
  const [session] = monitor.snapshotSync().sessions
  assert.deepEqual(
    [session.contextUsage, session.turnStartTokens],
    [{ currentTokens: 1001, window: null }, 1001],
  )
  assert.equal(session.transcript.path, transcript)
  assert.match(session.transcript.mtimeNs, /^\d{19}$/)
  assert.equal(await monitor.recordTurnStart(), 1)
  assert.equal(monitor.recordTurnStartSync(), 0)
  assert.equal(readFileSync(path, 'utf8'), before)
})

test('a `using` declaration closes a monitor and a watch', async (t) => {
  if (!Symbol.dispose) return t.skip('this Node has no Symbol.dispose')
  const { monitor } = monitorOf(t)
  const batches = monitor.watch()
  await batches[Symbol.asyncDispose]()
  assert.equal((await batches.next()).done, true)
  monitor[Symbol.dispose]()
  await monitor[Symbol.asyncDispose]()
  assert.throws(() => monitor.snapshotSync(), { code: 'CLOSED' })
})
