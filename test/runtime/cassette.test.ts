import { existsSync, readFileSync } from 'node:fs'
import { generateText, streamText } from 'ai'
import { expect, test } from 'vitest'
import type { ModelPart } from '../../src/runtime/agent/model-types.ts'
import { cassetteModel } from '../../src/testing/cassette.ts'
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'

test('a model answers from its cassette what it answered once, streamed or not, and is not asked again', async () => {
  const path = await temporaryPath()
  const model = scriptedModel(['it rains'])
  const ask = async (mode: 'record' | 'replay') => {
    const recorded = cassetteModel(model, { path, mode })
    const { text } = await generateText({ model: recorded, prompt: 'weather?' })
    const { textStream } = streamText({ model: recorded, prompt: 'and how?' })
    let streamed = ''
    for await (const delta of textStream) streamed += delta
    return text + streamed
  }
  expect(await ask('record')).toBe('it rainsit rains')
  expect(await ask('replay')).toBe('it rainsit rains')
  expect(model.prompts).toHaveLength(2)
})

test('a call that was not recorded fails and names the file', async () => {
  const path = await temporaryPath()
  const model = scriptedModel(['it rains'])
  await generateText({ model: cassetteModel(model, { path, mode: 'record' }), prompt: 'weather?' })
  const replayed = cassetteModel(model, { path })
  expect((await generateText({ model: replayed, prompt: 'weather?' })).text).toBe('it rains')
  await expect(generateText({ model: replayed, prompt: 'the time?', maxRetries: 0 })).rejects.toThrow(path)
  expect(model.prompts).toHaveLength(1)
  expect(readFileSync(path, 'utf8')).toContain('it rains')
})

test('a stream that broke off is not recorded, for it would break off for ever', async () => {
  const path = await temporaryPath()
  const whole = scriptedModel(['it rains'])
  let isCut = true
  const cut: typeof whole = {
    ...whole,
    doStream: async params => {
      const { stream } = await whole.doStream(params)
      const drop = new TransformStream<ModelPart, ModelPart>({
        transform: (part, to) => (isCut && part.type === 'finish' ? undefined : to.enqueue(part)),
      })
      return { stream: stream.pipeThrough(drop) }
    },
  }
  const ask = async () => {
    const model = cassetteModel(cut, { path, mode: 'record' })
    await model.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'weather?' }] }] })
  }
  await expect(ask()).rejects.toThrow('nothing of it was recorded')
  expect(existsSync(path)).toBe(false)
  isCut = false
  await ask()
  expect(readFileSync(path, 'utf8')).toContain('it rains')
})
