// What the types promise; `tsc` is the test. A line that must not pass says so.
import sessionreg, {
  type AgentSession,
  type Batch,
  type Claim,
  checkSessionId,
  type clear,
  type clearIfSync,
  type ErrorCode,
  liveness,
  livenessAll,
  load,
  Monitor,
  noSources,
  type Patch,
  type Reason,
  Registry,
  RestoreTable,
  read,
  type readSync,
  SessionRecord,
  type SessionRegError,
  type Snapshot,
  type State,
  sidecarInProject,
  sidecarOf,
  snapshot,
  type version,
  type Watch,
  write,
  type writeSync,
} from 'sessionreg'
import {
  RUNTIME_STATUS_SCHEMA_VERSION,
  type RuntimeStatus,
  readRuntimeStatus,
  writeRuntimeStatus,
} from 'sessionreg/runtime-status'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>() => undefined

const record = new SessionRecord({ sessionId: 's', workDir: '/w', extra: { a: [1, null, 'x'] } })
holds<Equal<typeof record.startedAt, number>>()
holds<Equal<typeof record.startedAtSeconds, number>>()
holds<Equal<typeof record.terminal, sessionreg.Terminal | null>>()
holds<Equal<ReturnType<typeof readSync>, SessionRecord | null>>()
holds<Equal<Awaited<ReturnType<typeof read>>, SessionRecord | null>>()
holds<Equal<Awaited<ReturnType<typeof load>>, SessionRecord>>()
holds<Equal<Awaited<ReturnType<typeof clear>>, boolean>>()
holds<Equal<ReturnType<typeof clearIfSync>, boolean>>()
holds<Equal<ReturnType<typeof write>, Promise<void>>>()
holds<Equal<ReturnType<typeof writeSync>, void>>()
holds<Equal<typeof version, string>>()

// Copies of a record are taken wherever a record is.
await write('/p', { ...record, name: 'copy' }, { durable: true, createFolders: false })
await write(Buffer.from('/p'), structuredClone({ ...record }))
record.equals(record.toJSON())

const { state, reason } = liveness(record)
holds<Equal<typeof state, State>>()
holds<Equal<typeof reason, Reason>>()
for (const verdict of livenessAll(new Set([record, { sessionId: 's', workDir: '/w' }]))) {
  const text: 'alive' | 'dead' | 'unknown' = verdict.state
  console.log(text)
}

const registry = new Registry(Buffer.from('/r'), { dialect: 'qwen' })
const session = await registry.register({ sessionId: 's', workDir: '/w', sidecar: '/c/{id}.json' })
holds<Equal<Awaited<ReturnType<typeof session.update>>, boolean>>()
holds<Equal<ReturnType<typeof session.closeSync>, boolean>>()
holds<Equal<typeof session.sidecarHolder, sessionreg.Holder | null>>()
holds<Equal<Awaited<ReturnType<typeof registry.scan>>, sessionreg.Scan>>()
holds<Equal<ReturnType<typeof registry.claimSync>, Claim>>()
const patch: Patch = { status: 'waiting', waitingFor: null, terminal: { pane: '1' }, own: [1] }
await session.switch('t', patch)
for (const { record: listed, verdict, path } of await registry.live()) {
  console.log(listed.status, verdict.reason, path)
}
const { removed } = registry.sweepSync({ dryRun: true, sidecarFolders: ['/c'] })
holds<Equal<(typeof removed)[number]['reason'], Reason | null>>()
// @ts-expect-error: a session comes from a registry.
new sessionreg.Session()
// @ts-expect-error: there is no such dialect.
new Registry('/r', { dialect: 'other' })
// @ts-expect-error: it is looked up by one or the other.
registry.openSessionSync({})
// @ts-expect-error: an id is text.
await session.switch(5)

