import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, work } from './stage.ts'

const STEPS = 20_000

test('twenty thousand steps are replayed without running one of them, to one outcome (§6 #225)', {
  timeout: 300_000,
}, async () => {
  const gate = createGate()
  let ran = 0
  const stage = openStage({
    engines: work(async ctx => {
      let sum = 0
      for (let nth = 0; nth < STEPS; nth++) {
        sum += await ctx.step('add', () => {
          ran++
          return nth
        })
      }
      if (ctx.attempt === 1) await gate.pass()
      return [sum, await ctx.step('last', () => ctx.attempt)]
    }),
  })
  const outcome = await replay(stage, await stage.start(), () =>
    eventually(() => gate.arrivals === 1, 250_000),
  )
  expect(outcome).toEqual({ status: 'completed', value: [(STEPS * (STEPS - 1)) / 2, 2] })
  expect(ran).toBe(STEPS)
})
