/// <reference lib="esnext.disposable" />

/**
 * Session records of agent programs: written atomically, read strictly, judged honestly.
 *
 * Importing does nothing: the native addon is loaded at the first call, and a call without one
 * fails with code `UNAVAILABLE`. Promise forms work on the thread pool of libuv, never throw before
 * they return, and take over their arguments at the call. Sync forms throw.
 *
 * Safe in worker threads. Nothing is ever removed by garbage collection or by a thread's exit.
 *
 * `Symbol.dispose` and `Symbol.asyncDispose` end what they are called on where the runtime has them,
 * and are quiet if it has ended already.
 */

/** The version of this package. */
export const version: string

/**
 * A path: a string, or on Unix the bytes that it is to the system. A string with a lone surrogate,
 * or a path with a NUL, is refused with `INVALID_INPUT`.
 */
export type PathInput = string | Uint8Array

/** What kind of failure an error is; the same tokens in every language. */
export type ErrorCode =
  | 'NOT_FOUND'
  | 'CORRUPT'
  | 'UNSUPPORTED_VERSION'
  | 'NOT_A_FILE'
  | 'TOO_LARGE'
  | 'PERMISSION_DENIED'
  | 'INVALID_ID'
  | 'INVALID_INPUT'
  | 'HELD'
  | 'BUSY'
  | 'CLOSED'
  | 'CLOSING'
  | 'CANCELLED'
  | 'NO_SPACE'
  | 'READ_ONLY'
  | 'RESTORE_IN_PROGRESS'
  | 'SESSION_LIMIT'
  | 'SUBSCRIBER_LIMIT'
  | 'WORKSPACE_MISMATCH'
  | 'TIMEOUT'
  | 'UNAVAILABLE'
  | 'IO'
  | 'PANIC'

/**
 * What calls throw, or reject with. It is an `Error`; for an argument of the wrong type a
 * `TypeError`, for a number or text that cannot be one a `RangeError`, both with `INVALID_INPUT`.
 */
export interface SessionRegError extends Error {
  code: ErrorCode
  /** The file that it is about: a Buffer if its name is not UTF-8. */
  path?: string | Uint8Array
  /** The operating system's number, positive as in `os.constants.errno`, if it gave one. */
  errno?: number
  /** Of `HELD`: who holds what was asked for. */
  holder?: Holder
  /** Of `RESTORE_IN_PROGRESS`: the session. */
  sessionId?: string
  /** Of `RESTORE_IN_PROGRESS`: what is going on. */
  active?: RestoreAction
  /**
   * Of `RESTORE_IN_PROGRESS`: what was asked for, a `RestoreAction`. Of `WORKSPACE_MISMATCH`: the
   * folder, cut at 4096 bytes.
   */
  requested?: string
  /**
   * Of `RESTORE_IN_PROGRESS`: whether somebody waits for it (`restoring`) or its outcome will be
   * discarded (`abandoned`). Of `CLOSED`: `channel_closed`.
   */
  reason?: 'restoring' | 'abandoned' | 'channel_closed'
  /** Of `RESTORE_IN_PROGRESS` and `SESSION_LIMIT`: when to ask again, in seconds. */
  retryAfter?: number
  /** Of `SESSION_LIMIT` and `SUBSCRIBER_LIMIT`: how many there may be. */
  limit?: number
  /** Of `WORKSPACE_MISMATCH`: the folder that the table is bound to. */
  bound?: string
}

/** Who holds what was asked for, as far as it is known. */
export interface Holder {
  /** The process, in its own namespace. */
  readonly pid: number | null
  /** The session that it serves. */
  readonly sessionId: string | null
  /** The name of its host. */
  readonly host: string | null
  /** The file by which it is held. */
  readonly path: string | Uint8Array
}

/** The place of a session in a terminal multiplexer. */
export interface Terminal {
  /** The program, such as `tmux` or `zellij`. */
  readonly multiplexer: string | null
  /** The multiplexer's session. */
  readonly session: string | null
  /** The pane in it. */
  readonly pane: string | null
  /** Keys that this version does not know, as the text of a JSON object; left out if there are none. */
  readonly extraJson?: string | null
}

/** A value that JSON has. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/**
 * What a record is made of. A field that is left out, or `undefined`, has its default; `null` says
 * that there is none. A field of another name is refused.
 */
