import { LeaseholdError } from '../model/errors.ts'
import { type Json, jsonBytes, jsonEquals, toJson } from '../model/json.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { StoredProcess } from '../model/process.ts'
import { requirePayloadSize } from '../model/registration.ts'
import {
  decideLeftovers,
  lengthOf,
  MAX_ROW_BYTES,
  MAX_ROW_ENTRIES,
  rangesOf,
  requireChannel,
  type StreamContent,
  type StreamDelta,
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
  readonly registry: Pick<ProcessRegistry, 'appendToStreams' | 'streamHeads' | 'streamRows'>
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
  /** What an earlier attempt said outside its steps and this one has not said again yet. */
  readonly repeatable: StreamDelta[]
  /** Offsets of what this attempt's steps have written, for a try that comes to nothing. */
  readonly ofSteps: Map<string, number[]>
  readonly pending: StreamContent[]
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
      this.#add(channel, { retracted: rangesOf(offsets) })
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
    requirePayloadSize(`delta for channel "${name}"`, json, this.#parts.process.record.id)
    const step = currentStep.getStore()?.address
    const channel = this.#channels.get(name) ?? newChannel(name)
    this.#channels.set(name, channel)
    if (step === undefined && this.#isSaidAgain(channel, json)) return
    this.#pendingBytes += jsonBytes(json)
    if (step !== undefined) {
      const offsets = channel.ofSteps.get(step) ?? []
      offsets.push(channel.next)
      channel.ofSteps.set(step, offsets)
    }
    this.#add(channel, { deltas: [json], ...(step === undefined ? {} : { step }) })
    if (this.#pendingBytes > MAX_PENDING_BYTES) await this.flush()
  }

  #isSaidAgain(channel: Channel, json: Json): boolean {
    const [expected] = channel.repeatable
    if (expected === undefined) return false
    if (jsonEquals(expected.data, json)) {
      channel.repeatable.shift()
      return true
    }
    this.#retractRest(channel)
    return false
  }

  #retractRest(channel: Channel): void {
    const rest = channel.repeatable.splice(0)
    if (rest.length > 0) this.#add(channel, { retracted: rangesOf(rest.map(({ offset }) => offset)) })
  }

  #add(channel: Channel, content: StreamContent): void {
    channel.next += lengthOf(content)
    channel.pending.push(content)
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
    const { id } = process.record
    for (const { channel: name, next } of await read(() => registry.streamHeads(id))) {
      const rows = await read(() => registry.streamRows(id, name))
      const { retracted, repeatable } = decideLeftovers(rows, process.epoch, isSettled)
      const channel = { ...newChannel(name), next, repeatable: [...repeatable] }
      this.#channels.set(name, channel)
      if (retracted.length > 0) this.#add(channel, { retracted: rangesOf(retracted) })
    }
  }
}

const newChannel = (name: string): Channel => ({
  name,
  next: 0,
  repeatable: [],
  ofSteps: new Map(),
  pending: [],
})

/** Deltas of one place in the code that follow each other become one, as far as a row takes them. */
function gathered(contents: readonly StreamContent[]): StreamContent[] {
  const rows: StreamContent[] = []
  let deltas: Json[] = []
  let bytes = 0
  for (const content of contents) {
    const last = rows.at(-1)
    const [data] = 'deltas' in content ? content.deltas : []
    if (!('deltas' in content) || data === undefined) {
      rows.push(content)
      continue
    }
    const size = jsonBytes(data)
    const fits = deltas.length < MAX_ROW_ENTRIES && bytes + size <= MAX_ROW_BYTES
    if (last !== undefined && 'deltas' in last && last.step === content.step && fits) {
      deltas.push(data)
      bytes += size
    } else {
      deltas = [data]
      bytes = size
      rows.push({ ...content, deltas })
    }
  }
  return rows
}
