import type { Brand } from './brand.ts'
import { LeaseholdError } from './errors.ts'

/** Addresses one process for ever. Also its Temporal workflow id. */
export type ProcessId = Brand<string, 'ProcessId'>
/** Proves to the store that the bearer holds a lease. */
export type LeaseToken = Brand<string, 'LeaseToken'>
/** A position in the change feed, meaningful only to the registry that issued it. The empty string is the beginning. */
export type ChangeCursor = Brand<string, 'ChangeCursor'>

/** Ids become Temporal workflow ids (the server's limit is 1,000 bytes, and a deployment may prefix them). */
export const MAX_PROCESS_ID_BYTES = 512

/** Returns the id, or throws `process_registration_invalid` naming the rule that it breaks. */
export function requireProcessId(id: string): ProcessId {
  const broken = brokenIdRule(id)
  if (broken !== undefined) {
    throw new LeaseholdError(
      'process_registration_invalid',
      `The process id ${JSON.stringify(clip(id))} ${broken}. Choose an id of 1 to ${MAX_PROCESS_ID_BYTES} bytes without "#" and control characters, or give none to have one made.`,
      { processId: clip(id) },
    )
  }
  return id as ProcessId
}

/** Throws `missing_process_execution_id`: work that cannot name its process could never find its own earlier attempts. */
export function requireStableId(id: string): void {
  if (id.trim() !== '') return
  throw new LeaseholdError(
    'missing_process_execution_id',
    'A process is run by its id, and this one is blank. Hand on the id that it was registered with.',
  )
}

function brokenIdRule(id: string): string | undefined {
  if (id.trim() === '') return 'is blank'
  if (id.includes('#')) return 'contains "#", which is reserved as a separator'
  if (/\p{Cc}/u.test(id)) return 'contains a control character'
  if (!id.isWellFormed()) return 'is not well-formed Unicode'
  const bytes = Buffer.byteLength(id)
  if (bytes > MAX_PROCESS_ID_BYTES) return `has ${bytes} bytes`
  return undefined
}

const clip = (id: string): string => (id.length > 80 ? `${id.slice(0, 80)}…` : id)

/**
 * The id of a child whose start names none: `<parent>.<name>.<key>`, or the occurrence where no key is given. The same at
 * every attempt; each epoch of the journal after the first has children of its own.
 */
export const childId = (
  parentId: string,
  child: { readonly name: string; readonly key: string; readonly epoch: number },
): string => [parentId, child.name, ...(child.epoch === 0 ? [] : [child.epoch]), child.key].join('.')
