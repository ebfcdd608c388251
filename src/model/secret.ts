const MARKER: unique symbol = Symbol.for('leasehold.secret')

/**
 * A value that no row, log or error may hold: it shows itself as `[secret]` wherever it is printed, and whatever would be
 * stored with it is refused. `reveal()` gives it to the code that needs it.
 */
export class Secret<T = string> {
  readonly #value: T
  readonly [MARKER] = true

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

export const secret = <T>(value: T): Secret<T> => new Secret(value)

const isMarked = (value: object): boolean => MARKER in value

/** Where a secret stands in a value that is to be stored, and how it was recognised. Never the secret itself. */
export interface FoundSecret {
  readonly path: string
  readonly why: string
}

/**
 * Looks for what must not be stored: values marked by `secret()`, texts in fields whose names say what they hold, and
 * texts of well-known shapes. A field that names where a secret is found (`apiKeyEnv`, `tokenFile`) is none.
 */
export function findSecret(
  value: unknown,
  path = '',
  seen: Set<object> = new Set(),
): FoundSecret | undefined {
  const here = path === '' ? '(the value itself)' : path
  if (typeof value === 'string') {
    const shape = SHAPES.find(({ pattern }) => pattern.test(value))
    return shape && { path: here, why: `looks like ${shape.name}` }
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (isMarked(value)) return { path: here, why: 'is marked as a secret' }
  // What leads back to itself is no JSON, and refused as such elsewhere.
  if (seen.has(value)) return undefined
  seen.add(value)
  for (const [name, member] of Object.entries(value)) {
    const inside = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    if (typeof member === 'string' && member !== '' && isSecretName(name))
      return { path: inside, why: 'is a text in a field of that name' }
    const found = findSecret(member, inside, seen)
    if (found !== undefined) return found
  }
  return undefined
}

const SECRET_WORDS: ReadonlySet<string> = new Set([
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'credential',
  'credentials',
  'authorization',
])

const SECRET_KEYS: ReadonlySet<string> = new Set(['api', 'private', 'access', 'secret', 'signing'])

/** By its last words: `accessToken`, `API_KEY` and `db-password` are; `tokenFile` and `keyboard` are not. */
function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(word => word !== '')
  const last = words.at(-1) ?? ''
  return SECRET_WORDS.has(last) || (last === 'key' && SECRET_KEYS.has(words.at(-2) ?? ''))
}

/**
 * A text of somebody else's (an error's message) without what looks like a secret in it: messages of clients name the key
 * that was refused, or the address with its password, and stand in rows and logs for ever.
 */
export const withoutSecrets = (text: string): string =>
  SHAPES.reduce(
    (rest, { pattern, inText = new RegExp(pattern, 'g') }) => rest.replace(inText, '[secret]'),
    text,
  )

interface Shape {
  readonly name: string
  /** Of a value that is one. */
  readonly pattern: RegExp
  /** Of all of it inside a longer text, where the first would take too little or too much. */
  readonly inText?: RegExp
}

const SHAPES: readonly Shape[] = [
  {
    name: 'a private key',
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
    inText: /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs,
  },
  { name: 'an API key', pattern: /(?<![\w-])sk-[A-Za-z0-9_-]{16,}/ },
  { name: 'a GitHub token', pattern: /(?<!\w)(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/ },
  { name: 'an AWS access key', pattern: /(?<!\w)(AKIA|ASIA)[A-Z0-9]{16}(?!\w)/ },
  { name: 'a Slack token', pattern: /(?<!\w)xox[abprs]-[A-Za-z0-9-]{10,}/ },
  { name: 'a Google API key', pattern: /(?<!\w)AIza[A-Za-z0-9_-]{35}/ },
  { name: 'a JSON web token', pattern: /(?<!\w)eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+/ },
  {
    name: 'an authorization header',
    pattern: /^(Bearer|Basic) [A-Za-z0-9+/=._~-]{12,}$/,
    // With a digit: "basic understanding" is none.
    inText: /(?<=\b(Bearer|Basic) )(?=\S*\d)[A-Za-z0-9+/=._~-]{12,}/gi,
  },
  {
    name: 'an address with a password',
    pattern: /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i,
    // PASSWORD is what we write ourselves to show the form of an address.
    inText: /(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)(?!PASSWORD@)[^\s/@]+(?=@)/gi,
  },
]
