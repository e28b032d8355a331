// The environment variables that a case is run with.

const KEPT = ['SESSIONREG_HOME', 'SESSIONREG_KIND', 'QWEN_HOME', 'CLAUDE_CONFIG_DIR']

/** Runs it with those of the case, and puts back what was there before. */
export async function withEnvironment({ given, texts, disk }, run) {
  const saved = KEPT.map((name) => [name, process.env[name]])
  for (const name of KEPT) delete process.env[name]
  process.env.SESSIONREG_HOME = disk.beside('home')
  for (const [name, value] of Object.entries(given.env ?? {})) {
    saved.push([name, process.env[name]])
    process.env[name] = texts.text(value)
  }
  try {
    await run()
  } finally {
    for (const [name, value] of saved.reverse()) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}
