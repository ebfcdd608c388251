import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessRegistry } from '../../src/index.ts'
import { ExampleError } from '../support/example-error.ts'
import type { Check } from '../support/table.ts'
import { showProgress, untilSurveyed } from './follow.ts'
import { ledgerPath } from './host.ts'
import { readLedger } from './ledger.ts'
import type { RunRequest } from './run.ts'
import type { Stage } from './stage.ts'
import { walk } from './walk.ts'

/** With fewer files there is no middle to be killed in. */
const FEWEST_FILES = 10
/** A survey takes at least twenty batches, so the slowed one takes two seconds or more, and the kill meets it half-way. */
const FILE_DELAY_MS = 100

export interface CrashPlan {
  /** When so many files are surveyed, the worker is killed. */
  readonly killAt: number
  readonly fileDelayMs: number
}

export interface CrashRequest extends RunRequest {
  readonly dataDir: string
  readonly plan: CrashPlan
}

/** Throws `usage` for a folder that is too small to be killed in the middle of. */
export async function planCrash(dir: string): Promise<CrashPlan> {
  const { files } = await walk(dir)
  if (files.length >= FEWEST_FILES) return { killAt: files.length / 2, fileDelayMs: FILE_DELAY_MS }
  const problem = `--crash kills the worker half-way, which needs at least ${FEWEST_FILES} files; ${dir} has ${files.length}.`
  throw new ExampleError('usage', `${problem} Choose another with --dir.`)
}

/** Kills the worker that runs the survey half-way, while a second one waits, and says what became of it. */
export async function runCrash(stage: Stage, request: CrashRequest): Promise<Check[]> {
  const { id, dir, dataDir, plan, progress } = request
  const { registry, processes, signal } = stage
  const workers = [await stage.startWorker(), await stage.startWorker()]
  const handle = await processes.start({ id, kind: 'survey', input: { dir, fileDelayMs: plan.fileDelayMs } })
  await untilSurveyed(handle, plan.killAt, { signal, progress })

  const { firstStarted } = await handle.describe()
  const victim = workers.find(worker => worker.id === firstStarted?.owner.ownerId)
  const held = await registry.getLease(id)
  if (victim === undefined || held === undefined) {
    throw new ExampleError('nothing_to_kill', 'The survey ended before its worker could be killed.')
  }
  const killedAtMs = Date.now()
  await stage.kill(victim)
  progress.say(`  SIGKILL to worker ${victim.pid}`)
  const before = await stepsOf(registry, id)
  const next = await untilNextAttempt(registry, held, signal)
  const recoveryMs = next.claimedAtMs - killedAtMs
  progress.say(`  the other worker has it after ${recoveryMs} ms`)
  await showProgress(handle, progress, { signal })
  const { status } = await handle.outcome({ signal })
  progress.stop()

  const { attempts } = await handle.describe()
  const after = await stepsOf(registry, id)
  const replayed = after.filter(step => step.fence <= held.fencingToken)
  const once = after.find(step => step.effect === 'once')
  const ledger = await readLedger(ledgerPath(dataDir))
  const effects = ledger.filter(line => line.operationId === once?.operationId)
  return [
    { what: 'The process finished', seen: status, isSo: status === 'completed' },
    { what: 'Attempts', seen: `${attempts}`, isSo: attempts === 2 },
    { what: 'From SIGKILL to the next attempt', seen: `${recoveryMs} ms`, isSo: recoveryMs < 30_000 },
    {
      what: 'Steps journaled before the kill, and replayed',
      seen: `${replayed.length} of ${before.length}`,
      isSo: before.length > 0 && replayed.length === before.length,
    },
    {
      what: 'Steps run after it',
      seen: `${after.length - replayed.length}`,
      isSo: after.length > replayed.length,
    },
    { what: 'Lines in the ledger from the once step', seen: `${effects.length}`, isSo: effects.length === 1 },
  ]
}

type Lease = NonNullable<Awaited<ReturnType<ProcessRegistry['getLease']>>>

const stepsOf = async (registry: ProcessRegistry, id: string) =>
  (await registry.journal(id)).filter(entry => entry.kind === 'step' && entry.status === 'done')

/** Each attempt holds a lease of its own, with a larger fencing token. */
async function untilNextAttempt(registry: ProcessRegistry, held: Lease, signal: AbortSignal): Promise<Lease> {
  while (true) {
    const lease = await registry.getLease(held.processId)
    if (lease !== undefined && lease.fencingToken > held.fencingToken) return lease
    await delay(5, undefined, { signal })
  }
}
