// What the fields of a session mean, in words.

import { visible } from './text.js'

/** Why a session is alive, dead or unknown. */
export const REASONS = {
  verified: 'its process is running',
  unverified: 'a process with its number is running; nothing tells whether it is the same',
  lock_held: 'it holds its lock',
  file_open: 'it has its log open',
  gone: 'its process is gone',
  zombie: 'its process has ended and was not cleared away',
  reused: 'its process is gone; another one has its number',
  rebooted: 'the machine was restarted since',
  lock_free: 'nobody holds its lock',
  file_closed: 'nobody has its log open',
  pane_gone: 'its terminal pane is gone',
  other_host: 'it was started on another machine',
  other_namespace: 'it runs in another container',
  other_platform: 'it runs on another operating system',
  permission: 'its record and its process belong to different users',
  clock: 'its clock cannot be compared with this one',
  no_identity: 'its record does not tell which process it is',
  starting: 'it is being started',
  stale: 'it was being started, for too long',
  unsupported: 'this system gives no way to tell',
  invalid: 'its record names no possible process',
}

const STATES = { alive: 'Alive', dead: 'Dead', unknown: 'Unknown' }
const STATUSES = { busy: 'Working', idle: 'Idle', waiting: 'Waiting' }

export function stateWord(session) {
  return own(STATES, session.state) ?? STATES.unknown
}

export function reasonWords(session) {
  return own(REASONS, session.reason) ?? visible(session.reason)
}

/** What it is doing. Of a session that is dead, what it was doing. */
export function statusWord(session) {
  if (session.status === undefined) return ''
  const word = own(STATUSES, session.status) ?? visible(session.status)
  return session.state === 'dead' ? `was ${word.toLowerCase()}` : word
}

/** What it waits for; empty if it does not. */
export function waitsFor(session) {
  if (session.status !== 'waiting' || session.waiting_for === undefined) return ''
  return `for ${visible(session.waiting_for)}`
}

/** What a session is called: its name, else its id, else by what is known. */
export function title(session) {
  const name = [session.name, session.session_id].find((text) => text?.trim())
  return visible(name ?? `${session.agent ?? 'process'} ${session.pid ?? ''}`.trim())
}

/** Agent and id, or what of them the title does not say. */
export function subtitle(session) {
  const agent = session.agent === undefined ? 'unknown agent' : visible(session.agent)
  const isNamed = session.name?.trim() && session.session_id !== undefined
  return isNamed ? `${agent} · ${shortened(visible(session.session_id))}` : agent
}

function shortened(id) {
  return /^[\da-f]{8}-[\da-f-]{27}$/i.test(id) ? id.slice(0, 8) : id
}

/** The folder, its last part apart: `['/srv/', 'project']`. */
export function folder(session) {
  if (session.work_dir === undefined) return ['', '']
  const path = visible(session.work_dir)
  const cut = path.slice(0, -1).lastIndexOf('/') + 1
  return [path.slice(0, cut), path.slice(cut)]
}

/** Multiplexer, session and pane, else the terminal. */
export function terminal(session) {
  const { multiplexer, session: name, pane } = session.terminal ?? {}
  const place = [multiplexer, name]
    .filter(Boolean)
    .map((text) => visible(text))
    .join(' ')
  const parts = [place, pane ? `pane ${visible(pane)}` : ''].filter(Boolean)
  return parts.length > 0 ? parts.join(' · ') : visible(session.tty ?? '')
}

/** How much of the context is in use: `{ text, part }`, `part` from 0 to 1 if it can be told. */
export function context(session) {
  const { current_tokens: used, window } = session.context_usage ?? {}
  if (used === undefined) return null
  if (!window) return { text: `${tokens(used)} tokens`, part: null }
  const part = Math.min(1, used / window)
  return { text: `${Math.round(part * 100)} % of ${tokens(window)}`, part }
}

const NEARLY_FULL = 0.85

export function isNearlyFull(usage) {
  return usage?.part >= NEARLY_FULL
}

/** Whether there is little room left, and what the present turn took. */
export function turn(session) {
  const used = session.context_usage?.current_tokens
  const start = session.turn_start_tokens
  const taken = used > start ? `+${tokens(used - start)} this turn` : ''
  return [isNearlyFull(context(session)) ? 'nearly full' : '', taken].filter(Boolean).join(', ')
}

export function tokens(count) {
  if (count < 1000) return String(count)
  if (count < 1e6) return `${Math.round(count / 1000)}k`
  return `${(count / 1e6).toFixed(1)}M`
}

/** A span of time in one or two units, such as `3 h 12 min`. */
export function span(seconds) {
  const whole = Math.floor(seconds)
  if (!(whole >= 0)) return ''
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return two(hours, 'h', minutes % 60, 'min')
  const days = Math.floor(hours / 24)
  return days < 14 ? two(days, 'd', hours % 24, 'h') : `${days} d`
}

function two(first, unit, second, smaller) {
  return second === 0 ? `${first} ${unit}` : `${first} ${unit} ${second} ${smaller}`
}

/** A moment for people, or nothing if it is none. */
export function moment(seconds) {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleString()
}

/** `one session`, `3 sessions`. */
export function counted(count, one, many) {
  return count === 1 ? `one ${one}` : `${count} ${many}`
}

// A word from elsewhere may be the name of something that every object has.
function own(words, word) {
  return Object.hasOwn(words, word) ? words[word] : undefined
}
