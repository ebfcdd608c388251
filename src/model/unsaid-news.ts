import { fromJson, type Json } from './json.ts'
import type { ProcessRecord } from './process.ts'
import type { NewSessionEntry, Session, SessionEntry } from './session.ts'

/** A field that the model's provider passes over and the session keeps: whose input a message is, where another turn said it. */
const MARK = 'leasehold'

/** To stand among a message's `providerOptions`. */
export const saidFor = (turnId: string): { readonly [MARK]: { readonly turnId: string } } => ({
  [MARK]: { turnId },
})

/** The turn that has said this one's input, if another one has. */
export function absorbedBy(
  entries: readonly Pick<SessionEntry, 'turnId' | 'message'>[],
  turnId: string,
): string | undefined {
  return entries.find(({ message }) => {
    // A store of the host's own may keep anything.
    const said = fromJson<{ readonly providerOptions?: { readonly [field: string]: Json } } | null>(message)
    return Object(said?.providerOptions?.[MARK]).turnId === turnId
  })?.turnId
}

/** Is it the turn of a wake: what a process has to tell the session, and nobody else will? */
export const isWakeTurn = ({ provenance }: Pick<ProcessRecord, 'provenance'>): boolean =>
  provenance.causedBy?.type === 'process_event'

/**
 * What a wake's turn leaves to those after it, where it ended without having said it: it was interrupted, or failed. Any
 * other turn leaves nothing; whoever sent it hears of its end.
 */
export function unsaidNews(
  { id, input, provenance }: Pick<ProcessRecord, 'id' | 'input' | 'provenance'>,
  entries: readonly SessionEntry[],
): NewSessionEntry | undefined {
  if (!isWakeTurn({ provenance }) || input.type !== 'session_turn') return undefined
  const isSaid = entries.some(({ turnId }) => turnId === id) || absorbedBy(entries, id) !== undefined
  // A wake is a text.
  if (isSaid || typeof input.turnInput !== 'string') return undefined
  return { kind: 'message', message: { role: 'user', content: input.turnInput } }
}

/** The session after such news of turns that have ended, in their order, and their entries. */
export function decideLeaveNews(
  session: Session,
  over: readonly ProcessRecord[],
  stored: readonly SessionEntry[],
  now: number,
): { readonly session: Session; readonly entries: readonly SessionEntry[] } {
  const news = over.flatMap(record => {
    const entry = unsaidNews(record, stored)
    return entry === undefined ? [] : [{ ...entry, turnId: record.id }]
  })
  const { lastPosition } = session
  const entries = news.map((entry, index) => ({
    ...entry,
    position: lastPosition + index + 1,
    appendedAtMs: now,
  }))
  return { session: { ...session, lastPosition: lastPosition + entries.length }, entries }
}
