// An agent CLI as far as its record is concerned: it tells where it works and under which session,
// moves to another session when asked, and never gets to say goodbye when it is killed.
import { createInterface } from 'node:readline'
import sessionreg from 'sessionreg'

const [project, firstId] = process.argv.slice(2)

let current

async function serve(sessionId) {
  const path = sessionreg.sidecarInProject(project, sessionId)
  const record = new sessionreg.SessionRecord({ sessionId, workDir: project, agent: 'qwen-code' })
  await sessionreg.write(path, record)
  const previous = current
  current = { path, record }
  // The new record first: the session can be found at every instant. And only our own is removed.
  if (previous) await sessionreg.clearIf(previous.path, previous.record)
}

await serve(firstId)
console.log('ready')

for await (const line of createInterface({ input: process.stdin })) {
  const [command, id] = line.split(' ')
  if (command === '/new') await serve(id)
  console.log('done')
}
await sessionreg.clearIf(current.path, current.record)
