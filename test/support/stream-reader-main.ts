/** Readers of a channel in an OS process of their own: `node stream-reader-main.ts OPTIONS`. Each entry is one line of JSON. */
import { writeSync } from 'node:fs'
import { createProcessClient, defineHost, sqliteRegistry } from '../../src/index.ts'

export interface StreamReaderOptions {
  readonly registryPath: string
  readonly id: string
  /** The offset at which each of them begins. */
  readonly from: readonly number[]
  /** The process is cancelled when one of them reads the entry of this offset. */
  readonly cancelsAt?: number
}

const say = (what: string, fields: object = {}): void => {
  writeSync(1, `${JSON.stringify({ what, ...fields })}\n`)
}

const { registryPath, id, from, cancelsAt }: StreamReaderOptions = JSON.parse(process.argv[2] ?? '{}')
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
// Without a server: what is read stands in the registry, and so does a cancel.
const host = defineHost({ registry: sqliteRegistry({ path: registryPath }) })
const handle = createProcessClient({ host }).handle(id)
say('ready')
const read = async (first: number) => {
  for await (const entry of handle.stream('ui', { from: first })) {
    say('entry', { from: first, entry })
    if (entry.offset === cancelsAt) await handle.cancel('the reader has seen enough')
  }
}
await Promise.all(from.map(read))
say('end')
process.exit()
