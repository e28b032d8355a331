// What is said aloud: that a session waits, or ended. Nothing else is important enough.

import { groupOf } from './sessions.js'
import { counted, reasonWords, title, waitsFor } from './words.js'

// What happens within this time is said at once.
const GATHER_MS = 800
const MOST_SENTENCES = 3

export class News {
  #region
  #waiting = new Map()
  #ended = new Map()
  #timer = null

  constructor(region) {
    this.#region = region
  }

  tell(changes) {
    for (const { key, before, after } of changes) {
      if (!before || !after || groupOf(before) === groupOf(after)) continue
      this.#waiting.delete(key)
      this.#ended.delete(key)
      if (groupOf(after) === 'waiting') this.#waiting.set(key, after)
      if (groupOf(after) === 'ended') this.#ended.set(key, after)
    }
    if (this.#waiting.size + this.#ended.size > 0) {
      this.#timer ??= setTimeout(() => this.#say(), GATHER_MS)
    }
  }

  say(text) {
    this.#region.textContent = text
  }

  #say() {
    this.#timer = null
    const waiting = [...this.#waiting.values()]
    const ended = [...this.#ended.values()]
    this.#waiting.clear()
    this.#ended.clear()
    const sentences = [
      ...waiting.map((session) => `${title(session)} is waiting ${waitsFor(session)}`.trim()),
      ...ended.map((session) => `${title(session)} ended: ${reasonWords(session)}`),
    ]
    if (sentences.length > MOST_SENTENCES) {
      this.say(
        [
          waiting.length > 0
            ? `${counted(waiting.length, 'session is', 'sessions are')} waiting`
            : '',
          ended.length > 0 ? `${counted(ended.length, 'session', 'sessions')} ended` : '',
        ]
          .filter(Boolean)
          .join('. '),
      )
    } else {
      this.say(sentences.join('. '))
    }
  }
}
