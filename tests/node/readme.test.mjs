// What the package's README shows has to work as it stands.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageFolder, temporaryFolder } from './helper.mjs'

const README = readFileSync(join(packageFolder, 'README.md'), 'utf8')
const examples = [...README.matchAll(/^```js\n(.*?)^```$/gms)].map(([, source]) => source)

/** What an example is a part of. */
const AROUND = `
  import { Monitor } from 'sessionreg'
  const monitor = new Monitor()
  monitor.ref()
  const response = process.stdout
  const request = { headers: {} }
  const signal = undefined
`

/** Runs a module; one that follows changes without end is ended when it has said something. */
function run(source, folder) {
  const isEndless = source.includes('for await (const batch')
  const env = { ...process.env, HOME: folder, SESSIONREG_HOME: join(folder, 'home') }
  const child = spawn(process.execPath, ['example.mjs'], { cwd: folder, env })
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (part) => {
      said += part
    }
    child.stdout.on('data', (part) => {
      hear(part)
      if (isEndless && /\[\]|event: state/.test(said)) child.kill('SIGKILL')
    })
    child.stderr.on('data', hear)
    child.once('error', reject)
    child.once('close', (code, signal) => resolve([isEndless ? signal : code, said]))
  })
}

test('every example of the README runs', { timeout: 60_000 }, async (t) => {
  assert.ok(examples.length > 5)
  for (const example of examples) {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(packageFolder, join(folder, 'node_modules', 'sessionreg'), 'junction')
    const source = example.includes('response.write') ? AROUND + example : example
    writeFileSync(join(folder, 'example.mjs'), source)
    const [ending, said] = await run(source, folder)
    assert.equal(ending, source.includes('for await (const batch') ? 'SIGKILL' : 0, said)
  }
})
