import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ExampleError } from './example-error.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export interface AgentArguments {
  readonly isHelp: boolean
  /** Kill the worker in the middle. */
  readonly isCrash: boolean
  readonly id: string | undefined
  readonly dataDir: string
  /** Who allows what has to be allowed; absent: somebody else will. */
  readonly approveAs: string | undefined
}

export function readAgentArguments(name: string, usage: string, args: readonly string[]): AgentArguments {
  const { help = false, crash = false, id, data, approve } = parse(usage, args)
  return {
    isHelp: help,
    isCrash: crash,
    id,
    dataDir: data === undefined ? resolve(REPOSITORY, 'data', name) : resolve(data),
    approveAs: approve,
  }
}

function parse(usage: string, args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        id: { type: 'string' },
        data: { type: 'string' },
        approve: { type: 'string' },
        crash: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new ExampleError('usage', `${problem} The options are:\n${usage}`)
  }
}
