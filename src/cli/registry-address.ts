import { LeaseholdError } from '../model/errors.ts'
import { type RegistrySource, sqliteRegistry } from '../registry/source.ts'

/** `sqlite:PATH` as a registry. What is refused is never printed whole: a connection string may hold a password. */
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
      throw new LeaseholdError(
        'usage',
        'This version of Leasehold keeps its registry in SQLite only, not in PostgreSQL yet. Name a file: sqlite:data/leasehold.db.',
      )
    case undefined:
      throw new LeaseholdError(
        'usage',
        'A registry is given as sqlite:PATH; found no scheme before a colon. For the file data/leasehold.db write sqlite:data/leasehold.db.',
      )
    default:
      throw new LeaseholdError(
        'usage',
        `A registry is given as sqlite:PATH; found the scheme "${scheme}", which names no kind of registry.`,
      )
  }
}
