import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

/** What a test wants of a span. */
export interface EndedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentId?: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly failure?: string
}

/** Registers a real SDK for this OS process, which hands each span over as it ends. */
export function collectSpans(onEnd: (span: EndedSpan) => void): void {
  const exporter: SpanExporter = {
    export: (spans, done) => {
      for (const span of spans) onEnd(endedOf(span))
      done({ code: 0 })
    },
    shutdown: async () => {},
  }
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  )
}

function endedOf(span: ReadableSpan): EndedSpan {
  const { traceId, spanId } = span.spanContext()
  const { name, attributes, parentSpanContext, status } = span
  return {
    name,
    traceId,
    spanId,
    attributes,
    ...(parentSpanContext === undefined ? {} : { parentId: parentSpanContext.spanId }),
    ...(status.message === undefined ? {} : { failure: status.message }),
  }
}
