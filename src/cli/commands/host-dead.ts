import { Command } from 'commander'
import { localLiveness } from '../../execution/liveness.ts'
import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'

interface HostDeadFlags extends ConnectionFlags {
  readonly by: string
}

export const hostDeadCommand = ({ env, output }: CliContext): Command =>
  new Command('host-dead')
    .description('say that a host is gone for good: evidence for every lease of its workers, in your name')
    .argument('<host>', 'its id as "explain" prints it, or its name where that is the only one of it')
    .requiredOption('--by <who>', 'who says so, for the record')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((host: string, { by, ...connection }: HostDeadFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        const here = localLiveness(registry)
        const hereId = here.kind === 'opaque' ? undefined : here.hostId
        const hostId = await findHost(registry, host, hereId)
        requireElsewhere(hostId, hereId)
        const processes = await registry.stateHostDead(hostId, by)
        output.document({ hostId, processes }, () => [
          `${hostId} is dead, says ${by}. Due now, for the next sweep to move on: ${processes.length} of its processes.`,
          ...processes.map(id => `- ${id}`),
        ])
      }),
    )

/** A host id begins with machine id and host name, in this order. */
const nameOf = (hostId: string): string | undefined => hostId.split('/')[1]

/** By a name it is another than this host, where there is one: of a machine that was booted anew, what it was before. */
async function findHost(registry: ProcessRegistry, host: string, here: string | undefined): Promise<string> {
  const known = new Set(
    (await registry.workers()).flatMap(({ worker: { liveness } }) =>
      liveness.kind === 'local_process' ? [liveness.hostId] : [],
    ),
  )
  if (known.has(host)) return host
  const ofThatName = [...known].filter(hostId => nameOf(hostId) === host)
  const elsewhere = ofThatName.filter(hostId => hostId !== here)
  const named = elsewhere.length > 0 ? elsewhere : ofThatName
  const [only] = named
  if (named.length === 1 && only !== undefined) return only
  const found =
    named.length > 1
      ? `Several hosts have the name "${host}": ${named.join(', ')}. Give the id of one.`
      : `No worker of a host "${host}" is announced in this registry. Those that are: ${[...known].join(', ') || 'none'}.`
  throw new LeaseholdError('host_unknown', found, { details: { host } })
}

/** Whoever types this on the host in question is the proof that it is not gone. */
function requireElsewhere(hostId: string, here: string | undefined): void {
  if (here !== hostId) return
  throw new LeaseholdError(
    'host_alive',
    `${hostId} is the host that this command runs on, so it is not gone. A worker here proves the death of another by itself, within a second.`,
    { details: { hostId } },
  )
}
