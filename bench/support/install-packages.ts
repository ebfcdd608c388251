import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Installs them into the folder, for this run alone: they are no dependencies. False: they cannot be had here. */
export async function installPackages(folder: string, packages: readonly string[]): Promise<boolean> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  try {
    const flags = ['--no-fund', '--no-audit', '--loglevel=error']
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...flags, ...packages], { cwd: folder })
    return true
  } catch (error) {
    console.error(`${packages.join(', ')}: not installed: ${error}`)
    return false
  }
}

/** Where a package that is installed in the folder begins, for `import()`. */
export const entryOf = (folder: string, name: string): string =>
  pathToFileURL(createRequire(join(folder, 'package.json')).resolve(name)).href
