/** An inline worker of the traced host in an OS process of its own: it says each span that ends as one line of JSON. */
import { writeSync } from 'node:fs'
import { createInlineWorker } from '../../src/index.ts'
import { collectSpans } from './collect-spans.ts'
import { tracedHost } from './traced-host.ts'

const say = (what: string, fields: object = {}): void => {
  writeSync(1, `${JSON.stringify({ what, ...fields })}\n`)
}
process.stdin.resume().on('end', () => process.exit())
const { registry }: { readonly registry: string } = JSON.parse(process.argv[2] ?? '{}')
collectSpans(span => say('span', { span }))
const worker = createInlineWorker(tracedHost(registry))
await worker.ready
say('ready')
await worker.run()
