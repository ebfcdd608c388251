/**
 * The host's own connection to the database that holds the registry, with a transaction begun on it: a `Client` or a
 * `PoolClient` of `pg`. Not a `Pool`, where every query may run on another connection.
 */
export interface HostTransaction {
  query(query: HostQuery): Promise<HostQueryResult>
}

export interface HostQuery {
  readonly text: string
  readonly values?: unknown[]
  /** How the columns of this one query are read, whatever the host has set up for its own. */
  readonly types?: { getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown }
}

export interface HostQueryResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number | null
}
