import { asJson, fromJson, hashJson, type Json } from '../../model/json.ts'
import type { FailedTry } from './model-retry.ts'
import type { Model, ModelParams, ModelPart, ModelResult, ModelTokens } from './model-types.ts'
import { fromWire, toWire } from './wire.ts'

/** What a model call leaves in the journal: one entry, whatever the number of its tries. */
export interface ModelCallRecord {
  readonly provider: string
  readonly modelId: string
  readonly usage: ModelUsage
  readonly ms: number
  /** Tries before the one that answered. */
  readonly failedTries: readonly FailedTry[]
  /** What `doGenerate` gave, or the parts that `doStream` gave. */
  readonly answer: Json
}

/** What the provider said, before it is journaled. */
export interface ModelAnswer {
  readonly answer: Json
  readonly tokens: ModelTokens
}

/** Spent by one call, or by several. */
export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Absent: nobody said what the model costs. */
  readonly costUsd?: number
}

/** Dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number
  readonly output: number
  /** Of input that the provider had cached. Default: as other input. */
  readonly cachedInput?: number
}

export const MODEL_STEP = 'model'

const DIGEST_LENGTH = 24
const TOKENS_PER_PRICE = 1_000_000

/**
 * What identifies a call: all that the model is told, and nothing of how it is reached. Headers may hold a key or the
 * version of a library, and neither makes it another call.
 */
export function modelCallDigest(
  { provider, modelId }: Pick<Model, 'provider' | 'modelId'>,
  kind: 'generate' | 'stream',
  { abortSignal: _, headers: __, includeRawChunks: ___, ...told }: ModelParams,
): string {
  return hashJson([kind, provider, modelId, toWire(told)]).slice(0, DIGEST_LENGTH)
}

export const usageOf = (tokens: ModelTokens, price: ModelPrice | undefined): ModelUsage => {
  const inputTokens = tokens.inputTokens.total ?? 0
  const outputTokens = tokens.outputTokens.total ?? 0
  if (price === undefined) return { inputTokens, outputTokens }
  const cached = tokens.inputTokens.cacheRead ?? 0
  const dollars =
    (inputTokens - cached) * price.input +
    cached * (price.cachedInput ?? price.input) +
    outputTokens * price.output
  return { inputTokens, outputTokens, costUsd: dollars / TOKENS_PER_PRICE }
}

/**
 * The answer without what the provider's HTTP client tells beside it: the request repeats the whole prompt at each call,
 * and headers are nobody's business but the provider's.
 */
export function storedResult({ request: _, response, ...answer }: ModelResult): Json {
  const { headers: __, body: ___, ...about } = response ?? {}
  return toWire(response === undefined ? answer : { ...answer, response: about })
}

export const readResult = ({ answer }: ModelCallRecord): ModelResult => fromWire(answer) as ModelResult

/** Parts as the journal keeps them: neighbouring deltas of one text are one, so that a long answer is a short list. */
export function storedParts(parts: readonly ModelPart[]): Json {
  const stored: ModelPart[] = []
  for (const part of parts) {
    if (part.type === 'raw' || part.type === 'ping') continue
    const last = stored.at(-1)
    const joined = last === undefined ? undefined : joinDeltas(last, part)
    if (joined === undefined) stored.push(part)
    else stored.splice(-1, 1, joined)
  }
  return toWire(stored)
}

export const readParts = ({ answer }: ModelCallRecord): readonly ModelPart[] =>
  fromWire(answer) as readonly ModelPart[]

export const recordAsJson = (record: ModelCallRecord): Json => asJson(record)
export const readRecord = (value: Json): ModelCallRecord => fromJson<ModelCallRecord>(value)

function joinDeltas(left: ModelPart, right: ModelPart): ModelPart | undefined {
  const isJoined =
    'delta' in left &&
    'delta' in right &&
    left.type === right.type &&
    left.id === right.id &&
    left.providerMetadata === undefined &&
    right.providerMetadata === undefined
  return isJoined ? { ...left, delta: left.delta + right.delta } : undefined
}
