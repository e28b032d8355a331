// Loading: importing does nothing at all, the first call loads, and says so if it cannot.
import assert from 'node:assert/strict'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import sessionreg from 'sessionreg'
import { installedWithoutBinary, packageFolder, run, runNode, temporaryFolder } from './helper.mjs'

const { binaryName } = createRequire(import.meta.url)(join(packageFolder, 'addon.cjs'))
const binary = join(packageFolder, binaryName())

const withEnvironment = (SESSIONREG_NATIVE) => ({ ...process.env, SESSIONREG_NATIVE })

test('importing opens no descriptor, starts no thread and installs no handler', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async () => {
  const seen = await runNode(`
    import fs from 'node:fs'
    import { createRequire } from 'node:module'
    const require = createRequire('${join(packageFolder, 'test.cjs')}')
    const status = (key) => fs.readFileSync('/proc/self/status', 'utf8').match(key)[1]
    const look = () => ({
      descriptors: fs.readdirSync('/proc/self/fd').length,
      threads: fs.readdirSync('/proc/self/task').length,
      caught: status(/SigCgt:\\s*(\\w+)/),
      ignored: status(/SigIgn:\\s*(\\w+)/),
      listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
      mapped: fs.readFileSync('/proc/self/maps', 'utf8').includes('sessionreg'),
    })
    const before = look()
    const sessionreg = require('./index.cjs')
    require('./runtime-status.cjs')
    const imported = look()
    const record = new sessionreg.SessionRecord({ sessionId: 's', workDir: '/w' })
    sessionreg.liveness(record)
    sessionreg.readSync('/nowhere/s')
    const called = look()
    // The control: this does start threads, those of libuv's pool, and they are seen.
    await sessionreg.read('/nowhere/s')
    const promised = look()
    console.log(JSON.stringify({ before, imported, called, promised }))
  `)
  assert.deepEqual(seen.imported, seen.before)
  assert.deepEqual(seen.called, { ...seen.before, mapped: true })
  assert.ok(seen.promised.threads > seen.called.threads)
})

test('what was imported keeps no process alive', async () => {
  await run(process.execPath, [
    '-e',
    `
    const sessionreg = require('sessionreg')
    sessionreg.checkSessionId('s')
    sessionreg.read('/nowhere/s')
  `,
  ])
})

test('without a binary importing works, and every call says what is missing', async (t) => {
  const folder = installedWithoutBinary(t)
  writeFileSync(
    join(folder, 'try.mjs'),
    `
    import sessionreg from 'sessionreg'
    import runtimeStatus from 'sessionreg/runtime-status'
    const { SessionRecord, version } = sessionreg
    const fields = { sessionId: 's', workDir: '/w' }
    const seen = (error) => ({ code: error.code, path: error.path, message: error.message })
    const later = async (call) => await call().then(() => 'done', seen)
    const now = (call) => { try { return call() } catch (error) { return seen(error) } }
    console.log(JSON.stringify({
      version,
      made: now(() => new SessionRecord(fields)),
      parsed: now(() => SessionRecord.fromJsonText('{}')),
      readSync: now(() => sessionreg.readSync('/p')),
      liveness: now(() => sessionreg.liveness(fields)),
      checked: now(() => sessionreg.checkSessionId('s')),
      table: now(() => new sessionreg.RestoreTable()),
      read: await later(() => sessionreg.read('/p')),
      write: await later(() => sessionreg.write('/p', fields)),
      status: await later(() => runtimeStatus.writeRuntimeStatus('/p', fields)),
      none: await runtimeStatus.readRuntimeStatus('/p'),
    }))
  `,
  )
  const { stdout } = await run(process.execPath, ['try.mjs'], {
    cwd: folder,
    env: withEnvironment(''),
  })
  const { version, none, ...failures } = JSON.parse(stdout)
  assert.equal(version, sessionreg.version)
  assert.equal(none, null)
  for (const [call, { code, path, message }] of Object.entries(failures)) {
    assert.equal(code, 'UNAVAILABLE', call)
    assert.equal(path, binaryName())
    assert.ok(message.includes(folder) && message.includes('SESSIONREG_NATIVE'), message)
  }
})

test('a binary can be named, also after a call has failed', async (t) => {
  const folder = installedWithoutBinary(t)
  const source = `
    const sessionreg = require('sessionreg')
    let code
    try { sessionreg.checkSessionId('s') } catch (error) { code = error.code }
    process.env.SESSIONREG_NATIVE = process.env.BINARY
    console.log(code, sessionreg.checkSessionId('s'))
  `
  const { stdout } = await run(process.execPath, ['-e', source], {
    cwd: folder,
    env: { ...withEnvironment(''), BINARY: binary },
  })
  assert.equal(stdout, 'UNAVAILABLE s\n')
  symlinkSync(binary, join(folder, 'linked.node'))
  const relative = `console.log(require('sessionreg').checkSessionId('s'))`
  await run(process.execPath, ['-e', relative], {
    cwd: folder,
    env: withEnvironment('linked.node'),
  })
})

test('a named binary is the only one that is tried', async (t) => {
  const folder = temporaryFolder(t)
  const broken = join(folder, 'broken.node')
  writeFileSync(broken, 'no library')
  for (const file of [broken, join(folder, 'none.node'), folder]) {
    const seen = await runNode(
      `
      import { checkSessionId } from 'sessionreg'
      try { checkSessionId('s') } catch ({ code, path, message }) { console.log(JSON.stringify({ code, path, message })) }
      `,
      { env: withEnvironment(file) },
    )
    assert.equal(seen.code, 'UNAVAILABLE')
    assert.equal(seen.path, file)
    assert.ok(seen.message.startsWith(`failed to load \`${file}\`: `), seen.message)
  }
})

test('a binary of another version is refused', async (t) => {
  const folder = installedWithoutBinary(t)
  const manifest = join(folder, 'node_modules', 'sessionreg', 'package.json')
  writeFileSync(
    manifest,
    readFileSync(manifest, 'utf8').replace(/"version": ".*"/, '"version": "9.9.9"'),
  )
  const source = `
    try { require('sessionreg').checkSessionId('s') } catch ({ code, message }) { console.log(code, message) }
  `
  const { stdout } = await run(process.execPath, ['-e', source], {
    cwd: folder,
    env: withEnvironment(binary),
  })
  assert.match(stdout, /^UNAVAILABLE .*9\.9\.9/)
})

test('import and require give one and the same', async () => {
  const required = createRequire(import.meta.url)('sessionreg')
  assert.equal(required, sessionreg)
  const named = await import('sessionreg')
  assert.deepEqual(Object.keys(named).sort(), [...Object.keys(required), 'default'].sort())
  for (const [name, value] of Object.entries(required)) assert.equal(named[name], value, name)
  const status = await import('sessionreg/runtime-status')
  assert.deepEqual(Object.keys(status).sort(), [...Object.keys(status.default), 'default'].sort())
})
