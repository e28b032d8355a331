// The worked ports do what the modules did that they take the place of, and what those did not.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { ConcurrentSessions } from '../../examples/ports/concurrent-sessions.mjs'
import * as runtimeStatus from '../../examples/ports/runtime-status.mjs'

const ports = (name) => new URL(`../../examples/ports/${name}`, import.meta.url)

async function folder(t) {
  const made = await fs.mkdtemp(path.join(os.tmpdir(), 'sessionreg-ports-'))
  t.after(() => fs.rm(made, { recursive: true }))
  return made
}

const json = async (file) => JSON.parse(await fs.readFile(file, 'utf8'))

test('a sidecar moves with its session, and only its owner clears it', async (t) => {
  const chatsDir = await folder(t)
  await runtimeStatus.startRuntimeStatus({ chatsDir, sessionId: 'a', workDir: '/srv', version: '1.2.3' })
  assert.ok(runtimeStatus.isRuntimeStatusOwner())
  const written = await json(path.join(chatsDir, 'a.runtime.json'))
  // What a reader of schema 1 looks at.
  assert.equal(written.schema_version, 1)
  assert.equal(written.pid, process.pid)
  assert.equal(written.session_id, 'a')
  assert.equal(written.work_dir, '/srv')
  assert.equal(written.qwen_version, '1.2.3')

  for (let n = 0; n < 20; n++) runtimeStatus.moveRuntimeStatus(`burst-${n}`)
  await runtimeStatus.moveRuntimeStatus('b')
  assert.deepEqual(await fs.readdir(chatsDir), ['b.runtime.json'])

  // A process that did not register owns nothing, whatever it calls.
  const module = JSON.stringify(ports('runtime-status.mjs'))
  const source = `const m = await import(${module}); m.stopRuntimeStatus(); await m.moveRuntimeStatus('c')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert.deepEqual(await fs.readdir(chatsDir), ['b.runtime.json'])

  runtimeStatus.stopRuntimeStatus()
  assert.deepEqual(await fs.readdir(chatsDir), [])
  assert.ok(!runtimeStatus.isRuntimeStatusOwner())
})

const AGENT = `
  const { ConcurrentSessions } = await import(${JSON.stringify(ports('concurrent-sessions.mjs'))})
  const sessions = new ConcurrentSessions(process.argv[1])
  console.log(await sessions.register({ sessionId: 'other', cwd: '/srv', version: '2.0.0' }))
  setInterval(() => {}, 1000)
`

async function agent(configDir) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', AGENT, configDir])
  const [answer] = await once(child.stdout, 'data')
  assert.equal(answer.toString(), 'true\n')
  return child
}

test('sessions are registered, renamed, counted and swept as before', async (t) => {
  const configDir = await folder(t)
  const sessions = new ConcurrentSessions(configDir)
  assert.ok(await sessions.register({ sessionId: 'mine', cwd: '/srv', version: '2.0.0' }))
  const file = path.join(configDir, 'sessions', `${process.pid}.json`)
  // Two changes at once: both stand.
  await Promise.all([sessions.rename('a name'), sessions.activity('waiting', 'approval')])
  const written = await json(file)
  assert.equal(written.name, 'a name')
  assert.equal(written.status, 'waiting')
  assert.equal(written.waitingFor, 'approval')
  assert.equal(written.pid, process.pid)
  assert.equal(written.kind, 'interactive')
  assert.equal(typeof written.startedAt, 'number')
  if (process.platform === 'linux') {
    const stat = await fs.readFile('/proc/self/stat', 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    assert.equal(written.procStart, start, 'bare ticks, as its own readers compare them')
  }

  const other = await agent(configDir)
  assert.equal(await sessions.count(), 2)
  const notes = path.join(configDir, 'sessions', '2026-03-14_notes.md')
  await fs.writeFile(notes, 'mine')
  other.kill('SIGKILL')
  await once(other, 'exit')
  assert.equal(await sessions.count(), 1, 'the record is there, its process is not')
  assert.deepEqual(await sessions.sweep(), [other.pid])

  await sessions.move('another')
  assert.equal((await json(file)).sessionId, 'another')
  assert.equal((await json(file)).name, undefined)
  await sessions.unregister()
  assert.deepEqual(await fs.readdir(path.dirname(file)), [path.basename(notes)])
})
