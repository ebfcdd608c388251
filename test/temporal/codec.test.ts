import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { createEncryptingConverter, ENCRYPTED } from '../support/encrypting-converter.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { historyText } from '../support/history-text.ts'
import { openWorld } from '../support/temporal-world.ts'

const gate = createGate()

const held = defineEngine({
  disposition: 'rerunnable',
  run: async ctx => {
    await gate.pass(ctx.signal)
    return ctx.attempt
  },
})

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => (await ctx.waitForSignal('go')).payload,
})

test('behind an encrypting codec everything works, and a history says nothing', async () => {
  await using world = await openWorld({
    engines: { held, listener },
    dataConverter: createEncryptingConverter(),
  })
  const first = await world.startWorker({ parkGraceMs: 30, shutdownGraceMs: 300 })
  const [parked, asked, retried] = await Promise.all(
    (['listener', 'listener', 'held'] as const).map(kind => world.processes.start({ kind })),
  )
  if (parked === undefined || asked === undefined || retried === undefined) throw new Error('not started')
  await eventually(async () => {
    for (const handle of [parked, asked]) expect((await handle.describe()).waits).toHaveLength(1)
  })

  // An operator's cancel runs the other activity; a worker that stops leaves a failure in the history.
  await world.workflow(asked.id).cancel()
  expect(await asked.outcome()).toEqual({ status: 'cancelled', message: 'engine cancel' })
  await eventually(() => gate.arrivals === 1)
  await first.stop()
  await world.startWorker({ parkGraceMs: 30 })
  gate.open()
  expect(await retried.outcome()).toEqual({ status: 'completed', value: 2 })
  await parked.signal('go', 'now')
  expect(await parked.outcome()).toEqual({ status: 'completed', value: 'now' })

  for (const { id } of [parked, asked, retried]) {
    await world.workflow(id).result()
    const { encodings, text } = await historyText(world.temporal, id)
    expect(encodings).toEqual(new Set([ENCRYPTED]))
    const { registryId } = world.registry
    const readable = text.replaceAll(`leasehold-${registryId}`, '<queue>')
    for (const word of [registryId, 'heartbeatTimeoutMs', 'gave the lease back', 'completed"'])
      expect(readable).not.toContain(word)
    if (id === retried.id) expect(readable).toContain('Encoded failure')
  }
})

test('a client without the codec of an open workflow’s client says that the id is taken', async () => {
  await using encrypted = await openWorld({
    engines: { listener },
    dataConverter: createEncryptingConverter(),
  })
  await using plain = await openWorld({ engines: { listener } })
  const { id } = await encrypted.processes.start({ kind: 'listener' })
  await expect(plain.processes.start({ kind: 'listener', id })).rejects.toMatchObject({
    code: 'workflow_id_taken',
  })
})
