// What a case puts on the disk, and what must be there afterwards.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isContent, Skip } from './text.mjs'

const WINDOWS = process.platform === 'win32'

export class Disk {
  #folder = fs.mkdtempSync(join(tmpdir(), 'sessionreg-vector-'))
  #server
  #target
  #before

  static async of(given, texts) {
    const disk = new Disk()
    texts.facts.dir = disk.#folder.replaceAll('\\', '/')
    disk.path = join(disk.#folder, given.path ?? 's.runtime.json')
    if (given.file !== undefined) await disk.#makeAtPath(given.file, texts)
    disk.#before = fs.readdirSync(disk.#folder)
    return disk
  }

  close() {
    this.#server?.close()
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }

  beside(name) {
    return join(this.#folder, name)
  }

  async #makeAtPath(file, texts) {
    if (file.kind === 'below_a_file') {
      putPrivate(this.beside('f'), '')
      this.path = join(this.beside('f'), 's.runtime.json')
    } else if (file.kind === 'through_a_linked_folder') {
      fs.mkdirSync(this.beside('real'))
      putPrivate(join(this.beside('real'), 's.runtime.json'), texts.content(file.to))
      link('real', this.beside('link'))
      this.path = join(this.beside('link'), 's.runtime.json')
    } else {
      await this.make(this.path, file, texts)
    }
  }

  /** Makes a file where nothing is; a link leads to `target` in the folder of the case. */
  async make(path, file, texts, target = 'target') {
    if (isContent(file)) {
      putPrivate(path, texts.content(file))
      if (file.owner !== undefined) this.giveTo(path, file.owner)
      return
    }
    switch (file.kind) {
      case 'missing':
        return
      case 'directory':
        return fs.mkdirSync(path)
      case 'full_directory':
        fs.mkdirSync(path)
        return putPrivate(join(path, 'f'), '')
      case 'symlink':
        this.#target = { path: this.beside('target'), bytes: texts.content(file.to) }
        putPrivate(this.#target.path, this.#target.bytes)
        return link(target, path)
      case 'dangling_symlink':
        return link(target, path)
      case 'symlink_loop':
        return link(basename(path), path)
      case 'fifo':
        return makeNode(path, 'p')
      case 'device':
        return makeNode(path, 'c', '1', '5')
      case 'socket':
        if (WINDOWS) throw new Skip('no such sockets on Windows')
        this.#server = net.createServer()
        return await new Promise((resolve) => this.#server.listen(path, resolve))
      default:
        throw new Error(`no such file: ${JSON.stringify(file)}`)
    }
  }

  giveTo(path, owner) {
    if (process.geteuid?.() !== 0) throw new Skip('only root gives files away')
    fs.chownSync(path, owner, owner)
  }

  /** Every file below the folder with its bytes, or what else it is, and when it changed. */
  contents() {
    const names = fs.readdirSync(this.#folder, { recursive: true }).sort()
    return names.map((name) => {
      const path = join(this.#folder, name)
      const found = fs.lstatSync(path)
      const bytes = found.isFile() ? fs.readFileSync(path, 'latin1') : null
      return [name, found.mode, found.mtimeMs, bytes]
    })
  }

  /** Checks what is at the path, and what never changes. */
  checkLeft(left, texts) {
    if (this.#target) assert.deepEqual(fs.readFileSync(this.#target.path), this.#target.bytes)
    if (left === undefined) return
    if (isContent(left)) {
      assert.equal(String(fs.readFileSync(this.path)), String(texts.content(left)))
      return
    }
    this.checkKind(this.path, left)
  }

  checkKind(path, left) {
    const found = fs.lstatSync(path, { throwIfNoEntry: false })
    const kinds = {
      missing: () => found === undefined,
      directory: () => fs.readdirSync(path).length === 0,
      full_directory: () => fs.existsSync(join(path, 'f')),
      symlink: () => found?.isSymbolicLink(),
      fifo: () => found?.isFIFO(),
    }
    assert.ok(kinds[left.kind]?.(), `${JSON.stringify(left)} is not left`)
  }

  /** Checks that a write left one private file, and nothing else that was not there. */
  checkWritten() {
    const found = fs.lstatSync(this.path)
    assert.ok(found.isFile())
    if (!WINDOWS) assert.equal(found.mode & 0o777, 0o600)
    const first = this.path.slice(this.#folder.length + 1).split(/[\\/]/)[0]
    const old = new Set([...this.#before, first])
    assert.deepEqual(
      fs.readdirSync(this.#folder).filter((name) => !old.has(name)),
      [],
    )
    const temporary = fs.readdirSync(dirname(this.path)).filter((name) => name.includes('.tmp'))
    assert.deepEqual(temporary, [], basename(this.path))
  }
}

function putPrivate(path, bytes) {
  fs.writeFileSync(path, bytes)
  fs.chmodSync(path, 0o600)
}

function link(target, path) {
  if (WINDOWS) throw new Skip('links are not made on Windows')
  fs.symlinkSync(target, path)
}

function makeNode(path, ...type) {
  if (WINDOWS) throw new Skip('no such file on Windows')
  try {
    execFileSync('mknod', [path, ...type], { stdio: 'pipe' })
  } catch (error) {
    if (type[0] === 'p') throw error
    throw new Skip(`mknod is refused: ${error.message.split('\n').at(-2)}`)
  }
}
