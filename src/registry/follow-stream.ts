import { isTerminal } from '../model/outcome.ts'
import { requireChannel, requireOffset, type StreamEntry } from '../model/stream.ts'
import { listen } from './awaiter.ts'
import { streamOf } from './change-hub.ts'
import type { ProcessRegistry, StreamPage } from './registry.ts'
import { SharedReads } from './shared-reads.ts'
import type { WatchedRegistry } from './watch.ts'

export interface FollowStreamOptions {
  /** The offset of the first entry. Default 0. */
  readonly from?: number
  readonly signal?: AbortSignal
}

/** Follows channels. Readers of one channel that stand at one offset, as all do that keep up, share each read. */
export class StreamFollower {
  readonly #registry: ProcessRegistry
  readonly #reads = new SharedReads<StreamPage>()

  constructor(registry: ProcessRegistry) {
    this.#registry = registry
  }

  /** Entries, existing and future, until the process has ended and all are given. */
  async *follow(
    { hub }: Pick<WatchedRegistry, 'hub'>,
    id: string,
    channel: string,
    { from = 0, signal }: FollowStreamOptions = {},
  ): AsyncIterable<StreamEntry> {
    requireChannel(channel)
    let next = requireOffset(from)
    const written = listen({ hub }, streamOf(id), signal)
    const ended = hub.subscribe(id, change => {
      if (change === undefined || change.isPruned || isTerminal(change.status)) written.tick()
    })
    try {
      while (true) {
        signal?.throwIfAborted()
        const at = next
        const { entries, hasMore, isEnd } = await this.#reads.read(JSON.stringify([id, channel, at]), () =>
          this.#registry.readStream(id, channel, at),
        )
        for (const entry of entries) {
          next = entry.offset + 1
          yield entry
        }
        if (isEnd) return
        // What was written since the read began has ticked, and is read at once.
        if (!hasMore) await written.next()
      }
    } finally {
      ended()
      written.stop()
    }
  }
}
