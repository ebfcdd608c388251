import { LeaseholdError } from './errors.ts'

export const sessionExists = (sessionId: string): LeaseholdError =>
  new LeaseholdError('session_conflict', `There is a session "${sessionId}" already. Choose another id.`, {
    details: { sessionId },
  })

export const turnRefused = (sessionId: string, openFor: string): LeaseholdError =>
  new LeaseholdError(
    'session_busy',
    `Session "${sessionId}" is in turn "${openFor}", and takes no new input meanwhile. Say it again when that has ended.`,
    { details: { sessionId, openFor } },
  )

export const deletedWhileOpen = (sessionId: string, openFor: string): LeaseholdError =>
  new LeaseholdError(
    'session_busy',
    `Session "${sessionId}" is in turn "${openFor}", which would lose what it says. Cancel that process first, or wait for its end.`,
    { details: { sessionId, openFor } },
  )

export const deletedWhileAwaited = (sessionId: string, turnId: string): LeaseholdError =>
  new LeaseholdError(
    'session_busy',
    `Turn "${turnId}" waits for session "${sessionId}". Cancel that process first, or wait for its end.`,
    { details: { sessionId, openFor: turnId } },
  )

export const unknownSession = (sessionId: string): LeaseholdError =>
  new LeaseholdError('session_unknown', `There is no session "${sessionId}" in this store.`, {
    details: { sessionId },
  })

export const sessionClosed = (sessionId: string): LeaseholdError =>
  new LeaseholdError(
    'session_closed',
    `Session "${sessionId}" is closed, and takes nothing new. What was said in it can be read; fork it to go on from there.`,
    { details: { sessionId } },
  )
