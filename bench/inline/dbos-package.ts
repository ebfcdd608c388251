import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const DBOS = '@dbos-inc/dbos-sdk@5.3.0'

/** Installs it into the folder, for this run alone: it is no dependency. `undefined`: it cannot be had here. */
export async function installDbos(folder: string): Promise<string | undefined> {
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  try {
    const flags = ['--no-fund', '--no-audit', '--loglevel=error']
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...flags, DBOS], { cwd: folder })
    return folder
  } catch {
    return undefined
  }
}
