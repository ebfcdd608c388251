import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { scanFiles } from './scan/files.ts'
import { CONTROL, refuseFindings, secretsIn } from './scan/run-secrets.ts'
import { startPostgres } from './start-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the PostgreSQL server that the whole run shares; as a user who may create databases. */
    postgresUrl: string
  }
}

/** A missing server fails the run: nothing is skipped. At its end all that the server has written is scanned for secrets. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.LEASEHOLD_TEST_POSTGRES
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given)
    return undefined
  }
  const logged: string[] = []
  const server = await startPostgres({
    beforeRemoval: folder => requireNoSecrets(folder, logged),
    onLog: line => logged.push(line),
  })
  project.provide('postgresUrl', server.url)
  return async () => {
    await plantControl(server.url)
    await server.stop()
  }
}

/** A row as any other, and a statement as the server logs those that fail. */
async function plantControl(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('create table control (secret text)')
  await client.query('insert into control values ($1)', [CONTROL])
  await client.query(`select '${CONTROL}' from nowhere`).catch(() => {})
  await client.end()
}

async function requireNoSecrets(folder: string, logged: readonly string[]): Promise<void> {
  const startedAt = performance.now()
  const files = await scanFiles(folder)
  const log = secretsIn(logged.join('\n'))
  if (!files.hasControl || !log.hasControl) {
    const where = files.hasControl ? 'log' : 'files'
    throw new Error(`The scan does not find what was planted in the ${where} of PostgreSQL to be found.`)
  }
  const ofLog = log.secrets.map(name => `its log: ${name}`)
  refuseFindings('what PostgreSQL has written', [...files.findings, ...ofLog])
  const [megabytes, seconds] = [files.bytes / 2 ** 20, (performance.now() - startedAt) / 1_000]
  console.log(`No planted secret in ${megabytes.toFixed(0)} MB of PostgreSQL (${seconds.toFixed(1)} s)`)
}
