import type { ProcessRecord } from '../model/process.ts'
import { type Body, createBody } from '../runtime/body.ts'
import { guardRun } from '../runtime/guard.ts'
import { buildRuntime, type ProcessRuntime } from '../runtime/runtime.ts'
import type { AttemptScope } from './attempt-scope.ts'
import type { ExecutionEnvironment } from './environment.ts'

/** The code to run, and what was made for it. */
export interface Built {
  readonly body: Body
  readonly runtime: ProcessRuntime
}

/** The code of a record, inside the surroundings and with the runtime that are made for this scope alone. */
export async function buildBody(
  environment: ExecutionEnvironment,
  record: ProcessRecord,
  scope: AttemptScope,
): Promise<Built> {
  const { host, executionHost, facets, sessions } = environment
  const { profileId } = host
  const surroundings = await guardRun(record, { executionHost, stores: facets, profileId })
  const runtime = await buildRuntime(environment, record, { signal: scope.signal })
  scope.defer(() => runtime.dispose())
  const body = createBody({ host, runtime, sessions }, record)
  return { body: ctx => surroundings.run(() => body(ctx)), runtime }
}
