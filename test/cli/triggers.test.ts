import { expect, test } from 'vitest'
import { jsonError, openWorkspace } from './fixtures.ts'

const ENGINES = `engines: {
  report: defineEngine({ disposition: 'rerunnable', input: z.object({ days: z.number() }), run: () => 1 }),
}`

test('triggers are added, listed, paused, emitted for and removed', async () => {
  const { cli, writeHost, openRegistry } = await openWorkspace()
  const env = { LEASEHOLD_HOST: await writeHost(ENGINES) }
  const registry = await openRegistry()
  const nightly = [
    ...['--cron', '30 2 * * *', '--time-zone', 'Europe/Berlin', '--catch-up', '2h'],
    ...['--kind', 'report'],
  ]
  const added = await cli(['triggers', 'add', 'nightly', ...nightly, '--input', '{"days":1}'], { env })
  expect(added).toMatchObject({ code: 0, stderr: '' })
  expect(added.stdout).toContain('nightly is added.')
  expect(added.stdout).toMatch(/30 2 \* \* \* Europe\/Berlin +report/)
  await cli(['triggers', 'add', 'days', '--event', 'days', '--kind', 'report', '--session', 's'], { env })
  expect(await registry.trigger('days')).toMatchObject({ start: { session: { sessionId: 's' } } })

  expect(await registry.trigger('nightly')).toMatchObject({ source: { catchUpMs: 7_200_000 } })
  const paused = await cli(['triggers', 'pause', 'nightly'])
  expect(paused.stdout).toMatch(/nightly .* paused/)
  const { triggers } = JSON.parse((await cli(['triggers', 'list', '--json'])).stdout)
  expect(triggers).toMatchObject([{ triggerId: 'days' }, { triggerId: 'nightly', isPaused: true }])

  const emit = ['triggers', 'emit', 'days', '--payload', '{"days":2}', '--key', 'k', '--json']
  const { isKnown, starts } = JSON.parse((await cli(emit)).stdout)
  expect({ isKnown, starts }).toMatchObject({ isKnown: false, starts: [{ triggerId: 'days' }] })
  expect(JSON.parse((await cli(emit)).stdout)).toMatchObject({ isKnown: true, starts })
  expect(await registry.dueDeliveries()).toMatchObject([{ processId: starts[0].processId }])

  expect((await cli(['triggers', 'remove', 'nightly'])).stdout).toContain('nightly is removed.')
  expect(await cli(['triggers', 'remove', 'nightly'])).toMatchObject({ code: 4 })
})

test.each([
  [['add', 'a', '--cron', 'daily', '--kind', 'report'], 2, 'five fields'],
  [['add', 'a', '--cron', '0 7 * * *', '--time-zone', 'Mars', '--kind', 'report'], 2, 'no time zone "Mars"'],
  [['add', 'a', '--event', 'e', '--cron', '0 7 * * *', '--kind', 'report'], 2, 'one source'],
  [['resume', 'a'], 4, 'no trigger "a"'],
  [
    ['add', 'a', '--event', 'e', '--kind', 'report', '--registry', 'sqlite:other.db'],
    2,
    'leave --registry out',
  ],
])('triggers %s is refused in words', async (args, code, says) => {
  const { cli, writeHost, openRegistry } = await openWorkspace()
  const env = { LEASEHOLD_HOST: await writeHost(ENGINES) }
  await openRegistry()
  const end = await cli(['triggers', ...args, '--json'], { env })
  expect(end.code).toBe(code)
  expect(jsonError(end).message).toContain(says)
})
