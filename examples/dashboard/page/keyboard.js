// Everything by keyboard. Single letters can be turned off: speech input may utter them.

const SETTING = 'letters'

export function listen({ list, search, letters }) {
  letters.checked = stored() !== 'off'
  letters.addEventListener('change', () => store(letters.checked ? 'on' : 'off'))

  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (act(event)) event.preventDefault()
  })

  function act({ key, target }) {
    if (target === search) return inSearch(key)
    const row = list.focused()
    if (row) {
      const moves = { ArrowDown: 1, ArrowUp: -1 }
      if (key in moves) return done(list.move(moves[key]))
      if (key === 'Home' || key === 'End') return done(list.moveToEnd(key === 'End'))
      if (key === 'Escape' && row.isOpen) return done(row.toggle(false), list.focus(row))
    }
    if (!letters.checked) return false
    if (key === 'j') return done(list.move(1))
    if (key === 'k') return done(list.move(-1))
    if (key === '/') return done(search.focus(), search.select())
    return false
  }

  function inSearch(key) {
    if (key === 'ArrowDown' || key === 'Enter') return done(list.moveToEnd(false))
    if (key !== 'Escape') return false
    if (search.value === '') return done(list.move(0))
    search.value = ''
    return done(search.dispatchEvent(new Event('input')))
  }
}

function done() {
  return true
}

// Where the browser keeps nothing, the setting lasts as long as the page.
function stored() {
  try {
    return localStorage.getItem(SETTING)
  } catch {
    return null
  }
}

function store(value) {
  try {
    localStorage.setItem(SETTING, value)
  } catch {
    // See above.
  }
}
