import type { ProcessId } from '../../../model/ids.ts'

/** A payload must be shorter than 8,000 bytes. */
const MAX_BYTES = 7_900
/** Beyond so many it is cheaper for everybody to read the feed. */
const MAX_NOTICES = 8
/** Says: too many to name, look in the feed. */
const MANY = ''

/** A client of `pg`'s, or what is asked as one. */
interface Notifying {
  query(query: {
    readonly name?: string
    readonly text: string
    readonly values: unknown[]
  }): Promise<unknown>
}

/** Where everybody who has this registry open listens. */
export const channelOf = (registryId: string): string => `leasehold_${registryId}`

/**
 * Tells of the rows: at once, or with the commit of the transaction that the connection is in. `name`: of a statement that
 * the connection prepares once, which halves what a notice costs here and there.
 */
export async function sendNotices(
  connection: Notifying,
  channel: string,
  ids: Iterable<ProcessId>,
  { name }: { readonly name?: string } = {},
): Promise<void> {
  const notify = { text: 'select pg_notify($1, $2)', ...(name === undefined ? {} : { name }) }
  // One after the other: what a client is asked while it is asked already, later versions of pg do not take.
  for (const notice of writeNotices(ids)) await connection.query({ ...notify, values: [channel, notice] })
}

/** The payloads that name these rows: as few as possible, each short enough. */
export function writeNotices(ids: Iterable<ProcessId>): string[] {
  const notices: string[] = []
  let items: string[] = []
  let bytes = 2
  for (const id of ids) {
    const item = JSON.stringify(id)
    const itemBytes = Buffer.byteLength(item) + 1
    if (bytes + itemBytes > MAX_BYTES) {
      notices.push(`[${items}]`)
      if (notices.length === MAX_NOTICES) return [MANY]
      items = []
      bytes = 2
    }
    items.push(item)
    bytes += itemBytes
  }
  return items.length === 0 ? notices : [...notices, `[${items}]`]
}

/** The rows that a payload names; `undefined`: look in the feed. */
export function readNotice(payload: string | undefined): readonly ProcessId[] | undefined {
  if (!payload?.startsWith('[')) return undefined
  try {
    return JSON.parse(payload)
  } catch {
    // Anybody may notify on any channel.
    return undefined
  }
}
