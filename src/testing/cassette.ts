import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Json } from '../model/json.ts'
import { modelCallDigest, storedParts, storedResult } from '../runtime/agent/model-call.ts'
import type { AnyModel, Model, ModelParams, ModelPart, ModelResult } from '../runtime/agent/model-types.ts'
import { modelNames, resolveModel } from '../runtime/agent/resolve-model.ts'
import { fromWire } from '../runtime/agent/wire.ts'

export interface CassetteOptions {
  /** The file that holds the answers, by what the model was told. Fit to be committed: no headers, no keys. */
  readonly path: string
  /**
   * `replay`: a call that was not recorded fails, and nobody is asked. `record`: every call is made, and its answer kept in
   * the place of the one before. Default: `replay` where the file is there, else `record`.
   */
  readonly mode?: 'replay' | 'record'
}

/** What broke off is no answer, and replayed it would break off for ever. */
function requireWhole(parts: readonly ModelPart[]): void {
  const failed = parts.find(part => part.type === 'error')
  if (failed !== undefined) throw failed.error
  if (parts.some(({ type }) => type === 'finish')) return
  throw new Error("The model's stream ended before the model was done, so nothing of it was recorded.")
}

type Tape = { readonly [digest: string]: Json }

/**
 * The model as it answered once: its answers are recorded when it is first asked, and given from the file from then on, in
 * whatever order. For tests of real conversations, without a key and without a bill.
 */
export function cassetteModel(model: AnyModel, { path, mode }: CassetteOptions): Model {
  const names = modelNames(model)
  const isReplayed = (mode ?? (existsSync(path) ? 'replay' : 'record')) === 'replay'
  const read = (): Tape => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {})

  async function answer(
    kind: 'generate' | 'stream',
    params: ModelParams,
    ask: (found: Model) => Promise<Json>,
  ): Promise<unknown> {
    const digest = modelCallDigest(names, kind, params)
    if (!isReplayed) {
      const said = await ask(await resolveModel(model))
      writeFileSync(path, `${JSON.stringify({ ...read(), [digest]: said }, null, 1)}\n`)
      return fromWire(said)
    }
    const recorded = read()[digest]
    if (recorded !== undefined) return fromWire(recorded)
    throw new Error(
      `${path} has no answer of ${names.modelId} to this call (${kind}, ${digest}): it is told something else than when it was recorded. Record it again with mode: 'record'.`,
    )
  }

  return {
    specificationVersion: 'v4',
    ...names,
    supportedUrls: {},
    doGenerate: async params =>
      (await answer('generate', params, async found =>
        storedResult(await found.doGenerate(params)),
      )) as ModelResult,
    doStream: async params => {
      const said = await answer('stream', params, async found => {
        const parts: ModelPart[] = []
        for await (const part of (await found.doStream(params)).stream) parts.push(part)
        requireWhole(parts)
        return storedParts(parts)
      })
      return { stream: ReadableStream.from(said as readonly ModelPart[]) }
    },
  }
}
