import { LeaseholdError } from '../model/errors.ts'
import { postgresRegistry, type RegistrySource, sqliteRegistry } from '../registry/source.ts'

/** `sqlite:PATH` or `postgres://…` as a registry. What is refused is never printed whole: a connection string may hold a password. */
export function parseRegistryAddress(address: string): RegistrySource {
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*):(.*)$/is.exec(address) ?? []
  switch (scheme?.toLowerCase()) {
    case 'sqlite':
      if (rest) return sqliteRegistry({ path: rest })
      throw new LeaseholdError(
        'usage',
        'A SQLite registry needs the path of its file, as in sqlite:data/leasehold.db.',
      )
    case 'postgres':
    case 'postgresql':
      return parsePostgresAddress(address)
    case undefined:
      throw new LeaseholdError(
        'usage',
        'A registry is given as sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE; found no scheme before a colon. For the file data/leasehold.db write sqlite:data/leasehold.db.',
      )
    default:
      throw new LeaseholdError(
        'usage',
        `A registry is given as sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE; found the scheme "${scheme}", which names no kind of registry.`,
      )
  }
}

/** A connection string, which may name the registry's schema as well: `?schema=NAME`. */
function parsePostgresAddress(address: string): RegistrySource {
  const url = URL.parse(address)
  const schema = url?.searchParams.get('schema')
  if (url === null || schema === null || schema === undefined)
    return postgresRegistry({ connectionString: address })
  url.searchParams.delete('schema')
  return postgresRegistry({ connectionString: url.href, schema })
}
