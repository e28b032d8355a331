// The rows on the page. A session keeps its row for as long as it is listed.

import { Row } from './row.js'
import { GROUPS } from './sessions.js'

// So much of a frame is spent on rows; the rest of a burst waits for the next one.
const BUDGET_MS = 8

export class SessionList {
  #rows = new Map()
  #pending = new Set()
  #isScheduled = false
  #wanted = { words: [], group: 'all' }
  #sections
  #current = null
  #isChosen = false

  /** `onDrawn` is called when all that was marked is on the page. */
  constructor(sessions, { root, template, onDrawn }) {
    this.sessions = sessions
    this.template = template
    this.onDrawn = onDrawn
    this.#sections = new Map(
      GROUPS.map((group) => {
        const section = root.querySelector(`section[data-group="${group}"]`)
        return [group, { section, list: section.querySelector('ul'), rows: [] }]
      }),
    )
    root.addEventListener('click', (event) => this.#clicked(event))
    root.addEventListener('focusin', (event) => {
      const row = this.#rowOf(event.target)
      if (!row) return
      this.#isChosen = true
      this.#rove(row)
    })
  }

  /** Has the rows of these sessions drawn, within the next frames. */
  mark(keys) {
    for (const key of keys) {
      // A page that is not seen gets no frames: what comes and goes meanwhile must not pile up.
      if (this.sessions.get(key) || this.#rows.has(key)) this.#pending.add(key)
      else this.#pending.delete(key)
    }
    if (this.#isScheduled) return
    this.#isScheduled = true
    requestAnimationFrame(() => this.#draw())
  }

  filter(wanted) {
    this.#wanted = wanted
    for (const row of this.#rows.values()) row.element.hidden = !row.matches(wanted)
    this.#tidy()
  }

  tick(now) {
    for (const row of this.#rows.values()) row.tick(now)
  }

  /** The rows that are shown, from top to bottom. */
  shown() {
    const all = GROUPS.flatMap((group) => this.#sections.get(group).rows)
    return all.filter((row) => !row.element.hidden)
  }

  /** Moves the focus by so many rows; into the list, if it is elsewhere. */
  move(steps) {
    const shown = this.shown()
    const at = shown.indexOf(this.#rowOf(document.activeElement))
    const next = at < 0 ? shown.indexOf(this.#current) : at + steps
    this.focus(shown[Math.max(0, Math.min(shown.length - 1, next))])
  }

  moveToEnd(isLast) {
    this.focus(this.shown().at(isLast ? -1 : 0))
  }

  focus(row) {
    row?.button.focus()
    row?.element.scrollIntoView({ block: 'nearest' })
  }

  /** The row that has the focus. */
  focused() {
    return this.#rowOf(document.activeElement)
  }

  #draw() {
    this.#isScheduled = false
    const end = performance.now() + BUDGET_MS
    for (const key of this.#pending) {
      this.#pending.delete(key)
      this.#put(key)
      if (performance.now() > end) break
    }
    this.#tidy()
    if (this.#pending.size > 0) this.mark([])
    else this.onDrawn()
  }

  #put(key) {
    const session = this.sessions.get(key)
    let row = this.#rows.get(key)
    if (!session) {
      if (row) this.#remove(row, key)
      return
    }
    const before = row && { group: row.group, place: row.place }
    if (!row) {
      row = new Row(this.template)
      this.#rows.set(key, row)
    }
    row.show(session)
    row.element.hidden = !row.matches(this.#wanted)
    if (before?.group === row.group && compare(before.place, row.place) === 0) return
    if (before) this.#take(row, before.group)
    this.#insert(row)
  }

  #insert(row) {
    const { section, list, rows } = this.#sections.get(row.group)
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(rows[middle].place, row.place) < 0) low = middle + 1
      else high = middle
    }
    const next = rows[low]?.element ?? null
    rows.splice(low, 0, row)
    // A row that moves while it has the focus keeps it; nothing that is hidden could.
    const active = document.activeElement
    const hasFocus = row.element.contains(active)
    section.hidden = false
    list.insertBefore(row.element, next)
    if (hasFocus) active.focus({ preventScroll: true })
  }

  #take(row, group) {
    const { rows } = this.#sections.get(group)
    rows.splice(rows.indexOf(row), 1)
  }

  #remove(row, key) {
    const hadFocus = row.element.contains(document.activeElement)
    const shown = hadFocus ? this.shown() : []
    const at = shown.indexOf(row)
    this.#take(row, row.group)
    this.#rows.delete(key)
    row.element.remove()
    if (hadFocus) this.focus(shown[at + 1] ?? shown[at - 1])
  }

  #tidy() {
    for (const { section, rows } of this.#sections.values()) {
      section.hidden = rows.every((row) => row.element.hidden)
    }
    // The first row, until a person chooses another one, and when that is not there any more.
    this.#isChosen &&= this.#current?.element.isConnected && !this.#current.element.hidden
    if (!this.#isChosen) this.#rove(this.#first())
  }

  #first() {
    for (const { section, rows } of this.#sections.values()) {
      if (!section.hidden) return rows.find((row) => !row.element.hidden)
    }
    return null
  }

  /** The list is one stop of the Tab key: this row. */
  #rove(row) {
    if (row === this.#current) return
    this.#current?.button.setAttribute('tabindex', '-1')
    row?.button.setAttribute('tabindex', '0')
    this.#current = row
  }

  #rowOf(element) {
    return this.#rows.get(element?.closest?.('li[data-key]')?.dataset.key)
  }

  #clicked(event) {
    const row = this.#rowOf(event.target)
    if (!row || event.target.closest('[data-part="details"]')) return
    // Whoever selects text does not want the row to open.
    if (event.target !== row.button && !getSelection().isCollapsed) return
    row.toggle()
    row.button.focus({ preventScroll: true })
  }
}

function compare([oneStart, oneKey], [otherStart, otherKey]) {
  if (oneStart !== otherStart) return oneStart - otherStart
  if (oneKey === otherKey) return 0
  return oneKey < otherKey ? -1 : 1
}
