import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createProcessClient, type ProcessClient } from '../client/process-client.ts'
import type { Effect } from '../model/effect.ts'
import { LeaseholdError } from '../model/errors.ts'
import { explain } from '../model/explain.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Situation } from '../model/situation.ts'
import { type Host, requireHost } from '../runtime/host.ts'
import { borrowRegistry } from '../runtime/open-registry.ts'
import type { AnyStart } from '../runtime/start-request.ts'
import type { CrashAt } from './crash-at.ts'

export interface CrashRunRequest {
  /** The file whose default export is the host module, as a path or a file address. */
  readonly host: string | URL
  readonly start: AnyStart
  /** Default: nobody dies. */
  readonly crashAt?: CrashAt
  /** What else happens while it runs: approvals, signals. Called once, when the process is started. */
  readonly meanwhile?: (processes: ProcessClient, id: string) => Promise<void>
  /** Milliseconds after which it is given up. Default 60,000. */
  readonly timeout?: number
}

/** What is left of a run. */
export interface CrashRun {
  readonly outcome: Outcome
  /** Workers that died; 0 where the place was never reached. */
  readonly crashes: number
  readonly attempts: number
  /** The process's steps, as the journal has them. */
  readonly journal: readonly JournalEntry[]
  /** What its `once` steps did in the world outside. */
  readonly effects: readonly Effect[]
}

/**
 * Runs one process of the host in inline workers, each an OS process of its own, one after the other: the first dies at
 * the place by SIGKILL, and the next goes on. Resolves when the process has ended.
 */
export async function runWithCrash(request: CrashRunRequest): Promise<CrashRun> {
  const { start, timeout = 60_000 } = request
  const file = typeof request.host === 'string' ? request.host : fileURLToPath(request.host)
  const loaded: { readonly default: Host } = await import(/* @vite-ignore */ file)
  const host = requireHost(loaded.default)
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-crash-'))
  const ended = new AbortController()
  const processes = createProcessClient({ host })
  const { registry, release } = await borrowRegistry(host.registry)
  const workers = keepWorking(
    [file, join(folder, 'crashed'), JSON.stringify(request.crashAt ?? {})],
    ended.signal,
  )
  try {
    const handle = await processes.startUntyped(start)
    const signal = AbortSignal.timeout(timeout)
    const inTime = handle.outcome({ signal }).catch(async error => {
      throw error === signal.reason ? tooLate(await registry.situation(handle.id), timeout) : error
    })
    const [outcome] = await Promise.all([
      Promise.race([inTime, workers.failed]),
      request.meanwhile?.(processes, handle.id),
    ])
    const { attempts } = await handle.describe()
    const [journal, effects] = [await registry.journal(handle.id), await registry.effects(handle.id)]
    return { outcome, crashes: workers.crashes(), attempts, journal, effects }
  } finally {
    ended.abort()
    await workers.stopped
    await release()
    await processes[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where it stands, for whoever has to find out why. */
function tooLate(situation: Situation, timeout: number): Error {
  const { id, state, why } = explain(situation)
  return new Error(
    `Process "${id}" has not ended within ${timeout} ms. It is ${state.replaceAll('_', ' ')}: ${why}`,
  )
}

/** One worker at a time: whenever one dies, the next begins. */
function keepWorking(args: readonly string[], signal: AbortSignal) {
  const script = fileURLToPath(new URL(`../crash-worker${extname(import.meta.url)}`, import.meta.url))
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  let crashes = 0
  const run = async () => {
    while (!signal.aborted) {
      const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'inherit', 'inherit'] })
      const onAbort = () => child.kill('SIGKILL')
      signal.addEventListener('abort', onAbort, { once: true })
      const [code, by]: (number | string | null)[] = await once(child, 'exit')
      signal.removeEventListener('abort', onAbort)
      if (signal.aborted) return
      if (by !== 'SIGKILL') {
        failed.reject(
          new LeaseholdError('internal', `The worker of ${args[0]} ended by itself, with ${code ?? by}.`),
        )
        return
      }
      crashes++
    }
  }
  return { stopped: run(), failed: failed.promise, crashes: () => crashes }
}
