// Which sessions of a project are live? Judges all of its sidecars in one pass.
//
//     node sessions.mjs <project folder>
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { livenessAll, read } from 'sessionreg'

const chats = join(process.argv[2], 'chats')
const names = (await readdir(chats)).filter((name) => name.endsWith('.runtime.json'))
// A file that goes away meanwhile, or is no record, reads as null.
const found = await Promise.all(names.map((name) => read(join(chats, name))))
const records = found.filter((record) => record !== null)
const verdicts = livenessAll(records)
records.forEach(({ sessionId, pid }, index) => {
  const { state, reason } = verdicts[index]
  // An id is data, and may hold what acts on a terminal.
  console.log(`${JSON.stringify(sessionId)}\t${pid}\t${state}\t${reason}`)
})
