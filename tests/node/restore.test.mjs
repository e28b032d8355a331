// Restore once, for callers on one event loop: who runs, who shares, and what is left behind.
import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { getEventListeners, once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import sessionreg from 'sessionreg'
import { runNode, temporaryFolder } from './helper.mjs'

const { RestoreTable } = sessionreg
const CWD = process.cwd()

/** A promise with the functions that settle it. */
function deferred() {
  let settle
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...settle }
}

/** What a promise comes to, looked at later. */
const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  )

const turn = () => new Promise((resolve) => setImmediate(resolve))

const never = () => assert.fail('it is not called')

/** Nothing is left unobserved while it runs. */
async function observed(run) {
  const unobserved = []
  const note = (reason) => unobserved.push(reason)
  process.on('unhandledRejection', note)
  try {
    await run()
    for (let round = 0; round < 5; round++) await turn()
  } finally {
    process.off('unhandledRejection', note)
  }
  assert.deepEqual(unobserved, [])
}

test('of 1,000 callers at once one runs the restore, and all get the very same state', async () => {
  const table = new RestoreTable()
  const state = { messages: [] }
  let runs = 0
  const run = deferred()
  const restore = () => {
    runs += 1
    return run.promise
  }
  const asked = Array.from({ length: 1000 }, () => table.restore('load', 's', CWD, restore))
  // They are counted where they ask.
  assert.equal(table.status('s').attachments, 1000)
  run.resolve(state)
  const leases = await Promise.all(asked)
  assert.equal(runs, 1)
  assert.equal(leases.filter(({ attached }) => !attached).length, 1)
  assert.equal(leases[0].attached, false)
  const later = await table.restore('resume', 's', CWD, never)
  assert.equal(later.attached, true)
  for (const lease of [...leases, later]) assert.equal(lease.state, state)
  const ended = [...leases, later].map((lease) => lease.release())
  assert.deepEqual(ended, [...Array(1000).fill(false), true])
  assert.equal(later.ended, 'released')
  assert.deepEqual(table.sessions(), [])
})

test('the restore begins where it is asked for, as an executor of a promise', async () => {
  const table = new RestoreTable()
  let context
  const asked = table.restore('load', 's', CWD, (given) => {
    context = given
    return 5
  })
  assert.equal(context.sessionId, 's')
  assert.equal(context.signal.aborted, false)
  const lease = await asked
  assert.deepEqual([lease.sessionId, lease.state, lease.ended], ['s', 5, null])
})

test('a failure is the very same for all who share it, and a retry starts clean', async () => {
  const table = new RestoreTable()
  for (const thrown of [
    new Error('no'),
    Object.assign(new Error(), { code: 'NOT_FOUND' }),
    'text',
    undefined,
  ]) {
    const run = deferred()
    const asked = Array.from({ length: 10 }, () =>
      outcome(table.restore('load', 's', CWD, () => run.promise)),
    )
    run.reject(thrown)
    for (const { error, value } of await Promise.all(asked)) {
      assert.equal(value, undefined)
      assert.equal(error, thrown)
    }
    assert.equal(table.status('s'), null)
  }
  // One that throws before it returns a promise is no different.
  const thrown = new Error('at once')
  const { error } = await outcome(
    table.restore('load', 's', CWD, () => {
      throw thrown
    }),
  )
  assert.equal(error, thrown)
  const lease = await table.restore('resume', 's', CWD, () => 'clean')
  assert.deepEqual([lease.attached, lease.state], [false, 'clean'])
})

test('the other action is refused at once, in both directions, with all that is to be said', async () => {
  const table = new RestoreTable()
  for (const [active, requested] of [
    ['load', 'resume'],
    ['resume', 'load'],
  ]) {
    const run = deferred()
    const asked = table.restore(active, 's', CWD, () => run.promise)
    const { error } = await outcome(table.restore(requested, 's', CWD, never))
    const { code, sessionId, reason, retryAfter } = error
    assert.deepEqual(
      { code, sessionId, active: error.active, requested: error.requested, reason, retryAfter },
      {
        code: 'RESTORE_IN_PROGRESS',
        sessionId: 's',
        active,
        requested,
        reason: 'restoring',
        retryAfter: 5,
      },
    )
    assert.ok(error instanceof Error)
    assert.ok(error.stack.includes('restore.test.mjs'), 'the stack names the caller')
    run.resolve()
    assert.equal((await asked).release(), true)
  }
})

