/**
 * Secrets that every test of the projects `stores` and `temporal` has about it: in the address of PostgreSQL, in the
 * environment of each OS process, in the models of hosts, in what goes to Temporal with each call. None has a shape by
 * which it could be known for a secret and taken out. What a run leaves behind is scanned for them.
 */
export const RUN_SECRETS = {
  'the password of PostgreSQL': 'planted@run/of the-database',
  'the key of a model': 'planted.run.of.the.model',
  'the key of Temporal': 'planted.run.of.the.server',
} as const

export type RunSecret = keyof typeof RUN_SECRETS

/** What is planted where a scan must find it: one that does not is worth nothing. */
export const CONTROL = 'planted.run.to.be.found'

/** Of every worker of the tests, and with that of every OS process that a test starts. */
export const RUN_ENV = {
  PLANTED_MODEL_KEY: RUN_SECRETS['the key of a model'],
  /** Read by what reads Temporal's own environment configuration; to others it says nothing. */
  TEMPORAL_GRPC_META_AUTHORIZATION: `Bearer ${RUN_SECRETS['the key of Temporal']}`,
} as const

/** As a connection's `apiKey` would send it, which insists on TLS. */
export const TEMPORAL_METADATA = { authorization: RUN_ENV.TEMPORAL_GRPC_META_AUTHORIZATION } as const

/** As providers do: the key stands in the model itself, where whoever prints it finds it. */
export const withModelKey = <Model extends object>(model: Model): Model => {
  const apiKey = RUN_SECRETS['the key of a model']
  return Object.assign(model, { config: { apiKey, headers: { authorization: `Bearer ${apiKey}` } } })
}

/** Each as it is, and as an address has it. */
const NEEDLES = Object.entries(RUN_SECRETS).flatMap(([name, secret]) =>
  [...new Set([secret, encodeURIComponent(secret)])].map(text => ({ name, bytes: Buffer.from(text) })),
)
const CONTROL_BYTES = Buffer.from(CONTROL)

/** More than one of them takes, so that two pieces of a text that overlap by so much hide none. */
export const LONGEST_SECRET = 128

export interface Found {
  /** Which of the secrets; never the secrets themselves. */
  readonly secrets: readonly string[]
  readonly hasControl: boolean
}

export function secretsIn(what: Uint8Array | string): Found {
  const bytes =
    typeof what === 'string' ? Buffer.from(what) : Buffer.from(what.buffer, what.byteOffset, what.byteLength)
  const found = NEEDLES.filter(needle => bytes.includes(needle.bytes))
  return { secrets: [...new Set(found.map(({ name }) => name))], hasControl: bytes.includes(CONTROL_BYTES) }
}

/** Throws what was found, and where. */
export function refuseFindings(where: string, findings: readonly string[]): void {
  if (findings.length === 0) return
  const shown = findings.slice(0, 20).map(line => `\n  ${line}`)
  const more = findings.length > shown.length ? `\n  … and ${findings.length - shown.length} more` : ''
  throw new Error(`Planted secrets were found in ${where}:${shown.join('')}${more}`)
}
