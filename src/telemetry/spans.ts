/**
 * Spans, by OpenTelemetry's API alone: where no SDK is registered nothing is recorded, sent or stored.
 *
 *   the host's own span ─▶ leasehold.start ─(traceparent, in the row)─▶ leasehold.attempt ─▶ leasehold.step ─▶ leasehold.tool
 */
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TraceFlags,
  trace,
} from '@opentelemetry/api'

export type { Context, Span }
export { SpanKind }

export interface SpanRequest {
  readonly attributes: Attributes
  readonly kind?: SpanKind
  /** Default: what is active. */
  readonly parent?: Context
}

/** Runs the work in a span of its own, which is active meanwhile. What is thrown marks it, by its code alone. */
export function inSpan<T>(
  name: string,
  { parent = context.active(), ...options }: SpanRequest,
  work: (span: Span, within: Context) => Promise<T>,
): Promise<T> {
  const span = trace.getTracer('leasehold').startSpan(name, options, parent)
  const within = trace.setSpan(parent, span)
  return context.with(within, async () => {
    try {
      return await work(span, within)
    } catch (error) {
      failSpan(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

/** The same where something is traced already; else the work alone. */
export const inChildSpan = <T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> =>
  trace.getSpan(context.active()) === undefined ? work() : inSpan(name, { attributes }, work)

/** The name and code of an error, and not its message: that may hold what a process works on. */
export function failSpan(span: Span, error: unknown): void {
  if (!span.isRecording()) return
  const code = error instanceof Error ? ((error as Error & { code?: unknown }).code ?? error.name) : 'error'
  failSpanBy(span, String(code))
}

/** What came to a failure that nobody threw: by its code. */
export const failSpanBy = (span: Span, code: string): void => {
  span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}

/** The active context, or the one given where nothing is active: without a context manager nothing ever is. */
export const activeOr = (given: Context): Context => {
  const active = context.active()
  return trace.getSpan(active) === undefined ? given : active
}

/** W3C's `traceparent` of a span, to be kept in a row: ids and a flag, and nothing else. Absent where nothing is traced. */
export function traceparentOf(span: Span | undefined): string | undefined {
  const found = span?.spanContext()
  if (found === undefined || !isSpanContextValid(found)) return undefined
  return `00-${found.traceId}-${found.spanId}-${found.traceFlags.toString(16).padStart(2, '0')}`
}

export const activeSpan = (): Span | undefined => trace.getSpan(context.active())

/** What a kept `traceparent` leads to. Of anything else: nothing, and a trace of its own begins. */
export function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT
  const traceFlags: TraceFlags = Number.parseInt(flags, 16)
  const remote = { traceId, spanId, traceFlags, isRemote: true }
  return isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
}
