/**
 * A port of the module that keeps `<config>/sessions/<pid>.json` for every running session, so that
 * a CLI can tell how many others there are: register, rename, say what it is doing, count, sweep.
 *
 * It wrote its files in place, so that a reader could meet half of one; lost one of two changes that
 * were made at once; counted a process that had taken over a pid; and swept what it could not parse
 * as a number. Its readers go on to read what this writes: the dialect is theirs.
 */
import path from 'node:path'
import sessionreg from 'sessionreg'

export class ConcurrentSessions {
  #registry
  #session = null

  constructor(configDir) {
    this.#registry = new sessionreg.Registry(path.join(configDir, 'sessions'), { dialect: 'claude' })
  }

  /** Gives false where the session could not be registered: that never keeps a CLI from running. */
  async register({ sessionId, cwd, kind = 'interactive', entrypoint = 'cli', version, onError = () => {} }) {
    this.#session = await this.#registry.register({
      sessionId,
      workDir: cwd,
      agent: 'claude-code',
      agentVersion: version,
      kind,
      entrypoint,
      status: 'idle',
      onError,
    })
    return this.#session.registered
  }

  async rename(name) {
    return this.#session.update({ name })
  }

  /** `busy`, `idle`, or `waiting` for something. */
  async activity(status, waitingFor = null) {
    return this.#session.update({ status, waitingFor })
  }

  /** `/clear` and `/resume`, after which the record once named the former session for hours. */
  async move(sessionId) {
    return this.#session.switch(sessionId)
  }

  /** Sessions of living processes, this one included. */
  async count() {
    return this.#registry.countLive()
  }

  /** Removes what killed processes left; gives the pids. */
  async sweep() {
    const { removed } = await this.#registry.sweep()
    return removed.flatMap(({ record }) => record?.pid ?? [])
  }

  async unregister() {
    return this.#session.close()
  }
}
