import { LeaseholdError } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import type { PreparedToolCall, ProcessRecord } from '../model/process.ts'
import type { Host } from './host.ts'
import type { ProcessRuntime } from './runtime.ts'
import type { SessionStore } from './session-store.ts'
import { type BodyContext, callTool, findTool } from './tool-call.ts'
import { runSessionTurn } from './turn/session-turn.ts'

/** What an attempt runs: the host's code for this record, over the context that execution gives it. */
export type Body = (ctx: BodyContext) => Promise<unknown>

export interface BodyParts {
  readonly host: Host
  readonly runtime: ProcessRuntime
  readonly sessions: SessionStore
}

/** Finds the code for a record. A permanent problem throws its code; the caller makes it the outcome. */
export function createBody({ host, runtime, sessions }: BodyParts, record: ProcessRecord): Body {
  const { input } = record
  switch (input.type) {
    case 'engine':
      return engineBody(host, record, input.kind)
    case 'tool_call':
      return toolBody(runtime, record, input.call)
    case 'session_turn':
      return ctx =>
        runSessionTurn(ctx, { runtime, sessions, residency: host.residency ?? 'keep_all' }, { record, input })
    case 'external':
      // Kept out by the guards; if it came here all the same, an invented outcome would be the worst answer.
      throw new LeaseholdError(
        'external_process_not_executable',
        `Process "${record.id}" is work that somebody else owns; there is nothing to run.`,
        { processId: record.id },
      )
  }
}

/** The input as the body sees it: what the start's schema made of it. */
export const bodyInput = ({ input }: ProcessRecord): Json => {
  switch (input.type) {
    case 'engine':
      return input.payload
    case 'tool_call':
      return input.call.args
    case 'session_turn':
      return input.turnInput
    case 'external':
      return input.metadata
  }
}

function engineBody(host: Host, record: ProcessRecord, kind: string): Body {
  const engines = host.engines ?? {}
  const engine = Object.hasOwn(engines, kind) ? engines[kind] : undefined
  if (engine === undefined) {
    throw new LeaseholdError(
      'process_engine_missing',
      `This worker's host has no engine "${kind}", which process "${record.id}" needs. Deploy a host module that defines it.`,
      { processId: record.id, details: { kind } },
    )
  }
  return async ctx => engine.run(ctx)
}

function toolBody({ tools, pinTools }: ProcessRuntime, record: ProcessRecord, call: PreparedToolCall): Body {
  const find = () => {
    const definition = findTool(tools, call)
    if (definition !== undefined) return definition
    throw new LeaseholdError(
      'process_tool_unknown',
      `This worker's host has no tool "${call.toolName}", which process "${record.id}" needs. Deploy a host module that defines it.`,
      { processId: record.id, details: { tool: call.toolName } },
    )
  }
  // Where the first attempt's list is still to be read, the tool may be in that.
  if (pinTools === undefined) find()
  return async ctx => callTool(ctx, find(), { ...call, disposition: record.disposition })
}
