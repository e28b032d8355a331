// One session in the list.

import { showDetails } from './details.js'
import { groupOf } from './sessions.js'
import * as words from './words.js'

const MARKS = { alive: '●', dead: '✕', unknown: '?' }

let made = 0

export class Row {
  #shown = new Map()
  #parts = new Map()
  #search = ''

  constructor(template) {
    this.element = template.content.firstElementChild.cloneNode(true)
    for (const part of this.element.querySelectorAll('[data-part]')) {
      this.#parts.set(part.dataset.part, part)
    }
    this.button = this.#parts.get('title')
    this.details = this.#parts.get('details')
    made += 1
    this.details.id = `details-${made}`
    this.button.setAttribute('aria-controls', this.details.id)
  }

  show(session) {
    this.session = session
    this.group = groupOf(session)
    const started = session.started_at
    // The newest first; what has no start comes last, in an order that stays.
    this.place = [Number.isFinite(started) ? -started : 0, session.key]

    this.element.dataset.key = session.key
    this.element.dataset.group = this.group
    const [parents, base] = words.folder(session)
    const usage = words.context(session)
    const texts = {
      mark: this.group === 'waiting' ? '!' : (MARKS[session.state] ?? MARKS.unknown),
      state: words.stateWord(session),
      reason: words.reasonWords(session),
      title: words.title(session),
      subtitle: words.subtitle(session),
      status: words.statusWord(session),
      waits: words.waitsFor(session),
      parents,
      base,
      context: usage?.text ?? '',
      turn: words.turn(session),
      terminal: words.terminal(session),
    }
    for (const [part, text] of Object.entries(texts)) this.#put(part, text)

    const bar = this.#parts.get('bar')
    bar.hidden = usage?.part == null
    bar.classList.toggle('full', words.isNearlyFull(usage))
    this.#parts.get('part').style.setProperty('--part', String(usage?.part ?? 0))
    for (const [cell, text] of [
      ['folder', base],
      ['usage', usage],
      ['place', texts.terminal],
    ]) {
      this.#parts.get(cell).hidden = !text
    }
    const { agent, session_id: id, work_dir: path, pid } = session
    this.#search = [...Object.values(texts), agent, id, path, pid].join('\n').toLowerCase()
    this.tick(Date.now() / 1000)
    if (this.isOpen) this.#showDetails()
  }

  /** Shows how old it is now. */
  tick(now) {
    const age = words.span(Math.max(0, now - this.session.started_at))
    this.#put('age', age)
    this.#parts.get('since').hidden = age === ''
  }

  matches({ words: wanted, group }) {
    if (group !== 'all' && group !== this.group) return false
    return wanted.every((word) => this.#search.includes(word))
  }

  get isOpen() {
    return !this.details.hidden
  }

  toggle(open = !this.isOpen) {
    this.details.hidden = !open
    this.button.setAttribute('aria-expanded', String(open))
    if (open) this.#showDetails()
  }

  #showDetails() {
    this.details.setAttribute('aria-label', `Details of ${words.title(this.session)}`)
    showDetails(this.#parts.get('facts'), this.session)
  }

  #put(part, text) {
    if (this.#shown.get(part) === text) return
    this.#shown.set(part, text)
    this.#parts.get(part).textContent = text
  }
}