const found = await snapshot({ ...noSources(), codex: ['/c', Buffer.from('/d')], superseded: true })
holds<Equal<typeof found, Snapshot>>()
holds<Equal<ReturnType<typeof found.ownerOf>, AgentSession[]>>()
holds<Equal<AgentSession['transcript'], sessionreg.Transcript | null>>()
const monitor = new Monitor({ deadWithinMs: 1000 }, { foldMs: 5 }).ref()
holds<Equal<ReturnType<typeof monitor.wait>, Promise<Batch | null>>>()
holds<Equal<ReturnType<typeof monitor.watch>, Watch>>()
const first = await monitor.wait(null, { timeoutMs: 10, signal: AbortSignal.timeout(10) })
for await (const { added, removed, cursor } of monitor.watch({ cursor: first?.cursor })) {
  for (const { sessionId, state } of added) console.log(sessionId, state satisfies State)
  const keys: readonly string[] = removed
  console.log(keys, cursor)
}
{
  using ended = monitor
  await using watch = ended.watch()
  console.log(watch.cursor)
  await using held = await registry.claim('a', 's')
  using own = registry.registerSync({ sessionId: 's', workDir: '/w' })
  console.log(held.path, own.path)
}
// @ts-expect-error: a snapshot is taken.
new sessionreg.Snapshot()
// @ts-expect-error: no source has this name.
await snapshot({ claude: ['/c'] })
// @ts-expect-error: a list of paths.
await snapshot({ codex: 5 })
// @ts-expect-error: sessions are frozen.
found.sessions[0].status = 'busy'
// @ts-expect-error: times are numbers of milliseconds.
await monitor.wait(null, { timeoutMs: '10' })
const table = new RestoreTable<{ lines: number }, string>({ limit: 5, registry, agent: 'a' })
const restored = await table.restore(
  'load',
  's',
  '/w',
  async ({ sessionId, signal, carriedBy }) => {
    holds<Equal<typeof signal, AbortSignal>>()
    table.publish(sessionId, 'line')
    return { lines: carriedBy.length }
  },
)
holds<Equal<typeof restored.state, { lines: number }>>()
{
  using lease = restored
  await using events = table.subscribe(lease.sessionId)
  holds<Equal<typeof events, sessionreg.Subscription<string>>>()
}
holds<Equal<typeof restored.ended, sessionreg.EndReason | null>>()
for await (const event of table.subscribe('s', { lastEventId: null })) {
  if (event.kind === 'published') holds<Equal<typeof event.data, string>>()
  else if (event.kind === 'gap') holds<Equal<typeof event.missed, number>>()
  else if (event.kind === 'ended') holds<Equal<typeof event.reason, sessionreg.EndReason>>()
}
const spawned: sessionreg.Lease<{ lines: number }> = await table.spawn('n', '/w', () => ({
  lines: 0,
}))
console.log(spawned.release(), table.end('n', { onlyIfUnattached: true }), table.status('n')?.stage)
await table.close({ timeoutMs: 5 })
// @ts-expect-error: a new session is spawned.
await table.restore('spawn', 's', '/w', () => ({ lines: 0 }))
// @ts-expect-error: another state.
await table.restore('load', 's', '/w', () => 'state')
// @ts-expect-error: other data.
table.publish('s', 5)
// @ts-expect-error: a lease comes from a table.
new sessionreg.Lease()

const id: string = checkSessionId('s')
const text: string = sidecarInProject('/p', id)
const bytes: Uint8Array = sidecarInProject(Buffer.from('/p'), id)
const home: string = sidecarOf('qwen-code', '/w', id)
const homeBytes: Uint8Array = sidecarOf('qwen-code', '/w', id, { home: Buffer.from('/h') })
console.log(text, bytes, home, homeBytes, sessionreg.version)

try {
  await load('/p')
} catch (error) {
  const { code, path, errno } = error as SessionRegError
  const known: ErrorCode = code
  console.log(known, path, errno)
}

const written: string = await writeRuntimeStatus('/p', { sessionId: 's', workDir: '/w' })
const status: RuntimeStatus | null = await readRuntimeStatus(written)
const schema: 1 = RUNTIME_STATUS_SCHEMA_VERSION
console.log(status?.qwenVersion, schema)

// @ts-expect-error Records are frozen.
record.pid = 1
// @ts-expect-error Both fields are needed.
new SessionRecord({ sessionId: 's' })
// @ts-expect-error No field has this name.
new SessionRecord({ sessionId: 's', workDir: '/w', sesionId: 's' })
// @ts-expect-error A pid is a number.
new SessionRecord({ sessionId: 's', workDir: '/w', pid: '1' })
// @ts-expect-error Nor is it a BigInt.
SessionRecord.ofProcess(1n, { sessionId: 's', workDir: '/w' })
// @ts-expect-error The pid comes first here, and only once.
SessionRecord.ofProcess(1, { sessionId: 's', workDir: '/w', pid: 1 })
// @ts-expect-error A path is no URL.
await read(new URL('file:///p'))
// @ts-expect-error No option has this name.
await write('/p', record, { sync: true })
// @ts-expect-error JSON has no functions.
new SessionRecord({ sessionId: 's', workDir: '/w', extra: { a: () => 1 } })
