// The examples do what they say.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Registry } from 'sessionreg'
import { packageFolder, root, run, temporaryFolder } from './helper.mjs'

/** The examples beside an installed package, and a project to try them on. */
function examples(test) {
  const folder = temporaryFolder(test)
  cpSync(join(root, 'examples', 'node'), folder, { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(packageFolder, join(folder, 'node_modules', 'sessionreg'), 'junction')
  return { folder, project: join(folder, 'project') }
}

test('serve and sessions: a session is alive, dead when it was killed, gone when it ended', async (t) => {
  const { folder, project } = examples(t)
  const serve = async (id) => {
    const child = spawn(process.execPath, ['serve.mjs', project, id], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    return child
  }
  const list = async () => {
    const { stdout } = await run(process.execPath, ['sessions.mjs', project], { cwd: folder })
    return stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t'))
      .map(([id, ...rest]) => [JSON.parse(id), ...rest])
      .sort()
  }
  const [one, two] = [await serve('one'), await serve('two')]
  const alive = ({ pid }, id) => [id, String(pid), 'alive', 'verified']
  assert.deepEqual(await list(), [alive(one, 'one'), alive(two, 'two')])
  const gone = Promise.all([once(one, 'exit'), once(two, 'exit')])
  one.kill('SIGKILL')
  two.stdin.end()
  await gone
  assert.deepEqual(await list(), [['one', String(one.pid), 'dead', 'gone']])
})

test('runtime-status: written, read and cleared', async (t) => {
  const { folder } = examples(t)
  const path = join(folder, 'chats', 's.runtime.json')
  const { stdout } = await run(process.execPath, ['runtime-status.mjs', path], { cwd: folder })
  assert.match(stdout, /^3f1c is served by \d+ on /)
  assert.ok(existsSync(join(folder, 'chats')))
  assert.deepEqual(readdirSync(join(folder, 'chats')), [])
})

test('watch: tells who is there, what changes and who goes, until it is interrupted', async (t) => {
  const { folder } = examples(t)
  const dir = join(folder, 'sessions')
  const registry = new Registry(dir)
  const session = registry.registerSync({ sessionId: 'a', workDir: '/', agent: 'my-agent' })
  const child = spawn(process.execPath, ['watch.mjs', dir], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value)
  const alive = { agent: 'my-agent', pid: process.pid, state: 'alive', reason: 'verified' }
  assert.deepEqual(await next(), { ...alive, sessionId: 'a', status: null })
  session.updateSync({ status: 'busy' })
  assert.deepEqual(await next(), { ...alive, sessionId: 'a', status: 'busy' })
  session.closeSync()
  assert.deepEqual(await next(), { gone: 'a' })
  const gone = once(child, 'exit')
  child.kill('SIGINT')
  assert.deepEqual(await gone, [0, null])
})
