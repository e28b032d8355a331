// Finds the native addon and loads it: at the first call of anything, never at import.
'use strict'

const { version } = require('./package.json')

let loaded

/** The addon's functions; an Error with code UNAVAILABLE where there is none. */
function addon() {
  loaded ??= load()
  return loaded
}

function load() {
  const file = process.env.SESSIONREG_NATIVE || find()
  const target = { exports: {} }
  try {
    process.dlopen(target, fs().realpathSync(file))
  } catch (error) {
    throw unavailable(file, error.message)
  }
  // It may be somebody else's.
  const found = target.exports.version?.()
  if (found !== version) {
    throw unavailable(file, `it is of version ${found}, and the package of ${version}`)
  }
  return target.exports
}

function find() {
  const name = binaryName()
  const candidates = folders().map((folder) => `${folder}/${name}`)
  const file = candidates.find((candidate) => fs().existsSync(candidate))
  if (file !== undefined) return file
  throw unavailable(
    name,
    `it is in none of ${folders().join(', ')}. Reinstall the package sessionreg, copy that file ` +
      'from it beside your bundle, or build it (cargo build --release -p sessionreg-node) and ' +
      'name it by the environment variable SESSIONREG_NATIVE',
  )
}

/** Beside this file, which a bundler may have merged into another; then beside the program. */
function folders() {
  const folders = []
  if (typeof __dirname === 'string') folders.push(__dirname)
  for (const file of [process.argv[1], process.execPath]) {
    const end = Math.max(file?.lastIndexOf('/') ?? -1, file?.lastIndexOf('\\') ?? -1)
    if (end > 0) folders.push(file.slice(0, end))
  }
  return [...new Set(folders)]
}

/** The binary for this platform: `sessionreg.linux-x64-gnu.node`, `sessionreg.darwin-arm64.node`, … */
function binaryName() {
  const { platform, arch } = process
  const system = { linux: isMusl() ? '-musl' : '-gnu', win32: '-msvc' }[platform] ?? ''
  return `sessionreg.${platform}-${arch}${system}.node`
}

/** Node itself runs on one of the C libraries, and names that one's loader at its beginning. */
function isMusl() {
  if (process.platform !== 'linux') return false
  let file
  try {
    file = fs().openSync(process.execPath, 'r')
    const head = Buffer.alloc(4096)
    fs().readSync(file, head)
    return head.includes('/ld-musl-')
  } catch {
    return false
  } finally {
    if (file !== undefined) fs().closeSync(file)
  }
}

/** Also where a bundler has made an ES module of this file: there `require` may be missing. */
function fs() {
  return process.getBuiltinModule?.('node:fs') ?? require('node:fs')
}

function unavailable(file, reason) {
  const error = new Error(`failed to load \`${file}\`: ${reason}`)
  error.code = 'UNAVAILABLE'
  error.path = file
  return error
}

module.exports = { addon, binaryName, fs, version }
