import { LeaseholdError } from '../model/errors.ts'
import type { DurabilityTier } from '../registry/store.ts'

/** A store of the host, as far as its durability matters. One that does not say is taken for `inline`. */
export interface TieredStore {
  readonly durabilityTier?: DurabilityTier
}

/** The stores whose durability is checked, in the order in which they are. */
export const FACETS = [
  'attachment_store',
  'artifact_store',
  'process_env_store',
  'session_store',
  'process_registry',
  'trigger_store',
] as const

export type Facet = (typeof FACETS)[number]

/** Every facet's store; an absent one is not in use, and nothing is asked of it. */
export type FacetStores = { readonly [F in Facet]?: TieredStore | undefined }

const NAMES: { readonly [F in Facet]: string } = {
  attachment_store: 'attachment store',
  artifact_store: 'artifact store',
  process_env_store: 'store of captured environments',
  session_store: 'session store',
  process_registry: 'process registry',
  trigger_store: 'trigger store',
}

export const tierOf = ({ durabilityTier = 'inline' }: TieredStore): DurabilityTier => durabilityTier

/** The first store that would forget what a durable host must keep. An inline host asks nothing of its stores. */
export function findEphemeralFacet(host: TieredStore, stores: FacetStores): Facet | undefined {
  if (tierOf(host) === 'inline') return undefined
  return FACETS.find(facet => {
    const store = stores[facet]
    return store !== undefined && tierOf(store) === 'inline'
  })
}

/** Throws `durable_store_required:<facet>`. */
export function requireDurableFacets(host: TieredStore, stores: FacetStores): void {
  const facet = findEphemeralFacet(host, stores)
  if (facet === undefined) return
  throw new LeaseholdError(
    `durable_store_required:${facet}`,
    `Durable hosts require a durable ${NAMES[facet]}; this one's forgets when its OS process ends. Leave it out, so that the registry's own is used, or give one whose durabilityTier is 'durable'.`,
    { details: { facet } },
  )
}
