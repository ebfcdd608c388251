import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { LeaseholdError, messageOf } from '../model/errors.ts'
import { type Json, toJson } from '../model/json.ts'

/**
 * The value of a flag or an argument: JSON itself, `@FILE` for a file that holds it, `-` for standard input. Left out:
 * undefined. Throws `usage` for what is none, or holds what no row can.
 */
export async function readJson(given: string | undefined, what: string): Promise<Json | undefined> {
  if (given === undefined) return undefined
  if (given === '-') return parse(await text(process.stdin), 'Standard input', what)
  if (!given.startsWith('@')) return parse(given, `The value of ${what}`, what)
  const path = given.slice(1)
  return parse(await readText(path), `The file ${path}`, what)
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

function parse(json: string, where: string, what: string): Json {
  const stored = toJson(parseText(json, where, what))
  if (stored.ok) return stored.json
  throw new LeaseholdError(
    'usage',
    `${where} cannot be kept as it is: found ${stored.found} at ${stored.path}.`,
  )
}

function parseText(json: string, where: string, what: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    const flag = what.startsWith('--') ? `${what} ` : ''
    throw new LeaseholdError(
      'usage',
      `${where} is not JSON: ${messageOf(cause)}. Quote it for the shell, as in ${flag}'{"dir": "."}'; a text is '"a text"'.`,
      { cause },
    )
  }
}
