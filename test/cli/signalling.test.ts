import { describe, expect, test } from 'vitest'
import { registration } from '../model/fixtures.ts'
import { openWorkspace } from './fixtures.ts'

const LISTENING = { eventTypes: [{ name: 'signal.go', payloadSchema: { type: ['object', 'null'] } }] }

async function openListening() {
  const workspace = await openWorkspace()
  const registry = await workspace.openRegistry()
  await registry.register(registration({ id: workspace.id, ...LISTENING }))
  return { ...workspace, registry }
}

describe('signal', () => {
  test('stands in the log with its payload', async () => {
    const { cli, registry, id } = await openListening()
    expect(await cli(['signal', id, 'go', '{"by": "ana"}'])).toMatchObject({
      code: 0,
      stdout: `Signal go is #1 of process ${id}'s log.\n`,
    })
    expect(await registry.nextSignal(id, 'go')).toMatchObject({ sequence: 1, payload: { by: 'ana' } })
  })

  test('without a payload carries null, and prints the event as JSON', async () => {
    const { cli, registry, id } = await openListening()
    const { stdout } = await cli(['signal', id, 'go', '--json'])
    expect(JSON.parse(stdout)).toEqual(await registry.nextSignal(id, 'go'))
    expect(JSON.parse(stdout)).toMatchObject({ eventType: 'signal.go', payload: null })
  })

  test('sent twice under one id is one signal', async () => {
    const { cli, registry, id } = await openListening()
    await cli(['signal', id, 'go', '--signal-id', 's-1'])
    const { stdout } = await cli(['signal', id, 'go', '--signal-id', 's-1'])
    expect(stdout).toBe(`Process ${id} has had this signal before: it is #1 of its log.\n`)
    expect(await registry.eventsAfter(id, 0)).toHaveLength(1)
  })

  test.each([
    { given: ['ghost', 'go'], exit: 3, code: 'process_unknown' },
    { given: ['', 'nothing'], exit: 1, code: 'process_event_undeclared' },
    { given: ['', 'go', '7'], exit: 1, code: 'process_event_schema' },
    { given: ['', 'go', '{by'], exit: 2, code: 'usage' },
  ])('that cannot be sent says why: $code', async ({ given: [other, ...rest], exit, code }) => {
    const { cli, id } = await openListening()
    const answer = await cli(['signal', other === '' ? id : String(other), ...rest])
    expect(answer).toMatchObject({ code: exit, stderr: expect.stringContaining(`error: ${code}: `) })
  })
})
