// The example of a daemon: what a client sees of sessions that are restored once.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageFolder, root, temporaryFolder } from './helper.mjs'

/** The example beside an installed package, and a workspace of transcripts for it. */
async function daemon(t, ...args) {
  const folder = temporaryFolder(t)
  const workspace = join(folder, 'workspace')
  cpSync(join(root, 'examples', 'restore-server', 'node'), folder, { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(packageFolder, join(folder, 'node_modules', 'sessionreg'), 'junction')
  mkdirSync(workspace)
  const transcript = (id, lines) =>
    writeFileSync(join(workspace, `${id}.jsonl`), lines.map((line) => `${line}\n`).join(''))
  const start = async () => {
    const child = spawn(process.execPath, ['server.mjs', workspace, ...args], {
      cwd: folder,
      env: { ...process.env, SESSIONREG_HOME: join(folder, 'home') },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = once(child, 'exit')
    t.after(async () => {
      child.kill('SIGKILL')
      await gone
    })
    const [line] = await once(child.stdout, 'data')
    return { child, gone, url: String(line).trim() }
  }
  return { workspace, transcript, start, ...(await start()) }
}

/** One request, its answer not yet read. */
async function open(url, method, path, { headers, body, signal } = {}) {
  const sent = request(`${url}${path}`, { method, headers, signal, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response')
  response.setEncoding('utf8')
  return response
}

async function ask(url, method, path, options) {
  const response = await open(url, method, path, options)
  let text = ''
  for await (const part of response) text += part
  const { statusCode: status, headers } = response
  return { status, retryAfter: headers['retry-after'], ...JSON.parse(text) }
}

/** The events of a stream, as they come. */
async function* events(response) {
  let text = ''
  for await (const part of response) {
    text += part
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const of = (name) =>
        fields.find((field) => field.startsWith(`${name}: `))?.slice(name.length + 2)
      yield { id: of('id'), kind: of('event'), data: JSON.parse(of('data')) }
    }
  }
}

async function take(stream, count) {
  const taken = []
  for (let at = 0; at < count; at++) taken.push((await stream.next()).value)
  return taken
}

test('50 clients at once bring a session back once, and each lets go of his own share', async (t) => {
  const { url, transcript } = await daemon(t)
  transcript('s', ['one', 'two'])
  const asked = Array.from({ length: 50 }, () => ask(url, 'POST', '/session/s/load'))
  const answers = await Promise.all(asked)
  for (const { status, state } of answers) assert.deepEqual([status, state], [200, { lines: 2 }])
  assert.equal(answers.filter(({ attached }) => !attached).length, 1)
  assert.equal(new Set(answers.map(({ client }) => client)).size, 50)
  // Read once: nothing is in its history twice.
  const stream = events(
    await open(url, 'GET', '/session/s/events', { headers: { 'last-event-id': '0' } }),
  )
  const history = await take(stream, 2)
  assert.deepEqual(
    history.map(({ data }) => data),
    ['one', 'two'],
  )
  const { id } = await ask(url, 'POST', '/session/s/prompt', { body: 'three' })
  assert.deepEqual(await take(stream, 1), [{ id, kind: 'published', data: 'three' }])
  await stream.return()
  const again = events(
    await open(url, 'GET', '/session/s/events', { headers: { 'last-event-id': history[1].id } }),
  )
  assert.deepEqual(await take(again, 1), [{ id, kind: 'published', data: 'three' }])
  await again.return()
  const ended = []
  for (const { client } of answers) {
    const { status, ...rest } = await ask(url, 'DELETE', `/session/s/client/${client}`)
    assert.equal(status, 200)
    ended.push(rest.ended)
  }
  assert.deepEqual(ended.slice(0, -1), Array(49).fill(false))
  const [{ client }] = answers
  assert.equal((await ask(url, 'DELETE', `/session/s/client/${client}`)).status, 404)
})

test('what cannot be is refused by its status: 400, 403, 404, 413', async (t) => {
  const { url, transcript, workspace } = await daemon(t)
  transcript('s', [])
  const statusOf = async (...given) => {
    const { status, code, retryAfter } = await ask(url, ...given)
    assert.equal(retryAfter, undefined)
    return [status, code]
  }
  assert.deepEqual(await statusOf('POST', '/session/none/load'), [404, 'NOT_FOUND'])
  assert.deepEqual(await statusOf('POST', '/session/none/resume'), [404, 'NOT_FOUND'])
  assert.deepEqual(await statusOf('GET', '/session/s/events'), [404, 'NOT_FOUND'])
  assert.deepEqual(await statusOf('POST', '/session/s/reload'), [404, 'NOT_FOUND'])
  assert.deepEqual(await statusOf('GET', '/'), [404, 'NOT_FOUND'])
  assert.deepEqual(await statusOf('POST', '/session/..%2f..%2fetc/load'), [400, 'INVALID_ID'])
  assert.deepEqual(await statusOf('POST', '/session/%ff/load'), [400, 'INVALID_INPUT'])
  for (const body of ['{', '[]', '5', 'null', '{"cwd": null}', '{"cwd": 5}', '{"cwd": "here"}']) {
    const refused = await statusOf('POST', '/session/s/load', { body })
    assert.deepEqual(refused, [400, 'INVALID_INPUT'], body)
  }
  assert.deepEqual(await statusOf('POST', '/session/s/load', { body: 'x'.repeat(70_000) }), [
    413,
    'TOO_LARGE',
  ])
  const other = await ask(url, 'POST', '/session/s/load', { body: JSON.stringify({ cwd: root }) })
  assert.deepEqual(
    [other.status, other.code, typeof other.bound],
    [400, 'WORKSPACE_MISMATCH', 'string'],
  )
  for (const headers of [{ origin: 'http://127.0.0.1' }, { host: 'example.org' }]) {
    assert.equal((await ask(url, 'POST', '/session/s/load', { headers })).status, 403)
  }
  const ours = await ask(url, 'POST', '/session/s/load', {
    body: JSON.stringify({ cwd: workspace }),
  })
  assert.equal(ours.status, 200)
  const wrong = await statusOf('GET', '/session/s/events', { headers: { 'last-event-id': 'x' } })
  assert.deepEqual(wrong, [400, 'INVALID_INPUT'])
})

test('beyond the limit it is 503, and when to ask again', async (t) => {
  const { url, transcript } = await daemon(t, '--limit', '1')
  transcript('a', [])
  transcript('b', [])
  const { client } = await ask(url, 'POST', '/session/a/load')
  const refused = await ask(url, 'POST', '/session/b/load')
  assert.deepEqual(
    [refused.status, refused.code, refused.limit, refused.retryAfter],
    [503, 'SESSION_LIMIT', 1, '5'],
  )
  assert.equal((await ask(url, 'DELETE', `/session/a/client/${client}`)).ended, true)
  assert.equal((await ask(url, 'POST', '/session/b/resume')).status, 200)
})

test('a stream tells of another life, and of what is not kept any more', async (t) => {
  const { url, transcript } = await daemon(t)
  transcript(
    's',
    Array.from({ length: 4_002 }, (_, n) => `line ${n + 1}`),
  )
  await ask(url, 'POST', '/session/s/load')
  const follow = (id) => open(url, 'GET', '/session/s/events', { headers: { 'last-event-id': id } })
  const missed = await take(events(await follow('0')), 2)
  assert.deepEqual(
    missed.map(({ kind, data }) => [kind, data]),
    [
      ['gap', { missed: 2 }],
      ['published', 'line 3'],
    ],
  )
  const other = await take(events(await follow('0123456789abcdef-4000')), 2)
  assert.equal(other[0].kind, 'new_epoch')
  assert.equal(other[0].id, undefined)
})

test('beyond 64 streams of a session it is 503, and when to ask again', async (t) => {
  const { url, transcript } = await daemon(t)
  transcript('s', [])
  await ask(url, 'POST', '/session/s/load')
  const streams = []
  for (let n = 0; n < 64; n++) streams.push(await open(url, 'GET', '/session/s/events'))
  const refused = await ask(url, 'GET', '/session/s/events')
  assert.deepEqual(
    [refused.status, refused.code, refused.retryAfter],
    [503, 'SUBSCRIBER_LIMIT', '5'],
  )
  for (const stream of streams) stream.destroy()
})

test('while a session is brought back the other way is 409; a client who hangs up leaves alone', {
  skip: process.platform === 'win32' && 'there are no FIFOs',
}, async (t) => {
  const { url, workspace } = await daemon(t)
  const path = join(workspace, 's.jsonl')
  // Who reads it waits until somebody writes.
  execFileSync('mkfifo', [path])
  const callers = async (count) => {
    for (;;) {
      const { sessions } = await ask(url, 'GET', '/session')
      if ((sessions[0]?.attachments ?? 0) === count) return sessions[0].stage
    }
  }
  const controller = new AbortController()
  const hungUp = assert.rejects(
    ask(url, 'POST', '/session/s/load', { signal: controller.signal }),
    {
      name: 'AbortError',
    },
  )
  assert.equal(await callers(1), 'restoring')
  const other = ask(url, 'POST', '/session/s/load')
  assert.equal(await callers(2), 'restoring')
  const refused = await ask(url, 'POST', '/session/s/resume')
  const { status: conflict, code, active, requested, reason, retryAfter } = refused
  assert.deepEqual(
    [conflict, code, active, requested, reason, retryAfter],
    [409, 'RESTORE_IN_PROGRESS', 'load', 'resume', 'restoring', '5'],
  )
  controller.abort()
  await hungUp
  assert.equal(await callers(1), 'restoring')
  writeFileSync(path, 'one\ntwo\n')
  const { status, state } = await other
  assert.deepEqual([status, state], [200, { lines: 2 }])
})

test('a session that another daemon serves is 409, and its own once that is gone', async (t) => {
  const { url, transcript, start, child, gone } = await daemon(t)
  transcript('s', [])
  const second = await start()
  assert.equal((await ask(url, 'POST', '/session/s/load')).status, 200)
  const held = await ask(second.url, 'POST', '/session/s/load')
  assert.deepEqual([held.status, held.code, held.retryAfter], [409, 'HELD', '5'])
  child.kill('SIGKILL')
  await gone
  assert.equal((await ask(second.url, 'POST', '/session/s/load')).status, 200)
})

test('who waits when the daemon ends is told so, with 503 and when to ask again', {
  skip: process.platform === 'win32' && 'there are no FIFOs, and no SIGTERM',
}, async (t) => {
  const { url, workspace, child, gone } = await daemon(t)
  const path = join(workspace, 's.jsonl')
  execFileSync('mkfifo', [path])
  const asked = ask(url, 'POST', '/session/s/load')
  for (;;) {
    const { sessions } = await ask(url, 'GET', '/session')
    if (sessions.length === 1) break
  }
  child.kill('SIGTERM')
  const { status, code, retryAfter } = await asked
  assert.deepEqual([status, code, retryAfter], [503, 'CLOSING', '5'])
  // The restore has not ended before its file is read, and the daemon waits for it.
  writeFileSync(path, '')
  assert.deepEqual(await gone, [0, null])
})

test('at its end every stream is told, and the process is gone', {
  skip: process.platform === 'win32' && 'there is no SIGTERM',
}, async (t) => {
  const { url, transcript, child, gone } = await daemon(t)
  transcript('s', ['one'])
  await ask(url, 'POST', '/session/s/load')
  const stream = events(await open(url, 'GET', '/session/s/events'))
  child.kill('SIGTERM')
  assert.deepEqual(await take(stream, 1), [
    { id: undefined, kind: 'ended', data: { reason: 'daemon_shutdown' } },
  ])
  assert.deepEqual(await gone, [0, null])
})
