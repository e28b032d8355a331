// What a user of qwen-code's own module changes: the import, and nothing else.
//
//     node runtime-status.mjs <file>
import {
  clearRuntimeStatus,
  readRuntimeStatus,
  writeRuntimeStatus,
} from 'sessionreg/runtime-status'

const filePath = process.argv[2]
await writeRuntimeStatus(filePath, {
  sessionId: '3f1c',
  workDir: process.cwd(),
  qwenVersion: '0.9.1',
})
try {
  const status = await readRuntimeStatus(filePath)
  console.log(`${status.sessionId} is served by ${status.pid} on ${status.hostname}`)
} finally {
  await clearRuntimeStatus(filePath)
}
