// Puts the page together.

import { listen } from './keyboard.js'
import { SessionList } from './list.js'
import { News } from './news.js'
import { Notes } from './notes.js'
import { Sessions } from './sessions.js'
import { follow } from './stream.js'
import { counted } from './words.js'

const part = (id) => document.getElementById(id)
const TITLE = document.title

const sessions = new Sessions()
const news = new News(part('news'))
const notes = new Notes({
  older: part('older'),
  unread: part('unread'),
  unreadTitle: part('unread-title'),
  unreadList: part('unread-list'),
})
const list = new SessionList(sessions, {
  root: part('sessions'),
  template: part('row'),
  onDrawn: showEmptiness,
})
const search = part('search')
let isFilled = false

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
  list.filter({ words, group: document.querySelector('input[name="group"]:checked').value })
  showEmptiness()
}

function showEmptiness() {
  const isEmpty = isFilled && list.shown().length === 0
  part('none').hidden = !(isEmpty && sessions.size === 0)
  part('no-match').hidden = !(isEmpty && sessions.size > 0)
}

function showCounts() {
  const counts = sessions.counts()
  const chips = { all: sessions.size, ...counts }
  for (const [group, count] of Object.entries(chips)) {
    put(part(`count-${group}`), String(count))
  }
  const said = [
    counts.waiting > 0 && `${counted(counts.waiting, 'session waits', 'sessions wait')} for you`,
    counts.working > 0 && `${counts.working} working`,
    counts.idle > 0 && `${counts.idle} idle`,
  ].filter(Boolean)
  const text = said.join(', ') || 'Nothing is running'
  put(part('summary'), `${text[0].toUpperCase()}${text.slice(1)}.`)
  // Seen on the tab when the page is not.
  const title = counts.waiting > 0 ? `(${counts.waiting}) ${TITLE}` : TITLE
  if (document.title !== title) document.title = title
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function onBatch(batch) {
  const changes = sessions.apply(batch)
  list.mark(changes.map(({ key }) => key))
  if (!batch.reset) news.tell(changes)
  isFilled = true
  part('waiting-for-server').hidden = true
  showCounts()
  notes.refresh()
}

function onState(state) {
  const before = document.body.dataset.connection
  if (state === before) return
  document.body.dataset.connection = state
  const isLive = state === 'live'
  part('connection').textContent = isLive ? 'Live' : 'Reconnecting…'
  part('stale').hidden = isLive || !isFilled
  part('stale').textContent =
    `The connection is lost. This is how it was at ${new Date().toLocaleTimeString()}.`
  if (!isLive) news.say('The connection is lost')
  else if (before === 'lost') news.say('Connected again')
}

search.addEventListener('input', filter)
part('groups').addEventListener('change', filter)
part('clear').addEventListener('click', () => {
  search.value = ''
  part('group-all').checked = true
  filter()
  search.focus()
})
listen({ list, search, letters: part('letters') })
follow({ onBatch, onState })

setInterval(() => {
  if (!document.hidden) list.tick(Date.now() / 1000)
}, 1000)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) list.tick(Date.now() / 1000)
})
