import type { FaultPlace, FaultPoint } from '../../src/testing/fault-points.ts'
import type { Shape } from './tools.ts'

/** One place at which the worker of a process dies. */
export interface Place {
  readonly name: string
  readonly point: FaultPoint
  /** How the step's address begins. */
  readonly step?: string
  readonly shapes: readonly Shape[]
}

/** At a place, a result that was left pending is one that people owe: what `approval` shows. It is met at random. */
const ALL: readonly Shape[] = ['repeatable', 'once', 'throws', 'approval']
const ONCE: readonly Shape[] = ['once', 'throws', 'approval']
const APPROVAL: readonly Shape[] = ['approval']

export const PLACES: readonly Place[] = [
  { name: 'attempt begun', point: 'attempt.begun', shapes: ALL },
  { name: 'model answered, not journaled', point: 'step.answered', step: 'model', shapes: ALL },
  { name: 'model journaled', point: 'step.journaled', step: 'model', shapes: ALL },
  { name: 'approval asked for', point: 'approval.asked', shapes: APPROVAL },
  { name: 'parked', point: 'process.parked', shapes: APPROVAL },
  { name: 'call claimed, not begun', point: 'step.claimed', step: 'act', shapes: ONCE },
  { name: 'approval used, call not begun', point: 'approval.used', shapes: APPROVAL },
  { name: 'effect done, not journaled', point: 'step.answered', step: 'act', shapes: ALL },
  { name: 'call journaled', point: 'step.journaled', step: 'act', shapes: ALL },
  { name: 'code returned, outcome not written', point: 'process.ending', shapes: ALL },
  { name: 'outcome written', point: 'process.ended', shapes: ALL },
]

/** A process of the matrix has its place and its shape in its id. */
export const idOf = (round: number, place: number, shape: Shape): string => `at.${round}.${place}.${shape}`

/** Is this where the process's worker is to die? */
export function isPlaceOf({ processId, point, step = '' }: FaultPlace): boolean {
  const [kind, , index] = processId.split('.')
  const place = kind === 'at' ? PLACES[Number(index)] : undefined
  return place !== undefined && place.point === point && step.startsWith(place.step ?? '')
}
