// The Node peer of the interop tests; see interop.py for what it is asked.
import { createInterface } from 'node:readline'
import sessionreg from 'sessionreg'

let mine
for await (const line of createInterface({ input: process.stdin })) {
  const [command, path, id] = line.split(' ')
  let answer = true
  if (command === 'write') {
    mine = new sessionreg.SessionRecord({ sessionId: id, workDir: '/srv/project', agent: 'kimi-cli' })
    await sessionreg.write(path, mine)
  } else if (command === 'judge') {
    const record = await sessionreg.load(path)
    const { state, reason } = sessionreg.liveness(record)
    answer = [record.sessionId, record.pid, state, reason]
  } else if (command === 'rewrite') {
    await sessionreg.write(path, await sessionreg.load(path))
  } else if (command === 'clear_if') {
    answer = await sessionreg.clearIf(path, mine)
  } else if (command === 'error') {
    answer = await sessionreg.load(path).then(
      () => null,
      (error) => [error.code, error.message],
    )
  }
  console.log(JSON.stringify(answer))
}
