// The same module for `import`.
import runtimeStatus from './runtime-status.cjs'

export default runtimeStatus
export const {
  RUNTIME_STATUS_SCHEMA_VERSION,
  clearRuntimeStatus,
  readRuntimeStatus,
  writeRuntimeStatus,
} = runtimeStatus
