// An agent CLI: says which session it serves, for as long as it does.
//
//     node serve.mjs <project folder> <session id>
import { resolve } from 'node:path'
import { clearIfSync, SessionRecord, sidecarInProject, write } from 'sessionreg'

const [folder, sessionId] = process.argv.slice(2)
const projectDir = resolve(folder)
const path = sidecarInProject(projectDir, sessionId)
const record = new SessionRecord({ sessionId, workDir: projectDir, agent: 'my-agent' })
await write(path, record)

// What `process.on('exit')` does not see (a kill, a crash of the machine), liveness tells.
process.on('exit', () => clearIfSync(path, record))
process.on('SIGTERM', () => process.exit())
process.on('SIGINT', () => process.exit())

console.log(`serving ${sessionId}`)
process.stdin.resume().on('end', () => process.exit())
