import { describe, expect, onTestFinished, test } from 'vitest'
import type { ProcessEvent } from '../../src/model/event.ts'
import type { ProcessEventSink, SinkFeedOptions } from '../../src/registry/event-sink.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { ANA, COMPLETED, registration, TTL } from '../../src/testing/registry-suite/fixtures.ts'
import { NOW } from '../model/fixtures.ts'
import { createGate } from '../support/gate.ts'

const NOTE = { eventType: 'note', payload: null }

/** A watched registry with two processes, p and q. */
async function openWatched() {
  const registry = watchRegistry(createProcessRegistry(createMemoryStore({ clock: () => NOW })))
  onTestFinished(() => registry.close())
  for (const id of ['p', 'q']) {
    const eventTypes = ['note', 'signal.go'].map(name => ({ name, payloadSchema: true }))
    await registry.register(registration({ id, eventTypes }))
  }
  return registry
}

type Emit = ProcessEventSink['emit']

async function openWithSink(emit: Emit, options: Partial<SinkFeedOptions> = {}) {
  const registry = await openWatched()
  const problems: [unknown, ProcessEvent][] = []
  const onProblem = (error: unknown, event: ProcessEvent) => void problems.push([error, event])
  const remove = registry.addSink({ emit }, { onProblem, ...options })
  return { registry, problems, remove }
}

const nameOf = ({ processId, sequence, eventType }: ProcessEvent): string =>
  `${processId} #${sequence} ${eventType}`