test('a sharer who leaves drops his own share alone', async () => {
  const table = new RestoreTable()
  const run = deferred()
  const owner = table.restore('load', 's', CWD, () => run.promise)
  const controller = new AbortController()
  const { signal } = controller
  const sharer = outcome(table.restore('load', 's', CWD, never, { signal }))
  const reason = new Error('enough')
  controller.abort(reason)
  const { error } = await sharer
  assert.equal(error.code, 'CANCELLED')
  assert.equal(error.cause, reason)
  assert.equal(table.status('s').attachments, 1)
  run.resolve(1)
  const lease = await owner
  assert.equal(lease.release(), true)
})

test('when the owner leaves the first who waits is the owner of the same run', async () => {
  const table = new RestoreTable()
  const run = deferred()
  const controller = new AbortController()
  let given
  const owner = outcome(
    table.restore(
      'load',
      's',
      CWD,
      ({ signal }) => {
        given = signal
        return run.promise
      },
      { signal: controller.signal },
    ),
  )
  const sharers = [1, 2].map(() => table.restore('load', 's', CWD, never))
  controller.abort()
  assert.equal((await owner).error.code, 'CANCELLED')
  assert.equal(given.aborted, false)
  run.resolve('done')
  const leases = await Promise.all(sharers)
  assert.deepEqual(
    leases.map(({ attached, state }) => [attached, state]),
    [
      [false, 'done'],
      [true, 'done'],
    ],
  )
})

test("an owner's leaving that ends his function is no failure of others: the next runs his own", async () => {
  const endings = {
    'with the reason itself': (signal) =>
      once(new EventTarget(), 'never', { signal }).catch(() => Promise.reject(signal.reason)),
    'with an error of its kind': (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('left', 'AbortError')))
      }),
    'with an error that names it': (signal) => sleep(60_000, undefined, { signal, ref: false }),
  }
  for (const [name, ending] of Object.entries(endings)) {
    const table = new RestoreTable()
    const controller = new AbortController()
    const { signal } = controller
    const owner = outcome(table.restore('load', 's', CWD, () => ending(signal), { signal }))
    const ran = []
    const asked = ['b', 'c'].map((who) =>
      table.restore('load', 's', CWD, async ({ sessionId }) => {
        ran.push(who)
        table.publish(sessionId, who)
        return who
      }),
    )
    controller.abort(new Error('gone'))
    assert.equal((await owner).error.code, 'CANCELLED', name)
    const leases = await Promise.all(asked)
    assert.deepEqual(ran, ['b'])
    assert.deepEqual(
      leases.map(({ attached, state }) => [attached, state]),
      [
        [false, 'b'],
        [true, 'b'],
      ],
    )
    await table.close()
  }
})

test('a failure for another reason is that of the others, also when the owner has left', async () => {
  const table = new RestoreTable()
  const run = deferred()
  const controller = new AbortController()
  const owner = outcome(
    table.restore('load', 's', CWD, () => run.promise, { signal: controller.signal }),
  )
  const sharer = outcome(table.restore('load', 's', CWD, never))
  controller.abort()
  const thrown = new Error('the disk is gone')
  run.reject(thrown)
  assert.equal((await sharer).error, thrown)
  assert.equal((await owner).error.code, 'CANCELLED')
})

test('a signal that knows no reason takes no failure for its own', async () => {
  const table = new RestoreTable()
  const run = deferred()
  // As older implementations have them.
  const signal = Object.assign(new EventTarget(), { aborted: false })
  const owner = outcome(table.restore('load', 's', CWD, () => run.promise, { signal }))
  const sharer = outcome(table.restore('load', 's', CWD, never))
  signal.dispatchEvent(new Event('abort'))
  assert.equal((await owner).error.code, 'CANCELLED')
  const thrown = new Error('the disk is gone')
  run.reject(thrown)
  assert.equal((await sharer).error, thrown)
})

