import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineHost, sqliteRegistry } from '../../src/index.ts'
import { chooseModel } from '../support/choose-model.ts'
import { modelCallsIn } from '../support/model-calls.ts'
import { createCodingAgent } from './agent.ts'
import { createScript } from './script.ts'

export const callsIn = (dataDir: string) => modelCallsIn(join(dataDir, 'model-calls.log'))

/** The host for a data folder. Nothing is opened yet: a client or a worker does that. */
export const createHost = (dataDir: string) =>
  defineHost({
    registry: sqliteRegistry({ path: join(dataDir, 'leasehold.db') }),
    engines: { mend: createCodingAgent(chooseModel(createScript(callsIn(dataDir)), process.env)) },
  })

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export default createHost(resolve(REPOSITORY, 'data', 'coding-agent'))
