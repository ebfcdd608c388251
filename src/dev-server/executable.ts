import { access, constants, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { type Environment, EXECUTABLE_SUFFIX } from './temporal-cli.ts'

/** Why `path` cannot be run, in words; undefined if it can. */
export async function whyNotExecutable(path: string): Promise<string | undefined> {
  try {
    // access() alone would take a folder for an executable: its x bit means something else.
    if (!(await stat(path)).isFile()) return 'it is not a file'
    await access(path, constants.X_OK)
    return undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file exists'
    if (code === 'EACCES') return 'it is not executable for this user'
    return `it cannot be read (${code})`
  }
}

/** The first executable of that name on the `PATH` of `env`. Relative entries are skipped: they depend on where one stands. */
export async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(isAbsolute)
  for (const folder of folders) {
    const path = join(folder, name + EXECUTABLE_SUFFIX)
    if ((await whyNotExecutable(path)) === undefined) return path
  }
  return undefined
}
