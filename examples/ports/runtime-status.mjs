/**
 * A port of the module that writes `<chats>/<id>.runtime.json` for the session that a CLI serves, and
 * had to remember who owns it: only the process of the user's session may clear the file, not one
 * that a subagent runs in, and after `/clear` or `/resume` the file has to move.
 *
 * What is left of it is below. The owner flag is the session itself: whoever did not register has
 * none, a forked or spawned child has none, and a file that a successor wrote is not removed.
 */
import path from 'node:path'
import sessionreg from 'sessionreg'

let session = null

/** Called once by the CLI for the user's session; never for a subagent. */
export async function startRuntimeStatus({ chatsDir, sessionId, workDir, version, onError }) {
  // The folder of the registry is not used: this session is known by its sidecar alone.
  session = await new sessionreg.Registry(chatsDir).register({
    sessionId,
    workDir,
    agent: 'qwen-code',
    agentVersion: version,
    sidecar: path.join(chatsDir, '{id}.runtime.json'),
    pidFile: false,
    onError,
  })
}

export function isRuntimeStatusOwner() {
  return session?.registered ?? false
}

/** `/clear`, `/new`, `/resume`: may be called in bursts and need not be awaited. */
export async function moveRuntimeStatus(newSessionId) {
  return (await session?.switch(newSessionId)) ?? false
}

/** For the end of the CLI, also in a handler of `exit`. */
export function stopRuntimeStatus() {
  if (isRuntimeStatusOwner()) session.closeSync()
}
