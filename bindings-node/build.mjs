// Builds the addon and puts it where the package looks for it: `npm run build`.
import { execFileSync } from 'node:child_process'
import { copyFileSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { binaryName } = createRequire(import.meta.url)('./addon.cjs')

const { values } = parseArgs({
  options: {
    debug: { type: 'boolean', default: false },
    // As cargo knows it, for a build for another machine, with --name for the file.
    target: { type: 'string' },
    name: { type: 'string', default: binaryName() },
  },
})

const env = { ...process.env }
// Rust's musl targets link statically unless told otherwise, and then there is no shared library.
if (values.target?.endsWith('musl'))
  env.RUSTFLAGS = `${env.RUSTFLAGS ?? ''} -C target-feature=-crt-static`

const here = fileURLToPath(new URL('.', import.meta.url))
const cargo = ['build', '--quiet', '--locked', '--package', 'sessionreg-node']
if (!values.debug) cargo.push('--release')
if (values.target) cargo.push('--target', values.target)
cargo.push('--message-format', 'json')
const messages = execFileSync('cargo', cargo, {
  cwd: here,
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
  maxBuffer: 2 ** 30,
})

// Cargo says where the library is, whatever its target folder and the system's file names.
const built = messages
  .toString()
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
  .filter(
    ({ reason, target }) => reason === 'compiler-artifact' && target.name === 'sessionreg_node',
  )
  .flatMap(({ filenames }) => filenames)
  .find((file) => /\.(so|dylib|dll)$/.test(file))

// A process may have the old one loaded: it keeps it, for the name is given to another file.
const place = join(here, values.name)
copyFileSync(built, `${place}.new`)
renameSync(`${place}.new`, place)
