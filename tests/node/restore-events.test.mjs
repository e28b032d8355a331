// The events of a session: what is kept, what is missed, and who follows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import sessionreg from 'sessionreg'

const { RestoreTable } = sessionreg
const CWD = process.cwd()

async function live(options) {
  const table = new RestoreTable(options)
  const lease = await table.restore('load', 's', CWD, () => 1)
  return { table, lease }
}

async function all(subscription) {
  const events = []
  for await (const event of subscription) events.push(event)
  return events
}

const numbers = (events) =>
  events.map(({ kind, id }) => (kind === 'published' ? Number(id.split('-')[1]) : kind))

test('what a load publishes is there, in order, before the load returns', async () => {
  const table = new RestoreTable()
  const lines = Array.from({ length: 4000 }, (_, at) => ({ at }))
  await table.restore('load', 's', CWD, async ({ sessionId }) => {
    for (const line of lines) table.publish(sessionId, line)
  })
  const subscription = table.subscribe('s', { lastEventId: '0' })
  const ids = new Set()
  for (const [at, line] of lines.entries()) {
    const { value, done } = await subscription.next()
    assert.equal(done, false)
    assert.equal(value.data, line, 'the very same value')
    assert.match(value.id, new RegExp(`^[0-9a-f]+-${at + 1}$`))
    ids.add(value.id.split('-')[0])
  }
  assert.equal(ids.size, 1)
  table.end('s')
  assert.deepEqual(await all(subscription), [{ kind: 'ended', reason: 'ended' }])
})

test('a resume publishes nothing', async () => {
  const table = new RestoreTable()
  let id
  await table.restore('resume', 's', CWD, ({ sessionId }) => {
    id = table.publish(sessionId, 'old')
  })
  assert.equal(id, null)
  assert.match(table.publish('s', 'new'), /-1$/)
})

test('who comes again goes on after the last event that he saw', async () => {
  const { table } = await live()
  const ids = Array.from({ length: 10 }, (_, at) => table.publish('s', at))
  const subscription = table.subscribe('s', { lastEventId: ids[6] })
  const later = table.publish('s', 10)
  table.end('s')
  const events = await all(subscription)
  assert.deepEqual(
    events.slice(0, -1).map(({ id, data }) => [id, data]),
    [
      [ids[7], 7],
      [ids[8], 8],
      [ids[9], 9],
      [later, 10],
    ],
  )
})

test('a gap and another life are seen', async () => {
  const { table } = await live({ ringCapacity: 4 })
  const ids = Array.from({ length: 10 }, () => table.publish('s', 'e'))
  const gap = table.subscribe('s', { lastEventId: ids[0] })
  table.end('s')
  assert.deepEqual(numbers(await all(gap)), ['gap', 7, 8, 9, 10, 'ended'])
  await table.restore('load', 's', CWD, ({ sessionId }) => table.publish(sessionId, 'anew'))
  const foreign = table.subscribe('s', { lastEventId: ids[9] })
  table.end('s')
  assert.deepEqual(numbers(await all(foreign)), ['new_epoch', 1, 'ended'])
})

test('256 events wait for a subscriber, and with one more he gets those and is told', async () => {
  const { table } = await live()
  const slow = table.subscribe('s')
  const quick = table.subscribe('s')
  const got = []
  for (let count = 0; count < 300; count++) {
    table.publish('s', count)
    got.push((await quick.next()).value.data)
  }
  assert.deepEqual(
    got,
    Array.from({ length: 300 }, (_, at) => at),
  )
  assert.equal(table.status('s').subscribers, 1)
  const events = await all(slow)
  assert.deepEqual(numbers(events), [...Array.from({ length: 256 }, (_, at) => at + 1), 'evicted'])
  const again = table.subscribe('s', { lastEventId: events.at(-2).id })
  assert.equal((await again.next()).value.data, 256)
})

test('the 65th subscriber is refused, and leaving a loop makes room', async () => {
  const { table } = await live()
  const subscriptions = Array.from({ length: 64 }, () => table.subscribe('s'))
  assert.throws(() => table.subscribe('s'), { code: 'SUBSCRIBER_LIMIT', limit: 64 })
  table.publish('s', 1)
  for await (const { data } of subscriptions[0]) {
    assert.equal(data, 1)
    break
  }
  assert.equal(table.status('s').subscribers, 63)
  table.subscribe('s')
})

test('one who waits is told when he unsubscribes, and when an event comes', async () => {
  const { table } = await live()
  const subscription = table.subscribe('s')
  const asked = Array.from({ length: 5 }, () => subscription.next())
  for (let count = 0; count < 3; count++) table.publish('s', count)
  const given = await Promise.all(asked.slice(0, 3))
  assert.deepEqual(
    given.map(({ value }) => value.data),
    [0, 1, 2],
  )
  subscription.close()
  for (const last of await Promise.all(asked.slice(3))) {
    assert.deepEqual(last, { value: undefined, done: true })
  }
  assert.deepEqual(await subscription.next(), { value: undefined, done: true })
  subscription.close()
  assert.equal(table.status('s').subscribers, 0)
})

test('many sessions, subscribers and publishers: everybody sees all of his own, in order', async () => {
  const table = new RestoreTable({ limit: 0 })
  const ids = Array.from({ length: 20 }, (_, at) => `s${at}`)
  await Promise.all(ids.map((id) => table.restore('load', id, CWD, async () => id)))
  const readers = ids.flatMap((id) =>
    Array.from({ length: 5 }, () => ({ id, subscription: table.subscribe(id) })),
  )
  const reading = readers.map(async ({ id, subscription }) => ({
    id,
    events: await all(subscription),
  }))
  for (let count = 0; count < 200; count++) {
    for (const id of ids) table.publish(id, `${id} ${count}`)
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await table.close()
  for (const { id, events } of await Promise.all(reading)) {
    assert.equal(events.length, 201)
    assert.deepEqual(events.at(-1), { kind: 'ended', reason: 'daemon_shutdown' })
    assert.deepEqual(
      events.slice(0, -1).map(({ data }) => data),
      Array.from({ length: 200 }, (_, at) => `${id} ${at}`),
    )
  }
})
