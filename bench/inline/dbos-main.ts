/**
 * node dbos-main.ts <folder with its package> <database>: DBOS Transact as its users run it in one OS process, with the
 * same bodies as ours.
 */
import { generateText, tool, wrapLanguageModel } from 'ai'
import { createTurnModel, look, runLook, TURN_OPTIONS } from '../support/agent-turn.ts'
import { entryOf } from '../support/install-packages.ts'
import { serveSide } from './serve-side.ts'

/** What of the package this uses: it is installed for the bench, so its own types are not there. */
interface Dbos {
  setConfig(config: { name: string; systemDatabaseUrl: string; logLevel: string }): void
  registerWorkflow<T>(
    run: (input: number) => Promise<T>,
    options: { name: string },
  ): (input: number) => Promise<T>
  runStep<T>(run: () => Promise<T>, options: { name: string }): Promise<T>
  launch(): Promise<void>
  shutdown(): Promise<void>
}

const [, , folder = '', database = ''] = process.argv

await serveSide(async () => {
  const { DBOS }: { DBOS: Dbos } = await import(entryOf(folder, '@dbos-inc/dbos-sdk'))
  const noop = (value: number) => DBOS.runStep(async () => value, { name: 'noop' })
  const runOne = DBOS.registerWorkflow(noop, { name: 'one' })
  const runSteps = DBOS.registerWorkflow(
    async steps => {
      const begun = performance.now()
      for (let index = 0; index < steps; index++) await noop(index)
      return (performance.now() - begun) / steps
    },
    { name: 'steps' },
  )
  // Its own package for the AI SDK, which wants an older DBOS, makes each model call a step in the same way, and tells
  // its users to do so with their tools.
  const model = wrapLanguageModel({
    model: createTurnModel(),
    middleware: {
      specificationVersion: 'v4',
      wrapGenerate: ({ doGenerate }) => DBOS.runStep(async () => doGenerate(), { name: 'model' }),
    },
  })
  const tools = {
    look: tool({ ...look, execute: input => DBOS.runStep(() => runLook(input), { name: 'look' }) }),
  }
  const runTurn = DBOS.registerWorkflow(
    async () => (await generateText({ ...TURN_OPTIONS, model, tools, maxRetries: 0 })).text,
    { name: 'turn' },
  )
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: database, logLevel: 'error' })
  await DBOS.launch()
  return {
    runOne: () => runOne(1),
    runSteps: steps => runSteps(steps),
    runTurn: () => runTurn(1),
    [Symbol.asyncDispose]: () => DBOS.shutdown(),
  }
})
