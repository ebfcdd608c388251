import { LeaseholdError } from '../model/errors.ts'
import { type Json, jsonEquals, toJson } from '../model/json.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { StoredProcess } from '../model/process.ts'
import { requirePayloadSize } from '../model/registration.ts'
import {
  lengthOf,
  MAX_ROW_BYTES,
  MAX_ROW_ENTRIES,
  type OffsetRange,
  rangesOf,
  requireChannel,
  type StreamContent,
  type StreamDelta,
  type StreamHead,
  type StreamRow,
} from '../model/stream.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { StreamWriter } from '../runtime/context.ts'
import { currentStep } from './current-step.ts'

/** How long deltas are gathered into one commit. It is most of what a reader waits for one. */
const GATHER_MS = 2
/** Beyond so much that is not stored yet, a writer waits. */
const MAX_PENDING_BYTES = 1024 * 1024

export interface StreamsParts {
  readonly process: StoredProcess
  readonly registry: Pick<ProcessRegistry, 'appendToStreams' | 'streamLeftovers'>
  /** A write of the attempt's under its lease; see `AttemptScope.write`. */
  readonly write: <T>(write: (lease: ProcessLease) => Promise<T>) => Promise<T>
  /** What reads for the attempt: a store that fails ends it. */
  readonly read: <T>(read: () => Promise<T>) => Promise<T>
  readonly requireActive: () => void
  /** Does the journal know what the step came to? */
  readonly isSettled: (step: string) => boolean
}

/** One channel, as this attempt writes it. */
interface Channel {
  readonly name: string
  next: number
  /** What an earlier attempt said outside its steps, and how much of it this one has said again. */
  repeatable: readonly StreamDelta[]
  repeated: number
  /** Offsets of what this attempt's steps have written, for a try that comes to nothing. */
  readonly ofSteps: Map<string, number[]>
  readonly pending: Pending[]
}

interface Pending {
  readonly content: StreamContent
  readonly bytes: number
}

/**
 * The channels of one attempt and epoch. Deltas are gathered and written in the order in which they were said, all
 * channels in one transaction:
 *
 *   in a step: they stand once the step is journaled, for they are stored before it is. A try of it that fails, or the
 *              attempt that does, takes them back.
 *   outside:   code that is replayed says the same again, and what stands already is not written twice. From the first
 *              delta that is another one, what the earlier attempt said is taken back.
 */
export class Streams {
  readonly #parts: StreamsParts
  readonly #channels = new Map<string, Channel>()
  #pendingBytes = 0
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  /** Takes back what steps of failed attempts have said, before anything runs. Costs nothing where nothing was said. */
  async open(): Promise<void> {
    const { process } = this.#parts
    // The first attempt finds nothing, and need not look.
    if (process.record.attempts <= 1 && process.epoch === 0) return
    await this.#load()
    await this.flush()
  }

  writer(channel: string): StreamWriter {
    requireChannel(channel)
    const write = (data: unknown) => {
      const written = this.#write(channel, data)
      // Told to whoever waits for it. Code that does not, as between two tokens, must not end its worker by it.
      written.catch(() => {})
      return written
    }
    return {
      write,
      flush: () => this.flush(),
      writable: () => new WritableStream<unknown>({ write }),
    }
  }

  /** A try of a step begins: what one before it has said came to nothing. */
  beginTry(step: string): void {
    for (const channel of this.#channels.values()) {
      const offsets = channel.ofSteps.get(step)
      if (offsets === undefined) continue
      channel.ofSteps.delete(step)
      this.#retract(channel, rangesOf(offsets))
    }
  }

