// Restore once on a whole host: what other processes serve or restore is left to them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import sessionreg from 'sessionreg'
import { here, packageFolder, temporaryFolder } from './helper.mjs'

const { Registry, RestoreTable } = sessionreg
const CWD = process.cwd()
const never = () => assert.fail('it is not called')

const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  )

/** A registry in a folder of its own, with its claims beside it. */
function place(t) {
  const folder = temporaryFolder(t)
  const before = process.env.SESSIONREG_HOME
  process.env.SESSIONREG_HOME = join(folder, 'home')
  t.after(() => {
    if (before === undefined) delete process.env.SESSIONREG_HOME
    else process.env.SESSIONREG_HOME = before
  })
  return join(folder, 'sessions')
}

const tableOf = (folder, options) =>
  new RestoreTable({ ...options, registry: new Registry(folder), agent: 'actor' })

/** Another process with such a table: a line is JavaScript, whose value is what it answers. */
class Other {
  static async start(t, folder, args = []) {
    const source = `
      const { Registry, RestoreTable } = require('sessionreg')
      const registry = new Registry(${JSON.stringify(folder)})
      let table = new RestoreTable({ registry, agent: 'actor' })
      const outcome = (promise) => promise.then((value) => ({ value }), ({ code, holder }) => ({ code, holder }))
      const restore = (id) => outcome(table.restore('load', id, '/', () => process.pid).then(({ state }) => state))
      const collect = async () => {
        const known = new WeakRef(table)
        table = undefined
        for (let i = 0; i < 5; i++) {
          gc()
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        return known.deref() === undefined
      }
      require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
        console.log(JSON.stringify((await eval(line)) ?? null))
      })
      console.log('null')
    `
    const child = spawn(process.execPath, [...args, '-e', source], {
      cwd: here,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const other = new Other()
    other.child = child
    other.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    t.after(() => other.kill())
    await other.lines.next()
    return other
  }

  async ask(line) {
    this.child.stdin.write(`${line}\n`)
    const { value, done } = await this.lines.next()
    assert.equal(done, false, 'it has ended')
    return JSON.parse(value)
  }

  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

test('what another process has restored is held by it, until it ends or is killed', async (t) => {
  const folder = place(t)
  const table = tableOf(folder)
  const other = await Other.start(t, folder)
  assert.deepEqual(await other.ask(`restore('s')`), { value: other.child.pid })
  const { error } = await outcome(table.restore('load', 's', CWD, never))
  assert.equal(error.code, 'HELD')
  assert.deepEqual([error.holder.pid, error.holder.sessionId], [other.child.pid, 's'])
  assert.deepEqual(table.sessions(), [], 'nothing of it is kept')
  assert.equal(await other.ask(`table.end('s')`), true)
  const lease = await table.restore('load', 's', CWD, () => 'ours')
  assert.equal((await other.ask(`restore('s')`)).holder.pid, process.pid)
  assert.equal(lease.release(), true)
  assert.deepEqual(await other.ask(`restore('s')`), { value: other.child.pid })
  await other.kill()
  assert.equal((await table.restore('load', 's', CWD, () => 'again')).state, 'again')
})

test('what another process serves is held by it, and what this one serves is its own', async (t) => {
  const folder = place(t)
  const table = tableOf(folder)
  const other = await Other.start(t, folder)
  await other.ask(
    `registry.register({ sessionId: 's', workDir: '/w', agent: 'actor' }).then(() => 1)`,
  )
  const { error } = await outcome(table.restore('load', 's', CWD, never))
  assert.equal(error.code, 'HELD')
  assert.equal(error.holder.pid, other.child.pid)
  const session = await new Registry(folder).register({
    sessionId: 't',
    workDir: '/w',
    agent: 'actor',
  })
  assert.equal((await table.restore('load', 't', CWD, () => 1)).state, 1)
  await session.close()
})

test('of many processes that restore one session at once exactly one does', async (t) => {
  const folder = place(t)
  const others = await Promise.all(Array.from({ length: 6 }, () => Other.start(t, folder)))
  for (let round = 0; round < 10; round++) {
    const found = await Promise.all(others.map((other) => other.ask(`restore('s${round}')`)))
    const winners = found.filter(({ value }) => value !== undefined)
    assert.equal(winners.length, 1, JSON.stringify(found))
    for (const { value, code } of found) if (value === undefined) assert.equal(code, 'HELD')
  }
})

test('all who share are told who holds it, by the very same error', async (t) => {
  const folder = place(t)
  const table = tableOf(folder)
  const claim = await new Registry(folder).claim('actor', 's')
  const asked = Array.from({ length: 10 }, () => outcome(table.restore('load', 's', CWD, never)))
  const errors = (await Promise.all(asked)).map(({ error }) => error)
  assert.equal(errors[0].code, 'HELD')
  assert.equal(new Set(errors).size, 1)
  await claim.release()
  assert.equal((await table.restore('load', 's', CWD, () => 1)).state, 1)
})

test('an owner who leaves while the session is being claimed runs nothing: the next one does', async (t) => {
  const folder = place(t)
  const table = tableOf(folder)
  const controller = new AbortController()
  const owner = outcome(table.restore('load', 's', CWD, never, { signal: controller.signal }))
  const sharers = ['b', 'c'].map((who) => table.restore('load', 's', CWD, () => who))
  controller.abort()
  assert.equal((await owner).error.code, 'CANCELLED')
  const leases = await Promise.all(sharers)
  assert.deepEqual(
    leases.map(({ attached, state }) => [attached, state]),
    [
      [false, 'b'],
      [true, 'b'],
    ],
  )
  for (const lease of leases) lease.release()
  await (await new Registry(folder).claim('actor', 's')).release()
})

test('what nobody waits for any more is not restored once it is claimed', async (t) => {
  const folder = place(t)
  for (const [code, leave] of [
    ['CANCELLED', ({ controller }) => controller.abort()],
    ['CLOSING', ({ table }) => table.close()],
  ]) {
    const table = tableOf(folder)
    const controller = new AbortController()
    let runs = 0
    const restore = () => {
      runs += 1
    }
    const { signal } = controller
    const asked = outcome(table.restore('load', 's', CWD, restore, { signal }))
    leave({ table, controller })
    assert.equal((await asked).error.code, code)
    await table.close()
    assert.equal(runs, 0)
    await (await new Registry(folder).claim('actor', 's')).release()
  }
})

test('a failed restore lets the claim go, and one that was abandoned when it has ended', async (t) => {
  const folder = place(t)
  const registry = new Registry(folder)
  const table = tableOf(folder)
  await outcome(table.restore('load', 's', CWD, () => Promise.reject(new Error('no'))))
  await (await registry.claim('actor', 's')).release()
  const controller = new AbortController()
  const { signal } = controller
  let end
  const begun = new Promise((resolve) => {
    const run = () => {
      resolve()
      return new Promise((done) => {
        end = done
      })
    }
    outcome(table.restore('load', 's', CWD, run, { signal }))
  })
  await begun
  controller.abort()
  await assert.rejects(registry.claim('actor', 's'), { code: 'HELD' })
  end()
  await new Promise((resolve) => setImmediate(resolve))
  await (await registry.claim('actor', 's')).release()
})

test('no claim is let go by garbage collection, nor by the end of a worker', async (t) => {
  const folder = place(t)
  const table = tableOf(folder)
  const other = await Other.start(t, folder, ['--expose-gc'])
  await other.ask(`restore('s')`)
  assert.equal(await other.ask('collect()'), true)
  assert.equal((await outcome(table.restore('load', 's', CWD, never))).error.code, 'HELD')
  const source = `
    const { Registry, RestoreTable } = require(${JSON.stringify(packageFolder)})
    const registry = new Registry(${JSON.stringify(folder)})
    const table = new RestoreTable({ registry, agent: 'actor' })
    table.restore('load', 'w', '/', () => 1).then(() => {
      // Unwanted, and kept by one who follows it.
      return table.restore('load', 'u', '/', () => 1)
    }).then((lease) => {
      globalThis.follower = table.subscribe('u')
      table.end('u', { onlyIfUnattached: true })
      lease.release()
      table.restore('load', 'v', '/', () => new Promise(() => process.exit()))
    })
  `
  await once(new Worker(source, { eval: true }), 'exit')
  for (const id of ['w', 'u', 'v']) {
    const { error } = await outcome(table.restore('load', id, CWD, never))
    assert.deepEqual([error.code, error.holder.pid], ['HELD', process.pid])
  }
})

test('workers have tables of their own, and none disturbs another', async () => {
  const source = `
    const { parentPort } = require('node:worker_threads')
    const { RestoreTable } = require(${JSON.stringify(packageFolder)})
    const table = new RestoreTable()
    let runs = 0
    const restore = async () => { runs += 1; await new Promise((resolve) => setTimeout(resolve, 5)); return {} }
    Promise.all(Array.from({ length: 100 }, () => table.restore('load', 's', '/', restore))).then((leases) => {
      parentPort.postMessage([runs, new Set(leases.map(({ state }) => state)).size])
      table.restore('load', 't', '/', () => new Promise(() => process.exit()))
    })
  `
  const found = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const worker = new Worker(source, { eval: true })
      const gone = once(worker, 'exit')
      const [message] = await once(worker, 'message')
      await gone
      return message
    }),
  )
  assert.deepEqual(found, Array(8).fill([1, 1]))
})
