import { Option } from 'commander'
import type { WorkerDeployment } from '../activities/worker-versioning.ts'
import { LeaseholdError } from '../model/errors.ts'
import type { Environment } from './context.ts'
import { given } from './given.ts'

export interface DeploymentFlags {
  readonly deployment?: string
  readonly buildId?: string
  readonly versioningBehavior?: WorkerDeployment['versioningBehavior'] & string
}

/** The variables are those that Temporal's worker controller sets. */
export const deploymentOptions = () => [
  new Option(
    '--deployment <name>',
    'for worker versioning: what its builds have in common (TEMPORAL_DEPLOYMENT_NAME; default: unversioned)',
  ),
  new Option('--build-id <id>', 'this build of it (TEMPORAL_WORKER_BUILD_ID)'),
  new Option('--versioning-behavior <behavior>', 'of processes that an older build began').choices([
    'AUTO_UPGRADE',
    'PINNED',
  ]),
]

export function readDeployment(env: Environment, flags: DeploymentFlags): WorkerDeployment | undefined {
  const name = flags.deployment ?? given(env.TEMPORAL_DEPLOYMENT_NAME)
  const buildId = flags.buildId ?? given(env.TEMPORAL_WORKER_BUILD_ID)
  const { versioningBehavior } = flags
  if (name === undefined && buildId === undefined && versioningBehavior === undefined) return undefined
  if (name !== undefined && buildId !== undefined) {
    return { name, buildId, ...(versioningBehavior === undefined ? {} : { versioningBehavior }) }
  }
  throw new LeaseholdError(
    'usage',
    'Worker versioning needs both the deployment’s name and this build’s id: give --deployment and --build-id (or TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID), or neither.',
  )
}
