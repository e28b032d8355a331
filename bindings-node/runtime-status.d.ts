/**
 * A drop-in for the `runtimeStatus` module of qwen-code: the same calls and the same file, exactly
 * seven keys, written atomically and read strictly. Nothing else is left in the folder.
 */

export const RUNTIME_STATUS_SCHEMA_VERSION: 1

/** What a status file says. */
export interface RuntimeStatus {
  schemaVersion: number
  pid: number
  sessionId: string
  workDir: string
  hostname: string
  /** Seconds since the Unix epoch, with milliseconds as their fraction. */
  startedAt: number
  qwenVersion: string | null
}

export interface WriteRuntimeStatusFields {
  sessionId: string
  workDir: string
  /** By default the calling process; one given here is not looked up. */
  pid?: number
  qwenVersion?: string | null
}

/** Writes the status, making the parent folder; resolves to `filePath`, rejects on failure. */
export function writeRuntimeStatus(
  filePath: string,
  fields: WriteRuntimeStatusFields,
): Promise<string>

/** The status at `filePath`, also through a link, or `null`; never rejects. */
export function readRuntimeStatus(filePath: string): Promise<RuntimeStatus | null>

/** Removes the status, if it is there; never rejects. */
export function clearRuntimeStatus(filePath: string): Promise<void>
