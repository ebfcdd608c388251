import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
// In your own project: from 'leasehold'. Here it is relative, so that the example runs on the sources, without a build.
import { defineHost, defineTool, sqliteRegistry } from '../../src/index.ts'
import { createSurveyEngine } from './engine.ts'
import { createLedger } from './ledger.ts'
import { summarize } from './summarize.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

/** Where this host keeps everything, unless it is told otherwise. */
export const DATA_DIR = join(REPOSITORY, 'data')

export const registryPath = (dataDir: string): string => join(dataDir, 'leasehold.db')
export const ledgerPath = (dataDir: string): string => join(dataDir, 'survey-ledger.jsonl')

/** The host for a data folder. Nothing is opened yet: a client or a worker does that. */
export function createSurveyHost(dataDir: string) {
  const ledger = createLedger(ledgerPath(dataDir))
  return defineHost({
    registry: sqliteRegistry({ path: registryPath(dataDir) }),
    engines: { survey: createSurveyEngine({ ledger, reportsDir: join(dataDir, 'reports') }) },
    tools: {
      summarize: defineTool(summarize, { disposition: 'rerunnable' }),
      // As a process of its own, too, it is done once: a crash in doubt is reported, not repeated.
      'append-to-ledger': defineTool(ledger.append, { disposition: 'rerunnable', effect: 'once' }),
    },
  })
}

export default createSurveyHost(DATA_DIR)
