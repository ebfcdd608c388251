import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker'

export const DEFAULT_CACHE_DIR = join(homedir(), '.cache', 'leasehold')

/** Beside this file, in source and in the built package alike. */
const WORKFLOWS = fileURLToPath(new URL(`./workflows/index${extname(import.meta.url)}`, import.meta.url))

/** Modules of a data converter's that run inside the workflow, and so are part of its bundle. Codecs run outside. */
export type BundledConverters = Pick<DataConverter, 'payloadConverterPath' | 'failureConverterPath'>

/**
 * The workflow's code as one file, for Temporal's sandbox. Bundling takes seconds, so the file is kept in the cache folder
 * under the SDK's version and the hash of its sources; whatever changes either makes a new one. Not so with somebody's own
 * converters: nobody knows what they import, so they are bundled each time.
 */
export async function loadWorkflowBundle(
  cacheDir = DEFAULT_CACHE_DIR,
  converters: BundledConverters = {},
): Promise<WorkflowBundleOption> {
  const { payloadConverterPath, failureConverterPath } = converters
  if (payloadConverterPath !== undefined || failureConverterPath !== undefined) {
    return {
      code: await bundle({
        ...(payloadConverterPath === undefined ? {} : { payloadConverterPath }),
        ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
      }),
    }
  }
  return { codePath: await cachedBundlePath(cacheDir) }
}

/** The file of the cached bundle; made if it is not there. */
export async function cachedBundlePath(cacheDir: string): Promise<string> {
  const codePath = join(cacheDir, `workflow-bundle-${sdkVersion()}-${await sourceHash()}.js`)
  if (!(await exists(codePath))) await writeWhole(codePath, await bundle())
  return codePath
}

async function bundle(converters: BundledConverters = {}): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: quiet, ...converters })
  return code
}

/** Written beside its place and moved there, so that nobody ever reads half of it. */
async function writeWhole(path: string, code: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${randomUUID()}.part`
  try {
    await writeFile(part, code)
    await rename(part, path)
  } finally {
    await rm(part, { force: true })
  }
}

/** All that the workflow can import of ours: its own folder, the contract and nothing else that runs. */
async function sourceHash(): Promise<string> {
  const folder = dirname(WORKFLOWS)
  const files = (await readdir(folder)).filter(name => extname(name) === extname(WORKFLOWS)).sort()
  const paths = [
    ...files.map(name => join(folder, name)),
    join(folder, '..', `contract${extname(WORKFLOWS)}`),
  ]
  const hash = createHash('sha256')
  for (const path of paths) hash.update(await readFile(path))
  return hash.digest('hex').slice(0, 16)
}

function sdkVersion(): string {
  const manifest: { version: string } = createRequire(import.meta.url)('@temporalio/worker/package.json')
  return manifest.version
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path)
    return true
  } catch {
    return false
  }
}

const nothing = () => {}
const quiet = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