describe('a sink', () => {
  test('sees what is appended, in order, once and committed (§6 #144)', async () => {
    const seen: ProcessEvent[] = []
    const isStored: boolean[] = []
    const { registry } = await openWithSink(async event => {
      seen.push(event)
      isStored.push(
        (await registry.findEvent(event.processId, event.eventType, event.sequence - 1)) !== undefined,
      )
    })
    await Promise.all(Array.from({ length: 20 }, () => registry.append('p', NOTE)))
    await registry.append('q', { ...NOTE, replayKey: 'k' })
    await registry.append('q', { ...NOTE, replayKey: 'k' })
    await registry.signal('q', 'go', null, { signalId: 's' })
    await registry.signal('q', 'go', null, { signalId: 's' })
    await registry.requestCancel('q', 'enough')
    await registry.requestCancel('q', 'enough')
    await expect.poll(() => seen.length).toBe(23)
    const ofP = seen.filter(({ processId }) => processId === 'p')
    expect(ofP).toEqual(await registry.eventsAfter('p', 0))
    expect(seen.filter(({ processId }) => processId === 'q').map(nameOf)).toEqual([
      'q #1 note',
      'q #2 signal.go',
      'q #3 process.cancel_requested',
    ])
    expect(new Set(isStored)).toEqual(new Set([true]))
  })

  test('sees what running code emits, and not again what a replay emits', async () => {
    const seen: string[] = []
    const { registry } = await openWithSink(event => void seen.push(nameOf(event)))
    const begun = await registry.beginAttempt('p', { worker: ANA, attempt: 'one', ttlMs: TTL })
    if (begun.type !== 'run') return expect.fail(begun.type)
    const { lease } = begun
    const entry = {
      processId: lease.processId,
      epoch: 0,
      position: 1,
      address: 'note#1',
      kind: 'emit',
      effect: 'repeatable',
      digest: 'd',
      status: 'done',
      operationId: 'op',
      attempt: 'one',
      fence: 1,
      startedAtMs: NOW,
    } as const
    for (const _ of ['first', 'replayed']) await registry.emit(lease, entry, { ...NOTE, replayKey: 'k' })
    await registry.append('p', { ...NOTE, payload: 'last' })
    await expect.poll(() => seen).toEqual(['p #1 note', 'p #2 note'])
  })

  test('does not see the end of a process, nor what the registry writes by itself (§6 #145)', async () => {
    const seen: string[] = []
    const { registry } = await openWithSink(event => void seen.push(nameOf(event)))
    await registry.recordFirstStarted('p', { owner: ANA, startedAtMs: NOW })
    await registry.complete('p', COMPLETED, { authority: 'workflow_key', workflowKey: 'p' })
    await registry.append('p', NOTE)
    await expect.poll(() => seen).toEqual(['p #3 note'])
  })

  test('sees nothing of what was refused, and nothing once it is removed', async () => {
    const seen: string[] = []
    const { registry, remove } = await openWithSink(event => void seen.push(nameOf(event)))
    await expect(registry.append('p', { eventType: 'nothing', payload: null })).rejects.toThrow()
    await registry.append('p', NOTE)
    await expect.poll(() => seen).toEqual(['p #1 note'])
    remove()
    await registry.append('p', NOTE)
    await new Promise(setImmediate)
    expect(seen).toEqual(['p #1 note'])
  })

  test('that throws or rejects harms no append, and each failure is told (§6 #147)', async () => {
    const { registry, problems } = await openWithSink(({ sequence }) => {
      if (sequence === 1) throw new Error('thrown')
      return Promise.reject(new Error('rejected'))
    })
    for (const type of ['appended', 'appended'])
      expect(await registry.append('p', NOTE)).toMatchObject({ type })
    await expect
      .poll(() => problems)
      .toMatchObject([
        [{ message: 'thrown' }, { sequence: 1 }],
        [{ message: 'rejected' }, { sequence: 2 }],
      ])
  })

  test('that hangs holds up neither writers nor other processes, and after its limit not its own', async () => {
    const seen: string[] = []
    const { registry, problems } = await openWithSink(
      event => {
        if (nameOf(event) === 'p #1 note') return new Promise(() => {})
        seen.push(nameOf(event))
      },
      { limitMs: 100 },
    )
    await registry.append('p', NOTE)
    await registry.append('p', NOTE)
    await registry.append('q', NOTE)
    await expect.poll(() => seen).toEqual(['q #1 note', 'p #2 note'])
    expect(problems).toMatchObject([[{ code: 'event_sink_failed' }, { sequence: 1 }]])
  })

  test('that falls behind misses events, and the log has them all (§6 #146)', async () => {
    const gate = createGate()
    const seen: number[] = []
    const { registry, problems } = await openWithSink(
      async ({ sequence }) => {
        await gate.pass()
        seen.push(sequence)
      },
      { capacity: 3 },
    )
    await registry.append('p', NOTE)
    await expect.poll(() => gate.arrivals).toBe(1)
    for (let count = 2; count <= 8; count++) await registry.append('p', NOTE)
    gate.open()
    await expect.poll(() => seen).toEqual([1, 2, 3, 4])
    const missed = problems.map(([, { sequence }]) => sequence)
    expect(missed).toEqual([5, 6, 7, 8])
    expect((await registry.eventsAfter('p', 0)).map(({ sequence }) => sequence)).toEqual([...seen, ...missed])
  })

  test('hears what was appended before its registry is closed', async () => {
    const seen: string[] = []
    const { registry } = await openWithSink(async event => {
      await new Promise(setImmediate)
      seen.push(nameOf(event))
    })
    await registry.append('p', NOTE)
    await registry.close()
    expect(seen).toEqual(['p #1 note'])
  })
})

test('client and worker of one host bring one sink, which hears each event once and until both are gone', async () => {
  const seen: string[] = []
  const eventSink: ProcessEventSink = { emit: event => void seen.push(nameOf(event)) }
  const registry = createProcessRegistry(createMemoryStore({ clock: () => NOW }))
  const source = { description: 'in memory', open: async () => registry }
  const loans = [await borrowRegistry(source, { eventSink }), await borrowRegistry(source, { eventSink })]
  const other = await borrowRegistry(source)
  await other.registry.register(registration())
  for (const loan of loans) {
    await other.registry.append('p', NOTE)
    await expect.poll(() => seen.length).toBe(loans.indexOf(loan) + 1)
    await loan.release()
  }
  await other.registry.append('p', NOTE)
  await other.release()
  expect(seen).toEqual(['p #1 note', 'p #2 note'])
})
