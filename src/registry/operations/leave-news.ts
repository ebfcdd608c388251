import type { ProcessRecord } from '../../model/process.ts'
import type { Session } from '../../model/session.ts'
import { decideLeaveNews, isWakeTurn } from '../../model/unsaid-news.ts'
import type { Operation, StoreTransaction } from '../store.ts'

/**
 * Appends what wakes' turns that are over have not said, in the transaction that lets them go: from then on nothing would
 * tell of it. Returns the session as it is to be saved.
 */
export function* leaveNews(
  tx: StoreTransaction,
  session: Session,
  over: readonly ProcessRecord[],
): Operation<Session> {
  if (!over.some(isWakeTurn)) return session
  const { sessionId, lastPosition } = session
  const stored = yield* tx.listSessionEntries(sessionId, 0, lastPosition)
  const left = decideLeaveNews(session, over, stored, yield* tx.now())
  for (const entry of left.entries) yield* tx.insertSessionEntry(sessionId, entry)
  return left.session
}
