import type { UIMessageChunk } from 'ai'
import { StreamView } from '../model/stream.ts'
import { type UiChunk, UiMessages } from '../model/ui-messages.ts'
import type { WatchedRegistry } from '../registry/watch.ts'

/** Shown to a chat whose earlier steps were taken back: it reads again, from the beginning. */
const READ_AGAIN: UiChunk = {
  type: 'error',
  errorText: 'The answer was begun anew after a crash. Read it again.',
}

/**
 * A channel that holds UI message chunks, as the AI SDK's `useChat` and `readUIMessageStream` take them: first what stands,
 * then what comes. Who cancels the stream, or whose signal fires, stops reading and nothing else.
 */
export function readUiMessages(
  connect: () => Promise<WatchedRegistry>,
  { id, channel, signal }: { readonly id: string; readonly channel: string; readonly signal?: AbortSignal },
): ReadableStream<UIMessageChunk> {
  const stopped = new AbortController()
  const until = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal])
  const chunks = chunksOf(connect, { id, channel, signal: until })
  // Also while nobody asks for more: else it would listen for ever, and have the registry looked at all the while.
  const leave = () => void chunks.return()
  until.addEventListener('abort', leave, { once: true })
  return new ReadableStream({
    async pull(controller) {
      try {
        until.throwIfAborted()
        const { done, value } = await chunks.next()
        // The code that wrote the channel answers for its chunks; the AI SDK checks them as they are read.
        if (!done) return controller.enqueue(value as UIMessageChunk)
        controller.close()
      } catch (error) {
        controller.error(error)
      }
      until.removeEventListener('abort', leave)
    },
    cancel: () => stopped.abort(new Error('The reader has gone.')),
  })
}

async function* chunksOf(
  connect: () => Promise<WatchedRegistry>,
  { id, channel, signal }: { readonly id: string; readonly channel: string; readonly signal: AbortSignal },
): AsyncGenerator<UiChunk, void> {
  const registry = await connect()
  const view = new StreamView()
  for (let hasMore = true; hasMore; ) {
    signal.throwIfAborted()
    const page = await registry.readStream(id, channel, view.next)
    for (const entry of page.entries) view.apply(entry)
    hasMore = page.hasMore
  }
  const messages = new UiMessages(view.deltas)
  yield* messages.chunks
  for await (const entry of registry.followStream(id, channel, { from: view.next, signal })) {
    const chunks = messages.next(entry)
    if (chunks === undefined) return yield READ_AGAIN
    yield* chunks
  }
}
