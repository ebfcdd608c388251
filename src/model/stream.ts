import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'
import type { Json } from './json.ts'

/**
 * A channel of a process: what its code says while it works, for whoever looks on. Entries are addressed by their offset,
 * from 0 without gap, and are never changed: what an attempt said that failed is taken back by an entry of its own.
 *
 *   attempt 1:  0 "Once"  1 " upon"  ✗ killed
 *   attempt 2:  2 attempt_reset [0, 2)  3 "There"  4 " was"          what stands: "There was"
 */
export type StreamEntry = StreamDelta | AttemptReset

export interface StreamDelta {
  readonly type: 'delta'
  readonly offset: number
  readonly attempt: number
  readonly data: Json
}

/** Deltas of an attempt, or of a try of a step, that came to nothing: they count no longer. */
export interface AttemptReset {
  readonly type: 'attempt_reset'
  readonly offset: number
  readonly attempt: number
  /** Ascending, without overlaps. */
  readonly retracted: readonly OffsetRange[]
}

/** `to` is exclusive. */
export interface OffsetRange {
  readonly from: number
  readonly to: number
}

/** Entries that were written together: all deltas of one place in the code, or one reset. */
export interface StreamRow {
  readonly processId: ProcessId
  readonly channel: string
  /** The first entry's offset. */
  readonly from: number
  /** The offset after the last entry's. */
  readonly to: number
  readonly epoch: number
  readonly attempt: number
  readonly fence: number
  readonly content: StreamContent
  readonly writtenAtMs: number
}

/** `step`: the address of the step whose code wrote the deltas. */
export type StreamContent =
  | { readonly deltas: readonly Json[]; readonly step?: string }
  | { readonly retracted: readonly OffsetRange[] }

export interface StreamHead {
  readonly channel: string
  /** The offset of the entry that comes next. */
  readonly next: number
}

/** How many entries a row takes; a reader that is behind reads row by row. */
export const MAX_ROW_ENTRIES = 512
/** Of a row with more than one entry. A single delta may be as large as any payload. */
export const MAX_ROW_BYTES = 64 * 1024

const MAX_CHANNEL_CHARACTERS = 200

/** Returns the name, or throws `usage` with the rule that it breaks. */
export function requireChannel(channel: string): string {
  const broken = brokenChannelRule(channel)
  if (broken === undefined) return channel
  throw new LeaseholdError(
    'usage',
    `A channel's name ${broken}. Give one of 1 to ${MAX_CHANNEL_CHARACTERS} characters without control characters.`,
    { details: { channel: channel.slice(0, 80) } },
  )
}

function brokenChannelRule(channel: string): string | undefined {
  if (channel.trim() === '') return 'is blank'
  if (channel.length > MAX_CHANNEL_CHARACTERS) return `has ${channel.length} characters`
  if (/\p{Cc}/u.test(channel)) return 'contains a control character'
  return channel.isWellFormed() ? undefined : 'is not well-formed Unicode'
}

export const requireOffset = (from: number): number => {
  if (Number.isSafeInteger(from) && from >= 0) return from
  throw new LeaseholdError(
    'usage',
    `An offset is a whole number from 0, and ${from} is none. Go on with the offset after the last entry that was read.`,
  )
}

/** The entries of a row with an offset of `from` or above. */
export function entriesOf(row: StreamRow, from = 0): readonly StreamEntry[] {
  const { attempt, content } = row
  if ('retracted' in content) {
    return row.from < from ? [] : [{ type: 'attempt_reset', offset: row.from, attempt, ...content }]
  }
  const skipped = Math.max(0, from - row.from)
  return content.deltas.slice(skipped).map((data, index) => ({
    type: 'delta',
    offset: row.from + skipped + index,
    attempt,
    data,
  }))
}

export const lengthOf = (content: StreamContent): number =>
  'retracted' in content ? 1 : content.deltas.length

/** The step whose code wrote it; none of a reset, or of what was said outside steps. */
export const stepOf = (content: StreamContent): string | undefined =>
  'retracted' in content ? undefined : content.step

export const covers = (ranges: readonly OffsetRange[], offset: number): boolean =>
  ranges.some(({ from, to }) => from <= offset && offset < to)