test('when all have left the run is told, its id stays fenced, and what it gives is discarded', async () => {
  await observed(async () => {
    for (const late of ['resolve', 'reject']) {
      const table = new RestoreTable()
      const run = deferred()
      let given
      const controller = new AbortController()
      const { signal } = controller
      const restore = (context) => {
        given = context
        return run.promise
      }
      const asked = [1, 2].map(() => outcome(table.restore('load', 's', CWD, restore, { signal })))
      controller.abort()
      for (const { error } of await Promise.all(asked)) assert.equal(error.code, 'CANCELLED')
      assert.equal(given.signal.aborted, true)
      assert.equal(given.signal.reason.code, 'CANCELLED')
      assert.throws(() => given.carriedBy(table.channel(() => undefined)), { code: 'CANCELLED' })
      const { error } = await outcome(table.restore('load', 's', CWD, never))
      assert.deepEqual([error.code, error.reason], ['RESTORE_IN_PROGRESS', 'abandoned'])
      run[late](new Error('too late'))
      await turn()
      assert.equal(table.status('s'), null)
      assert.equal((await table.restore('load', 's', CWD, () => 2)).state, 2)
    }
  })
})

test('a caller whose signal was given before asks for nothing', async () => {
  const table = new RestoreTable()
  const { error } = await outcome(
    table.restore('load', 's', CWD, never, { signal: AbortSignal.abort('why') }),
  )
  assert.deepEqual([error.code, error.cause], ['CANCELLED', 'why'])
  assert.deepEqual(table.sessions(), [])
})

test('any number of callers share a signal without a warning, and leave no listener to each', async () => {
  const warnings = []
  const note = (warning) => warnings.push(warning.name)
  process.on('warning', note)
  const { signal } = new AbortController()
  const table = new RestoreTable({ limit: 0 })
  const ids = Array.from({ length: 100 }, (_, at) => `s${at}`)
  await Promise.all(ids.map((id) => table.restore('load', id, CWD, turn, { signal })))
  await turn()
  process.off('warning', note)
  assert.deepEqual(warnings, [])
  assert.ok(getEventListeners(signal, 'abort').length <= 1)
})

test('all are told in time, and the late result is discarded', async () => {
  await observed(async () => {
    for (const late of ['resolve', 'reject']) {
      const table = new RestoreTable({ timeoutMs: 20 })
      const run = deferred()
      let given
      const restore = ({ signal }) => {
        given = signal
        return run.promise
      }
      // The timer keeps no process alive: that is for the test to do.
      const alive = setTimeout(() => assert.fail('nobody was told'), 20_000)
      const asked = [1, 2, 3].map(() => outcome(table.restore('load', 's', CWD, restore)))
      for (const { error } of await Promise.all(asked)) assert.equal(error.code, 'TIMEOUT')
      clearTimeout(alive)
      assert.equal(given.reason.code, 'TIMEOUT')
      assert.equal(table.status('s').stage, 'abandoned')
      run[late](new Error('too late'))
      await turn()
      assert.equal(table.status('s'), null)
    }
  })
})

test('a time longer than any timer runs is not over at once', async () => {
  for (const timeoutMs of [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY]) {
    const table = new RestoreTable({ timeoutMs })
    const lease = await table.restore('load', 's', CWD, () => sleep(20, 'there'))
    assert.equal(lease.state, 'there')
  }
})

test('closing ends sessions, tells callers, and waits for 100 restores that run', async () => {
  const table = new RestoreTable({ limit: 0 })
  const live = await table.restore('load', 'live', CWD, () => 1)
  const runs = Array.from({ length: 100 }, deferred)
  const asked = runs.map((run, at) =>
    outcome(table.restore('load', `s${at}`, CWD, () => run.promise)),
  )
  let closed = 0
  const closing = [table.close(), table.close({ timeoutMs: 60_000 })].map((promise) =>
    promise.then(() => {
      closed += 1
    }),
  )
  for (const { error } of await Promise.all(asked)) assert.equal(error.code, 'CLOSING')
  assert.equal(live.ended, 'daemon_shutdown')
  assert.equal(live.release(), false)
  const { error } = await outcome(table.restore('load', 'new', CWD, never))
  assert.equal(error.code, 'CLOSING')
  const tooShort = await outcome(table.close({ timeoutMs: 5 }))
  assert.equal(tooShort.error.code, 'TIMEOUT')
  assert.match(tooShort.error.message, /100 restores/)
  for (const run of runs.slice(1)) run.resolve()
  for (let round = 0; round < 5; round++) await turn()
  assert.equal(closed, 0)
  runs[0].reject(new Error('too late'))
  await Promise.all(closing)
  assert.deepEqual(table.sessions(), [])
  await table.close()
})

