// The live registry: what a CLI that runs for hours needs, and what tools ask of it.
import assert from 'node:assert/strict'
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Claim, Registry, Session } from 'sessionreg'
import { here, run, runNode, temporaryFolder } from './helper.mjs'

const ME = { sessionId: 'a', workDir: '/srv/project', agent: 'my-agent' }

/** A registry in a folder of its own, with the user's claims beside it. */
function registryOf(t) {
  const folder = temporaryFolder(t)
  process.env.SESSIONREG_HOME = join(folder, 'home')
  t.after(() => delete process.env.SESSIONREG_HOME)
  return { folder, dir: join(folder, 'sessions'), registry: new Registry(join(folder, 'sessions')) }
}

const files = (dir) => (existsSync(dir) ? readdirSync(dir) : [])

/** A Node of its own that registers and stays until it is ended. */
async function agent(dir, fields = {}, then = '') {
  const source = `
    import { Registry } from 'sessionreg'
    const registry = new Registry(process.argv[1])
    const session = registry.registerSync(JSON.parse(process.argv[2]))
    ${then}
    console.log('ready')
    setInterval(() => {}, 1000)
  `
  const given = JSON.stringify({ ...ME, ...fields })
  const args = ['--input-type=module', '--eval', source, dir, given]
  const child = spawn(process.execPath, args, { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] })
  assert.equal(String((await once(child.stdout, 'data'))[0]), 'ready\n')
  return child
}