export interface RecordFields {
  /** The session's id. In a record it is data: see `checkSessionId` before making a path of it. */
  sessionId: string
  /** The folder in which the session works, an absolute path. */
  workDir: string
  /**
   * The process that serves the session. By default the calling one, with all that identifies it;
   * one given here is not looked up (see `SessionRecord.ofProcess`).
   */
  pid?: number | undefined
  /** The host's name; by default as the system gives it. */
  hostname?: string | null | undefined
  /** When the session began, in milliseconds since the Unix epoch; by default now. */
  startedAt?: number | undefined
  /**
   * The same in seconds, exactly; `startedAt` wins where it is another time, as in a copy of a record
   * in which it was changed.
   */
  startedAtSeconds?: number | undefined
  /** The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`. */
  agent?: string | null | undefined
  /** The version of the program. */
  agentVersion?: string | null | undefined
  /** The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive`. */
  kind?: string | null | undefined
  /** A name for people. */
  name?: string | null | undefined
  /** How the program was started, such as `cli`. */
  entrypoint?: string | null | undefined
  /** The log of the session. */
  transcriptPath?: string | null | undefined
  /** The session that this one came from. */
  parentSessionId?: string | null | undefined
  /** What the session is doing: `busy`, `idle`, `waiting`, or a word of the program's own. */
  status?: string | null | undefined
  /** What a `waiting` session waits for. */
  waitingFor?: string | null | undefined
  /** When the record was last updated, in milliseconds since the Unix epoch. */
  updatedAt?: number | null | undefined
  /** When the status last changed, in milliseconds since the Unix epoch. */
  statusUpdatedAt?: number | null | undefined
  /** Where the session is shown. */
  terminal?: Partial<Terminal> | null | undefined
  /** Further keys; `NaN`, functions and the like, which JSON has not, are refused. */
  extra?: { readonly [key: string]: JsonValue } | null | undefined
  /** Further keys as the text of a JSON object, kept as it stands; `extra` wins over it. */
  extraJson?: string | null | undefined
  /** `<boot>:<start>` of the process. */
  procStart?: string | null | undefined
  /** Inode of the process's pidfd, in decimal (Linux 6.9 and later). */
  pidInode?: string | null | undefined
  /** Keyed hash of the machine's id. */
  hostKey?: string | null | undefined
  /** `linux`, `darwin` or `win32`. */
  platform?: string | null | undefined
  /** Inode of the PID namespace (Linux). */
  pidNs?: number | null | undefined
  /** Inode of the time namespace (Linux). */
  timeNs?: number | null | undefined
  /** 32 hex digits, random for every registration. */
  instance?: string | null | undefined
  /** Counts the writes of a registration; who owns the record raises it. */
  revision?: number | null | undefined
  /** The key of `agentVersion` in a file, such as `qwen_version`; by default the agent's. */
  versionKey?: string | undefined
}

/**
 * One session, served by one process. Frozen; what is absent is `null`.
 *
 * A record that was read remembers its file, which `liveness` needs for some verdicts. Plain copies
 * (`{ ...record }`, `structuredClone`, JSON) hold all fields, are taken wherever a record is, and
 * remember nothing.
 */
export class SessionRecord {
  /**
   * A new record. Without a `pid` it is a registration of the calling process: its identity is
   * read, `instance` is drawn, `revision` is 1. What `fields` say wins.
   */
  constructor(fields: RecordFields)

  /**
   * A registration of another process, whose identity is read here. `NOT_FOUND` if no process has
   * that pid, `INVALID_INPUT` if none can.
   */
  static ofProcess(pid: number, fields: Omit<RecordFields, 'pid'>): SessionRecord

  /** Reads the JSON text of a sidecar by the rules for its file: see `load`. */
  static fromJsonText(text: string | Uint8Array): SessionRecord

  readonly pid: number
  readonly sessionId: string
  readonly workDir: string
  readonly hostname: string | null
  /**
   * Milliseconds since the Unix epoch. Files hold seconds: the number here is whole where that
   * gives the same seconds again, else the nearest that does, if any.
   */
  readonly startedAt: number
  /**
   * The same in seconds, exactly as in the file: of finer times, some differ by less than a number
   * of milliseconds can tell.
   */
  readonly startedAtSeconds: number
  readonly agentVersion: string | null
  readonly procStart: string | null
  readonly pidInode: string | null
  readonly hostKey: string | null
  readonly platform: string | null
  readonly pidNs: number | null
  readonly timeNs: number | null
  readonly instance: string | null
  readonly revision: number | null
  readonly agent: string | null
  readonly kind: string | null
  readonly name: string | null
  readonly entrypoint: string | null
  readonly transcriptPath: string | null
  readonly parentSessionId: string | null
  readonly status: string | null
  readonly waitingFor: string | null
  /** Milliseconds since the Unix epoch. */
  readonly updatedAt: number | null
  /** Milliseconds since the Unix epoch. */
  readonly statusUpdatedAt: number | null
  readonly terminal: Terminal | null
  /** The key of `agentVersion` in a file, such as `qwen_version`. */
  readonly versionKey: string
  /** Keys that this version does not know, as the text of a JSON object: no digit is lost. */
  readonly extraJson: string | null

  /**
   * The same keys, parsed when first asked for, with values as `JSON.parse` gives them: numbers
   * beyond 2^53 lose digits here, and nowhere else.
   */
  get extra(): { readonly [key: string]: JsonValue }

  /** Whether the other says the same; where the two were read from is no part of it. */
  equals(other: RecordInput): boolean

  /** The JSON text of this record's sidecar, as `write` would write it. */
  toJsonText(): string

  /** A plain copy, for `JSON.stringify`. */
  toJSON(): RecordFields
}

/** A record, or the fields of one. */
export type RecordInput = SessionRecord | RecordFields

/** Whether a process is there: `dead` is said on proof only. */
export type State = 'alive' | 'dead' | 'unknown'

/** Why a verdict says what it says; each belongs to one state. */
export type Reason =
  | 'verified'
  | 'unverified'
  | 'gone'
  | 'zombie'
  | 'reused'
  | 'rebooted'
  | 'lock_held'
  | 'file_open'
  | 'lock_free'
  | 'file_closed'
  | 'pane_gone'
  | 'other_host'
  | 'other_namespace'
  | 'other_platform'
  | 'permission'
  | 'clock'
  | 'no_identity'
  | 'starting'
  | 'stale'
  | 'unsupported'
  | 'invalid'

/** The answer of `liveness`. */
export interface Verdict {
  readonly state: State
  readonly reason: Reason
}

