import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DataConverter } from '@temporalio/common'
import { Option } from 'commander'
import { LeaseholdError } from '../model/errors.ts'
import type { ReplayOptions } from '../replay/replay-histories.ts'
import type { Logger } from '../runtime/logger.ts'
import { cacheFolder } from './cache-folder.ts'
import type { Environment } from './context.ts'
import { loadWorkerPackage } from './worker-package.ts'

export const bundleOption = () =>
  new Option('--bundle <file>', 'workflow code that you bundled yourself (default: this package’s)')

const nothing = () => {}
/** What a replay finds is the answer, and needs no log beside it. */
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** The workflow code to replay with: of this installation, or the file that was named. */
export async function replayOptions(
  env: Environment,
  bundle: string | undefined,
  dataConverter: DataConverter | undefined,
): Promise<ReplayOptions> {
  await loadWorkerPackage(silent)
  const { loadWorkflowBundle } = await import('../workflow-bundle.ts')
  return {
    workflowBundle:
      bundle === undefined
        ? await loadWorkflowBundle(cacheFolder(env), dataConverter)
        : { codePath: requireFile(bundle) },
    ...(dataConverter === undefined ? {} : { dataConverter }),
  }
}

function requireFile(file: string): string {
  const path = resolve(file)
  if (existsSync(path)) return path
  throw new LeaseholdError(
    'usage',
    `There is no workflow bundle ${path}. Correct --bundle, or leave it out to replay with the code of this package.`,
  )
}
