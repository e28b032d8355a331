/**
 * Session records of agent programs: written atomically, read strictly, judged honestly.
 *
 * Importing does nothing: the native addon is loaded at the first call, and a call without one
 * fails with code `UNAVAILABLE`. Promise forms work on the thread pool of libuv, never throw before
 * they return, and take over their arguments at the call. Sync forms throw.
 *
 * Safe in worker threads. Nothing is ever removed by garbage collection or by a thread's exit.
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