/** How a record is to be written. */
export interface WriteOptions {
  /** Force the record, then its folder, to the disk before returning. By default `false`. */
  durable?: boolean | undefined
  /** Make missing parent folders, mode 0700. By default `true`; else they are `NOT_FOUND`. */
  createFolders?: boolean | undefined
}

/**
 * Writes a record to `path`, replacing what is there. For every reader the file is complete at
 * every instant; its mode is 0600. A link at `path` is replaced, never followed.
 *
 * Fails with `BUSY` where the folder's lock cannot be had within 250 ms, with `INVALID_INPUT` or
 * `TOO_LARGE` for what no reader would accept; then the old file stands.
 */
export function write(path: PathInput, record: RecordInput, options?: WriteOptions): Promise<void>
export function writeSync(path: PathInput, record: RecordInput, options?: WriteOptions): void

/**
 * Reads the record at `path`, or `null` if there is none, whatever the file holds. Fails only with
 * `INVALID_INPUT`, for a path that can never name a file.
 */
export function read(path: PathInput): Promise<SessionRecord | null>
export function readSync(path: PathInput): SessionRecord | null

/**
 * Reads the record at `path`, and fails where there is none: `NOT_FOUND`, `NOT_A_FILE`,
 * `TOO_LARGE`, `PERMISSION_DENIED`, `CORRUPT`, `UNSUPPORTED_VERSION` or `IO` tell why. Links are
 * not followed, nothing blocks, at most 64 KiB are read.
 */
export function load(path: PathInput): Promise<SessionRecord>
export function loadSync(path: PathInput): SessionRecord

/** Removes the record at `path`, whatever it is; tells whether there was one. */
export function clear(path: PathInput): Promise<boolean>
export function clearSync(path: PathInput): boolean

/**
 * Removes the record at `path` if it is still that registration, also while another process
 * replaces it; tells whether it was removed.
 */
export function clearIf(path: PathInput, record: RecordInput): Promise<boolean>
export function clearIfSync(path: PathInput, record: RecordInput): boolean

/** Whether the process of a record is still there, and how that is known. A few microseconds. */
export function liveness(record: RecordInput): Verdict

/** The same for many records: each process and each folder is asked for once. */
export function livenessAll(records: Iterable<RecordInput>): Verdict[]

/**
 * Gives the id back if it may become part of a path, else throws `INVALID_ID`: empty, longer than
 * 200 bytes, with `/ \ : * ? " < > |`, a control character or `..`, a leading `.` or `-`, a
 * trailing `.` or space, or the name of a Windows device.
 */
export function checkSessionId(id: string): string

/** `<projectDir>/chats/<sessionId>.runtime.json`, in the form in which the folder was given. */
export function sidecarInProject(projectDir: string, sessionId: string): string
export function sidecarInProject(projectDir: Uint8Array, sessionId: string): Uint8Array
export function sidecarInProject(projectDir: PathInput, sessionId: string): PathInput

/**
 * The sidecar that a known program (`qwen-code`, `kimi-cli`) writes for a session in `workDir`.
 * `home` is the program's data folder; by default what its environment variables name, else its
 * place below the user's home. Nothing is looked up on the file system.
 */
export function sidecarOf(
  agent: string,
  workDir: string,
  sessionId: string,
  options?: { home?: string | undefined },
): string
export function sidecarOf(
  agent: string,
  workDir: string,
  sessionId: string,
  options: { home: Uint8Array },
): Uint8Array
export function sidecarOf(
  agent: string,
  workDir: string,
  sessionId: string,
  options: { home?: PathInput | undefined },
): PathInput

/** What the programs that keep PID files in one folder have agreed on. */
export type Dialect = 'ours' | 'qwen' | 'claude'

/** A registered session, and whether its process is there. */
export interface Entry {
  readonly record: SessionRecord
  readonly verdict: Verdict
  /** The file that the record was read from. */
  readonly path: string | Uint8Array
}

/** A file that was meant to be a record and is none, or could not be read. */
export interface Skipped {
  readonly path: string | Uint8Array
  readonly code: ErrorCode
  readonly reason: string
}

/** What a registry folder holds: entries by session id, then pid; skipped files by path. */
export interface Scan {
  entries: Entry[]
  skipped: Skipped[]
}

/** A file that a sweep removed, or would remove. */
export interface Removed {
  readonly path: string | Uint8Array
  /** Why its process is dead; null for a temporary file that nobody finished in five minutes. */
  readonly reason: Reason | null
  /** What it said; null for a temporary file. */
  readonly record: SessionRecord | null
}

/** What a sweep did. */
export interface Swept {
  removed: Removed[]
  /** How many sessions of the registry live. */
  live: number
  /** Files that should have gone and could not. */
  failed: Skipped[]
}

/** What a sweep is to do. */
export interface SweepOptions {
  /** Only tell what would go. By default `false`. */
  dryRun?: boolean | undefined
  /** Folders of sidecars, `<id>.runtime.json` or `<id>/runtime.json`, to be swept too. */
  sidecarFolders?: Iterable<PathInput> | undefined
}