test('a workspace is compared as the folder that it is, and named in full', async (t) => {
  const folder = temporaryFolder(t)
  const [bound, other, link] = ['bound', 'other', 'link'].map((name) => join(folder, name))
  mkdirSync(bound)
  mkdirSync(other)
  symlinkSync(bound, link, 'junction')
  const table = new RestoreTable({ workspace: link })
  for (const [id, cwd] of [
    ['a', bound],
    ['b', link],
    ['c', join(other, '..', 'bound')],
    ['d', Buffer.from(bound)],
  ]) {
    assert.equal((await table.restore('load', id, cwd, () => id)).state, id)
  }
  const { error } = await outcome(table.restore('load', 'e', other, never))
  assert.equal(error.code, 'WORKSPACE_MISMATCH')
  assert.ok(error.bound.endsWith('bound') && error.requested.endsWith('other'))
  assert.equal(
    (await outcome(table.restore('load', 'e', 'bound', never))).error.code,
    'INVALID_INPUT',
  )
})

test('a limit holds for live, spawned and running ones, and not for who shares or is attached', async () => {
  const table = new RestoreTable({ limit: 2 })
  const run = deferred()
  await table.spawn('one', CWD, () => 1)
  const two = table.restore('load', 'two', CWD, () => run.promise)
  const { error } = await outcome(table.restore('load', 'three', CWD, never))
  assert.deepEqual([error.code, error.limit, error.retryAfter], ['SESSION_LIMIT', 2, 5])
  const shared = table.restore('load', 'two', CWD, never)
  assert.equal((await table.restore('load', 'one', CWD, never)).attached, true)
  run.resolve()
  assert.deepEqual([(await two).attached, (await shared).attached], [false, true])
  assert.equal(table.defaultTarget(), 'one')
})

test('nothing is coerced', async () => {
  const refused = { code: 'INVALID_INPUT' }
  for (const options of [
    null,
    5,
    { limits: 1 },
    { limit: '1' },
    { limit: -1 },
    { limit: 1.5 },
    { limit: Number.NaN },
    { limit: 2n },
    { limit: true },
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { timeoutMs: '5' },
    { ringCapacity: -1 },
    { workspace: 5 },
    { registry: {}, agent: 'a' },
    { agent: 'a' },
    { registry: new sessionreg.Registry('/nowhere') },
    { registry: new sessionreg.Registry('/nowhere'), agent: 'No Agent' },
  ]) {
    assert.throws(() => new RestoreTable(options), refused, inspect(options))
  }
  const table = new RestoreTable()
  const calls = [
    () => table.restore('spawn', 's', CWD, never),
    () => table.restore('reload', 's', CWD, never),
    () => table.restore(5, 's', CWD, never),
    () => table.restore('load', 's', CWD),
    () => table.restore('load', 's', CWD, {}),
    () => table.restore('load', 's', CWD, never, { signal: {} }),
    () => table.restore('load', 's', CWD, never, { signal: null }),
    () => table.restore('load', 's', CWD, never, { timeoutMs: 5 }),
    () => table.restore('load', 's', CWD, never, null),
    () => table.restore('load', 's', 5, never),
    () => table.restore('load', 's', '', never),
    () => table.restore('load', 5, CWD, never),
    () => table.spawn('s', undefined, never),
    () => table.close({ timeoutMs: '5' }),
    () => table.close({ timeoutMs: -5 }),
    () => table.close({ timeout: 5 }),
  ]
  for (const call of calls) {
    const { error } = await outcome(call())
    assert.equal(error?.code, 'INVALID_INPUT', String(call))
  }
  for (const id of ['', '../s', 'a/b', '\ud800']) {
    assert.equal((await outcome(table.restore('load', id, CWD, never))).error.code, 'INVALID_ID')
  }
  const lease = await table.restore('load', 's', CWD, ({ carriedBy }) => {
    for (const channel of [undefined, {}, 5]) assert.throws(() => carriedBy(channel), refused)
    const foreign = new RestoreTable().channel(() => undefined)
    assert.throws(() => carriedBy(foreign), refused)
  })
  for (const call of [
    () => table.channel(),
    () => table.channel(() => undefined).exited(5),
    () => table.end('s', { onlyIfUnattached: 1 }),
    () => table.end('s', 5),
    () => table.end(5),
    () => table.publish(5, 1),
    () => table.subscribe('s', { lastEventId: 0 }),
    () => table.subscribe('s', { lastEventId: '' }),
    () => table.subscribe('s', { lastEventId: 'epoch-' }),
    () => table.subscribe('s', { from: '0' }),
    () => table.status(5),
    () => new sessionreg.Lease(),
    () => new sessionreg.Channel(),
    () => new sessionreg.Subscription(),
  ]) {
    assert.throws(call, refused, String(call))
  }
  assert.equal(lease.ended, null)
})

