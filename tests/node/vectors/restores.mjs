// The operation `restore_history`: several calls, one after the other, on one restore table.
import assert from 'node:assert/strict'
import sessionreg from 'sessionreg'
import { withEnvironment } from './environment.mjs'
import { camel } from './record.mjs'

const TABLE = new Set(['workspace', 'limit', 'ring_capacity', 'agent'])
const ARGUMENTS = new Set(
  `id cwd state failure error data times last_event_id channel info agent session_id`.split(' '),
)
const EXPECTATIONS = new Set(
  `error begun result event keep events settled signalled torn_down ended sessions
  default_target`.split(/\s+/),
)
const DETAILS = 'session_id active requested reason retry_after limit bound'.split(' ')

/** Longer than anything here takes: what has not come by then never will. */
const PATIENCE_MS = 20_000

/** Lets everything happen that needs nothing but the event loop. */
async function turn() {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve))
}

export async function restoreHistory({ given, texts, disk }) {
  await withEnvironment({ given, texts, disk }, async () => {
    const registry = new sessionreg.Registry(disk.beside('sessions'))
    const options = optionsOf(given, texts, registry)
    if (given.expect !== undefined) {
      const wanted = texts.deep(given.expect.error)
      assert.throws(
        () => new sessionreg.RestoreTable(options),
        (error) => {
          assert.deepEqual(described(error), wanted)
          return true
        },
      )
      return
    }
    const history = new History(new sessionreg.RestoreTable(options), registry, texts)
    try {
      for (const [at, step] of given.steps.entries()) {
        try {
          await history.step(step)
        } catch (error) {
          error.message = `step ${at + 1}, ${step.do}: ${error.message}`
          throw error
        }
      }
    } finally {
      await history.end()
    }
  })
}

function optionsOf({ table = {}, steps = [] }, texts, registry) {
  checkKeys(table, TABLE)
  const timeoutMs = steps.some((step) => step.do === 'time_out') ? 1000 : Number.POSITIVE_INFINITY
  const entries = Object.entries(texts.deep(table)).map(([key, value]) => [camel(key), value])
  const options = { ...Object.fromEntries(entries), timeoutMs }
  return options.agent === undefined ? options : { ...options, registry }
}

function checkKeys(object, known) {
  for (const key of Object.keys(object)) assert.ok(known.has(key), `no such key: ${key}`)
}

/** An error in the words of the vectors. */
function described(error) {
  assert.ok(error instanceof Error, String(error))
  const result = { code: error.code }
  for (const key of DETAILS) {
    if (error[camel(key)] !== undefined) result[key] = error[camel(key)]
  }
  if (error.holder !== undefined) {
    const { pid, sessionId } = error.holder
    result.holder = { pid, session_id: sessionId }
  }
  return result
}

class History {
  #callers = new Map()
  #runs = new Map()
  #subscribers = new Map()
  #channels = new Map()
  #claims = new Map()
  // Also those whose name was given again.
  #all = { runs: [], leases: [], subscribers: [], claims: [] }
  #settled = new Map()
  #signalled = []
  #tornDown = []

  constructor(table, registry, texts) {
    Object.assign(this, { table, registry, texts })
  }

  async end() {
    await turn()
    const { runs, leases, subscribers, claims } = this.#all
    for (const run of runs) run.resolve(null)
    for (const lease of leases) lease.release()
    for (const { subscription } of subscribers) subscription.close()
    // What it says is not looked at: it may be released.
    for (const claim of claims) await claim.release().catch(() => undefined)
    await turn()
  }