async function kill(child, signal = 'SIGKILL') {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

test('a session is registered, changed, moved and closed, in both forms of every call', async (t) => {
  const { dir, registry } = registryOf(t)
  const forms = {
    promise: (object, name, ...args) => object[name](...args),
    sync: async (object, name, ...args) => object[`${name}Sync`](...args),
  }
  for (const call of Object.values(forms)) {
    const session = await call(registry, 'register', ME)
    assert.ok(session instanceof Session)
    assert.equal(await call(session, 'update', { status: 'waiting', waitingFor: 'you' }), true)
    assert.deepEqual([session.record.status, session.record.waitingFor], ['waiting', 'you'])
    assert.equal(await call(session, 'switch', 'b', { name: 'n' }), true)
    assert.deepEqual(
      [session.sessionId, session.record.status, session.pid],
      ['b', null, process.pid],
    )
    assert.equal(await call(session, 'refresh'), true)
    const [entry] = await call(registry, 'findBySession', 'b')
    assert.ok(Object.isFrozen(entry))
    assert.deepEqual(entry.verdict.state, 'alive')
    assert.equal(entry.path, session.path)
    assert.equal(await call(registry, 'countLive'), 1)
    assert.equal((await call(registry, 'ownerOf', process.pid)).length, 1)
    assert.equal((await call(registry, 'findUnder', process.ppid)).length, 1)
    assert.equal(await call(session, 'close'), true)
    await assert.rejects(async () => call(session, 'update', {}), { code: 'CLOSED' })
    assert.deepEqual(files(dir), [])
  }
})

test('calls that nobody awaits keep their order, also against calls that are done at once', async (t) => {
  const { folder, dir, registry } = registryOf(t)
  const chats = join(folder, 'chats')
  const session = registry.registerSync({ ...ME, sidecar: join(chats, '{id}.runtime.json') })
  for (let n = 0; n < 1000; n++) session.switch(`s-${n}`)
  await session.switch('last')
  assert.deepEqual(files(chats), ['last.runtime.json'])
  assert.equal(files(dir).length, 1)
  for (let n = 0; n < 50; n++) session.switch(`t-${n}`)
  assert.equal(session.updateSync({ status: 'busy' }), true)
  assert.deepEqual([session.sessionId, session.record.status], ['t-49', 'busy'])
  session.switch('too-late')
  assert.equal(await session.close(), true)
  assert.deepEqual([files(dir), files(chats)], [[], []], 'close is the end of everything before it')
})

test('a failure goes to onError, and no call throws or rejects', async (t) => {
  const { folder, registry } = registryOf(t)
  const told = []
  const onError = (error) => told.push(error.code)
  const session = await registry.register({ ...ME, onError })
  assert.equal(await session.update({ pid: 1 }), false)
  assert.equal(session.updateSync(5), false)
  assert.equal(await session.close(), true)
  assert.equal(await session.close(), false)
  assert.deepEqual(told.splice(0), ['INVALID_INPUT', 'INVALID_INPUT', 'CLOSED'])

  writeFileSync(join(folder, 'file'), '')
  const nowhere = new Registry(join(folder, 'file', 'sessions'))
  const inert = nowhere.registerSync({ ...ME, onError })
  assert.deepEqual([inert.registered, inert.updateSync({}), inert.sessionId], [false, false, 'a'])
  const refused = await registry.register({ ...ME, sessionId: 5, onError })
  assert.deepEqual(
    [refused.registered, await refused.close(), refused.record],
    [false, false, null],
  )
  assert.deepEqual(told.splice(0), ['NOT_FOUND', 'INVALID_INPUT'])
})

test('what onError throws is an uncaught exception, and not of the call', async () => {
  const source = `
    import { Registry } from 'sessionreg'
    const session = new Registry('/proc/none').registerSync({
      sessionId: 'a', workDir: '/', onError() { throw new Error('mine') },
    })
    process.once('uncaughtException', (error) => {
      console.log(JSON.stringify([error.message, session.registered]))
    })
  `
  assert.deepEqual(await runNode(source), ['mine', false])
})

test('a hook changes the session of its agent and takes nothing away', async (t) => {
  const { dir, registry } = registryOf(t)
  const session = registry.registerSync(ME)
  const source = `
    import { Registry } from 'sessionreg'
    const registry = new Registry(process.argv[1])
    const [{ record }] = registry.ownerOfSync(process.ppid)
    const session = await registry.openSession({ pid: record.pid })
    await session.update({ status: 'waiting', waitingFor: 'permission' })
    console.log(JSON.stringify(await session.close()))
  `
  const input = ['--input-type=module', '--eval', source, dir]
  assert.equal((await run(process.execPath, input)).stdout, 'true\n')
  const [entry] = registry.liveSync()
  assert.equal(entry.record.waitingFor, 'permission')
  assert.throws(() => registry.openSessionSync({}), { code: 'INVALID_INPUT' })
  assert.throws(() => registry.openSessionSync({ sessionId: 'x' }), { code: 'NOT_FOUND' })
  session.closeSync()
})

test('however a process ends, its record stays and tells that it is gone', async (t) => {
  const { dir, registry } = registryOf(t)
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT']) await kill(await agent(dir), signal)
  const source = `
    import { Registry } from 'sessionreg'
    new Registry(process.argv[1]).registerSync({ sessionId: 'exit', workDir: '/' })
    process.exit(0)
  `
  await run(process.execPath, ['--input-type=module', '--eval', source, dir])
  const entries = registry.recordsSync()
  assert.deepEqual(
    entries.map(({ verdict }) => verdict.state),
    ['dead', 'dead', 'dead', 'dead'],
  )
  writeFileSync(join(dir, '2026-03-14_notes.md'), 'mine')
  const asked = await registry.sweep({ dryRun: true })
  assert.equal(asked.removed.length, 4)
  assert.equal(files(dir).length, 5)
  const swept = registry.sweepSync()
  assert.deepEqual(
    swept.removed.map(({ reason, record }) => [reason, record.workDir === undefined]),
    asked.removed.map(({ reason }) => [reason, false]),
  )
  assert.deepEqual(files(dir), ['2026-03-14_notes.md'])
})

test('a session keeps no process alive, nor does a claim', async (t) => {
  const { dir } = registryOf(t)
  const source = `
    import { Registry } from 'sessionreg'
    const registry = new Registry(process.argv[1])
    const session = await registry.register({ sessionId: 'a', workDir: '/' })
    const claim = await registry.claim('my-agent', 'short')
    console.log(JSON.stringify(session.registered))
  `
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source, dir])
  assert.equal(stdout, 'true\n')
})

