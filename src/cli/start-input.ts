import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { LeaseholdError, messageOf } from '../model/errors.ts'

/** The value of a flag: JSON itself, `@FILE` for a file that holds it, `-` for standard input. Left out: undefined. */
export async function readInput(given: string | undefined, flag = '--input'): Promise<unknown> {
  if (given === undefined) return undefined
  if (given === '-') return parse(await text(process.stdin), 'Standard input', flag)
  if (!given.startsWith('@')) return parse(given, `The value of ${flag}`, flag)
  const path = given.slice(1)
  return parse(await readText(path), `The file ${path}`, flag)
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new LeaseholdError('usage', `The input file ${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    })
  }
}

function parse(json: string, where: string, flag: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new LeaseholdError(
      'usage',
      `${where} is not JSON: ${messageOf(cause)}. Quote it for the shell, as in ${flag} '{"dir": "."}'; a text is '"a text"'.`,
      { cause },
    )
  }
}
