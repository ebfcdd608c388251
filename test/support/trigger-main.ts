/** Says that something occurred, or has a schedule occur, and dies of it where it is told to: `node trigger-main.ts OPTIONS`. */
import { setTimeout as pause } from 'node:timers/promises'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createTriggerClient } from '../../src/client/triggers.ts'
import { defineEngine, defineHost } from '../../src/index.ts'
import { driveTriggers } from '../../src/maintenance/trigger-driver.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { mark } from './marks.ts'

export interface TriggerMainOptions {
  /** `sqlite:PATH` or `postgres://…?schema=NAME`. */
  readonly registry: string
  readonly folder: string
  readonly on: 'event' | 'schedule'
  readonly dies: 'before the start' | 'after the start'
}

export const triggeredHost = ({ registry, folder }: Pick<TriggerMainOptions, 'registry' | 'folder'>) =>
  defineHost({
    registry: parseRegistryAddress(registry),
    engines: {
      note: defineEngine({
        disposition: 'rerunnable',
        run: ctx => mark(folder, 'ran', ctx.id),
      }),
    },
  })

if (process.argv[1] === import.meta.filename) {
  const options: TriggerMainOptions = JSON.parse(process.argv[2] ?? '{}')
  const host = triggeredHost(options)
  const { registry } = await borrowRegistry(host.registry)
  const die = (): Promise<never> => {
    mark(options.folder, 'died')
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  }
  const dying =
    options.dies === 'before the start'
      ? { ...registry, register: die }
      : { ...registry, settleDelivery: die }
  if (options.on === 'event') {
    await createTriggerClient(host, async () => dying).emit('push', { of: 'main' }, { key: 'k' })
  }
  // As a worker does, until the schedule's time has come.
  while (true) {
    await driveTriggers({ host, registry: dying, logger: console })
    await pause(20)
  }
}