test('neither garbage collection nor the end of a worker nor a child removes a record', async (t) => {
  const { dir, registry } = registryOf(t)
  const source = `
    const { workerData } = require('node:worker_threads')
    const { Registry } = require(workerData.module)
    new Registry(workerData.dir).registerSync({ sessionId: workerData.id, workDir: '/' })
  `
  const module = join(here, '../../bindings-node')
  for (let n = 0; n < 20; n++) {
    const worker = new Worker(source, { eval: true, workerData: { module, dir, id: `w-${n}` } })
    await once(worker, 'exit')
  }
  assert.equal(registry.countLiveSync(), 20)

  const collected = `
    import { Registry } from 'sessionreg'
    const registry = new Registry(process.argv[1])
    const handles = () => { registry.registerSync({ sessionId: 'gc', workDir: '/' }); registry.claimSync('gc', 'gc') }
    for (let n = 0; n < 5; n++) { try { handles() } catch (error) { if (error.code !== 'HELD') throw error } }
    for (let n = 0; n < 5; n++) { globalThis.gc(); await new Promise(setImmediate) }
    const held = (() => { try { registry.claimSync('gc', 'gc'); return false } catch (error) { return error.code } })()
    console.log(JSON.stringify([registry.findBySessionSync('gc').length, held]))
  `
  const args = ['--expose-gc', '--input-type=module', '--eval', collected, dir]
  assert.equal((await run(process.execPath, args)).stdout, '[5,"HELD"]\n')

  const script = join(dir, '..', 'child.cjs')
  writeFileSync(script, 'process.exit(0)')
  const child = fork(script)
  await once(child, 'exit')
  assert.equal(registry.countLiveSync(), 20)
})

test('a claim is held by one process, which the error names, and dies with it', async (t) => {
  const { dir, registry } = registryOf(t)
  const holder = await agent(dir, {}, `globalThis.claim = registry.claimSync('my-agent', 'x')`)
  await assert.rejects(registry.claim('my-agent', 'x'), (error) => {
    assert.equal(error.code, 'HELD')
    assert.deepEqual([error.holder.pid, error.holder.sessionId], [holder.pid, 'x'])
    return true
  })
  await kill(holder)
  const claim = registry.claimSync('my-agent', 'x')
  assert.ok(claim instanceof Claim)
  assert.throws(() => registry.claimSync('my-agent', 'x'), { code: 'HELD' })
  readFileSync(claim.path)
  await claim.release()
  await assert.rejects(claim.release(), { code: 'CLOSED' })
  registry.claimSync('my-agent', 'x').releaseSync()
})

test('a `using` declaration ends what it holds, and is quiet about what has ended', async (t) => {
  const { dir, registry } = registryOf(t)
  if (!Symbol.dispose) return t.skip('this Node has no Symbol.dispose')
  const session = registry.registerSync(ME)
  session[Symbol.dispose]()
  assert.deepEqual(files(dir), [])
  session[Symbol.dispose]()
  const claim = registry.claimSync('my-agent', 'y')
  await claim[Symbol.asyncDispose]()
  await claim[Symbol.asyncDispose]()
  registry.claimSync('my-agent', 'y').releaseSync()
})

test('what has ended already is no failure that a `using` declaration tells of', async (t) => {
  const { dir, registry } = registryOf(t)
  if (!Symbol.dispose) return t.skip('this Node has no Symbol.dispose')
  const told = []
  const onError = ({ code }) => told.push(code)
  const session = registry.registerSync({ ...ME, onError })
  await session.close()
  session[Symbol.dispose]()
  await session[Symbol.asyncDispose]()
  assert.deepEqual(told, [])
  assert.equal(session.closeSync(), false)
  assert.deepEqual(told, ['CLOSED'])
  const other = registry.registerSync({ ...ME, onError })
  await other[Symbol.asyncDispose]()
  assert.deepEqual([files(dir), told], [[], ['CLOSED']])
})

