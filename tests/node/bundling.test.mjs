// Bundles: the addon is one file beside what a bundler made.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { here, installedWithoutBinary, packageFolder, run } from './helper.mjs'

const { binaryName } = createRequire(import.meta.url)(join(packageFolder, 'addon.cjs'))
const name = binaryName()
const binary = join(packageFolder, name)

const CLI = `
  import { SessionRecord, liveness, load, write } from 'sessionreg'
  import { readRuntimeStatus } from 'sessionreg/runtime-status'
  const path = process.argv[2]
  async function main() {
    await write(path, new SessionRecord({ sessionId: 's', workDir: '/w' }))
    const record = await load(path)
    const status = await readRuntimeStatus(path)
    console.log(liveness(record).reason, status.pid === process.pid)
  }
  main().catch((error) => console.log(error.code))
`
const environment = { ...process.env, SESSIONREG_NATIVE: '' }

function cli(test) {
  const folder = installedWithoutBinary(test)
  writeFileSync(join(folder, 'cli.mjs'), CLI)
  return folder
}

/** Runs a program without its binary, with it beside the program, and with it elsewhere. */
async function check(folder, command, args) {
  const says = async (env) => {
    const all = [...args, join(folder, 's.runtime.json')]
    return (await run(command, all, { cwd: '/', env: { ...environment, ...env } })).stdout
  }
  assert.equal(await says(), 'UNAVAILABLE\n')
  copyFileSync(binary, join(folder, name))
  assert.equal(await says(), 'verified true\n')
  renameSync(join(folder, name), join(folder, 'elsewhere.node'))
  assert.equal(await says({ SESSIONREG_NATIVE: join(folder, 'elsewhere.node') }), 'verified true\n')
}

for (const format of ['cjs', 'esm']) {
  for (const minify of [false, true]) {
    test(`esbuild, ${format}${minify ? ', minified' : ''}`, async (t) => {
      const folder = cli(t)
      const outfile = join(folder, format === 'esm' ? 'out.mjs' : 'out.cjs')
      const entryPoints = [join(folder, 'cli.mjs')]
      const { warnings } = await build({
        entryPoints,
        outfile,
        format,
        minify,
        bundle: true,
        platform: 'node',
        logLevel: 'silent',
      })
      assert.deepEqual(warnings, [])
      await check(folder, process.execPath, [outfile])
    })
  }
}

const bun = join(here, 'node_modules', '.bin', 'bun')

test('bun --compile', { skip: !existsSync(bun) && 'bun is not installed' }, async (t) => {
  const folder = cli(t)
  const outfile = join(folder, 'cli')
  await run(bun, ['build', '--compile', join(folder, 'cli.mjs'), '--outfile', outfile], {
    cwd: folder,
  })
  await check(folder, outfile, [])
})
