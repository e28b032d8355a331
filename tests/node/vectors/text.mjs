// Texts with placeholders, and content made of them: see tests/vectors/README.md.

const NUMBERS = /^\$\{(pid|own_pid|pid_ns|time_ns|started_at|revision)\}$/

/** A case that cannot run here. */
export class Skip extends Error {}

export class Texts {
  constructor(fragments, facts) {
    this.fragments = fragments ?? {}
    this.facts = facts
  }

  fact(name) {
    const fact = this.facts[name]
    if (fact === undefined) throw new Error(`no such fact: ${name}`)
    if (fact === null) throw new Skip(`${name} is not known here`)
    return String(fact)
  }

  text(text) {
    let result = text
    while (result.includes('${')) {
      const replaced = result.replace(/\$\{([^}]*)\}/, (_, name) => this.#placeholder(name))
      if (replaced === result) throw new Error(`a placeholder has no end: ${text}`)
      result = replaced
    }
    return result
  }

  #placeholder(name) {
    if (this.fragments[name] !== undefined) return this.fragments[name]
    const sum = /^([a-z_]+)([+-]\d+)$/.exec(name)
    if (sum === null) return this.fact(name)
    return String(BigInt(this.fact(sum[1])) + BigInt(sum[2]))
  }

  /** A value of a record, or of the fields that make one. */
  value(value) {
    if (typeof value === 'string') {
      const text = this.text(value)
      return NUMBERS.test(value) ? Number(text) : text
    }
    if (isContent(value)) return this.content(value).toString()
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value).map(([key, member]) => [key, this.value(member)])
    return Object.fromEntries(members)
  }

  /** The same in arguments, at every depth; what was kept of a file is what it was there. */
  deep(value) {
    if (typeof value === 'string') {
      const [, name] = /^\$\{([a-z_]+)\}$/.exec(value) ?? []
      const kept = name !== undefined && !NUMBERS.test(value) ? this.facts[name] : undefined
      return kept ?? this.value(value)
    }
    if (Array.isArray(value)) return value.map((member) => this.deep(member))
    if (isContent(value)) return this.content(value).toString()
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, this.deep(of)]))
  }

  /** The bytes of a content. */
  content(content) {
    if (content.text !== undefined) return Buffer.from(this.text(content.text))
    if (content.lines !== undefined) return Buffer.from(this.text(content.lines.join('\n')))
    if (content.hex !== undefined) return fromHex(content.hex)
    if (content.repeat !== undefined) return Buffer.from(content.repeat.repeat(content.times))
    if (content.parts === undefined) throw new Error(`no such content: ${JSON.stringify(content)}`)
    const append = (bytes, part) => Buffer.concat([bytes, this.#part(part, bytes.length)])
    return content.parts.reduce(append, Buffer.alloc(0))
  }

  #part(part, length) {
    if (part.fill === undefined) return this.content(part)
    return Buffer.alloc(Math.max(0, part.until - length), part.fill)
  }
}

/** Whether a value is content, or generates it. */
export function isContent(value) {
  const keys = ['text', 'lines', 'hex', 'parts', 'repeat', 'fill']
  return typeof value === 'object' && value !== null && keys.some((key) => key in value)
}

function fromHex(hex) {
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.length * 2 !== hex.length) throw new Error(`no hex: ${hex}`)
  return bytes
}