  async step({ do: name, as = 'a', args: given = {}, expect = {}, ...rest }) {
    assert.deepEqual(rest, {}, 'a step has other keys')
    checkKeys(given, ARGUMENTS)
    checkKeys(expect, EXPECTATIONS)
    const { texts } = this
    this.#settled.clear()
    this.#signalled = []
    this.#tornDown = []
    const answer = await this.#call(name, as, texts.deep(given)).catch((error) => ({ error }))
    if (this.#callers.has(as) && ['load', 'resume', 'spawn'].includes(name)) {
      await this.#checkBegun(as, answer, expect)
    }
    await this.#wait(expect)
    const error = answer.error && described(answer.error)
    assert.deepEqual(error, texts.deep(expect.error), `the error (${answer.error?.message})`)
    assert.equal(answer.result, expect.result, 'the result')
    assert.equal(answer.event?.number, expect.event, 'the event')
    if (expect.events !== undefined) {
      assert.deepEqual(answer.events, expandedEvents(expect.events), 'the events')
    }
    this.#checkSettled(texts.deep(expect.settled ?? {}))
    assert.deepEqual(this.#signalled.sort(), expect.signalled ?? [], 'which runs were signalled')
    assert.deepEqual(this.#tornDown.sort(), expect.torn_down ?? [], 'what was torn down')
    for (const [caller, why] of Object.entries(expect.ended ?? {})) {
      assert.equal(this.#callers.get(caller).lease.ended, why, `why the lease of ${caller} ended`)
    }
    if (expect.sessions !== undefined) {
      const sessions = this.table.sessions().map(({ sessionId: id, ...rest }) => ({ id, ...rest }))
      assert.deepEqual(sessions, expect.sessions)
      for (const { id, ...status } of expect.sessions) {
        assert.deepEqual(this.table.status(id), { sessionId: id, ...status })
      }
    }
    if (expect.default_target !== undefined) {
      assert.equal(this.table.defaultTarget(), expect.default_target, 'the default target')
    }
    if (expect.keep !== undefined) texts.facts[expect.keep] = answer.event.id
  }

  async #call(name, as, args) {
    const { table, registry } = this
    const caller = this.#callers.get(as)
    switch (name) {
      case 'load':
      case 'resume':
      case 'spawn':
        return this.#ask(name, as, args)
      case 'complete': {
        this.#runs.get(as).resolve(args.state)
        return {}
      }
      case 'fail': {
        const { failure, error: code } = args
        const thrown = new Error(failure ?? 'on purpose')
        if (code !== undefined) thrown.code = code
        this.#runs.get(as).thrown = thrown
        this.#runs.get(as).reject(thrown)
        return {}
      }
      case 'cancel':
        caller.hasLeft = true
        caller.controller.abort()
        return {}
      case 'time_out':
      case 'check':
        return {}
      case 'release':
        return { result: caller.lease.release() }
      case 'end':
        assert.equal(table.end(args.id), true)
        return {}
      case 'end_if_unattached':
        return { result: table.end(args.id, { onlyIfUnattached: true }) }
      case 'publish': {
        let id
        for (let count = 0; count < (args.times ?? 1); count++) {
          id = table.publish(args.id, args.data)
        }
        return { event: { id, number: id === null ? null : Number(id.split('-')[1]) } }
      }
      case 'subscribe': {
        const options =
          args.last_event_id === undefined ? [] : [{ lastEventId: args.last_event_id }]
        const subscribers = []
        for (let count = 0; count < (args.times ?? 1); count++) {
          const subscription = table.subscribe(args.id, ...options)
          subscribers.push({ subscription, asked: undefined, found: [] })
        }
        this.#subscribers.set(as, subscribers)
        this.#all.subscribers.push(...subscribers)
        return {}
      }
      case 'next':
        return { events: await allNow(this.#subscribers.get(as).at(-1)) }
      case 'unsubscribe':
        for (const { subscription } of this.#subscribers.get(as)) subscription.close()
        return {}
      case 'channel':
        this.#channels.set(
          as,
          table.channel(() => this.#tornDown.push(as)),
        )
        return {}
      case 'carried_by':
        this.#runs.get(as).context.carriedBy(this.#channels.get(args.channel))
        return {}
      case 'exited':
        this.#channels.get(as).exited(args.info)
        return {}
      case 'close':
        table.close().then(() => this.#settled.set(as, { closed: true }))
        return {}
      case 'claim': {
        const claim = await registry.claim(args.agent, args.session_id)
        this.#claims.set(as, claim)
        this.#all.claims.push(claim)
        return {}
      }
      case 'release_claim':
        await this.#claims.get(as).release()
        return {}
      default:
        throw new Error(`no such step: ${name}`)
    }
  }

  #ask(name, as, { id, cwd = `${this.texts.fact('root')}/srv/project` }) {
    const controller = new AbortController()
    const caller = { controller, hasLeft: false, lease: undefined, calls: 0 }
    this.#callers.set(as, caller)
    const restore = (context) => {
      caller.calls += 1
      return new Promise((resolve, reject) => {
        const run = { resolve, reject, context, thrown: undefined }
        this.#runs.set(as, run)
        this.#all.runs.push(run)
        context.signal.addEventListener('abort', () => this.#signalled.push(as))
      })
    }
    const { table } = this
    const { signal } = controller
    const asked =
      name === 'spawn'
        ? table.spawn(id, cwd, restore, { signal })
        : table.restore(name, id, cwd, restore, { signal })
    const tell = (outcome) => {
      if (!caller.hasLeft) this.#settled.set(as, outcome)
    }
    asked.then(
      (lease) => {
        caller.lease = lease
        this.#all.leases.push(lease)
        tell({ lease })
      },
      (error) => tell({ error }),
    )
    return {}
  }

  /** What is told to the caller in the step in which he asks may be the error of the call. */
  async #checkBegun(as, answer, expect) {
    const caller = this.#callers.get(as)
    if (expect.error !== undefined) {
      await waitFor(() => this.#settled.has(as))
      answer.error = this.#settled.get(as).error
      this.#settled.delete(as)
      assert.equal(caller.calls, 0)
      return
    }
    if (expect.begun === 'owner') await waitFor(() => caller.calls > 0 || this.#settled.has(as))
    else await turn()
    const isTold = this.#settled.has(as)
    const begun = caller.calls > 0 ? 'owner' : isTold ? 'attached' : 'sharer'
    assert.equal(begun, expect.begun, 'what the request came to')
    assert.ok(caller.calls <= 1, 'it is called once')
  }

  /** Waits until all that is expected has come, and what is not has had its chance. */
  async #wait({ settled = {}, signalled = [], torn_down: tornDown = [] }) {
    await waitFor(
      () =>
        Object.keys(settled).every((name) => this.#settled.has(name)) &&
        signalled.every((name) => this.#signalled.includes(name)) &&
        tornDown.every((name) => this.#tornDown.includes(name)),
    )
    await turn()
  }

  #checkSettled(expected) {
    assert.deepEqual([...this.#settled.keys()].sort(), Object.keys(expected).sort(), 'who was told')
    for (const [name, wanted] of Object.entries(expected)) {
      const { lease, error, closed } = this.#settled.get(name)
      if (wanted.failure !== undefined) {
        const thrown = [...this.#runs.values()].map((run) => run.thrown)
        assert.ok(thrown.includes(error), `${name} is told what was thrown itself`)
        assert.equal(error.message, wanted.failure)
        continue
      }
      const found = {}
      if (lease) Object.assign(found, { attached: lease.attached, state: lease.state })
      if (error) found.error = described(error)
      if (closed) found.closed = true
      assert.deepEqual(found, wanted, `what ${name} was told`)
    }
  }
}

async function waitFor(isThere) {
  const until = Date.now() + PATIENCE_MS
  while (!isThere()) {
    if (Date.now() > until) return
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** All events that there are now; the question after them stays open for the next time. */
async function allNow(subscriber) {
  const events = []
  for (;;) {
    subscriber.asked ??= subscriber.subscription.next().then((result) => {
      subscriber.found.push(result)
      subscriber.asked = undefined
    })
    await turn()
    if (subscriber.found.length === 0) return events
    const { value, done } = subscriber.found.shift()
    if (done) return events
    const { id, ...event } = value
    if (id !== undefined) event.number = Number(id.split('-')[1])
    events.push(event)
  }
}

function expandedEvents(events) {
  return events.flatMap(({ times = 1, number, ...event }) =>
    number === undefined
      ? [event]
      : Array.from({ length: times }, (_, at) => ({ ...event, number: number + at })),
  )
}
