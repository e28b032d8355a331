// All that is known of one session, for whoever opens its row.

import { visible } from './text.js'
import { moment, reasonWords, stateWord, statusWord, terminal, tokens, waitsFor } from './words.js'

const LONGEST_VALUE = 2000

/** Labels and values, of those that have one. */
function facts(session) {
  const usage = session.context_usage
  const window = usage?.window ? ` of ${tokens(usage.window)}` : ''
  const all = [
    ['State', `${stateWord(session)}: ${reasonWords(session)}`],
    ['Status', [statusWord(session), waitsFor(session)].filter(Boolean).join(' ')],
    ['Name', session.name],
    ['Session', session.session_id],
    ['Agent', session.agent],
    ['Kind', session.kind],
    ['Process', session.pid],
    ['Folder', session.work_dir],
    ['Terminal', [terminal(session), session.tty].filter(Boolean).join(' · ')],
    ['Started', moment(session.started_at)],
    ['Updated', moment(session.updated_at)],
    ['Context', usage && `${tokens(usage.current_tokens)}${window} tokens`],
    [
      'Before this turn',
      session.turn_start_tokens && `${tokens(session.turn_start_tokens)} tokens`,
    ],
    ['Came from', session.parent_session_id],
    ['Superseded by', session.superseded_by],
    ['Log', session.transcript?.path],
    ['Known from', session.sources?.join(', ')],
    ...(session.files ?? []).map((file) => ['File', file]),
    ['Key', session.key],
    ...Object.entries(session.extra ?? {}).map(([key, value]) => [visible(key, 60), inline(value)]),
  ]
  return all.filter(([, value]) => value !== undefined && value !== '')
}

function inline(value) {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value)
  } catch {
    return 'nested too deeply to be shown'
  }
}

/** Fills a `dl`; what is there already is only changed. */
export function showDetails(list, session) {
  const wanted = facts(session)
  const terms = list.getElementsByTagName('dt')
  const values = list.getElementsByTagName('dd')
  while (terms.length > wanted.length) list.lastElementChild.remove()
  while (terms.length < wanted.length) {
    const pair = document.createElement('div')
    const value = document.createElement('dd')
    value.dir = 'auto'
    pair.append(document.createElement('dt'), value)
    list.append(pair)
  }
  wanted.forEach(([label, value], index) => {
    put(terms[index], label)
    put(values[index], visible(value, LONGEST_VALUE))
  })
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}
