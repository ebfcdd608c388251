import { inSpan, SpanKind, traceparentOf } from '../telemetry/spans.ts'
import type { StartedProcess } from './process-handle.ts'

/** The process's attempts, wherever they run, belong to the trace of its start. */
export const tracedStart = (
  kind: string,
  start: (traceparent: string | undefined) => Promise<StartedProcess>,
): Promise<StartedProcess> => {
  const attributes = { 'leasehold.kind': kind }
  return inSpan('leasehold.start', { attributes, kind: SpanKind.PRODUCER }, async span => {
    const started = await start(traceparentOf(span))
    span.setAttribute('leasehold.process.id', started.id)
    return started
  })
}
