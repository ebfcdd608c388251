import { describe, expect, test } from 'vitest'
import { createProcessClient } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { eventually } from '../support/eventually.ts'
import { readMarks } from '../support/marks.ts'
import { spawnWakeWorker } from '../support/spawn-worker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { tellingHost } from '../support/wake-main.ts'
import { REGISTRIES } from './world.ts'

describe.each(REGISTRIES)('the ends of children on $name', ({ newAddress }) => {
  test('come to their parent, and once each into its session, as what they are: silent, abandoned, and by somebody else', async () => {
    const folder = await temporaryFolder()
    const options = { registry: await newAddress(), folder }
    const host = tellingHost(options)
    await using processes = createProcessClient({ host })
    const { registry, release } = await borrowRegistry(host.registry)
    await using _ = { [Symbol.asyncDispose]: release }
    await registry.createSession({ sessionId: 's' })

    /** What the session has heard: of which process, which event, and what it said. */
    const heard = async () => {
      const said = (await registry.loadSession('s'))?.entries.map(({ message }) => Object(message)) ?? []
      return said
        .filter(({ role }) => role === 'user')
        .map(({ content }) => {
          const [, , event, , ...told] = String(content).split('\n')
          return { event: event?.replace(/ #\d+$/, ''), told: told.join(' ') }
        })
    }
    const hears = (count: number) => eventually(async () => expect(await heard()).toHaveLength(count))

    const first = await spawnWakeWorker({ ...options, dies: 'in a child', isOpaque: true })
    const session = { sessionId: 's' }
    const own = await processes.start({ kind: 'family', id: 'own', input: null, session })
    await first.exited
    await spawnWakeWorker(options)
    const theirs = await processes.start({ kind: 'family', id: 'theirs', input: 'external', session })

    // Nobody knows what became of it, and nobody takes that for an end.
    await hears(1)
    expect(await heard()).toMatchObject([{ event: 'Event: process.owner_silent' }])
    expect(await own.describe()).toMatchObject({ status: 'running' })
    expect(await registry.get('own.own')).toMatchObject({ status: 'running' })

    await registry.requestAbandon('own.own', { requestedBy: 'ana' })
    const abandoned = { status: 'abandoned', evidence: { writer: 'reconciled_request' } }
    expect(await own.outcome()).toMatchObject({ status: 'completed', value: abandoned })
    await hears(2)

    await eventually(() => registry.requireRecord('theirs.theirs'))
    const outcome = { status: 'completed', value: 'done by them' } as const
    await registry.complete('theirs.theirs', outcome, { authority: 'external_owner', grantedTo: 'them' })
    expect(await theirs.outcome()).toMatchObject({ status: 'completed', value: outcome })
    await hears(3)

    expect(await heard()).toMatchObject([
      { event: 'Event: process.owner_silent' },
      { event: 'Event: process.abandoned', told: expect.stringContaining('"writer":"reconciled_request"') },
      { event: 'Event: process.completed', told: expect.stringContaining('done by them') },
    ])
    expect(readMarks(folder, 'bound began')).toHaveLength(1)
  })
})
