// What the library costs in Node: the jobs of ../../speed, the same way and with the same output.
//
//     node speed.mjs <job> <folder> <calls> <calls a turn>
import { promises, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as sessionreg from 'sessionreg'
import writeFileAtomic from 'write-file-atomic'

const record = new sessionreg.SessionRecord({
  sessionId: '0b2c7a52-6f1c-4a57-9a0e-5a3c6f0d9e11',
  workDir: '/home/user/project',
  agent: 'qwen-code',
  agentVersion: '1.2.3',
})
const value = JSON.parse(record.toJsonText())

const [job, folder] = process.argv.slice(2)
const [calls, callsATurn] = process.argv.slice(4).map(Number)
const path = join(folder, 'node.runtime.json')
const other = join(folder, 'other.json')
const temp = join(folder, 'other.tmp')
sessionreg.writeSync(path, record)
writeFileSync(other, JSON.stringify(value, null, 2))

const sessions = join(folder, 'sessions')
const kept = new sessionreg.Registry(sessions)
const own = { sessionId: 's', workDir: '/home/user/project' }
const session =
  job === 'update' && new sessionreg.Registry(join(folder, 'updated')).registerSync(own)
const patches = [{ status: 'busy' }, { status: 'idle' }]
let updates = 0

const jobs = {
  replace: {
    'Node sync': () => sessionreg.writeSync(path, record),
    'Node promise': () => sessionreg.write(path, record),
    'Node: writeFileSync, renameSync': () => {
      writeFileSync(temp, JSON.stringify(value, null, 2))
      renameSync(temp, other)
    },
    'Node: fs.promises writeFile, rename': async () => {
      await promises.writeFile(temp, JSON.stringify(value, null, 2))
      await promises.rename(temp, other)
    },
    'Node: write-file-atomic, fsync: false': () =>
      writeFileAtomic(other, JSON.stringify(value, null, 2), { fsync: false }),
  },
  'replace-durably': {
    'Node sync': () => sessionreg.writeSync(path, record, { durable: true }),
    'Node promise': () => sessionreg.write(path, record, { durable: true }),
    'Node: write-file-atomic; the folder is not synced': () =>
      writeFileAtomic(other, JSON.stringify(value, null, 2)),
  },
  read: {
    'Node sync': () => sessionreg.loadSync(path),
    'Node promise': () => sessionreg.load(path),
    'Node: readFileSync, JSON.parse': () => JSON.parse(readFileSync(other, 'utf8')),
    'Node: fs.promises readFile, JSON.parse': async () =>
      JSON.parse(await promises.readFile(other, 'utf8')),
  },
  update: {
    'Node sync': () => session.updateSync(patches[updates++ % 2]),
    'Node promise': () => session.update(patches[updates++ % 2]),
  },
  scan: {
    'Node sync: the first scan': () => new sessionreg.Registry(sessions).scanSync(),
    'Node sync: a second scan, nothing changed': () => kept.scanSync(),
    'Node: readdirSync, readFileSync, JSON.parse': () =>
      readdirSync(sessions).map((name) => JSON.parse(readFileSync(join(sessions, name), 'utf8'))),
    'Node: fs.promises, Promise.all': async () =>
      await Promise.all(
        (await promises.readdir(sessions)).map(async (name) =>
          JSON.parse(await promises.readFile(join(sessions, name), 'utf8')),
        ),
      ),
  },
  verdict: {
    Node: () => sessionreg.liveness(record),
    'Node: process.kill(pid, 0)': () => process.kill(process.pid, 0),
  },
}

// Contenders take turns, so that what else the machine does meets all of them alike.
const contenders = Object.entries(jobs[job]).map(([name, run]) => ({ name, run, times: [] }))
const turns = Math.ceil(calls / callsATurn)
const warmingUp = Math.ceil(turns / 4)
for (let turn = 0; turn < warmingUp + turns; turn++) {
  for (const { run, times } of contenders) {
    for (let call = 0; call < callsATurn; call++) {
      const start = performance.now()
      const result = run()
      // Who is not asynchronous does not wait for a turn of the event loop either.
      if (result instanceof Promise) await result
      const end = performance.now()
      if (turn >= warmingUp) times.push((end - start) * 1000)
    }
  }
  contenders.reverse()
}

if (session) session.closeSync()

for (const { name, times } of contenders) {
  times.sort((a, b) => a - b)
  const at = (percent) => times[Math.floor(((times.length - 1) * percent) / 100)]
  console.log(JSON.stringify({ job, contender: name, p10: at(10), p50: at(50), p90: at(90) }))
}
