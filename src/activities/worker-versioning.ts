import type { VersioningBehavior } from '@temporalio/common'
import type { WorkerOptions } from '@temporalio/worker'

/** The build that a worker is of, for Temporal's worker versioning: it then gets work only once its build is current. */
export interface WorkerDeployment {
  /** What all builds of these workers have in common. */
  readonly name: string
  /** This build, as a commit's hash: another one with each deploy. */
  readonly buildId: string
  /**
   * What becomes of processes that an older build began. `AUTO_UPGRADE`: their next attempt runs in the current build.
   * `PINNED`: in the build that they began in, so that has to keep workers until the last of them has ended.
   * Default `AUTO_UPGRADE`.
   */
  readonly versioningBehavior?: VersioningBehavior
}

/** Nothing without a deployment: such a worker takes whatever no build has claimed. */
export const versioningOf = (
  deployment: WorkerDeployment | undefined,
): Pick<WorkerOptions, 'workerDeploymentOptions'> =>
  deployment === undefined
    ? {}
    : {
        workerDeploymentOptions: {
          version: { deploymentName: deployment.name, buildId: deployment.buildId },
          useWorkerVersioning: true,
          defaultVersioningBehavior: deployment.versioningBehavior ?? 'AUTO_UPGRADE',
        },
      }
