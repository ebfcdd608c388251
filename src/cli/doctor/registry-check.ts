import type { ProcessRegistry } from '../../registry/registry.ts'
import { SCHEMA_VERSION } from '../../registry/sql/migrations.ts'
import { captureEnvironment, EMPTY_ENVIRONMENT, registryEnvironments } from '../../runtime/environment.ts'
import { type Check, ok } from './check.ts'

/** An open registry has this version's schema; whether it can be written shows only by writing. */
export async function checkRegistry(registry: ProcessRegistry, description: string): Promise<Check> {
  // What every start writes, under its content address: on a registry that was ever used it changes nothing.
  await captureEnvironment(registryEnvironments(registry), EMPTY_ENVIRONMENT)
  return ok(
    'registry',
    `${description}: id ${registry.registryId}, schema version ${SCHEMA_VERSION}, writable`,
  )
}
