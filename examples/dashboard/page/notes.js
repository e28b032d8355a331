// What the stream does not tell: files that could not be read, sessions that ended long ago.

import { visible } from './text.js'
import { counted } from './words.js'

const AT_MOST_EVERY_MS = 30_000
const MOST_FILES = 50

export class Notes {
  #parts
  #timer = null
  #last = -Infinity

  constructor(parts) {
    this.#parts = parts
  }

  /** Looks again, but not more often than is good. */
  refresh() {
    const wait = Math.max(0, this.#last + AT_MOST_EVERY_MS - performance.now())
    this.#timer ??= setTimeout(() => this.#look(), wait)
  }

  async #look() {
    this.#last = performance.now()
    try {
      const answer = await fetch('/api/state')
      if (answer.ok) this.#show(await answer.json())
    } catch {
      // The connection is shown elsewhere, and the next change looks again.
    }
    this.#timer = null
  }

  #show({ skipped, dead_before: old }) {
    const { older, unread, unreadTitle, unreadList } = this.#parts
    older.hidden = old === 0
    older.textContent = `${counted(old, 'session that ended earlier is', 'sessions that ended earlier are')} not listed.`
    unread.hidden = skipped.length === 0
    unreadTitle.textContent = `${counted(skipped.length, 'file', 'files')} could not be read`
    unreadList.replaceChildren(
      ...skipped.slice(0, MOST_FILES).map(({ path, reason }) => {
        const item = document.createElement('li')
        item.textContent = `${visible(path)}: ${visible(reason)}`
        return item
      }),
    )
  }
}