test('a channel is torn down once, by the last who leaves it', async () => {
  const table = new RestoreTable()
  let torn = 0
  const channel = table.channel(() => {
    torn += 1
    // It may use the table.
    assert.equal(channel.isOpen, false)
    assert.deepEqual(table.sessions(), [])
  })
  const carried = (id, result) =>
    table.restore('load', id, CWD, async ({ carriedBy }) => {
      carriedBy(channel)
      return await result
    })
  const run = deferred()
  const one = await carried('one', 1)
  const two = carried('two', run.promise)
  const three = await outcome(carried('three', Promise.reject(new Error('sibling'))))
  assert.equal(three.error.message, 'sibling')
  assert.equal(one.release(), true)
  assert.equal(torn, 0)
  run.resolve()
  assert.equal((await two).release(), true)
  assert.equal(torn, 1)
  const late = await outcome(carried('four', 4))
  assert.deepEqual([late.error.code, late.error.reason], ['CLOSED', 'channel_closed'])
  channel.exited('status 0')
  assert.equal(torn, 1)
})

test('the death of a channel ends its sessions and fails its restores, and no others', async () => {
  const table = new RestoreTable()
  const channel = table.channel(never)
  const run = deferred()
  let given
  const live = await table.restore('load', 'live', CWD, ({ carriedBy }) => carriedBy(channel))
  const other = await table.restore('load', 'other', CWD, () => 1)
  const pending = [1, 2].map(() =>
    outcome(
      table.restore('load', 'pending', CWD, ({ carriedBy, signal }) => {
        carriedBy(channel)
        given = signal
        return run.promise
      }),
    ),
  )
  const subscription = table.subscribe('live')
  channel.exited('killed by signal 9')
  for (const { error } of await Promise.all(pending)) {
    assert.deepEqual([error.code, error.reason], ['CLOSED', 'channel_closed'])
    assert.match(error.message, /killed by signal 9/)
  }
  assert.equal(given.aborted, true)
  assert.equal(live.ended, 'channel_closed')
  assert.equal(other.ended, null)
  assert.deepEqual((await subscription.next()).value, { kind: 'ended', reason: 'channel_closed' })
  run.resolve()
})

test('what a teardown throws is nobody else’s: it is reported as uncaught', async () => {
  const seen = await runNode(`
    import { RestoreTable } from 'sessionreg'
    const seen = []
    process.on('uncaughtException', (error) => seen.push(error.message))
    const table = new RestoreTable()
    const channel = table.channel(() => { throw new Error('teardown') })
    const lease = await table.restore('load', 's', '/', ({ carriedBy, signal }) => {
      signal.addEventListener('abort', () => { throw new Error('listener') })
      carriedBy(channel)
    })
    seen.push(lease.release())
    const pending = table.restore('load', 't', '/', ({ signal }) => {
      signal.addEventListener('abort', () => { throw new Error('listener') })
      return new Promise((resolve) => setTimeout(resolve, 20))
    }).catch(({ code }) => seen.push(code))
    await Promise.all([pending, table.close()])
    console.log(JSON.stringify(seen))
  `)
  assert.deepEqual(seen.sort(), ['CLOSING', 'listener', 'teardown', true].sort())
})

test('a session that is unwanted ends with the last who leaves it', async () => {
  const table = new RestoreTable()
  const lease = await table.restore('load', 's', CWD, () => 1)
  const subscription = table.subscribe('s')
  assert.equal(table.end('s', { onlyIfUnattached: true }), false)
  assert.equal(lease.release(), false)
  assert.equal(lease.ended, null)
  subscription.close()
  assert.equal(lease.ended, 'ended')
  assert.throws(() => table.end('s'), { code: 'NOT_FOUND' })
  const again = await table.restore('load', 's', CWD, () => 2)
  assert.equal(table.end('s'), true)
  assert.equal(again.ended, 'ended')
})

test('a lease ends with its block', {
  skip: !Symbol.dispose && 'no such symbols here',
}, async () => {
  const table = new RestoreTable()
  const lease = await table.restore('load', 's', CWD, () => 1)
  lease[Symbol.dispose]()
  assert.equal(lease.ended, 'released')
  const again = await table.restore('load', 's', CWD, () => 1)
  await again[Symbol.asyncDispose]()
  assert.equal(again.ended, 'released')
})

