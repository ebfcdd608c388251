import type { Host } from '../../src/index.ts'
import { mark, passDoor } from './marks.ts'

/** The host, whose worker has been given a task and comes no further: no attempt begins, and the row knows nothing of it. */
export function stoppingAtBegin<H extends Pick<Host, 'registry'>>(
  host: H,
  atBegin: 'dies' | 'waits',
  folder: string,
): H {
  const open: typeof host.registry.open = async options => {
    const registry = await host.registry.open(options)
    return {
      ...registry,
      beginAttempt: async (id, request) => {
        mark(folder, 'given', id)
        if (atBegin === 'dies') process.kill(process.pid, 'SIGKILL')
        await passDoor(folder, undefined, 'begin')
        return registry.beginAttempt(id, request)
      },
    }
  }
  return { ...host, registry: { ...host.registry, open } }
}
