import { expect, test } from 'vitest'
import { openStage, work } from './stage.ts'

test('a fork runs from its step on, with what the process had before it', async () => {
  const ran: string[] = []
  const stage = openStage({
    engines: work(async ctx => {
      const values = []
      for (const name of ['read', 'think', 'write']) {
        values.push(
          await ctx.step(name, () => {
            ran.push(`${ctx.id} ${name}`)
            return `${ctx.id} ${name}`
          }),
        )
        await ctx.emit('note', name)
      }
      return values
    }),
  })
  await stage.outcome(await stage.start({ id: 'first' }))
  await stage.registry.fork('first', { from: 'think#1', id: 'second' })
  expect(await stage.outcome('second')).toEqual({
    status: 'completed',
    value: ['first read', 'second think', 'second write'],
  })
  expect(ran).toEqual(['first read', 'first think', 'first write', 'second think', 'second write'])
  // Its log is its own and whole.
  expect((await stage.events('second', 'note')).map(({ payload }) => payload)).toEqual([
    'read',
    'think',
    'write',
  ])
  expect((await stage.record('first')).outcome).toMatchObject({
    value: ['first read', 'first think', 'first write'],
  })
})
