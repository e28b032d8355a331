// Who is there, and what changes: every agent session of this machine, as it comes, works and goes.
//
//     node watch.mjs [registry folder]
//
// Without a folder it looks where all known programs keep their sessions.
import { Monitor, noSources } from 'sessionreg'

const [folder] = process.argv.slice(2)
const sources = folder === undefined ? {} : { ...noSources(), registries: [folder] }
// A monitor keeps no process alive unless it is asked to; a server is alive anyway.
const monitor = new Monitor(sources).ref()
process.once('SIGINT', () => monitor.close())
process.once('SIGTERM', () => monitor.close())

const sessions = new Map()
// The loop ends when the monitor is closed.
for await (const batch of monitor.watch()) {
  if (batch.reset) sessions.clear()
  for (const session of [...batch.added, ...batch.changed]) {
    sessions.set(session.key, session)
    const { agent, sessionId, pid, state, reason, status } = session
    // What a record says is data, and may hold what acts on a terminal.
    console.log(JSON.stringify({ agent, sessionId, pid, state, reason, status }))
  }
  for (const key of batch.removed) {
    console.log(JSON.stringify({ gone: sessions.get(key)?.sessionId ?? null }))
    sessions.delete(key)
  }
}