/** Values that are kept for nobody are collected. */
const SETTLE = `
  const settle = async () => {
    for (let i = 0; i < 5; i++) {
      globalThis.gc()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
`

test('values are let go of with what they belong to, and no sooner', async () => {
  const seen = await runNode(
    `
    import { RestoreTable } from 'sessionreg'
    ${SETTLE}
    const table = new RestoreTable({ ringCapacity: 4 })
    const made = {}
    const watched = (name) => {
      const value = { name }
      made[name] = new WeakRef(value)
      return value
    }
    const left = async () => {
      await settle()
      // With the next call of whatever it is.
      table.sessions()
      await settle()
      return Object.keys(made).filter((name) => made[name].deref() !== undefined).sort()
    }
    let lease = await table.restore('load', 's', '/', () => watched('state'))
    await table.restore('load', 'failed', '/', () => Promise.reject(watched('failure'))).catch(() => undefined)
    table.publish('s', watched('event'))
    const seen = [await left()]
    for (let i = 0; i < 300; i++) table.publish('s', i)
    seen.push(await left())
    table.end('s')
    seen.push(await left())
    lease = undefined
    seen.push(await left())
    console.log(JSON.stringify(seen))
    `,
    { args: ['--expose-gc'] },
  )
  assert.deepEqual(seen, [['event', 'state'], ['state'], ['state'], []])
})

test('garbage collection ends no session, and lets a forgotten subscriber go', async () => {
  const seen = await runNode(
    `
    import { RestoreTable } from 'sessionreg'
    ${SETTLE}
    const table = new RestoreTable()
    let torn = 0
    await (async () => {
      await table.restore('load', 'leased', '/', () => 1)
      const lease = await table.restore('load', 'unwanted', '/', ({ carriedBy }) => carriedBy(table.channel(() => { torn += 1 })))
      table.subscribe('unwanted')
      table.end('unwanted', { onlyIfUnattached: true })
      lease.release()
      // Its promise never settles, and nobody has it.
      table.restore('load', 'hung', '/', () => new Promise(() => undefined))
    })()
    await settle()
    console.log(JSON.stringify({ torn, sessions: table.sessions().map(({ sessionId, stage }) => [sessionId, stage]) }))
    `,
    { args: ['--expose-gc'] },
  )
  assert.deepEqual(seen, {
    torn: 1,
    sessions: [
      ['hung', 'restoring'],
      ['leased', 'live'],
    ],
  })
})

test('a restore that has ended leaves no timer', async () => {
  const timers = new Set()
  let begun = 0
  const init = (id, type) => {
    if (type !== 'Timeout') return
    timers.add(id)
    begun += 1
  }
  const hook = createHook({ init, destroy: (id) => timers.delete(id) }).enable()
  const table = new RestoreTable()
  await table.restore('load', 's', CWD, () => 1)
  await outcome(table.restore('load', 't', CWD, () => Promise.reject(new Error('no'))))
  await table.close({ timeoutMs: 60_000 })
  for (let round = 0; round < 5; round++) await turn()
  hook.disable()
  assert.equal(begun, 3, 'the control: they are seen')
  assert.deepEqual([...timers], [])
})

test('a table keeps no process alive, and one that hangs is not waited for', async () => {
  const seen = await runNode(`
    import { RestoreTable } from 'sessionreg'
    const table = new RestoreTable()
    const lease = await table.restore('load', 's', '/', () => 1)
    table.subscribe('s').next()
    table.restore('load', 'hung', '/', () => new Promise(() => undefined))
    console.log(JSON.stringify(lease.state))
  `)
  assert.equal(seen, 1)
})

test('it starts no thread', { skip: process.platform !== 'linux' && 'reads /proc' }, async () => {
  const seen = await runNode(`
    import fs from 'node:fs'
    import { RestoreTable } from 'sessionreg'
    const threads = () => fs.readdirSync('/proc/self/task').length
    const before = threads()
    const table = new RestoreTable()
    await Promise.all(Array.from({ length: 10 }, () => table.restore('load', 's', '/', () => new Promise((resolve) => setTimeout(resolve, 5)))))
    table.publish('s', 1)
    await table.subscribe('s', { lastEventId: '0' }).next()
    await table.close()
    console.log(JSON.stringify({ before, after: threads() }))
  `)
  assert.equal(seen.after, seen.before)
})
