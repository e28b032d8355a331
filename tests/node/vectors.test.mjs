// The shared vectors, each through the sync and through the promise form: see tests/vectors.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sessionreg from 'sessionreg'
import { outcomeLater, outcomeOf, Processes, root } from './helper.mjs'
import { Disk } from './vectors/disk.mjs'
import { compare, fieldsOf, make } from './vectors/record.mjs'
import { history, registryForms, scan } from './vectors/registry.mjs'
import { restoreHistory } from './vectors/restores.mjs'
import { snapshot, watch } from './vectors/snapshot.mjs'
import { isContent, Skip, Texts } from './vectors/text.mjs'

const MAX_BYTES = 64 * 1024
const EXPECTATIONS = new Set(
  'record error content keys removed left verdict ok path entries skipped sessions dead_before'.split(
    ' ',
  ),
)
// What JavaScript has no way to say, and so cannot get wrong.
const LEFT_OUT = new Set(['write-extra-two-values'])

/** One call in one of its two forms. */
const forms = {
  sync: async (name, ...args) => outcomeOf(() => sessionreg[`${name}Sync`](...args)),
  promise: async (name, ...args) => await outcomeLater(() => sessionreg[name](...args)),
}

function expectOutcome(outcome, expect) {
  assert.equal(outcome.error, expect.error, 'the error')
  return outcome.error === undefined
}

// A table has one form of each call.
const restoreForms = { promise: undefined }
const FORMS = {
  history: registryForms,
  scan: registryForms,
  restore_history: restoreForms,
  snapshot: registryForms,
  watch: registryForms,
}

const operations = {
  history,
  restore_history: restoreHistory,
  scan,
  snapshot,
  watch,

  async load({ given, expect, base, texts, disk, call }) {
    const loaded = await call('load', disk.path)
    if (expectOutcome(loaded, expect)) compare(loaded.value, base, expect.record, texts)
    const read = await call('read', disk.path)
    assert.equal(read.error, undefined)
    assert.equal(read.value === null, loaded.value === undefined, 'what read gives')
    if (read.value) assert.ok(read.value.equals(loaded.value))
    disk.checkLeft(expect.left, texts)
    if (!isContent(given.file)) return
    const bytes = texts.content(given.file)
    if (bytes.length > MAX_BYTES) return
    const parsed = outcomeOf(() => sessionreg.SessionRecord.fromJsonText(bytes))
    assert.equal(parsed.error, loaded.error, 'the error of fromJsonText')
    if (parsed.value) assert.ok(parsed.value.equals(loaded.value), 'what fromJsonText gives')
  },

  async make({ given, expect, base, texts }) {
    const made = outcomeOf(() => make(fieldsOf(given.fields, texts)))
    if (expectOutcome(made, expect)) compare(made.value, base, expect.record, texts)
  },

  async write({ given, expect, texts, disk, call }) {
    const fields = fieldsOf(given.fields, texts)
    const made = outcomeOf(() => make(fields))
    const written = made.error ? made : await call('write', disk.path, made.value)
    if (expectOutcome(written, expect)) {
      disk.checkWritten()
      checkContent(disk.path, expect, texts)
      assert.ok((await call('load', disk.path)).value.equals(made.value), 'what is read again')
    }
    disk.checkLeft(expect.left, texts)
  },

  async rewrite({ expect, texts, disk, call }) {
    const out = disk.beside('out.runtime.json')
    const loaded = await call('load', disk.path)
    assert.equal(loaded.error, undefined)
    if (!expectOutcome(await call('write', out, loaded.value), expect)) {
      assert.ok(!existsSync(out))
      return
    }
    checkContent(out, expect, texts)
    const again = await call('load', out)
    assert.deepEqual(await call('write', out, again.value), { value: undefined })
    checkContent(out, expect, texts)
    // A copy of the fields says the same as the record.
    if (again.value.extraJson === null) {
      assert.deepEqual(await call('write', out, { ...again.value }), { value: undefined })
      checkContent(out, expect, texts)
    }
  },

  async clear({ expect, texts, disk, call }) {
    const cleared = await call('clear', disk.path)
    if (expectOutcome(cleared, expect)) {
      assert.equal(cleared.value, expect.removed)
      disk.checkLeft(expect.left, texts)
      assert.deepEqual(await call('clear', disk.path), { value: false })
    }
    disk.checkLeft(expect.left, texts)
  },

  async clear_if({ given, expect, texts, disk, call }) {
    const other = disk.beside('other.runtime.json')
    writeFileSync(other, texts.content(given.record))
    const { value: record, error } = await call('load', other)
    assert.equal(error, undefined)
    const cleared = await call('clearIf', disk.path, record)
    if (expectOutcome(cleared, expect)) assert.equal(cleared.value, expect.removed)
    disk.checkLeft(expect.left, texts)
  },

  async liveness({ given, expect, texts, disk, call }) {
    let record
    if (given.fields !== undefined) {
      record = make(fieldsOf(given.fields, texts))
    } else if (given.origin === false) {
      record = sessionreg.SessionRecord.fromJsonText(texts.content(given.file))
    } else {
      record = (await call('load', disk.path)).value
    }
    const verdict = sessionreg.liveness(record)
    assert.deepEqual(verdict, expect.verdict)
    assert.deepEqual(sessionreg.livenessAll([record, record]), [verdict, verdict])
  },

  async session_id({ given, expect, texts }) {
    const id = texts.value(given.id)
    const checked = outcomeOf(() => sessionreg.checkSessionId(id))
    if (expectOutcome(checked, expect)) assert.equal(checked.value, id)
  },

  async path({ given, expect, texts }) {
    const { project_dir: projectDir, agent, work_dir: workDir, id, home } = texts.value(given.args)
    const helpers = {
      sidecar_in_project: () => sessionreg.sidecarInProject(projectDir, id),
      sidecar_of: () => sessionreg.sidecarOf(agent, workDir, id, { home }),
    }
    const found = outcomeOf(helpers[given.helper])
    if (expectOutcome(found, expect)) {
      assert.equal(found.value.replaceAll('\\', '/'), texts.value(expect.path))
    }
  },
}

