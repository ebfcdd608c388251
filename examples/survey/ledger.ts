import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { ToolCallOptions } from '../../src/index.ts'

const entry = z.object({ dir: z.string(), files: z.number(), bytes: z.number() })
const line = entry.extend({ operationId: z.string(), processId: z.string() })

export type LedgerEntry = z.infer<typeof entry>
export type LedgerLine = z.infer<typeof line>

/** A file to which each survey adds one line: the effect in the outside world that must not happen twice. */
export interface Ledger {
  /** As a tool. It hands the operation id on to the outside world, so that the effect can be looked for there. */
  readonly append: {
    readonly description: string
    readonly inputSchema: typeof entry
    execute(
      input: LedgerEntry,
      options: Pick<ToolCallOptions, 'operationId' | 'processId'>,
    ): Promise<LedgerLine>
  }
  /** The line that the operation has written, if it has. */
  find(operationId: string): Promise<LedgerLine | undefined>
}

export function createLedger(path: string): Ledger {
  return {
    append: {
      description: 'Adds one line to the ledger of surveys.',
      inputSchema: entry,
      async execute(input, { operationId, processId }) {
        const added: LedgerLine = { ...input, operationId, processId }
        await mkdir(dirname(path), { recursive: true })
        // One write: whoever is killed has added the whole line, or nothing.
        await appendFile(path, `${JSON.stringify(added)}\n`, { flush: true })
        return added
      },
    },

    find: async operationId => (await readLedger(path)).find(found => found.operationId === operationId),
  }
}

export async function readLedger(path: string): Promise<LedgerLine[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text
    .split('\n')
    .filter(text => text !== '')
    .map(text => line.parse(JSON.parse(text)))
}
