// What several tests need: folders that go away, processes of every kind, programs that are run.
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const here = fileURLToPath(new URL('.', import.meta.url))
export const packageFolder = join(root, 'bindings-node')

/** A folder for one test, removed after it. */
export function temporaryFolder(test) {
  const folder = mkdtempSync(join(tmpdir(), 'sessionreg-node-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder in which the package is installed, but for its binary. */
export function installedWithoutBinary(test) {
  const folder = temporaryFolder(test)
  const copy = join(folder, 'node_modules', 'sessionreg')
  mkdirSync(copy, { recursive: true })
  const filter = (source) => !/node_modules|\.node$|src$/.test(source.slice(packageFolder.length))
  cpSync(packageFolder, copy, { recursive: true, filter })
  return folder
}

/** Runs a program to its end; fails if it fails. */
export async function run(command, args, options = {}) {
  return await promisify(execFile)(command, args, { cwd: here, timeout: 60_000, ...options })
}

/** Runs a piece of JavaScript in a Node of its own; gives what it prints, parsed. */
export async function runNode(source, { args = [], ...options } = {}) {
  const input = ['--input-type=module', '--eval', source]
  const { stdout } = await run(process.execPath, [...args, ...input], options)
  return JSON.parse(stdout)
}

/** The program that makes the processes which the tests speak of. */
export class Processes {
  #child
  #lines

  constructor() {
    const program = process.env.SESSIONREG_PROCESSES ?? join(root, 'target/debug/processes')
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async ask(command) {
    this.#child.stdin.write(`${command}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the helper ended at: ${command}`)
    const answer = JSON.parse(value)
    if (answer.error !== undefined) throw new Error(`${command}: ${answer.error}`)
    return answer
  }

  async close() {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin.end()
    await gone
  }
}

/**
 * Times in seconds as finely as a number holds them, which is how Python's `time.time()` gives
 * them; for some of them no number of milliseconds is theirs alone.
 */
export function fineTimes(count) {
  const random = Array.from({ length: count }, () => 1.7e9 + Math.random() * 2e8)
  // The first is such a one for certain.
  return [1763690000.500005, ...random]
}

/** What a call came to: its value, or the code of its error. */
export function outcomeOf(call) {
  try {
    return { value: call() }
  } catch (error) {
    return { error: error.code ?? String(error) }
  }
}

/** The same for a promise; a call that throws instead of rejecting is a failure of the test. */
export async function outcomeLater(call) {
  const promise = call()
  return await promise.then(
    (value) => ({ value }),
    (error) => ({ error: error.code ?? String(error) }),
  )
}
