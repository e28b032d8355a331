// Files below the folder of a case: put, removed, compared, by names and patterns.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isContent } from './text.mjs'

/** Puts a file in the place of what is there. */
export async function put(disk, path, file, texts, linkTarget) {
  const full = path.includes('*') ? one(disk, path) : disk.beside(path)
  fs.mkdirSync(dirname(full), { recursive: true, mode: 0o700 })
  if (isContent(file)) {
    // As the ordinary calls do it: the same file, with other bytes.
    fs.writeFileSync(full, texts.content(file), { mode: 0o600 })
    if (file.owner !== undefined) disk.giveTo(full, file.owner)
  } else {
    fs.rmSync(full, { recursive: true, force: true })
    await disk.make(full, file, texts, linkTarget)
  }
  if (file.age !== undefined) {
    const time = Date.now() / 1000 - file.age
    fs.utimesSync(full, time, time)
  }
}

export function remove(disk, pattern) {
  fs.rmSync(one(disk, pattern), { recursive: true })
}

/** What a pattern's `*` stands for in a name; null if it does not match. */
function star(pattern, name) {
  const at = pattern.indexOf('*')
  if (at < 0) return pattern === name ? '' : null
  const [head, tail] = [pattern.slice(0, at), pattern.slice(at + 1)]
  const fits = name.length >= head.length + tail.length
  return fits && name.startsWith(head) && name.endsWith(tail)
    ? name.slice(head.length, name.length - tail.length)
    : null
}

function all(disk, pattern) {
  const folder = disk.beside(dirname(pattern))
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : []
  return names.filter((name) => star(basename(pattern), name) !== null).map((n) => join(folder, n))
}

function one(disk, pattern) {
  const found = all(disk, pattern)
  assert.equal(found.length, 1, `${pattern} names ${found.length} files`)
  return found[0]
}

/** Whether a path that the library gave ends in an expected one, from a `/` on. */
function endsIn(path, pattern) {
  const parts = String(path).replaceAll('\\', '/').split('/')
  const wanted = pattern.split('/')
  const tail = parts.slice(-wanted.length)
  return tail.length === wanted.length && wanted.every((part, at) => star(part, tail[at]) !== null)
}

export function matchesEnd(path, pattern) {
  assert.ok(endsIn(path, pattern), `${path} is not ${pattern}`)
}

/** The element of a list whose path it is. */
export function pick(list, pattern) {
  const found = list.filter(({ path }) => endsIn(path, pattern))
  assert.equal(found.length, 1, `${pattern} names ${found.length} of ${list.length}`)
  return found[0]
}

/** Each name matches one of the list, and each of the list one name. */
export function checkNames(folder, wanted) {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : []
  const shown = `${folder} has ${names.join(', ') || 'nothing'}`
  assert.equal(names.length, wanted.length, shown)
  // Those without a `*` first: they have no choice.
  for (const pattern of wanted.toSorted((one, two) => one.includes('*') - two.includes('*'))) {
    const at = names.findIndex((name) => star(pattern, name) !== null)
    assert.ok(at >= 0, `${shown}, and none is ${pattern}`)
    names.splice(at, 1)
  }
}

/** Compares a file with what is expected of it; gives what is kept of it. */
export function checkFile(disk, pattern, wanted, texts) {
  if (wanted.kind === 'missing') {
    assert.deepEqual(all(disk, pattern), [], `${pattern} is there`)
    return {}
  }
  const path = one(disk, pattern)
  if (wanted.kind !== undefined) {
    disk.checkKind(path, wanted)
    return {}
  }
  if (isContent(wanted)) {
    assert.equal(String(fs.readFileSync(path)), String(texts.content(wanted)), pattern)
    return {}
  }
  const found = fs.lstatSync(path)
  assert.ok(found.isFile(), `${pattern} is no file`)
  if (process.platform !== 'win32') assert.equal(found.mode & 0o777, 0o600, pattern)
  const object = JSON.parse(fs.readFileSync(path, 'utf8'))
  for (const [key, given] of Object.entries(wanted.json)) {
    const value = texts.deep(given)
    if (value === '<any>') assert.ok((object[key] ?? null) !== null, `${key} is missing`)
    else if (value === '<absent>') assert.ok(!(key in object), `${key} is there`)
    else assert.deepEqual(object[key], value, `${pattern}: ${key}`)
  }
  if (wanted.exact) {
    assert.deepEqual(Object.keys(object).sort(), Object.keys(wanted.json).sort(), pattern)
  }
  if (pattern.endsWith('-*.json')) {
    assert.equal(star(basename(pattern), basename(path)), object.instance.slice(0, 8))
  }
  return Object.fromEntries(
    Object.entries(wanted.keep ?? {}).map(([name, key]) => [name, object[key]]),
  )
}
