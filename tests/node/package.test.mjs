// The package as it is published: what is in it, and that its parts agree with each other.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import sessionreg from 'sessionreg'
import runtimeStatus from 'sessionreg/runtime-status'
import { packageFolder, root, run } from './helper.mjs'

const { addon } = createRequire(import.meta.url)(join(packageFolder, 'addon.cjs'))
const read = (...path) => readFileSync(join(root, ...path), 'utf8')
const types = read('bindings-node', 'index.d.ts')

/** The words of a union of strings. */
const union = (name) => {
  const [, body] = new RegExp(`export type ${name} =([^\\n]*(?:\\n {2}[^\\n]*)*)`).exec(types)
  return [...body.matchAll(/'([^']+)'/g)].map(([, word]) => word)
}

test('all parts are of one version', () => {
  const [, version] = /^version = "(.*)"$/m.exec(read('Cargo.toml'))
  assert.equal(JSON.parse(read('bindings-node', 'package.json')).version, version)
  assert.equal(sessionreg.version, version)
  assert.equal(addon().version(), version)
})

test('the types declare what is there', () => {
  const declared = (text) =>
    [...text.matchAll(/^export (?:function|const|class) (\w+)/gm)].map(([, name]) => name)
  assert.deepEqual([...new Set(declared(types))].sort(), Object.keys(sessionreg).sort())
  const statusTypes = read('bindings-node', 'runtime-status.d.ts')
  assert.deepEqual(declared(statusTypes).sort(), Object.keys(runtimeStatus).sort())
})

test('the types know every error code, state and reason, in the order of the core', () => {
  const tokens = [...read('core', 'src', 'error.rs').matchAll(/Self::\w+ => "([A-Z_]+)"/g)]
  assert.deepEqual(
    union('ErrorCode'),
    tokens.map(([, token]) => token),
  )
  const reasons = addon().reasons()
  assert.deepEqual(
    union('Reason'),
    reasons.map(([, reason]) => reason),
  )
  assert.deepEqual(new Set(union('State')), new Set(reasons.map(([state]) => state)))
})

test('no export of the addon lets a panic through', () => {
  const folder = join(packageFolder, 'src')
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs'))
  const sources = names.map((name) => readFileSync(join(folder, name), 'utf8'))
  const attributes = sources.flatMap((source) => source.match(/#\[napi\b.*/g) ?? [])
  assert.ok(attributes.length > 15)
  for (const attribute of attributes) assert.match(attribute, /catch_unwind/)
})

test('the package holds what is needed to use it, and nothing to build it', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: packageFolder,
  })
  const report = JSON.parse(stdout)
  const [{ files }] = Array.isArray(report) ? report : Object.values(report)
  const names = files.map(({ path }) => path).filter((path) => !path.endsWith('.node'))
  assert.deepEqual(names.sort(), [
    'README.md',
    'addon.cjs',
    'answers.cjs',
    'channel.cjs',
    'disposal.cjs',
    'entries.cjs',
    'index.cjs',
    'index.d.ts',
    'index.mjs',
    'json.cjs',
    'lease.cjs',
    'monitor.cjs',
    'package.json',
    'patch.cjs',
    'record.cjs',
    'registry.cjs',
    'restore.cjs',
    'runtime-status.cjs',
    'runtime-status.d.ts',
    'runtime-status.mjs',
    'snapshot.cjs',
    'subscription.cjs',
    'watcher.cjs',
  ])
  assert.ok(files.some(({ path }) => path.endsWith('.node')))
})
