import type { EnvironmentStore } from '../runtime/environment.ts'
import type { RegistryLoan } from '../runtime/open-registry.ts'
import type { ClientBackend } from './backend.ts'

/** What a client holds once its registry is open. */
export interface Connected extends RegistryLoan {
  readonly backend: ClientBackend
  readonly environments: EnvironmentStore
}
