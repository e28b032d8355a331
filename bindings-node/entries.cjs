// Agent sessions and batches of them, made of the text that the addon gives.
'use strict'

const { invalid } = require('./json.cjs')

const FROM_TEXT = Symbol('from text')

/** The batch of what the addon gave: its text, and what stands beside it. */
let batchOf

class Batch {
  #text

  constructor(key, text, beside) {
    if (key !== FROM_TEXT) throw invalid('a batch comes from `wait` or `watch`')
    const { cursor, reset, at, added, changed, removed } = JSON.parse(text)
    this.#text = text
    const sessions = sessionsOf(added.concat(changed), beside)
    this.cursor = cursor
    this.reset = reset
    this.added = Object.freeze(sessions.slice(0, added.length))
    this.changed = Object.freeze(sessions.slice(added.length))
    this.removed = Object.freeze(removed)
    this.at = millis(at)
    Object.freeze(this)
  }

  static {
    batchOf = (text, beside) => new Batch(FROM_TEXT, text, beside)
  }

  toJsonText() {
    return this.#text
  }

  toJSON() {
    return { ...this }
  }
}

/** Sessions, given as the parsed text has them, with what stands beside it in threes. */
function sessionsOf(list, beside) {
  const sessions = list.map(sessionOf)
  for (let at = 0; at < beside.length; at += 3) {
    const [session, what, value] = [sessions[beside[at]], beside[at + 1], beside[at + 2]]
    if (what === 'extra') session.extraJson = value
    else if (what === 'terminal') session.terminal.extraJson = value
    else if (what === 'transcript') session.transcript.path = value
    else session.files[what] = value
  }
  for (const session of sessions) {
    if (session.terminal !== null) Object.freeze(session.terminal)
    if (session.transcript !== null) Object.freeze(session.transcript)
    Object.freeze(session.files)
    Object.freeze(session)
  }
  return sessions
}

function sessionOf(of) {
  const { terminal, transcript, context_usage: usage } = of
  return {
    key: of.key,
    agent: of.agent ?? null,
    sessionId: of.session_id ?? null,
    pid: of.pid ?? null,
    tty: of.tty ?? null,
    workDir: of.work_dir ?? null,
    kind: of.kind ?? null,
    status: of.status ?? null,
    waitingFor: of.waiting_for ?? null,
    name: of.name ?? null,
    startedAt: millis(of.started_at),
    updatedAt: millis(of.updated_at),
    parentSessionId: of.parent_session_id ?? null,
    terminal: terminal === undefined ? null : terminalOf(terminal),
    transcript: transcript === undefined ? null : transcriptOf(transcript),
    contextUsage: usage === undefined ? null : usageOf(usage),
    turnStartTokens: of.turn_start_tokens ?? null,
    sources: Object.freeze(of.sources),
    files: of.files,
    state: of.state,
    reason: of.reason,
    supersededBy: of.superseded_by ?? null,
    extra: Object.freeze(of.extra),
    extraJson: null,
  }
}

/** Its further keys are given as text. */
function terminalOf({ multiplexer, session, pane }) {
  return { multiplexer: multiplexer ?? null, session: session ?? null, pane: pane ?? null }
}

function transcriptOf({ path, mtime_ns: mtimeNs }) {
  return { path, mtimeNs: mtimeNs ?? null }
}

function usageOf({ current_tokens: currentTokens, window }) {
  return Object.freeze({ currentTokens, window: window ?? null })
}

/** Whole milliseconds where they are the same seconds again. */
function millis(seconds) {
  if (seconds === undefined) return null
  const whole = Math.round(seconds * 1000)
  return whole / 1000 === seconds ? whole : seconds * 1000
}

module.exports = { Batch, batchOf, millis, sessionsOf }