  /** A step has its value: what it said is stored before that is journaled. */
  async endStep(step: string): Promise<void> {
    if ([...this.#channels.values()].some(({ ofSteps }) => ofSteps.has(step))) await this.flush()
  }

  /** The code has ended for good: what an earlier attempt said and this one did not is taken back. */
  async close({ isFinal }: { readonly isFinal: boolean }): Promise<void> {
    if (isFinal) for (const channel of this.#channels.values()) this.#retractRest(channel)
    await this.flush()
  }

  /** Everything that was said until now is stored. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#flushing !== undefined) await this.#flushing
    const rows = [...this.#channels.values()].flatMap(channel => this.#takeRows(channel))
    if (rows.length === 0) return
    this.#pendingBytes = 0
    const { registry, write } = this.#parts
    this.#flushing = write(lease =>
      registry.appendToStreams(
        lease,
        rows.map(row => ({ ...row, fence: lease.fencingToken })),
      ),
    ).finally(() => {
      this.#flushing = undefined
    })
    await this.#flushing
  }

  async #write(name: string, data: unknown): Promise<void> {
    this.#parts.requireActive()
    const stored = toJson(data)
    if (!stored.ok) {
      throw new LeaseholdError(
        'usage',
        `What is written to channel "${name}" must be plain JSON; found ${stored.found} at ${stored.path}.`,
        { details: { channel: name } },
      )
    }
    const { json } = stored
    const bytes = requirePayloadSize(`delta for channel "${name}"`, json, this.#parts.process.record.id)
    const within = currentStep.getStore()
    if (within?.isOver()) throw tryOver(within.address, name)
    const channel = this.#channels.get(name) ?? newChannel({ channel: name, next: 0 })
    this.#channels.set(name, channel)
    if (within === undefined) {
      if (this.#isSaidAgain(channel, json)) return
      this.#add(channel, { content: { deltas: [json] }, bytes })
    } else {
      const step = within.address
      const offsets = channel.ofSteps.get(step) ?? []
      offsets.push(channel.next)
      channel.ofSteps.set(step, offsets)
      this.#add(channel, { content: { deltas: [json], step }, bytes })
    }
    if (this.#pendingBytes > MAX_PENDING_BYTES) await this.flush()
  }

  #isSaidAgain(channel: Channel, json: Json): boolean {
    const expected = channel.repeatable[channel.repeated]
    if (expected === undefined) return false
    if (jsonEquals(expected.data, json)) {
      channel.repeated++
      return true
    }
    this.#retractRest(channel)
    return false
  }

  #retractRest(channel: Channel): void {
    const rest = channel.repeatable.slice(channel.repeated)
    channel.repeatable = []
    this.#retract(channel, rangesOf(rest.map(({ offset }) => offset)))
  }

  #retract(channel: Channel, retracted: readonly OffsetRange[]): void {
    if (retracted.length > 0) this.#add(channel, { content: { retracted }, bytes: 0 })
  }

  #add(channel: Channel, pending: Pending): void {
    channel.next += lengthOf(pending.content)
    channel.pending.push(pending)
    this.#pendingBytes += pending.bytes
    this.#timer ??= setTimeout(() => {
      // What fails here has ended the attempt, and is told there.
      this.flush().catch(() => {})
    }, GATHER_MS)
  }

  #takeRows(channel: Channel): StreamRow[] {
    const contents = gathered(channel.pending.splice(0))
    const { record, epoch } = this.#parts.process
    let from = channel.next - contents.reduce((sum, content) => sum + lengthOf(content), 0)
    return contents.map(content => {
      const row = {
        processId: record.id,
        channel: channel.name,
        from,
        to: from + lengthOf(content),
        epoch,
        attempt: record.attempts,
        fence: 0,
        content,
        writtenAtMs: Date.now(),
      }
      from = row.to
      return row
    })
  }

  async #load(): Promise<void> {
    const { process, registry, read, isSettled } = this.#parts
    const { epoch, record } = process
    for (const left of await read(() => registry.streamLeftovers(record.id, { epoch, isSettled }))) {
      const channel = newChannel(left)
      channel.repeatable = left.repeatable
      this.#channels.set(channel.name, channel)
      this.#retract(channel, left.retracted)
    }
  }
}

const newChannel = ({ channel, next }: StreamHead): Channel => ({
  name: channel,
  next,
  repeatable: [],
  repeated: 0,
  ofSteps: new Map(),
  pending: [],
})

/** Code that its time limit has overtaken: what it still says belongs to no try that could stand. */
const tryOver = (step: string, channel: string): LeaseholdError =>
  new LeaseholdError(
    'attempt_over',
    `This try of step "${step}" has taken longer than its limit, and is over: nothing more is written to channel "${channel}" by it. End it when its signal fires.`,
    { details: { step, channel } },
  )

/** Deltas of one place in the code that follow each other become one, as far as a row takes them. */
function gathered(pending: readonly Pending[]): StreamContent[] {
  const rows: StreamContent[] = []
  let deltas: Json[] = []
  let size = 0
  for (const { content, bytes } of pending) {
    const last = rows.at(-1)
    if (!('deltas' in content)) {
      rows.push(content)
      continue
    }
    const fits = deltas.length < MAX_ROW_ENTRIES && size + bytes <= MAX_ROW_BYTES
    if (last !== undefined && 'deltas' in last && last.step === content.step && fits) {
      deltas.push(...content.deltas)
      size += bytes
    } else {
      deltas = [...content.deltas]
      size = bytes
      rows.push({ ...content, deltas })
    }
  }
  return rows
}
