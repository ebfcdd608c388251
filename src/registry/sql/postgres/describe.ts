import { LeaseholdError } from '../../../model/errors.ts'

export const DEFAULT_SCHEMA = 'leasehold'

/** Where the registry is, for people: everything of the connection string but its secrets. */
export function describePostgres(connectionString: string, schema: string = DEFAULT_SCHEMA): string {
  const url = URL.parse(connectionString)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.includes('@')) {
    // The text itself is not shown, nor given as a cause: it may hold a password.
    throw new LeaseholdError(
      'usage',
      'A PostgreSQL registry needs a connection string like postgres://user:password@host:5432/database. Percent-encode what is special in a URL (/ as %2F, @ as %40, # as %23).',
    )
  }
  // Parameters may hold secrets too; the host of a Unix socket is among them.
  const host = url.host || url.searchParams.get('host') || 'localhost'
  const user = url.username === '' ? '' : `${url.username}@`
  const suffix = schema === DEFAULT_SCHEMA ? '' : ` (schema ${schema})`
  return `postgres://${user}${host}${url.pathname === '/' ? '' : url.pathname}${suffix}`
}

export function requireSchemaName(schema: string): string {
  if (schema !== '' && Buffer.byteLength(schema) <= 63 && !schema.includes('\u0000')) return schema
  throw new LeaseholdError(
    'usage',
    `The schema of a PostgreSQL registry has a name of 1 to 63 bytes; found ${JSON.stringify(schema)}.`,
  )
}
