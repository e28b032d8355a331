// The sessions as the batches of the stream tell them.

/** In the order in which they are shown: what needs a person comes first. */
export const GROUPS = ['waiting', 'working', 'idle', 'unknown', 'ended']

export function groupOf(session) {
  if (session.state === 'dead') return 'ended'
  if (session.state !== 'alive') return 'unknown'
  if (session.status === 'waiting') return 'waiting'
  return session.status === 'idle' ? 'idle' : 'working'
}

export class Sessions {
  #known = new Map()

  get size() {
    return this.#known.size
  }

  get(key) {
    return this.#known.get(key)
  }

  /** Takes a batch in; gives the changes as `{ key, before, after }`. */
  apply(batch) {
    const changes = new Map()
    const put = (key, after) => {
      const before = changes.has(key) ? changes.get(key).before : this.#known.get(key)
      changes.set(key, { key, before, after })
      if (after) this.#known.set(key, after)
      else this.#known.delete(key)
    }
    if (batch.reset) {
      const stay = new Set(batch.added.map((session) => session.key))
      for (const key of [...this.#known.keys()]) if (!stay.has(key)) put(key, undefined)
    }
    for (const session of batch.added) put(session.key, session)
    for (const session of batch.changed) put(session.key, session)
    for (const key of batch.removed) put(key, undefined)
    return [...changes.values()]
  }

  /** How many there are in each group. */
  counts() {
    const counts = Object.fromEntries(GROUPS.map((group) => [group, 0]))
    for (const session of this.#known.values()) counts[groupOf(session)] += 1
    return counts
  }
}