/** What a process says of the session that it registers. */
export interface NewSession {
  sessionId: string
  /** The folder in which it works, an absolute path. */
  workDir: string
  /** The program: `[a-z][a-z0-9-]{0,31}`. */
  agent?: string | null | undefined
  agentVersion?: string | null | undefined
  /** By default what the environment variable `SESSIONREG_KIND` says. */
  kind?: string | null | undefined
  name?: string | null | undefined
  entrypoint?: string | null | undefined
  status?: string | null | undefined
  transcriptPath?: string | null | undefined
  parentSessionId?: string | null | undefined
  terminal?: Partial<Terminal> | null | undefined
  /** Where the sidecar goes: a path in which `{id}` stands for the session id. By default none. */
  sidecar?: PathInput | null | undefined
  /** Whether a PID file is published. Without one the sidecar tells what the session is doing. */
  pidFile?: boolean | undefined
  /** Whether the sidecar stays when the session is closed. By default `false`. */
  keepSidecar?: boolean | undefined
  /** The process that serves the session; by default this one. */
  pid?: number | null | undefined
  /** Further keys. */
  extra?: { readonly [key: string]: JsonValue } | null | undefined
  /** Further keys as the text of a JSON object; `extra` wins over it. */
  extraJson?: string | null | undefined
  /**
   * Where failures go. With it no call of the session throws or rejects: it gives `false`. It is
   * called on this thread; what it throws itself is reported as an uncaught exception.
   */
  onError?: ((error: SessionRegError) => void) | null | undefined
}

/**
 * Changes to a session, as a JSON merge patch (RFC 7396): `null` removes, what is left out or
 * `undefined` stays, an object is merged into the one that is there. A name that is no field is a
 * key of `extra`; what is said of the process cannot be changed.
 */
export interface Patch {
  workDir?: string | undefined
  agent?: string | null | undefined
  agentVersion?: string | null | undefined
  kind?: string | null | undefined
  name?: string | null | undefined
  entrypoint?: string | null | undefined
  transcriptPath?: string | null | undefined
  parentSessionId?: string | null | undefined
  terminal?: { readonly [key: string]: JsonValue } | Partial<Terminal> | null | undefined
  /** Another one than `waiting` drops `waitingFor`. */
  status?: string | null | undefined
  waitingFor?: string | null | undefined
  [key: string]: JsonValue | Partial<Terminal> | undefined
}

/**
 * The live sessions of a folder: register, find, sweep, claim.
 *
 * Making one does no input or output: a folder that is not there has no sessions. It remembers what
 * it read, so that a second scan reads only what changed.
 */
export class Registry {
  /**
   * The registry of a folder; by default the user's own. The dialect is that of a known program if
   * the folder is where that keeps its records, else `ours`.
   */
  constructor(dir?: PathInput | null, options?: { dialect?: Dialect | undefined })

  /** The folder, an absolute path. */
  readonly dir: string | Uint8Array
  readonly dialect: Dialect

  /** Every record with its verdict, and every file that is none. */
  scan(): Promise<Scan>
  scanSync(): Scan
  /** Every record, whatever its verdict. */
  records(): Promise<Entry[]>
  recordsSync(): Entry[]
  /** The sessions whose process is there; what cannot be judged from here is not among them. */
  live(): Promise<Entry[]>
  liveSync(): Entry[]
  /** How many `live` gives. */
  countLive(): Promise<number>
  countLiveSync(): number
  /** The records of a process. */
  findByPid(pid: number): Promise<Entry[]>
  findByPidSync(pid: number): Entry[]
  /** The records of a session; several processes may serve one. */
  findBySession(sessionId: string): Promise<Entry[]>
  findBySessionSync(sessionId: string): Entry[]
  /** The records of a working folder, by exactly that text. */
  findByWorkDir(workDir: string): Promise<Entry[]>
  findByWorkDirSync(workDir: string): Entry[]
  /** The live sessions of the nearest process that serves any, from `pid` upwards. */
  ownerOf(pid: number): Promise<Entry[]>
  ownerOfSync(pid: number): Entry[]
  /** The live sessions of `pid` and of the processes below it. */
  findUnder(pid: number): Promise<Entry[]>
  findUnderSync(pid: number): Entry[]

  /**
   * Registers a session: publishes its PID file and, where it is asked for, its sidecar. It does
   * not fail because another process holds a name: see `sidecarHolder` and `pidFileHolder`.
   */
  register(fields: NewSession): Promise<Session>
  registerSync(fields: NewSession): Session

  /**
   * A handle on a registration that exists, for a short-lived helper such as a hook. `NOT_FOUND` if
   * no live registration of this library matches, `INVALID_INPUT` if several do,
   * `PERMISSION_DENIED` if it is another user's.
   */
  openSession(by: { pid: number } | { sessionId: string }): Promise<Session>
  openSessionSync(by: { pid: number } | { sessionId: string }): Session

  /** Removes what processes left that are proven dead, and nothing else. */
  sweep(options?: SweepOptions): Promise<Swept>
  sweepSync(options?: SweepOptions): Swept

  /**
   * Claims a session for this process, so that no other can resume its transcript. `HELD` names the
   * holder in `error.holder`; also for a second claim by this process. A claim dies with its
   * process, and none is ever stale.
   */
  claim(agent: string, sessionId: string): Promise<Claim>
  claimSync(agent: string, sessionId: string): Claim
}

/**
 * A session that this process registered, or helps to keep up to date.
 *
 * Calls are carried out in the order in which they are made, also those whose promises nobody
 * awaits. Each gives `true` when it is done; `false` if the session is inert, or if it failed and
 * the failure went to `onError`.
 *
 * Only `close` removes the record, and a `using` declaration, and only on the handle that registered
 * its own process; elsewhere both are `leave`. Garbage collection, the end of a worker or of the
 * process never do. It keeps no process alive.
 */
export class Session {
  private constructor()

