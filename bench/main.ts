/**
 * npm run bench [-- [NAME…] [--check] [--references=all] [--size=N]]
 *
 * Prints one table. Each row sets our figure beside its reference's, taken in the same run on the same machine; where
 * the machine is noisy, trust the ratio. `--check`: a bound that is missed makes the exit code 1. `--size`: fewer
 * than usual, of those that run a number of processes (kills), for a first look.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startDevServer } from '../src/dev-server/index.ts'
import { cancel } from './cancel.ts'
import { drain } from './drain.ts'
import { history } from './history.ts'
import { inline } from './inline/index.ts'
import { kills } from './kills.ts'
import { latency } from './latency.ts'
import { recovery } from './recovery.ts'
import { registry } from './registry/index.ts'
import { steps } from './steps.ts'
import { streams } from './streams.ts'
import type { Bench } from './support/bench.ts'
import { watchMachine } from './support/machine.ts'
import { formatTable, type MeasuredRow } from './support/table.ts'
import { throughput } from './throughput.ts'
import { inlineTurns } from './turns/inline.ts'
import { turns } from './turns/on-temporal.ts'
import { waits } from './waits.ts'
import { wakes } from './wakes.ts'

const BENCHES: Readonly<Record<string, Bench>> = {
  latency,
  throughput,
  history,
  steps,
  waits,
  wakes,
  cancel,
  recovery,
  drain,
  kills,
  registry,
  inline,
  streams,
  turns,
  inlineTurns,
}

/** These run without a server, and are not to be disturbed by one. */
const SERVERLESS: ReadonlySet<string> = new Set(['wakes', 'registry', 'inline', 'streams', 'inlineTurns'])

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    references: { type: 'string', default: 'quick' },
    size: { type: 'string' },
  },
})

const rows = await measure(positionals.length === 0 ? Object.keys(BENCHES) : positionals)
console.log(formatTable(rows))
if (values.check && rows.some(({ bound }) => bound?.isMet === false)) process.exitCode = 1

async function measure(names: readonly string[]): Promise<MeasuredRow[]> {
  const benches = names.map(name => ({ name, bench: requireBench(name) }))
  await using server = names.every(name => SERVERLESS.has(name)) ? undefined : await startServer()
  const measured: MeasuredRow[] = []
  for (const { name, bench } of benches) {
    say(`${name} …`)
    const folder = await mkdtemp(join(tmpdir(), `leasehold-bench-${name}-`))
    try {
      const readUse = watchMachine()
      const withSlowReferences = values.references === 'all'
      const rows = await bench({
        address: server?.address ?? '',
        folder,
        withSlowReferences,
        ...(values.size === undefined ? {} : { size: Number(values.size) }),
      })
      const use = readUse()
      measured.push(...rows.map(row => ({ ...row, use })))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return measured
}

function startServer() {
  return startDevServer({
    env: process.env,
    cacheDir: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'leasehold'),
    onProgress: say,
  })
}

function requireBench(name: string): Bench {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (bench !== undefined) return bench
  console.error(`error: usage: there is no bench "${name}"; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

function say(line: string): void {
  console.error(line)
}
