// The same module for `import`: one copy of everything, whichever way it is loaded.
import sessionreg from './index.cjs'

export default sessionreg
export const {
  Claim,
  Registry,
  Session,
  SessionRecord,
  checkSessionId,
  clear,
  clearIf,
  clearIfSync,
  clearSync,
  liveness,
  livenessAll,
  load,
  loadSync,
  read,
  readSync,
  sidecarInProject,
  sidecarOf,
  version,
  write,
  writeSync,
} = sessionreg
