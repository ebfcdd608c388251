import { setTimeout as pause } from 'node:timers/promises'
import { type ModelPrompt, scriptedModel } from '../../src/testing/scripted-model.ts'
import type { OutsideWorld } from './world.ts'

/** How long the model takes for an answer. */
const MODEL_MS = 20

/** Whose turn it is, and by which tool it acts: all that the model has to know stands in what the user says. */
export const promptFor = (id: string, act: string): string => `${id} ${act}`

function askedIn(prompt: ModelPrompt): { readonly id: string; readonly act: string } {
  const [first] = prompt.flatMap(({ role, content }) => (role === 'user' ? content : []))
  const [id = '', act = ''] = first?.type === 'text' ? first.text.split(' ') : []
  return { id, act }
}

/** What a model is told of a call, in a word. */
function wordOf(told: string): 'done' | 'unknown' | 'failed' {
  if (told.includes('is unknown')) return 'unknown'
  return told.includes('error-text') ? 'failed' : 'done'
}

export const matrixModel = (world: OutsideWorld) =>
  scriptedModel(
    [
      {
        calls: [
          { tool: 'look', args: { n: 1 } },
          { tool: 'say', args: {} },
        ],
      },
      prompt => ({ text: 'I see.', calls: [{ tool: askedIn(prompt).act, args: { n: 2 } }] }),
      prompt => wordOf(JSON.stringify(prompt.at(-1)?.content)),
    ],
    {
      onCall: async prompt => {
        const answered = prompt.filter(({ role }) => role === 'assistant').length
        world.note('asked', askedIn(prompt).id, String(answered))
        // As real ones do, so that a worker may also die while it waits.
        await pause(MODEL_MS)
      },
    },
  )
