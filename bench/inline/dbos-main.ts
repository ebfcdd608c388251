/**
 * node dbos-main.ts <folder with its package> <database>: DBOS Transact as its users run it in one OS process, with the
 * same bodies as ours.
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
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
  const entry = createRequire(`${folder}/package.json`).resolve('@dbos-inc/dbos-sdk')
  const { DBOS }: { DBOS: Dbos } = await import(pathToFileURL(entry).href)
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
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: database, logLevel: 'error' })
  await DBOS.launch()
  return {
    runOne: () => runOne(1),
    runSteps: steps => runSteps(steps),
    [Symbol.asyncDispose]: () => DBOS.shutdown(),
  }
})
