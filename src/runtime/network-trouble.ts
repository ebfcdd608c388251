const CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
])

/** Somebody else's server is away, and may be back: nothing that speaks against the process itself. */
export function isNetworkTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  const isOwn = typeof code === 'string' && (CODES.has(code) || code.startsWith('UND_ERR_'))
  return isOwn || (error.cause !== undefined && isNetworkTrouble(error.cause))
}
