// The same module for `import`: one copy of everything, whichever way it is loaded.
import sessionreg from './index.cjs'

export default sessionreg
export const {
  Batch,
  Claim,
  Monitor,
  Registry,
  Session,
  SessionRecord,
  Snapshot,
  Watch,
  checkSessionId,
  clear,
  clearIf,
  clearIfSync,
  clearSync,
  liveness,
  livenessAll,
  load,
  loadSync,
  noSources,
  read,
  readSync,
  sidecarInProject,
  sidecarOf,
  snapshot,
  snapshotSync,
  version,
  write,
  writeSync,
} = sessionreg
