// The connection to the server. The browser reconnects and says where it was; where it gives up,
// this goes on from the cursor of the last batch.

const STREAM = '/api/stream'
const RETRY_MS = 2000

/** Calls `onBatch` with every batch, and `onState` with `live` or `lost`. */
export function follow({ onBatch, onState }) {
  let cursor = ''

  function open() {
    const query = cursor === '' ? '' : `?${new URLSearchParams({ last_event_id: cursor })}`
    const source = new EventSource(STREAM + query)
    source.addEventListener('open', () => onState('live'))
    source.addEventListener('error', () => {
      onState('lost')
      if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS)
    })
    source.addEventListener('state', (event) => {
      cursor = event.lastEventId
      onBatch(JSON.parse(event.data))
    })
  }

  open()
}
