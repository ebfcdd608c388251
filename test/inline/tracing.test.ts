import { trace } from '@opentelemetry/api'
import { expect, onTestFinished, test } from 'vitest'
import { createProcessClient } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'
import { collectSpans, type EndedSpan } from '../support/collect-spans.ts'
import { eventually } from '../support/eventually.ts'
import { spawnTracedWorker } from '../support/spawn-worker.ts'
import { SECRET, tracedHost } from '../support/traced-host.ts'

const here: EndedSpan[] = []
collectSpans(span => here.push(span))

async function openTraced() {
  const registry = `sqlite:${await temporaryPath()}`
  const host = tracedHost(registry)
  const worker = await spawnTracedWorker({ registry })
  const processes = createProcessClient({ host })
  onTestFinished(() => processes[Symbol.asyncDispose]())
  const elsewhere = (): EndedSpan[] =>
    worker.lines.flatMap(line => {
      const { what, span } = JSON.parse(line)
      return what === 'span' ? [span as EndedSpan] : []
    })
  return { host, processes, elsewhere }
}

const parentOf = (spans: readonly EndedSpan[], name: string, attributes: object = {}) => {
  const span = spans.find(one => one.name === name && isWith(one.attributes, attributes))
  return spans.find(({ spanId }) => spanId === span?.parentId)
}
const isWith = (all: EndedSpan['attributes'], some: object): boolean =>
  Object.entries(some).every(([name, value]) => all[name] === value)

test('one trace leads from the host’s own span over the start here to attempt, steps and child elsewhere', async () => {
  const { host, processes, elsewhere } = await openTraced()
  const handle = await trace.getTracer('host').startActiveSpan('request', async span => {
    const started = await processes.start({ kind: 'survey', id: 'survey' })
    span.end()
    return started
  })
  expect(await handle.outcome()).toMatchObject({ status: 'failed' })
  const spans = await eventually(() => {
    const all = [...here, ...elsewhere()]
    if (all.filter(({ name }) => name === 'leasehold.attempt').length < 2) throw new Error('still running')
    return all
  })
  const traceId = here.find(({ name }) => name === 'request')?.traceId
  expect(spans.map(span => span.traceId)).toEqual(spans.map(() => traceId))
  expect(parentOf(spans, 'leasehold.start')?.name).toBe('request')
  const ofSurvey = { 'leasehold.process.id': 'survey' }
  expect(parentOf(spans, 'leasehold.attempt', ofSurvey)?.name).toBe('leasehold.start')
  for (const step of ['look#1', 'fail#1', 'inner#1']) {
    expect(parentOf(spans, 'leasehold.step', { 'leasehold.step': step })?.name).toBe('leasehold.attempt')
  }
  const attempts = spans.filter(({ name }) => name === 'leasehold.attempt')
  expect(attempts.map(span => span.attributes)).toContainEqual({
    ...ofSurvey,
    'leasehold.kind': 'survey',
    'leasehold.attempt': 1,
    'leasehold.worker.id': expect.stringMatching(/^worker:/),
    'leasehold.outcome': 'failed',
  })
  expect(spans.find(span => span.attributes['leasehold.step'] === 'fail#1')?.failure).toBe('Error')
  // Whoever looks for errors finds the attempt, too, and not the child's, which has completed.
  const { status, ...failure } = await handle.outcome()
  expect(status).toBe('failed')
  expect(attempts.flatMap(span => span.failure ?? [])).toEqual(['code' in failure ? failure.code : 'none'])
  expect(JSON.stringify(spans)).not.toContain(SECRET)

  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  const { stored } = await registry.situation('survey')
  expect(stored.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
})

test('a tool’s call is a span of its step', async () => {
  const { processes, elsewhere } = await openTraced()
  const handle = await processes.start({
    kind: 'tool_call',
    id: 'call',
    input: { tool: 'search', args: { text: 'a' } },
  })
  expect(await handle.outcome()).toMatchObject({ value: 'A' })
  const spans = await eventually(() => {
    const all = elsewhere()
    if (!all.some(({ name }) => name === 'leasehold.attempt')) throw new Error('still running')
    return all
  })
  expect(parentOf(spans, 'leasehold.tool', { 'leasehold.tool': 'search' })?.name).toBe('leasehold.step')
})

test('what is said in a session belongs to the trace of whoever says it', async () => {
  const { host, processes } = await openTraced()
  const turn = await trace.getTracer('host').startActiveSpan('chat', async span => {
    const said = await processes.session('s').send('hello')
    span.end()
    return said
  })
  expect(parentOf(here, 'leasehold.start', { 'leasehold.process.id': turn.id })?.name).toBe('chat')
  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  const { stored } = await registry.situation(turn.id)
  const traceId = here.find(({ name }) => name === 'chat')?.traceId
  expect(stored.traceparent).toContain(traceId)
})
