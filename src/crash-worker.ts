/**
 * An inline worker in an OS process of its own, which dies where it is told to: `node crash-worker HOST ONCE_BY AT`. The
 * test kit starts it (`runWithCrash`), again and again, until nothing is left to do.
 */
import { pathToFileURL } from 'node:url'
import { createInlineWorker } from './inline-worker.ts'
import { requireHost } from './runtime/host.ts'
import { crashAt } from './testing/crash-at.ts'

const [file = '', onceBy = '', at = 'null'] = process.argv.slice(2)
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
const host = requireHost((await import(pathToFileURL(file).href)).default)
await createInlineWorker(crashAt(host, JSON.parse(at), onceBy), { parkGraceMs: 100 }).run()
