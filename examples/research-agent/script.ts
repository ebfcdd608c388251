import { setTimeout as delay } from 'node:timers/promises'
// In your own project: from 'leasehold/testing'.
import { type ModelPrompt, scriptedModel } from '../../src/testing/scripted-model.ts'
import type { ModelCalls } from '../support/model-calls.ts'

/** Models take their time; enough of it to be killed in. */
const THINKING_MS = 200

const TOPICS = ['kettle', 'green tea', 'cup']

/** So many times the models are asked: one who leads, thrice, and each reader twice. */
export const SCRIPT_ANSWERS = 3 + 2 * TOPICS.length

/** What models would do about the question of main.ts, so that the example runs without them. */
export function createScripts(calls: ModelCalls) {
  const onCall = async () => {
    await calls.note()
    await delay(THINKING_MS)
  }
  const lead = scriptedModel(
    [
      { calls: TOPICS.map(topic => ({ tool: 'start_agent', args: { agent: 'reader', task: topic } })) },
      prompt => ({ calls: [{ tool: 'await_agents', args: { ids: startedIn(prompt) } }] }),
      prompt => `What the readers found: ${answersIn(prompt).join(' ')}`,
    ],
    { modelId: 'lead', onCall },
  )
  const reader = scriptedModel(
    [
      prompt => ({ calls: [{ tool: 'searchLibrary', args: { word: lastTextIn(prompt) } }] }),
      prompt => JSON.stringify(lastResultIn(prompt)).match(/\\n([^\\]+)\\n"/)?.[1] ?? 'Nothing.',
    ],
    { modelId: 'reader', onCall },
  )
  return { lead, reader }
}

const resultsIn = (prompt: ModelPrompt) =>
  prompt.flatMap(({ role, content }) =>
    role === 'tool' ? content.flatMap(part => (part.type === 'tool-result' ? [part.output] : [])) : [],
  )

const lastResultIn = (prompt: ModelPrompt) => resultsIn(prompt).at(-1)

const lastTextIn = (prompt: ModelPrompt): string =>
  prompt
    .flatMap(({ role, content }) => (role === 'user' ? content : []))
    .flatMap(part => (part.type === 'text' ? [part.text] : []))
    .at(-1) ?? ''

const startedIn = (prompt: ModelPrompt): string[] =>
  resultsIn(prompt).flatMap(output => (output.type === 'json' ? [String(Object(output.value).id)] : []))

const answersIn = (prompt: ModelPrompt): string[] => {
  const last = lastResultIn(prompt)
  if (last?.type !== 'json' || !Array.isArray(last.value)) return []
  return last.value.map(told => String(Object(told).result?.value?.turn?.answer ?? JSON.stringify(told)))
}
