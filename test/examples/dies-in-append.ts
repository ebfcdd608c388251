/*
 * A worker that SIGKILLs itself at the one moment that nobody can journal: around the append to the ledger.
 * `dies-in-append <temporal address> <registry> <ledger> <before|after>`
 */
import { NativeConnection } from '@temporalio/worker'
import { createSurveyEngine } from '../../examples/survey/engine.ts'
import { createLedger } from '../../examples/survey/ledger.ts'
import { createProcessWorker, defineHost, sqliteRegistry } from '../../src/index.ts'

export type KillPoint = 'before' | 'after'

const [address = '', registryPath = '', ledgerPath = '', point] = process.argv.slice(2)
process.on('disconnect', () => process.exit())

const ledger = createLedger(ledgerPath)
const deadly: typeof ledger = {
  ...ledger,
  append: {
    ...ledger.append,
    async execute(input, options) {
      if (point === 'after') await ledger.append.execute(input, options)
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => {})
    },
  },
}
const host = defineHost({
  registry: sqliteRegistry({ path: registryPath }),
  engines: { survey: createSurveyEngine({ ledger: deadly, reportsDir: '/nowhere' }) },
})
const worker = await createProcessWorker(host, { connection: await NativeConnection.connect({ address }) })
await worker.run()
