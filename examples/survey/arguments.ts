import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ExampleError } from '../support/example-error.ts'

export const USAGE = `npm start                    survey this repository as a durable process
npm start -- --dir PATH      survey another folder
npm start -- --id ID         under an id of your own; a new id is a new survey
npm start -- --crash         kill the worker in the middle, and see a second one finish
npm start -- --inline        with no Temporal server: the workers share the registry (with --crash, too)
npm start -- --data DIR      keep registry, ledger and reports there (default: data)`

export interface Arguments {
  readonly isHelp: boolean
  readonly isCrash: boolean
  readonly isInline: boolean
  readonly dir: string | undefined
  readonly id: string | undefined
  readonly dataDir: string | undefined
}

export function readArguments(args: readonly string[]): Arguments {
  const { help = false, crash = false, inline = false, dir, id, data } = parse(args)
  if (crash && id !== undefined) {
    throw new ExampleError('usage', '--crash makes a new id at each run; leave out --id.')
  }
  return { isHelp: help, isCrash: crash, isInline: inline, dir, id, dataDir: data }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string' },
        id: { type: 'string' },
        data: { type: 'string' },
        crash: { type: 'boolean' },
        inline: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new ExampleError('usage', `${problem} The options are:\n${USAGE}`)
  }
}

/** The folder's one true path, so that each way of writing it is the same survey. */
export async function requireFolder(base: string, dir: string): Promise<string> {
  const path = resolve(base, dir)
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new ExampleError('usage', `--dir must name a folder; ${path} is a file.`)
    }
    return await realpath(path)
  } catch (error) {
    if (error instanceof ExampleError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExampleError(
      'usage',
      `--dir must name a folder that can be read; ${path} cannot be (${reason}).`,
    )
  }
}

/** One id for each folder: the second survey of a folder is answered from the record of the first. */
export function defaultId(dir: string): string {
  const name = basename(dir).replace(/[^\w.-]+/g, '-') || 'root'
  return `survey-${name}-${createHash('sha256').update(dir).digest('hex').slice(0, 8)}`
}
