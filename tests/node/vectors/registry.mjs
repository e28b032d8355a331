// The operations `scan` and `history`: a registry, through one of the two forms of its calls.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import sessionreg from 'sessionreg'
import { withEnvironment } from './environment.mjs'
import { camel, compare, compareSome } from './record.mjs'
import { Skip } from './text.mjs'
import { checkFile, checkNames, matchesEnd, pick, put, remove } from './tree.mjs'

const SECRET = 's3cr3t'

/** Both forms of the calls of an object. */
export const registryForms = {
  sync: (object, name, ...args) => outcome(async () => object[`${name}Sync`](...args)),
  promise: (object, name, ...args) => outcome(async () => await object[name](...args)),
}

async function outcome(call) {
  try {
    return { value: await call() }
  } catch (error) {
    return { error: error.code ?? String(error), thrown: error }
  }
}

function expectNoError({ error, value }) {
  assert.equal(error, undefined, 'the error')
  return value
}

export async function scan({ given, expect, base, texts, disk, call }) {
  const folder = disk.beside('sessions')
  for (const file of given.files ?? []) {
    await put(disk, `sessions/${texts.text(file.name)}`, file, texts, '../target')
  }
  const before = disk.contents()
  const registry = new sessionreg.Registry(folder, { dialect: given.dialect ?? 'ours' })
  const found = expectNoError(await call(registry, 'scan'))
  assert.deepEqual(
    found.entries.map(({ path }) => nameOf(path)),
    expect.entries.map(({ file }) => texts.text(file)),
  )
  for (const [at, wanted] of expect.entries.entries()) {
    const entry = found.entries[at]
    compare(entry.record, base, wanted.record, texts)
    if (wanted.verdict !== undefined) assert.deepEqual(entry.verdict, wanted.verdict)
  }
  checkSkipped(found.skipped, expect.skipped, texts)

  const same = async (name, entries, ...args) => {
    const listed = expectNoError(await call(registry, name, ...args))
    assert.deepEqual(listed.map(brief), entries.map(brief), name)
  }
  const alive = found.entries.filter(({ verdict }) => verdict.state === 'alive')
  await same('records', found.entries)
  await same('live', alive)
  assert.equal(expectNoError(await call(registry, 'countLive')), alive.length)
  const by = (key, value) => found.entries.filter(({ record }) => record[key] === value)
  for (const { record } of found.entries) {
    await same('findByPid', by('pid', record.pid), record.pid)
    await same('findBySession', by('sessionId', record.sessionId), record.sessionId)
    await same('findByWorkDir', by('workDir', record.workDir), record.workDir)
  }
  const again = expectNoError(await call(registry, 'scan'))
  assert.deepEqual(again.entries.map(brief), found.entries.map(brief))
  assert.deepEqual(again.skipped, found.skipped)
  for (const { record } of found.entries) {
    const shown = [inspect(record, { depth: 9 }), JSON.stringify(record), record.extraJson ?? '']
    for (const text of shown) assert.ok(!text.includes(SECRET), 'a secret is shown')
  }
  assert.ok(!inspect(found, { depth: 9, showHidden: true }).includes(SECRET), 'a secret is shown')
  assert.deepEqual(disk.contents(), before, 'the files are as they were')
}

const nameOf = (path) => String(path).split(/[\\/]/).at(-1)

function brief({ record, verdict, path }) {
  return { record: record.toJSON(), verdict, path: String(path) }
}

function checkSkipped(skipped, expected = [], texts) {
  const short = ({ path, code }) => ({ file: nameOf(path), error: code })
  const wanted = expected.map(({ file, error }) => ({ file: texts.text(file), error }))
  assert.deepEqual(skipped.map(short), wanted, 'what was skipped')
}

export async function history({ given, texts, disk, call, processes }) {
  await withEnvironment({ given, texts, disk }, async () => {
    const run = new History({ given, texts, disk, call, processes })
    try {
      for (const [at, step] of given.steps.entries()) {
        try {
          await run.step(step)
        } catch (error) {
          if (!(error instanceof Skip)) error.message = `step ${at + 1}: ${error.message}`
          throw error
        }
      }
    } finally {
      await run.end()
    }
  })
}

