import { LeaseholdError } from '../model/errors.ts'
import type { RegistrySource } from '../registry/source.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import { borrowRegistry } from '../runtime/open-registry.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import { loadHost } from './load-host.ts'
import { parseRegistryAddress } from './registry-address.ts'

/** The registry that the settings name; one that was never made stays so, since looking must not make an empty one. */
export async function findRegistry({ registry }: ConnectionSettings): Promise<RegistrySource> {
  if (registry === undefined) {
    throw new LeaseholdError(
      'usage',
      'No registry is named. Set LEASEHOLD_REGISTRY to sqlite:PATH or postgres://…, or LEASEHOLD_HOST to your host module, or give --registry or --host.',
    )
  }
  const source =
    registry.type === 'address'
      ? parseRegistryAddress(registry.address)
      : (await loadHost(registry.file)).registry
  return { description: source.description, open: () => source.open({ mustExist: true }) }
}

/** Opens the registry for one command and closes it again. */
export async function withRegistry<T>(
  settings: ConnectionSettings,
  use: (registry: WatchedRegistry, source: RegistrySource) => Promise<T>,
): Promise<T> {
  const source = await findRegistry(settings)
  const { registry, release } = await borrowRegistry(source)
  try {
    return await use(registry, source)
  } finally {
    await release()
  }
}
