// Worker threads: each has the package, and none leaves anything behind or takes anything along.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import sessionreg from 'sessionreg'
import { packageFolder, temporaryFolder } from './helper.mjs'

const SOURCE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const sessionreg = require(${JSON.stringify(packageFolder)})
  const record = new sessionreg.SessionRecord({ sessionId: workerData.id, workDir: '/w' })
  sessionreg.writeSync(workerData.path, record)
  const inFlight = () => Array.from({ length: 20 }, () => sessionreg.write(workerData.path, record))
`
const ENDS = {
  'comes to its end': 'Promise.all(inFlight()).then(() => parentPort.postMessage(record))',
  'exits with promises in flight': 'inFlight(); parentPort.postMessage(record); process.exit()',
  'throws with promises in flight':
    'inFlight(); parentPort.postMessage(record); throw new Error("on purpose")',
}

async function cycle(path, id, end) {
  const worker = new Worker(SOURCE + end, { eval: true, workerData: { path, id } })
  worker.on('error', (error) => assert.equal(error.message, 'on purpose'))
  // Not `once`: it fails for the error that is on purpose.
  const message = new Promise((resolve) => worker.once('message', resolve))
  await new Promise((resolve) => worker.once('exit', resolve))
  return await message
}

for (const [name, end] of Object.entries(ENDS)) {
  test(`a worker that ${name} leaves its record`, async (t) => {
    const path = join(temporaryFolder(t), 's')
    const record = await cycle(path, 'w', end)
    assert.ok(sessionreg.readSync(path).equals(record))
    assert.equal(sessionreg.liveness(record).state, 'alive')
  })
}

test('a worker that is terminated while it works does no harm', async (t) => {
  const folder = temporaryFolder(t)
  for (let round = 0; round < 10; round++) {
    const path = join(folder, `${round}`)
    const forever = `parentPort.postMessage(record); const more = () => Promise.all(inFlight()).then(more); more()`
    const worker = new Worker(SOURCE + forever, { eval: true, workerData: { path, id: 'w' } })
    await once(worker, 'message')
    await worker.terminate()
    assert.equal(sessionreg.readSync(path).sessionId, 'w')
  }
})

test('100 workers, one after the other, leave no thread and no descriptor', async (t) => {
  const path = join(temporaryFolder(t), 's')
  const ends = Object.values(ENDS)
  const count = (what) =>
    existsSync(`/proc/self/${what}`) ? readdirSync(`/proc/self/${what}`).length : 0
  let before
  for (let round = 0; round < 100; round++) {
    await cycle(path, `w${round}`, ends[round % ends.length])
    // The first ones start what a process has once.
    if (round === 5) before = { fd: count('fd'), task: count('task') }
  }
  assert.deepEqual({ fd: count('fd'), task: count('task') }, before)
  assert.equal(sessionreg.readSync(path).sessionId, 'w99')
})

test('many workers at once write one file, and it is whole at every instant', async (t) => {
  const path = join(temporaryFolder(t), 's')
  sessionreg.writeSync(path, { sessionId: 'first', workDir: '/w' })
  const source = `
    const { workerData } = require('node:worker_threads')
    const { writeSync } = require(${JSON.stringify(packageFolder)})
    let written = 0
    while (written < 200) {
      try {
        writeSync(workerData, { sessionId: 'x'.repeat(written), workDir: '/w' })
        written += 1
      } catch (error) {
        // Where four write without a pause one may not get its turn in time, and is told so.
        if (error.code !== 'BUSY') throw error
      }
    }
  `
  const codes = []
  const workers = Array.from(
    { length: 4 },
    () => new Worker(source, { eval: true, workerData: path }),
  )
  for (const worker of workers) worker.once('exit', (code) => codes.push(code))
  let reads = 0
  while (codes.length < workers.length) {
    sessionreg.loadSync(path)
    reads += 1
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(codes, [0, 0, 0, 0])
  assert.ok(reads > 10, `only ${reads} reads`)
})
