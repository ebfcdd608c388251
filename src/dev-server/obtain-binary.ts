import { resolve } from 'node:path'
import { isLeaseholdError, LeaseholdError, messageOf } from '../model/errors.ts'
import { type CachedBinary, cachedPath, fillCache, isInCache } from './binary-cache.ts'
import { whyNotExecutable } from './executable.ts'
import type { FindTemporalServerOptions } from './temporal-cli.ts'

/** A way to come by a binary: leaves it in the folder and gives its path. Throws with the reason if it cannot. */
export interface Maker<Source extends string> {
  readonly source: Source
  readonly make: (folder: string, options: FindTemporalServerOptions) => Promise<string>
}

export interface BinaryRecipe<Source extends string> extends CachedBinary {
  /** In this order; the first that gives a binary wins, and what the others said is told only if none does. */
  readonly makers: readonly Maker<Source>[]
  /** What was looked at before, and where nothing was: a line for each. */
  readonly lookedAt: readonly string[]
  /** What the user may do: a line for each. */
  readonly advice: readonly string[]
  /** What to install instead, if the cache folder cannot be used. */
  readonly instead: string
}

/** The executable that a variable names. One that cannot be run is an error, never passed over for another. */
export async function requireNamed(
  variable: string,
  named: string,
  { title }: Pick<CachedBinary, 'title'>,
): Promise<string> {
  const path = resolve(named)
  const reason = await whyNotExecutable(path)
  if (reason === undefined) return path
  throw new LeaseholdError(
    'temporal_server_missing',
    `${variable} must name the executable file of the ${title}, but it is "${named}", and ${reason}. ` +
      'Correct it, or unset it to have one found or made.',
    { details: { path } },
  )
}

/** From the cache, or made and put there. Throws `temporal_server_missing`, which says what was tried and what to do. */
export async function obtainBinary<Source extends string>(
  recipe: BinaryRecipe<Source>,
  options: FindTemporalServerOptions,
): Promise<{ readonly path: string; readonly source: Source | 'cache' }> {
  const { cacheDir, signal } = options
  const path = cachedPath(cacheDir, recipe)
  if (await isInCache(cacheDir, recipe)) return { path, source: 'cache' }
  try {
    const source = await fillCache(recipe, options, folder => make(recipe, folder, options))
    return { path, source }
  } catch (cause) {
    if (isLeaseholdError(cause)) throw cause
    signal?.throwIfAborted()
    throw new LeaseholdError(
      'temporal_server_missing',
      `The ${recipe.title} must be put into the cache folder ${cacheDir}, but that failed: ${messageOf(cause)}. ` +
        `Make the folder writable and give it 500 MB, or ${recipe.instead}.`,
      { cause, details: { path: cacheDir } },
    )
  }
}

async function make<Source extends string>(
  recipe: BinaryRecipe<Source>,
  folder: string,
  options: FindTemporalServerOptions,
): Promise<{ readonly path: string; readonly source: Source }> {
  const failures: { source: string; error: unknown }[] = []
  for (const { source, make } of recipe.makers) {
    try {
      return { path: await make(folder, options), source }
    } catch (error) {
      options.signal?.throwIfAborted()
      failures.push({ source, error })
    }
  }
  const tried = failures.map(({ source, error }) => `${source}: ${messageOf(error)}`)
  const said = [...recipe.lookedAt, `cache: no ${cachedPath(options.cacheDir, recipe)}`, ...tried]
  throw new LeaseholdError(
    'temporal_server_missing',
    [
      `No ${recipe.title} was found and none could be made. Tried:`,
      ...said.map(line => `  ${line}`),
      'Do one of these, then run this again:',
      ...recipe.advice.map(line => `  ${line}`),
    ].join('\n'),
    { cause: new AggregateError(failures.map(({ error }) => error)) },
  )
}