/** Ascending offsets as ranges. */
export function rangesOf(offsets: readonly number[]): readonly OffsetRange[] {
  const ranges: OffsetRange[] = []
  for (const offset of offsets) {
    const last = ranges.at(-1)
    if (last?.to === offset) ranges[ranges.length - 1] = { from: last.from, to: offset + 1 }
    else ranges.push({ from: offset, to: offset + 1 })
  }
  return ranges
}

/** Entries that one step's code wrote together, without what they say. */
export interface StepSpan extends OffsetRange {
  readonly channel: string
  readonly step: string
}

/** What it takes to say what an epoch's earlier attempts have left in a channel. */
export interface StreamRemains {
  readonly head: StreamHead
  /** Of the epoch: what was said outside steps, and what was taken back. */
  readonly outside: readonly StreamRow[]
  /**
   * Of the last attempt of the epoch in which a step has spoken. Those before it need no look: before its code began, that
   * attempt took back what they had left.
   */
  readonly ofSteps: readonly StepSpan[]
}

/** What stands of a channel from before this attempt. */
export interface StreamLeftovers extends StreamHead {
  /** Of steps that the journal does not know: their code runs anew, so what it said is taken back. */
  readonly retracted: readonly OffsetRange[]
  /** What was said outside steps, in order: code that is replayed says it again, and then it is not written twice. */
  readonly repeatable: readonly StreamDelta[]
}

/**
 * What earlier attempts of this epoch have left in a channel. `isSettled`: whether the journal knows what the step came
 * to; its deltas stand for good, and those of earlier epochs as well.
 */
export function decideLeftovers(
  { head, outside, ofSteps }: StreamRemains,
  isSettled: (step: string) => boolean,
): StreamLeftovers {
  const isGone = coveredBy(
    outside.flatMap(({ content }) => ('retracted' in content ? content.retracted : [])),
  )
  const retracted = ofSteps
    .filter(({ step }) => !isSettled(step))
    .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index))
    .filter(offset => !isGone(offset))
  const repeatable = outside
    .flatMap(row => entriesOf(row))
    .filter(entry => entry.type === 'delta')
    .filter(({ offset }) => !isGone(offset))
  return { ...head, retracted: rangesOf(retracted), repeatable }
}

/** Whether an offset lies in one of many ranges, in any order. */
function coveredBy(ranges: readonly OffsetRange[]): (offset: number) => boolean {
  const apart: OffsetRange[] = []
  for (const { from, to } of ranges.toSorted((left, right) => left.from - right.from)) {
    const last = apart.at(-1)
    if (last === undefined || from > last.to) apart.push({ from, to })
    else apart[apart.length - 1] = { from: last.from, to: Math.max(to, last.to) }
  }
  return offset => {
    let [low, high] = [0, apart.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((apart[middle]?.from ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return offset < (apart[low - 1]?.to ?? 0)
  }
}

/** The same entries, whoever wrote them. */
export const isSameRow = (left: StreamRow, right: StreamRow): boolean =>
  left.from === right.from &&
  left.to === right.to &&
  JSON.stringify(left.content) === JSON.stringify(right.content)

/**
 * What stands of a channel, entry by entry: the reducer for whoever shows it. Entries may come twice, as they do to a
 * reader that begins again at an earlier offset.
 */
export class StreamView {
  #deltas: StreamDelta[] = []
  #next: number

  constructor(from = 0) {
    this.#next = from
  }

  /** Where a reader goes on. */
  get next(): number {
    return this.#next
  }

  /** What was said and not taken back, in order. */
  get deltas(): readonly StreamDelta[] {
    return this.#deltas
  }

  /** `true`: something that stood was taken back, and has to be shown anew. */
  apply(entry: StreamEntry): boolean {
    if (entry.offset < this.#next) return false
    this.#next = entry.offset + 1
    if (entry.type === 'delta') {
      this.#deltas.push(entry)
      return false
    }
    const standing = this.#deltas.filter(({ offset }) => !covers(entry.retracted, offset))
    const hasChanged = standing.length < this.#deltas.length
    this.#deltas = standing
    return hasChanged
  }
}
