import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Counts calls of a model where several OS processes make them, and some are killed: a line of a file for each. */
export interface ModelCalls {
  note(): Promise<void>
  count(): Promise<number>
}

export const modelCallsIn = (path: string): ModelCalls => ({
  async note() {
    await mkdir(dirname(path), { recursive: true })
    await appendFile(path, `${new Date().toISOString()}\n`)
  },
  count: async () => (await readFile(path, 'utf8').catch(() => '')).split('\n').length - 1,
})
