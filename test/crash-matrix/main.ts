/**
 * npm run crash -- [--kills N] [--seed S] [--inline] [--limit SECONDS]
 *
 * Kills workers at every place of an attempt where it matters, then at random over many turns, and holds what the
 * processes say against what happened outside. Prints a table; exits with 1 where anything was repeated, lost or false.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startDevServer } from '../../src/dev-server/index.ts'
import { runMatrix } from './run.ts'
import { tableOf } from './table.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    limit: { type: 'string', default: '1800' },
    inline: { type: 'boolean', default: false },
  },
})

const say = (line: string) => console.error(line)
const folder = await mkdtemp(join(tmpdir(), 'leasehold-crash-matrix-'))
try {
  await using server = values.inline
    ? undefined
    : await startDevServer({
        env: process.env,
        cacheDir: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'leasehold'),
        onProgress: say,
      })
  const report = await runMatrix({
    registry: `sqlite:${join(folder, 'leasehold.db')}`,
    folder,
    kills: Number(values.kills),
    seed: Number(values.seed),
    limitMs: Number(values.limit) * 1_000,
    say,
    ...(server === undefined ? {} : { temporal: server.address }),
  })
  console.log(tableOf(report))
  if (report.violations.length > 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