const QUERIES = {
  scan: 'scan',
  live: 'live',
  records: 'records',
  count_live: 'countLive',
  find_by_pid: 'findByPid',
  owner_of: 'ownerOf',
  find_under: 'findUnder',
  find_by_session: 'findBySession',
  find_by_work_dir: 'findByWorkDir',
}
const ARGUMENTS = new Set(
  `session_id work_dir agent agent_version kind name entrypoint status transcript_path
  parent_session_id terminal sidecar pid_file keep_sidecar pid extra on_error patch dry_run
  sidecar_folders path age owner text lines hex parts repeat times fill until to`.split(/\s+/),
)
const EXPECTATIONS = new Set(
  `error holder result reported session entries skipped count removed live failed path files
  names`.split(/\s+/),
)

class History {
  #handles = new Map()
  // Also those whose name was given again.
  #all = []
  #held = []
  #reported = []

  constructor({ given, texts, disk, call, processes }) {
    Object.assign(this, { texts, disk, call, processes, pid: texts.facts.pid })
    const options = given.dialect === 'detected' ? {} : { dialect: given.dialect ?? 'ours' }
    this.registry = new sessionreg.Registry(disk.beside(given.registry ?? 'sessions'), options)
  }

  async end() {
    for (const path of this.#held) await this.processes.ask(`let_go ${path}`)
    for (const handle of this.#all) {
      // What it says is not looked at: it may be closed.
      await this.call(handle, handle instanceof sessionreg.Claim ? 'release' : 'close')
    }
  }

  async step({ do: name, as = 'a', args: given = {}, expect = {} }) {
    for (const key of Object.keys(given)) {
      assert.ok(key === 'kind' || ARGUMENTS.has(key), `no such argument: ${key}`)
    }
    for (const key of Object.keys(expect)) {
      assert.ok(EXPECTATIONS.has(key), `no such expectation: ${key}`)
    }
    this.#reported = []
    const result = await this.#run(name, as, given)
    assert.equal(result.error, expect.error, `the error (${result.thrown?.message})`)
    if (result.error === undefined) this.#checkResult(name, result.value, expect)
    if (expect.holder !== undefined) this.#checkHolder(result.thrown.holder, expect.holder)
    assert.deepEqual(this.#reported, expect.reported ?? [], 'what was reported')
    if (expect.session !== undefined) this.#checkSession(this.#handles.get(as), expect.session)
    const kept = {}
    for (const [path, wanted] of Object.entries(expect.files ?? {})) {
      Object.assign(kept, checkFile(this.disk, this.texts.text(path), wanted, this.texts))
    }
    for (const [path, names] of Object.entries(expect.names ?? {})) {
      const wanted = names.map((name) => this.texts.text(name))
      checkNames(this.disk.beside(this.texts.text(path)), wanted)
    }
    Object.assign(this.texts.facts, kept)
  }

  async #run(name, as, given) {
    const { texts, disk, call, registry } = this
    const args = () => texts.deep(given)
    const handle = this.#handles.get(as)
    if (name in QUERIES) {
      const { pid, session_id: id, work_dir: workDir } = args()
      return await call(registry, QUERIES[name], pid ?? id ?? workDir)
    }
    switch (name) {
      case 'register':
        return this.#keep(as, await call(registry, 'register', this.#fields(args())))
      case 'open_session': {
        const { pid, session_id: sessionId } = args()
        const by = pid === undefined ? { sessionId } : { pid }
        return this.#keep(as, await call(registry, 'openSession', by))
      }
      case 'claim': {
        const { agent, session_id: id } = args()
        return this.#keep(as, await call(registry, 'claim', agent, id))
      }
      case 'update':
        return await call(handle, 'update', patchOf(args().patch))
      case 'switch': {
        const { session_id: id, patch } = args()
        const rest = patch === undefined ? [] : [patchOf(patch)]
        return await call(handle, 'switch', id, ...rest)
      }
      case 'refresh':
      case 'leave':
      case 'close':
      case 'release':
        return await call(handle, name)
      case 'sweep': {
        const { dry_run: dryRun, sidecar_folders: folders } = args()
        if (dryRun === undefined && folders === undefined) return await call(registry, 'sweep')
        const sidecarFolders = folders?.map((folder) => disk.beside(folder))
        return await call(registry, 'sweep', { dryRun, sidecarFolders })
      }
      case 'put_file': {
        await put(disk, texts.text(given.path), given, texts)
        return {}
      }
      case 'remove_file':
        remove(disk, texts.text(given.path))
        return {}
      case 'end':
        await this.processes.ask(`end ${this.pid}`)
        return {}
      case 'hold':
      case 'let_go': {
        const path = disk.beside(texts.text(given.path))
        const answer = await this.processes.ask(`${name} ${path}`)
        if (answer.skip !== undefined) throw new Skip(answer.skip)
        if (name === 'hold') this.#held.push(path)
        else this.#held.splice(this.#held.indexOf(path), 1)
        return {}
      }
      case 'check':
        return {}
      default:
        throw new Error(`no such step: ${name}`)
    }
  }

  #keep(as, result) {
    if (result.error === undefined) {
      this.#handles.set(as, result.value)
      this.#all.push(result.value)
    }
    return result
  }

