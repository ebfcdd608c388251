import { type AgentArguments, readAgentArguments } from './agent-arguments.ts'
import { explain } from './example-error.ts'

export interface AgentProgram {
  readonly name: string
  readonly usage: string
  /** Gives the exit code. */
  run(options: AgentArguments): Promise<number>
}

/** The command line of an example: its help, its errors, its exit code. */
export async function runAgentProgram({ name, usage, run }: AgentProgram): Promise<void> {
  try {
    const options = readAgentArguments(name, usage, process.argv.slice(2))
    if (options.isHelp) console.log(usage)
    else process.exitCode = await run(options)
  } catch (error) {
    const { line, exitCode } = explain(error)
    console.error(line)
    process.exitCode = exitCode
  }
}