function checkContent(path, expect, texts) {
  const text = readFileSync(path, 'utf8')
  if (expect.keys === undefined) {
    assert.equal(text, String(texts.content(expect.content)))
  } else {
    assert.deepEqual(Object.keys(JSON.parse(text)), expect.keys)
  }
}

async function factsOf(given, host, processes) {
  const facts = { ...host, own_pid: process.pid, root: process.platform === 'win32' ? 'C:' : '' }
  if (given.process !== undefined) {
    const command =
      given.process === 'runner' ? `identify ${process.pid}` : `spawn ${given.process}`
    const answer = await processes.ask(command)
    if (answer.skip !== undefined) throw new Skip(answer.skip)
    Object.assign(facts, answer)
  }
  facts.host_key = new sessionreg.SessionRecord({ sessionId: 's', workDir: '/' }).hostKey
  return facts
}

function checkNeeds(given, host, texts) {
  for (const need of given.needs ?? []) {
    if (need === 'pidfs' || need === 'root') {
      if (!(need === 'root' ? host.uid === 0 : host.pidfs)) throw new Skip(`needs ${need}`)
    } else if (need === 'unix') {
      if (process.platform === 'win32') throw new Skip('needs unix')
    } else {
      texts.fact(need)
    }
  }
}

async function runCase(file, given, host, processes) {
  if (given.platforms !== undefined && !given.platforms.includes(host.platform)) {
    throw new Skip('not for this platform')
  }
  for (const key of Object.keys(given.expect ?? {})) {
    assert.ok(EXPECTATIONS.has(key), `no such expectation: ${key}`)
  }
  const operation = operations[given.op]
  assert.ok(operation, `no such operation: ${given.op}`)
  const calls = FORMS[given.op] ?? forms
  for (const call of Object.values(calls)) {
    // A history may end its process.
    const facts = await factsOf(given, host, processes)
    const texts = new Texts(file.let, { ...facts })
    checkNeeds(given, host, texts)
    const disk = await Disk.of(given, texts)
    try {
      const base = file.base_record
      await operation({ given, expect: given.expect, base, texts, disk, call, processes })
    } finally {
      disk.close()
    }
  }
}

test('the package agrees with every vector, in both forms of every call', async (t) => {
  const processes = new Processes()
  t.after(() => processes.close())
  const host = await processes.ask('host')
  const folder = join(root, 'tests/vectors')
  const names = new Set()
  const failures = []
  let ran = 0
  let skipped = 0
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.json')) continue
    const file = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    for (const given of file.cases) {
      assert.ok(!names.has(given.name), `two cases are called ${given.name}`)
      names.add(given.name)
      try {
        await runCase(file, given, host, processes)
        ran += 1
      } catch (error) {
        const isHere = given.platforms?.includes(host.platform) ?? true
        const mustRun =
          process.env.SESSIONREG_NO_SKIP === '1' && isHere && !LEFT_OUT.has(given.name)
        if (error instanceof Skip && !mustRun) {
          console.log(`skipped: ${given.name}: ${error.message}`)
          skipped += 1
        } else {
          failures.push(`${given.name}: ${error.message.slice(0, 1000)}`)
        }
      }
    }
  }
  console.log(`vectors: ${ran} agree, ${skipped} skipped, ${failures.length} disagree`)
  assert.deepEqual(failures, [])
  assert.ok(ran > 0)
})
