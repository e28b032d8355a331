// Nothing but a call removes a record: no collected object, no ending process, no child of it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import sessionreg from 'sessionreg'
import { here, Processes, packageFolder, runNode, temporaryFolder } from './helper.mjs'

test('garbage collection removes no file, and lets go of memory', async (t) => {
  const folder = temporaryFolder(t)
  const { left, grown } = await runNode(
    `
    import fs from 'node:fs'
    import { SessionRecord, readSync, writeSync } from 'sessionreg'
    const folder = ${JSON.stringify(folder)}
    const settle = async () => {
      for (let i = 0; i < 5; i++) {
        globalThis.gc()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    for (let i = 0; i < 100; i++) {
      writeSync(folder + '/' + i, new SessionRecord({ sessionId: String(i), workDir: '/w' }))
    }
    await settle()
    const rounds = async (count) => {
      for (let i = 0; i < count; i++) {
        for (let k = 0; k < 1000; k++) readSync(folder + '/7')
        await settle()
      }
      return process.memoryUsage.rss()
    }
    const before = await rounds(10)
    const after = await rounds(40)
    console.log(JSON.stringify({ left: fs.readdirSync(folder).length, grown: after - before }))
    `,
    { args: ['--expose-gc'] },
  )
  assert.equal(left, 100)
  // 40,000 records of about 1 kB each would be 40 MB.
  assert.ok(grown < 16 * 2 ** 20, `${grown} bytes more`)
})

const ENDS = {
  'ends of itself': { source: '', code: 0 },
  'calls process.exit': { source: 'process.exit(3)', code: 3 },
  throws: { source: 'throw new Error("on purpose")', code: 1 },
  'is killed': { source: 'setInterval(() => {}, 1000)', signal: 'SIGKILL' },
  'is terminated': { source: 'setInterval(() => {}, 1000)', signal: 'SIGTERM' },
}

for (const [name, { source, code, signal }] of Object.entries(ENDS)) {
  test(`a process that ${name} leaves its record, which is dead then`, async (t) => {
    const path = join(temporaryFolder(t), 's')
    const program = `
      const sessionreg = require('sessionreg')
      sessionreg.writeSync(process.argv[1], { sessionId: 's', workDir: '/w' })
      console.log('written')
      ${source}
    `
    const child = spawn(process.execPath, ['-e', program, path], {
      cwd: here,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const gone = once(child, 'exit')
    await once(child.stdout, 'data')
    const record = sessionreg.readSync(path)
    assert.equal(record.pid, child.pid)
    if (signal) {
      assert.deepEqual(sessionreg.liveness(record), { state: 'alive', reason: 'verified' })
      child.kill(signal)
    }
    assert.deepEqual(await gone, signal ? [null, signal] : [code, null])
    assert.deepEqual(sessionreg.liveness(sessionreg.readSync(path)), {
      state: 'dead',
      reason: 'gone',
    })
  })
}

test("a child process leaves its parent's record alone, and has an identity of its own", async (t) => {
  const path = join(temporaryFolder(t), 's')
  const record = new sessionreg.SessionRecord({ sessionId: 's', workDir: '/w' })
  sessionreg.writeSync(path, record)
  const childs = await runNode(`
    import sessionreg from 'sessionreg'
    const own = new sessionreg.SessionRecord({ sessionId: 's', workDir: '/w' })
    const cleared = await sessionreg.clearIf(${JSON.stringify(path)}, own)
    console.log(JSON.stringify({ own, cleared, verdict: sessionreg.liveness(sessionreg.readSync(${JSON.stringify(path)})) }))
  `)
  assert.equal(childs.cleared, false)
  assert.notEqual(childs.own.pid, record.pid)
  assert.notEqual(childs.own.instance, record.instance)
  assert.deepEqual(childs.verdict, { state: 'alive', reason: 'verified' })
  assert.ok(sessionreg.readSync(path).equals(record))
  assert.equal(sessionreg.clearIfSync(path, record), true)
})

test('a process whose pid was used again is not alive', async (t) => {
  const processes = new Processes()
  t.after(() => processes.close())
  const former = await processes.ask('spawn reused')
  if (former.skip) {
    console.log(`skipped: ${former.skip}`)
    return
  }
  const record = {
    sessionId: 's',
    workDir: '/w',
    pid: former.pid,
    procStart: former.proc_start,
    pidInode: former.pid_inode,
    pidNs: former.pid_ns,
    timeNs: former.time_ns,
  }
  const { state } = sessionreg.liveness(record)
  assert.notEqual(state, 'alive')
})

test('a defect in the addon is an error with code PANIC, wherever it shows', async (t) => {
  const { addon } = createRequire(import.meta.url)(join(packageFolder, 'addon.cjs'))
  if (addon().panicSync === undefined) return t.skip('a release has no export that panics')
  const expected = { code: 'PANIC', message: /on purpose/ }
  assert.throws(() => addon().panicSync(), expected)
  await assert.rejects(addon().panic(), expected)
  assert.equal(sessionreg.checkSessionId('still here'), 'still here')
})
