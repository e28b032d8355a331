// What a Node status line would do: read every sidecar of a folder and judge it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import sessionreg from 'sessionreg'

const chats = join(process.argv[2], 'chats')
for (const name of readdirSync(chats).sort()) {
  const record = sessionreg.readSync(join(chats, name))
  if (!record) continue
  const { state, reason } = sessionreg.liveness(record)
  console.log([record.sessionId, record.pid, state, reason].join('\t'))
}
