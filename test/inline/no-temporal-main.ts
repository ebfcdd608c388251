/** A process from its start to its outcome in an OS process that cannot load any package of Temporal's. */
import { registerHooks } from 'node:module'

const refused: string[] = []
registerHooks({
  resolve(specifier, context, next) {
    if (/^@?temporalio\b/.test(specifier)) {
      refused.push(specifier)
      throw new Error(`${specifier} is not to be loaded here`)
    }
    return next(specifier, context)
  },
})

const leasehold: typeof import('../../src/index.ts') = await import('../../src/index.ts')
const { createInlineWorker, createProcessClient, createProcessWorker, defineEngine, defineHost } = leasehold
const path = process.argv[2] ?? ''
const host = defineHost({
  registry: leasehold.sqliteRegistry({ path }),
  engines: { add: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.step('add', () => 1 + 1) }) },
})
await using worker = createInlineWorker(host)
await using processes = createProcessClient({ host })
const handle = await processes.start({ kind: 'add' })
console.log(JSON.stringify(await handle.outcome()))
await worker.stop()
const refusedSoFar = refused.length
// The refusal works: a worker on Temporal cannot do without.
const needsTemporal = await createProcessWorker(host, {} as Parameters<typeof createProcessWorker>[1]).then(
  () => false,
  () => refused.length > 0,
)
console.log(JSON.stringify({ refusedSoFar, needsTemporal }))