  /** The record as it was last written, or found; null if the arguments of `register` were refused. */
  readonly record: SessionRecord | null
  readonly sessionId: string | null
  readonly pid: number | null
  /** The PID file, if there is one. */
  readonly path: string | Uint8Array | null
  /** The sidecar, if there is one and its name is not another process's. */
  readonly sidecarPath: string | Uint8Array | null
  /** Who has the name of the sidecar instead. */
  readonly sidecarHolder: Holder | null
  /** Who has the name of the PID file instead, where a process has only one. */
  readonly pidFileHolder: Holder | null
  /** Whether it is registered: neither inert nor closed. */
  readonly registered: boolean

  /** Changes what is said of the session. Changes of several processes are all kept. */
  update(patch: Patch): Promise<boolean>
  updateSync(patch: Patch): boolean
  /**
   * Goes on with another session in the same process, as `/clear` and `/resume` do. Status, what it
   * waits for, name and transcript are reset before the patch is applied. If it fails, the old
   * record still stands.
   */
  switch(newId: string, patch?: Patch): Promise<boolean>
  switchSync(newId: string, patch?: Patch): boolean
  /** Puts the record back if somebody removed or damaged it. */
  refresh(): Promise<boolean>
  refreshSync(): boolean
  /** Lets go of the session and leaves its record. Later calls are `CLOSED`. */
  leave(): Promise<boolean>
  leaveSync(): boolean
  /** Ends the session: its record goes, and nothing of it is written any more. */
  close(): Promise<boolean>
  closeSync(): boolean
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}

/** The right to serve a session, until it is released or this process ends. */
export class Claim {
  private constructor()

  /** The file by which the session is claimed. */
  readonly path: string | Uint8Array
  /** Lets go; a second time is `CLOSED`. */
  release(): Promise<void>
  releaseSync(): void
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Where to look for agent sessions: the data folders of the programs, any number of each. A list
 * that is left out has the folders that the programs' own environment variables name, else their
 * defaults in the user's home; an empty one leaves the program out.
 */
export interface Sources {
  /** Registry folders of this library. */
  registries?: Iterable<PathInput> | undefined
  /** Claude Code: `CLAUDE_CONFIG_DIR`, `~/.claude`. */
  claudeCode?: Iterable<PathInput> | undefined
  /** qwen-code: `QWEN_HOME`, `~/.qwen`, and for sidecars also `QWEN_RUNTIME_DIR`. */
  qwenCode?: Iterable<PathInput> | undefined
  /** kimi-cli: `KIMI_SHARE_DIR`, `~/.kimi`. */
  kimiCli?: Iterable<PathInput> | undefined
  /** Codex: `CODEX_HOME`, `~/.codex`. */
  codex?: Iterable<PathInput> | undefined
  /** Copilot CLI: `~/.copilot`. */
  copilot?: Iterable<PathInput> | undefined
  /** Data folders fed by hooks: `~/.local/share/amc`. */
  hooks?: Iterable<PathInput> | undefined
  /**
   * Whether programs that leave no trace are looked for among the processes. By default `true`. Of
   * such a process the folder is known, but not the session.
   */
  processes?: boolean | undefined
  /**
   * Whether tmux and zellij are asked for their panes. By default `false`: nothing is started, and
   * what depends on a pane is unknown.
   */
  multiplexers?: boolean | undefined
  /** Whether sessions are listed that another one superseded in its terminal. By default `false`. */
  superseded?: boolean | undefined
  /** How long sessions are listed after they died, in milliseconds. By default 24 hours. */
  deadWithinMs?: number | undefined
}

/** Sources without any: a start for naming them, as in `{ ...noSources(), codex: [folder] }`. */
export function noSources(): {
  registries: PathInput[]
  claudeCode: PathInput[]
  qwenCode: PathInput[]
  kimiCli: PathInput[]
  codex: PathInput[]
  copilot: PathInput[]
  hooks: PathInput[]
  processes: boolean
}

/** The log of a session. */
export interface Transcript {
  readonly path: string | Uint8Array
  /**
   * When it was last written, in nanoseconds since the Unix epoch, in decimal; null if it is not
   * there.
   */
  readonly mtimeNs: string | null
}

/** The tokens of a model's context that a session has filled. */
export interface ContextUsage {
  /** Tokens in use after the last answer. */
  readonly currentTokens: number
  /** How many the model takes, where the transcript says so. */
  readonly window: number | null
}

/** A session of an agent on this machine: a plain object, frozen; what is absent is null. */
export interface AgentSession {
  /**
   * Its stable identity: the registration, where there is one, so that a process that moves to
   * another session keeps it.
   */
  readonly key: string
  /** The program. */
  readonly agent: string | null
  /** The session's id; null for a process of which only the folder is known. */
  readonly sessionId: string | null
  /** The process that serves it. */
  readonly pid: number | null
  /** The process's controlling terminal, such as `pts/3`. */
  readonly tty: string | null
  /** The folder in which it works. */
  readonly workDir: string | null
  readonly kind: string | null
  /** What it is doing: `busy`, `idle`, `waiting`, or a word of the program's own. */
  readonly status: string | null
  /** What a `waiting` session waits for. */
  readonly waitingFor: string | null
  /** A name for people. */
  readonly name: string | null
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startedAt: number | null
  /** When something was last said of it, in milliseconds since the Unix epoch. */
  readonly updatedAt: number | null
  /** The session that it came from. */
  readonly parentSessionId: string | null
  /** Where it is shown. */
  readonly terminal: Terminal | null
  readonly transcript: Transcript | null
  /** How much of its context it uses, by its log. */
  readonly contextUsage: ContextUsage | null
  /** Tokens in use when the present turn began. */
  readonly turnStartTokens: number | null
  /** The sources that speak of it, in order of name. */
  readonly sources: readonly string[]
  /** The files that speak of it, in order of path. */
  readonly files: readonly (string | Uint8Array)[]
  /** Whether its process is there, by the best evidence. */
  readonly state: State
  /** How that is known. */
  readonly reason: Reason
  /** The session that took its place in its terminal. */
  readonly supersededBy: string | null
  /** Every other key of its record. */
  readonly extra: { readonly [key: string]: JsonValue }
  /** The same as the text of a JSON object, as it stands in the file; null if there are none. */
  readonly extraJson: string | null
}

/**
 * Looks for agent sessions. Nothing is written, created, locked or removed, and, unless multiplexers
 * are to be asked, nothing is started. A `Monitor` keeps what was read, and looks again only at what
 * changed.
 */
export function snapshot(sources?: Sources): Promise<Snapshot>
export function snapshotSync(sources?: Sources): Snapshot

/** Every agent session on this machine at one moment; frozen. */
export class Snapshot {
  private constructor()

