import { describe, expect, test } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createProcessClient } from '../../src/index.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { temporaryFolder } from '../registry/store-fixtures.ts'
import { crashHostOn } from '../support/crash-host.ts'
import { eventually } from '../support/eventually.ts'
import type { InlineMainOptions } from '../support/inline-main.ts'
import { openDoor, readMarks } from '../support/marks.ts'
import { freezeBetweenWrites, spawnInlineWorker } from '../support/spawn-worker.ts'
import { REGISTRIES } from './world.ts'

/** A client here, and inline workers in OS processes of their own, on one registry. */
async function openCrashWorld(address: string) {
  const folder = await temporaryFolder()
  const host = crashHostOn(parseRegistryAddress(address))
  const { registry, release } = await borrowRegistry(host.registry)
  const processes = createProcessClient({ host })
  return {
    folder,
    registry,
    processes,
    spawn: (options: Partial<InlineMainOptions> = {}) => spawnInlineWorker({ registry: address, ...options }),
    marks: (what: string, count = 1) =>
      eventually(() => {
        const found = readMarks(folder, what)
        if (found.length < count) throw new Error(`"${what}" was said ${found.length} times, not ${count}`)
        return found
      }),
    [Symbol.asyncDispose]: async () => {
      await processes[Symbol.asyncDispose]()
      await release()
    },
  }
}

describe.each(REGISTRIES)('inline workers that die, on $name', ({ newAddress }) => {
  test('many processes of a killed worker all go on at the others, after their finished steps (§6 #178, #183)', async () => {
    await using world = await openCrashWorld(await newAddress())
    const first = await world.spawn()
    const handles = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        world.processes.start({ kind: 'door', id: `many-${index}`, input: world }),
      ),
    )
    await world.marks('began', 12)
    await Promise.all([world.spawn(), world.spawn()])
    await first.kill()
    openDoor(world.folder)
    for (const handle of handles) {
      expect(await handle.outcome()).toMatchObject({
        status: 'completed',
        value: { first: first.pid, attempt: 2 },
      })
    }
    expect(readMarks(world.folder, 'began')).toHaveLength(24)
  })

  test('the place of a killed worker’s process is free for the next of its key, and all of them end', async () => {
    await using world = await openCrashWorld(await newAddress())
    const flow = { concurrency: { key: 'door', limit: 1 } }
    const first = await world.spawn()
    const handles = [await world.processes.start({ kind: 'door', id: 'holder', input: world, flow })]
    await world.marks('began')
    for (const id of ['next', 'last']) {
      handles.push(await world.processes.start({ kind: 'door', id, input: world, flow }))
      await eventually(async () => (await world.registry.get(id))?.turn !== undefined)
    }
    await world.spawn()
    await first.kill()
    await world.marks('began', 2)
    expect(readMarks(world.folder, 'began')).toHaveLength(2)
    openDoor(world.folder)
    for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
  })

  test('an owner-bound process whose worker is proven dead is abandoned(sweep), and its body ran once (§6 #173)', async () => {
    await using world = await openCrashWorld(await newAddress())
    const first = await world.spawn()
    const handle = await world.processes.start({ kind: 'ownDoor', input: world })
    await world.marks('began')
    await world.spawn()
    await first.kill()
    expect(await handle.outcome()).toMatchObject({
      status: 'abandoned',
      evidence: { writer: 'sweep', owner: { liveness: { pid: first.pid } } },
    })
    expect(readMarks(world.folder, 'began')).toHaveLength(1)
  })

  test('a process whose only worker is killed goes on when another one comes', async () => {
    await using world = await openCrashWorld(await newAddress())
    const first = await world.spawn()
    const handle = await world.processes.start({ kind: 'door', input: world })
    await world.marks('began')
    await first.kill()
    openDoor(world.folder)
    const second = await world.spawn()
    expect(await handle.outcome()).toMatchObject({ value: { first: first.pid, last: second.pid } })
  })

  test('a worker that was frozen past its lease finds another one in its place, and writes nothing (§6 #186)', async () => {
    const leaseTimings = { ttlMs: 1_500, renewIntervalMs: 500 }
    const address = await newAddress()
    await using world = await openCrashWorld(address)
    const frozen = await world.spawn({ leaseTimings })
    const handle = await world.processes.start({ kind: 'door', input: world })
    await world.marks('began')
    await (address.startsWith('sqlite:')
      ? freezeBetweenWrites(frozen, address.slice('sqlite:'.length))
      : frozen.freeze())
    const second = await world.spawn({ leaseTimings })
    await world.marks('began', 2)
    frozen.thaw()
    await world.marks('aborted')
    openDoor(world.folder)
    expect(await handle.outcome()).toMatchObject({ value: { first: frozen.pid, last: second.pid } })
    const ends = (await world.registry.eventsAfter(handle.id, 0)).filter(event => event.semantics?.terminal)
    expect(ends).toHaveLength(1)
  })

  test('a worker that is told to stop gives its work to the next one', async () => {
    await using world = await openCrashWorld(await newAddress())
    const first = await world.spawn({ shutdownGraceMs: 0, stopBoundMs: 100 })
    const handle = await world.processes.start({ kind: 'door', input: world })
    await world.marks('began')
    const second = await world.spawn()
    await first.stop()
    await world.marks('began', 2)
    openDoor(world.folder)
    expect(await handle.outcome()).toMatchObject({ value: { first: first.pid, last: second.pid } })
  })
})