test('the terminal of a record may be given back in a patch, to the last digit', async (t) => {
  const { registry } = registryOf(t)
  const extraJson = ' {"__proto__": 1, "n": 123456789012345678901234567890, "tab": {"x": 1e400}} '
  const terminal = { multiplexer: 'zellij', session: 's', pane: '1', extraJson }
  const session = registry.registerSync({ ...ME, terminal: { pane: '0' } })
  session.updateSync({ status: 'busy', terminal })
  const { terminal: kept } = session.record
  assert.match(kept.extraJson, /"n":\s*123456789012345678901234567890\b/)
  assert.match(kept.extraJson, /1e400/)
  assert.match(kept.extraJson, /__proto__/)
  await session.update({ terminal: { ...kept, pane: '2' } })
  assert.deepEqual(session.record.terminal, { ...kept, pane: '2' })
  await session.update({ terminal: { extraJson: '{}' } })
  assert.deepEqual(session.record.terminal, { ...kept, pane: '2' })
  for (const wrong of ['', '{', '[]', '5', 'null', '{"a":1}}', '{"a":1},"b":{}']) {
    const patch = { terminal: { ...terminal, extraJson: wrong } }
    assert.throws(() => session.updateSync(patch), { code: 'INVALID_INPUT' }, wrong)
    await assert.rejects(session.update(patch), { code: 'INVALID_INPUT' }, wrong)
  }
  session.closeSync()
})

test('a secret is kept in the file and shown nowhere', async (t) => {
  const { registry } = registryOf(t)
  const session = registry.registerSync({ ...ME, extra: { ipcToken: 's3cr3t', other: 1 } })
  session.updateSync({ peerToken: 's3cr3t' })
  assert.equal(readFileSync(session.path, 'utf8').match(/s3cr3t/g).length, 2)
  const [entry] = registry.recordsSync()
  for (const { record } of [entry, session]) {
    assert.deepEqual(record.extra, { other: 1 })
    const shown = inspect(record, { depth: 9, showHidden: true }) + JSON.stringify(record)
    assert.ok(!`${shown}${record.toJsonText()}`.includes('s3cr3t'))
  }
  session.closeSync()
})

test('one bad file hides nothing, and is named with the reason', async (t) => {
  const { dir, registry } = registryOf(t)
  const session = registry.registerSync(ME)
  mkdirSync(join(dir, '7.json'))
  writeFileSync(join(dir, '8.json'), '{"schemaVersion": 2}')
  writeFileSync(join(dir, '9.json'), '{')
  const { entries, skipped } = await registry.scan()
  assert.equal(entries.length, 1)
  assert.deepEqual(
    skipped.map(({ path, code }) => [path.slice(dir.length + 1), code]),
    [
      ['7.json', 'NOT_A_FILE'],
      ['8.json', 'UNSUPPORTED_VERSION'],
      ['9.json', 'CORRUPT'],
    ],
  )
  for (const { reason } of skipped) assert.ok(reason.length > 5)
  session.closeSync()
})

test('paths may be bytes, and numbers are not coerced', async (t) => {
  const { folder, registry } = registryOf(t)
  const bytes = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])])
  if (process.platform === 'linux') {
    const other = new Registry(bytes)
    const session = other.registerSync(ME)
    assert.ok(Buffer.isBuffer(session.path))
    assert.ok(Buffer.isBuffer(other.dir))
    session.closeSync()
  }
  for (const pid of ['1', true, 1.5, Number.NaN, -1, 2 ** 32 + 5, 2n ** 70n, null]) {
    assert.throws(() => registry.findByPidSync(pid), { code: 'INVALID_INPUT' }, String(pid))
    await assert.rejects(registry.ownerOf(pid), { code: 'INVALID_INPUT' })
  }
  assert.deepEqual(registry.findByPidSync(0), [])
  assert.throws(() => new Registry(folder, { dialect: 'other' }), { code: 'INVALID_INPUT' })
  assert.throws(() => new Registry(folder, { dialct: 'ours' }), { code: 'INVALID_INPUT' })
  assert.throws(() => new Registry('a\0b'), { code: 'INVALID_INPUT' })
  assert.throws(() => registry.registerSync({ ...ME, sesionId: 'b' }), { code: 'INVALID_INPUT' })
})

test('the classes are made by the registry alone', () => {
  assert.throws(() => new Session(), { code: 'INVALID_INPUT' })
  assert.throws(() => new Claim(), { code: 'INVALID_INPUT' })
})