  #fields({ on_error: onError, extra, sidecar, ...rest }) {
    const fields = Object.fromEntries(Object.entries(rest).map(([k, v]) => [camel(k), v]))
    if (sidecar !== undefined) fields.sidecar = this.disk.beside(sidecar)
    if (extra !== undefined) {
      const members = Object.entries(extra).map(([key, raw]) => `${JSON.stringify(key)}:${raw}`)
      fields.extraJson = `{${members.join()}}`
    }
    if (onError) fields.onError = (error) => this.#reported.push(error.code)
    return fields
  }

  #checkResult(name, value, expect) {
    const { texts } = this
    if (['update', 'switch', 'refresh', 'leave', 'close'].includes(name)) {
      assert.equal(value, expect.result ?? true, 'the result')
    }
    if (name === 'count_live') {
      if (expect.count !== undefined) assert.equal(value, expect.count)
    } else if (name === 'sweep') {
      this.#checkSwept(value, expect)
    } else if (name === 'claim') {
      if (expect.path !== undefined) matchesEnd(value.path, texts.text(expect.path))
    } else if (name in QUERIES) {
      const entries = name === 'scan' ? value.entries : value
      if (expect.entries !== undefined) this.#checkEntries(entries, expect.entries)
      if (name === 'scan') checkSkipped(value.skipped, expect.skipped, texts)
    }
  }

  #checkEntries(entries, expected) {
    const shown = entries.map(({ path }) => String(path))
    assert.equal(entries.length, expected.length, `the entries: ${shown}`)
    for (const [at, { file, record, verdict }] of expected.entries()) {
      const entry = entries[at]
      if (file !== undefined) matchesEnd(entry.path, this.texts.text(file))
      if (record !== undefined) compareSome(entry.record, record, this.texts)
      if (verdict !== undefined) assert.deepEqual(entry.verdict, verdict)
    }
  }

  #checkSwept(swept, { removed = [], live, failed = [] }) {
    const { texts } = this
    const shown = swept.removed.map(({ path }) => String(path))
    assert.equal(swept.removed.length, removed.length, `what went: ${shown}`)
    for (const wanted of removed) {
      const gone = pick(swept.removed, texts.text(wanted.file))
      assert.equal(gone.reason, wanted.reason, 'the reason')
      if (wanted.record === null) assert.equal(gone.record, null)
      else if (wanted.record !== undefined) compareSome(gone.record, wanted.record, texts)
    }
    if (live !== undefined) assert.equal(swept.live, live, 'how many live')
    assert.equal(swept.failed.length, failed.length, 'what could not go')
    for (const { file, error } of failed) {
      assert.equal(pick(swept.failed, texts.text(file)).code, error)
    }
  }

  #checkHolder(holder, expected) {
    if (expected === null) {
      assert.equal(holder ?? null, null, 'a holder')
      return
    }
    assert.ok(holder, 'there is no holder')
    for (const [key, given] of Object.entries(expected)) {
      const wanted = this.texts.deep(given)
      const found = holder[camel(key)]
      if (key === 'path' && wanted !== null) matchesEnd(found, wanted)
      else if (wanted === '<any>') assert.notEqual(found, null, key)
      else assert.deepEqual(found, wanted, `the holder's ${key}`)
    }
  }

  #checkSession(session, expected) {
    for (const [key, wanted] of Object.entries(expected)) {
      if (key === 'record') compareSome(session.record, wanted, this.texts)
      else if (key.endsWith('_holder')) this.#checkHolder(session[camel(key)], wanted)
      else if (key === 'registered') assert.equal(session.registered, wanted, key)
      else if (wanted === null) assert.equal(session[camel(key)], null, key)
      else matchesEnd(session[camel(key)], this.texts.text(wanted))
    }
  }
}

/** Names of fields as JavaScript has them; all others as they are. */
const FIELDS = new Set(
  `session_id work_dir started_at agent_version proc_start pid_inode host_key pid_ns time_ns
  transcript_path parent_session_id waiting_for updated_at status_updated_at`.split(/\s+/),
)

function patchOf(patch) {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const named = ([key, value]) => [FIELDS.has(key) ? camel(key) : key, value]
  return Object.fromEntries(Object.entries(patch).map(named))
}
