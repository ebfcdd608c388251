/** node leasehold-main.ts <registry address>: client and inline worker in one OS process. */
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createInlineWorker, createProcessClient } from '../../src/index.ts'
import { benchHostOn } from '../support/leasehold-host.ts'
import { serveSide } from './serve-side.ts'

const [, , address = ''] = process.argv

await serveSide(async () => {
  const host = benchHostOn(parseRegistryAddress(address))
  const worker = createInlineWorker(host)
  const processes = createProcessClient({ host })
  await worker.ready
  return {
    runOne: async () => (await processes.start({ kind: 'noop', input: 1 })).outcome(),
    async runSteps(steps) {
      const outcome = await (await processes.start({ kind: 'steps', input: steps })).outcome()
      if (outcome.status !== 'completed') throw new Error(`The steps ended as ${outcome.status}.`)
      return Number(outcome.value)
    },
    async runTurn() {
      const outcome = await (await processes.start({ kind: 'turn' })).outcome()
      if (outcome.status !== 'completed') throw new Error(`The turn ended as ${outcome.status}.`)
      return String(outcome.value)
    },
    async [Symbol.asyncDispose]() {
      await worker.stop()
      await processes[Symbol.asyncDispose]()
    },
  }
})
