// A daemon that brings sessions back, each once, however many clients ask for it at the same time.
// A session is the file `<workspace>/<id>.jsonl`; each of its lines is an event.
//
//     node server.mjs <workspace> [--port 0] [--limit 20]
//
//     GET    /session                       says which there are
//     POST   /session/<id>/load             brings it back with its history; also `resume`, without
//     POST   /session/<id>/prompt           adds the body to its events
//     GET    /session/<id>/events           follows them (SSE); Last-Event-ID goes on after that one
//     DELETE /session/<id>/client/<client>  lets go of what `load` or `resume` gave
//
// A client that never lets go keeps its session: a server for more than a few would have leases run
// out.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Registry, RestoreTable } from 'sessionreg'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' }, limit: { type: 'string', default: '20' } },
})
const workspace = resolve(positionals[0])
const table = new RestoreTable({
  workspace,
  limit: Number(values.limit),
  // No other process of this user brings the same session back.
  registry: new Registry(),
  agent: 'restore-server',
})

const MAX_BODY = 64 * 1024
const STATUS = {
  INVALID_ID: 400,
  INVALID_INPUT: 400,
  WORKSPACE_MISMATCH: 400,
  NOT_FOUND: 404,
  HELD: 409,
  RESTORE_IN_PROGRESS: 409,
  TOO_LARGE: 413,
  CLOSING: 503,
  SESSION_LIMIT: 503,
  SUBSCRIBER_LIMIT: 503,
  TIMEOUT: 504,
}
// Where the library does not say when to ask again.
const RETRY_AFTER = 5

/** Leases by client. */
const clients = new Map()

/** Reads a transcript. It is called once, whatever number of clients wait for what it gives. */
async function restore({ sessionId, signal }) {
  // An id that has come this far is no path.
  const path = join(workspace, `${sessionId}.jsonl`)
  try {
    const lines = (await readFile(path, { encoding: 'utf8', signal })).split('\n').filter(Boolean)
    for (const line of lines) table.publish(sessionId, line)
    return { lines: lines.length }
  } catch (error) {
    throw error.code === 'ENOENT' ? failure('NOT_FOUND', 'there is no such session') : error
  }
}

function failure(code, message) {
  return Object.assign(new Error(message), { code })
}

async function body(request) {
  const parts = []
  let size = 0
  // Whoever sends too much is told so: the connection stays for that.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    parts.push(part)
    size += part.length
    if (size > MAX_BODY) throw failure('TOO_LARGE', 'the body is too large')
  }
  return Buffer.concat(parts).toString()
}

function folderOf(text) {
  if (text === '') return workspace
  const refused = failure('INVALID_INPUT', 'the body is no JSON object, or its `cwd` no text')
  let given
  try {
    given = JSON.parse(text)
  } catch {
    throw refused
  }
  if (given === null || typeof given !== 'object' || Array.isArray(given)) throw refused
  const { cwd = workspace } = given
  if (typeof cwd !== 'string') throw refused
  return cwd
}

async function bringBack(action, id, request, response) {
  const cwd = folderOf(await body(request))
  // A client who hangs up leaves, and nobody else does.
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  const lease = await table.restore(action, id, cwd, restore, { signal: controller.signal })
  if (response.destroyed) return lease.release()
  const client = randomUUID()
  clients.set(client, lease)
  answer(response, 200, { client, attached: lease.attached, state: lease.state })
}

async function prompt(id, request, response) {
  answer(response, 202, { id: table.publish(id, await body(request)) })
}

async function follow(id, request, response) {
  const subscription = table.subscribe(id, { lastEventId: request.headers['last-event-id'] })
  const gone = new AbortController()
  response.once('close', () => {
    subscription.close()
    gone.abort()
  })
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
  for await (const event of subscription) {
    // Who reads too slowly is evicted by the table: nothing piles up here.
    const isTaken = response.write(textOf(event))
    if (!isTaken) await once(response, 'drain', { signal: gone.signal })
  }
  response.end()
}

/** Only what was published has an id, with which a client goes on later. */
function textOf({ kind, id, data, ...rest }) {
  const place = id === undefined ? '' : `id: ${id}\n`
  return `${place}event: ${kind}\ndata: ${JSON.stringify(data ?? rest)}\n\n`
}

async function letGo(id, client, response) {
  const lease = clients.get(client)
  if (lease?.sessionId !== id) throw failure('NOT_FOUND', 'there is no such client')
  clients.delete(client)
  answer(response, 200, { ended: lease.release() })
}

function answer(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
}

function refuse(response, error) {
  const status = STATUS[error.code] ?? 500
  if (status === 500) console.error(error)
  if (response.headersSent) return response.destroy()
  const headers = {}
  if (status === 409 || status === 503) headers['retry-after'] = error.retryAfter ?? RETRY_AFTER
  if (status === 413) headers.connection = 'close'
  const { code, message, active, requested, reason, limit, bound } = error
  const said = { code, active, requested, reason, limit, bound }
  answer(response, status, { ...said, error: status === 500 ? 'it failed' : message }, headers)
}

async function route(request, response) {
  const [root, id, what, client, ...rest] = partsOf(request.url)
  if (request.method === 'GET' && root === 'session' && id === undefined) {
    return answer(response, 200, { sessions: table.sessions() })
  }
  if (root !== 'session' || rest.length > 0) throw failure('NOT_FOUND', 'there is no such thing')
  switch (`${request.method} ${what}`) {
    case 'POST load':
    case 'POST resume':
      return await bringBack(what, id, request, response)
    case 'POST prompt':
      return await prompt(id, request, response)
    case 'GET events':
      return await follow(id, request, response)
    case 'DELETE client':
      return await letGo(id, client, response)
    default:
      throw failure('NOT_FOUND', 'there is no such thing')
  }
}

function partsOf(url) {
  try {
    return url.split('?')[0].split('/').slice(1).map(decodeURIComponent)
  } catch {
    throw failure('INVALID_INPUT', 'the path is not encoded as it must be')
  }
}

const server = createServer(async (request, response) => {
  try {
    // Web pages reach the loopback device too, under names that lead there: they are refused.
    const { host, origin } = request.headers
    if (origin !== undefined || host !== `127.0.0.1:${server.address()?.port}`) {
      return answer(response, 403, { error: 'web pages are not served' })
    }
    await route(request, response)
  } catch (error) {
    // Whoever has hung up is told nothing.
    if (!response.destroyed) refuse(response, error)
  }
})

async function shutDown() {
  const closed = once(server, 'close')
  server.close()
  await table.close({ timeoutMs: 5000 }).catch((error) => console.error(error.message))
  // Every stream has got its last event; who does not take it holds nobody up.
  setTimeout(() => server.closeAllConnections(), 1000).unref()
  await closed
  process.exit()
}
process.once('SIGTERM', shutDown)
process.once('SIGINT', shutDown)

server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