  /** The sessions, ordered by session id, then pid; those without an id come first. */
  readonly sessions: readonly AgentSession[]
  /**
   * Files that were meant to be traces and are none, or could not be read, ordered by path. One bad
   * file never hides anything else.
   */
  readonly skipped: readonly Skipped[]
  /** How many dead sessions are older than `deadWithinMs` and not listed. */
  readonly deadBefore: number
  /** From where `Monitor.wait` goes on, if a monitor took the snapshot; else empty. */
  readonly cursor: string
  /** When it was taken, in milliseconds since the Unix epoch. */
  readonly takenAt: number

  /** The sessions whose process is there; what cannot be judged from here is not among them. */
  live(): AgentSession[]
  /** How many `live` gives. */
  countLive(): number
  /** The sessions of a process. */
  findByPid(pid: number): AgentSession[]
  /** The entries of a session; several processes may serve one. */
  findBySession(sessionId: string): AgentSession[]
  /** The sessions in a working folder, by exactly that text. */
  findByWorkDir(workDir: string): AgentSession[]
  /**
   * The live sessions of the nearest process that serves any, from `pid` upwards, by the process tree
   * as it is now.
   */
  ownerOf(pid: number): AgentSession[]
  /** The live sessions of `pid` and of the processes below it, by the process tree as it is now. */
  findUnder(pid: number): AgentSession[]

  /** One line of JSON with the names that it has in every language: `taken_at` and so on, in seconds. */
  toJsonText(): string
  /** The fields, as a plain object. */
  toJSON(): Pick<Snapshot, 'sessions' | 'skipped' | 'deadBefore' | 'cursor' | 'takenAt'>
}

/** What changed since a cursor; frozen. Entries are whole. */
export class Batch {
  private constructor()

  /** From where to go on: the `id` of a Server-Sent Event. */
  readonly cursor: string
  /** `added` is all there is: the cursor was none, too old, or another monitor's. */
  readonly reset: boolean
  /** Sessions that are listed now and were not. */
  readonly added: readonly AgentSession[]
  /** Sessions of which something changed. */
  readonly changed: readonly AgentSession[]
  /** The keys of sessions that are not listed any more. */
  readonly removed: readonly string[]
  /** When the latest of it was noticed, in milliseconds since the Unix epoch. */
  readonly at: number

  /**
   * One line of JSON with the names that it has in every language (`session_id` and so on, times in
   * seconds): the `data` of a Server-Sent Event.
   */
  toJsonText(): string
  /** The fields, as a plain object. */
  toJSON(): Pick<Batch, 'cursor' | 'reset' | 'added' | 'changed' | 'removed' | 'at'>
}

/** How changes are watched for. */
export interface MonitorOptions {
  /**
   * How long changes are gathered after the first of them, so that a burst is one batch, in
   * milliseconds. By default 20.
   */
  foldMs?: number | undefined
  /**
   * How often that is looked at of which nobody tells, in milliseconds, at least 10. By default
   * 2000; see `Monitor.polled`.
   */
  pollMs?: number | undefined
}

/** Something that nobody tells the changes of, and how often it is looked at. */
export interface Polled {
  /** What it is, in words, such as `processes` or `folder /srv/x`. */
  readonly what: string
  readonly everyMs: number
}

/** A file that a clean-up removed, or would remove. */
export interface Tidied {
  readonly path: string | Uint8Array
  /** `orphan` is said of an event log. */
  readonly reason: 'stale' | 'pane_gone' | 'superseded' | 'orphan'
}

/** What a clean-up did. */
export interface CleanedUp {
  removed: Tidied[]
  /** Files that could not be read or removed. */
  failed: Skipped[]
}

/**
 * Watches the sessions of this machine. Opening it looks at nothing yet; where nothing changes,
 * nothing wakes.
 *
 * Waiting is done by one thread for all monitors of an environment (the main thread, a worker), and
 * keeps no process alive: a program that has nothing else to do ends, also while it awaits a batch.
 * `ref` keeps it.
 */
export class Monitor {
  /** `UNAVAILABLE` if the system does not give what waiting takes: a few descriptors. */
  constructor(sources?: Sources, options?: MonitorOptions)

  /**
   * Every agent session as it is now. Only what changed is looked at; what is polled is as old as the
   * last poll at most.
   */
  snapshot(): Promise<Snapshot>
  snapshotSync(): Snapshot

