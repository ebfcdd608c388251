import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tool } from 'ai'
import { z } from 'zod'
// In your own project: from 'leasehold'. Here it is relative, so that the example runs on the sources, without a build.
import { defineHost, defineTool, sqliteRegistry, subAgents } from '../../src/index.ts'
import { chooseModel } from '../support/choose-model.ts'
import { modelCallsIn } from '../support/model-calls.ts'
import { searchLibrary } from './library.ts'
import { createScripts } from './script.ts'

export const callsIn = (dataDir: string) => modelCallsIn(join(dataDir, 'model-calls.log'))

const LEAD = `You answer questions from a library that only your readers can search. Start one reader for each thing that you
want to know, all at once, each with one word to search for; await them; then answer in one paragraph.`
const READER = 'Search the library for the word that you are given, and say in one sentence what it holds.'

/** The host for a data folder. Nothing is opened yet: a client or a worker does that. */
export async function createHost(dataDir: string) {
  const { lead, reader } = createScripts(callsIn(dataDir))
  return defineHost({
    registry: sqliteRegistry({ path: join(dataDir, 'leasehold.db') }),
    models: { lead: chooseModel(lead, process.env), reader: chooseModel(reader, process.env) },
    tools: {
      searchLibrary: defineTool(
        tool({
          description: 'The notes of the library that hold a word.',
          inputSchema: z.object({ word: z.string().min(1) }),
          execute: ({ word }) => searchLibrary(word),
        }),
        { disposition: 'rerunnable' },
      ),
      ...(await subAgents({
        reader: {
          description: 'Searches the library for one word.',
          policy: { model: 'reader', instructions: READER, tools: ['searchLibrary'] },
        },
      })),
    },
    policy: { model: 'lead', instructions: LEAD, tools: ['start_agent', 'await_agents'] },
  })
}

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export default await createHost(resolve(REPOSITORY, 'data', 'research-agent'))