  /**
   * Waits until something changed since `cursor`; null if nothing did for `timeoutMs` (by default
   * without end). Without a cursor, and with one that is too old or another monitor's, it gives the
   * full state at once.
   *
   * `CANCELLED`, as an error named `AbortError` whose `cause` is the signal's reason, when the signal
   * is aborted; `CLOSED` as soon as the monitor is closed.
   */
  wait(
    cursor?: string | null,
    options?: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<Batch | null>

  /** A reader of its own: the full state first, or what changed since `cursor`, and then on. */
  watch(options?: { cursor?: string | null | undefined; signal?: AbortSignal | undefined }): Watch

  /** What is looked at every so often because nobody tells of its changes. */
  polled(): Promise<Polled[]>
  polledSync(): Polled[]

  /**
   * Records in this library's own data folder with how many tokens the present turns of hook-fed
   * sessions began, for other programs and later monitors; gives how many were new. What the hooks
   * wrote is not touched.
   */
  recordTurnStart(): Promise<number>
  recordTurnStartSync(): number

  /**
   * Removes what is left over in data folders fed by hooks, and only in those named here: records of
   * sessions that are `starting` for an hour, or whose zellij session is known to be gone; records
   * that another one superseded on its pane; event logs without a record that nobody wrote to for a
   * day. With `dryRun` it only tells.
   */
  cleanUp(
    folders: Iterable<PathInput>,
    options?: { dryRun?: boolean | undefined },
  ): Promise<CleanedUp>
  cleanUpSync(folders: Iterable<PathInput>, options?: { dryRun?: boolean | undefined }): CleanedUp

  /**
   * Ends every wait and every watch, and gives back descriptors and memory. A second call does
   * nothing; every other call is `CLOSED` then.
   */
  close(): void
  /** Keeps the process alive until it is closed, or `unref` is called. */
  ref(): this
  unref(): this
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * One reader of a monitor, with its own cursor. It fetches a batch when it is asked for one: changes
 * that come meanwhile are in the next.
 *
 * It ends quietly when it or the monitor is closed, or a loop is left. Its signal ends it with
 * `CANCELLED`, told once.
 */
export class Watch implements AsyncIterableIterator<Batch> {
  private constructor()

  /** That of the last batch; before, the one that it began with. */
  readonly cursor: string | null
  next(): Promise<IteratorResult<Batch, undefined>>
  return(): Promise<IteratorResult<Batch, undefined>>
  /** Ends it; who awaits a batch is told that there are no more. */
  close(): void
  [Symbol.asyncIterator](): this
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}

/** How a session comes to life: with its history, without it, or as a new one. */
export type RestoreAction = 'load' | 'resume' | 'spawn'

/** How a table is set up. */
export interface RestoreTableOptions {
  /** The one folder whose sessions are restored, an absolute path; by default any. */
  workspace?: PathInput | undefined
  /** How many sessions there may be, live or on their way: 20 by default, 0 for any number. */
  limit?: number | undefined
  /** How long a restore may take, in milliseconds: 60,000 by default, `Infinity` for any time. */
  timeoutMs?: number | undefined
  /** How many events of a session are kept for later subscribers: 4000 by default. */
  ringCapacity?: number | undefined
  /**
   * Restores no session that another process serves or has claimed (`HELD` names it), and claims
   * what is restored until it ends. It comes with the `agent`.
   */
  registry?: Registry | undefined
  /** Whose sessions they are: `[a-z][a-z0-9-]{0,31}`. */
  agent?: string | undefined
}

/** What the function that restores a session is given. */
export interface RestoreContext {
  readonly sessionId: string
  /**
   * Is given when nobody waits for the restore any more: its time is over, its callers have left,
   * the table is closed, or its channel is dead. What it comes to then is discarded; until it has
   * ended its session cannot be restored anew.
   */
  readonly signal: AbortSignal
  /**
   * This channel carries the session from now on. `CLOSED` if it is dead or being torn down,
   * `CANCELLED` if nobody waits any more, `INVALID_INPUT` for a channel of another table or after
   * the end of the restore.
   */
  readonly carriedBy: (channel: Channel) => void
}

/** Restores a session and gives its state. */
export type Restore<State> = (context: RestoreContext) => State | PromiseLike<State>

/** What a caller may say of the call. */
export interface RestoreOptions {
  /** Lets this caller leave: `CANCELLED`, with the signal's reason as `cause`. */
  signal?: AbortSignal | undefined
}

/** What a table says of one session. */
export interface SessionStatus {
  readonly sessionId: string
  readonly action: RestoreAction
  /** `abandoned`: it is being restored, and nobody waits for it any more. */
  readonly stage: 'restoring' | 'abandoned' | 'live'
  /** Leases that were not released; of a restore, callers that wait for it. */
  readonly attachments: number
  readonly subscribers: number
}

/** Why a session is not live any more. */
export type EndReason = 'released' | 'ended' | 'channel_closed' | 'daemon_shutdown'

/**
 * The sessions of a daemon: each is restored once, however many ask for it.
 *
 * Everything happens on the thread that made the table; states and data stay where they are, and are
 * the very same for everybody; with a registry, claims are taken beside the event loop. But for a
 * `close` with a time it keeps no process alive: of what a restore waits for, something else has
 * to. Making one does no input or output, but for following the links of `workspace`.
 */
export class RestoreTable<State = unknown, Data = unknown> {
  constructor(options?: RestoreTableOptions)

  /**
   * Gives a lease of the session. The first to ask is the owner: his function restores it, called
   * before this returns (with a registry, once the session is claimed). Who asks by the same action
   * meanwhile shares what comes of it, state or exception, and who comes later is attached.
   *
   * In this order: `CLOSING`, `INVALID_INPUT` or `WORKSPACE_MISMATCH` for the folder, `INVALID_ID`,
   * `RESTORE_IN_PROGRESS` while the other action is under way, `SESSION_LIMIT`; with a registry
   * `HELD`, by `holder`, if another process serves or restores the session. `TIMEOUT` comes to all
   * callers in time, whether the function has ended or not, and `CLOSED` if the channel that
   * carries the restore has died. `NOT_FOUND` if the session had ended again when a sharer was
   * told; an error with that code, thrown by the function, says that there is no such session.
   *
   * A caller who leaves by his signal leaves alone: the restore goes on for the others, of whom
   * the first is its owner then. If the function fails for that very reason (the signal's own, or
   * an `AbortError`), the owner's function is called in its place.
   *
   * A function that waits for its own session, or for the end of `close`, waits for itself.
   */
  restore(
    action: 'load' | 'resume',
    sessionId: string,
    cwd: PathInput,
    restore: Restore<State>,
    options?: RestoreOptions,
  ): Promise<Lease<State>>

  /** The same for a session that is new. */
  spawn(
    sessionId: string,
    cwd: PathInput,
    start: Restore<State>,
    options?: RestoreOptions,
  ): Promise<Lease<State>>

  /**
   * Ends a live session, whoever is attached to it, and gives `true`. With `onlyIfUnattached` an
   * attached one goes on until the last who is attached or subscribed has left: `false`.
   * `NOT_FOUND` if there is no such session, `RESTORE_IN_PROGRESS` if it is not live yet.
   */
  end(sessionId: string, options?: { onlyIfUnattached?: boolean | undefined }): boolean

  /**
   * A channel for sessions of this table. The function is called, once, when the last session and
   * the last restore that it carries are gone, unless `exited` came first. What it throws is
   * reported as an uncaught exception.
   */
  channel(onTeardown: () => void): Channel

  /**
   * Publishes an event of a session that is live or being restored, and gives its id,
   * `<epoch>-<n>`; null while it is being resumed, when nothing is kept. `NOT_FOUND` if there is no
   * such session.
   */
  publish(sessionId: string, data: Data): string | null

  /**
   * Follows a live session: what is published from now on or, with the id of an event (or its
   * number alone), what came after that. `NOT_FOUND` if there is no such live session,
   * `SUBSCRIBER_LIMIT` if it has 64 subscribers, `INVALID_INPUT` for what is no id of an event.
   */
  subscribe(
    sessionId: string,
    options?: { lastEventId?: string | null | undefined },
  ): Subscription<Data>

  /** What is known of one session; null if there is none. */
  status(sessionId: string): SessionStatus | null

  /** Every session, in the order of the ids. */
  sessions(): SessionStatus[]

  /** Of the sessions that were spawned, the one that has been live for the longest time. */
  defaultTarget(): string | null

  /**
   * Shuts the table down: begins nothing any more, ends all sessions, tells all callers `CLOSING`,
   * and resolves when every restore has ended. `TIMEOUT` if that takes longer than allowed, by
   * default any time; then it may be called again.
   */
  close(options?: { timeoutMs?: number | undefined }): Promise<void>
}

/**
 * A share of a live session. The last one to be released ends it, if nobody is subscribed; garbage
 * collection releases none. A `using` declaration does.
 */
export class Lease<State = unknown> {
  private constructor()

  readonly sessionId: string
  /** Whether the session was there already, or was restored for another caller. */
  readonly attached: boolean
  /** What the restore gave: the same value for every caller. */
  readonly state: State
  /** Why the session is not live any more; null while it is. */
  readonly ended: EndReason | null
  /** Gives the share back; `true` if that ended the session. A second time it does nothing. */
  release(): boolean
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}

/** One agent process that carries several sessions. */
export class Channel {
  private constructor()

  /** Whether it can carry a session: it is neither dead nor being torn down. */
  readonly isOpen: boolean
  /**
   * Its process is dead: its sessions end, and its restores fail with `CLOSED`. The text becomes
   * part of that error's.
   */
  exited(info: string): void
}

/** What a subscriber gets. */
export type SessionEvent<Data = unknown> =
  /** Something that was published, with its id: `<epoch>-<n>`. */
  | { readonly kind: 'published'; readonly id: string; readonly data: Data }
  /** That many events, which would come here, are not kept any more. */
  | { readonly kind: 'gap'; readonly missed: number }
  /** The last event seen is of another life of the session: what follows is all that is kept. */
  | { readonly kind: 'new_epoch' }
  /** The last event: more than 256 waited for the subscriber, who may subscribe anew. */
  | { readonly kind: 'evicted' }
  /** The last event: the session is not live any more. */
  | { readonly kind: 'ended'; readonly reason: EndReason }

/**
 * The events of a session, for one subscriber. Calls of `next` are answered in their order. Leaving
 * a `for await` loop unsubscribes, as `close` does; so does garbage collection in the end.
 */
export class Subscription<Data = unknown> implements AsyncIterableIterator<SessionEvent<Data>> {
  private constructor()

  next(): Promise<IteratorResult<SessionEvent<Data>, undefined>>
  return<Value>(value?: Value): Promise<IteratorReturnResult<Value>>
  /** Unsubscribes; whoever waits for an event is told that none will come. */
  close(): void
  [Symbol.asyncIterator](): this
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}
