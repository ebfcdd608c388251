/** The README's host as it stands there, with its model's name given to a script. */
import { customProvider } from 'ai'
import { scriptedModel } from '../../src/testing/scripted-model.ts'

const model = scriptedModel([{ calls: [{ tool: 'refund', args: { order: 'A7', euros: 20 } }] }, 'paid back'])

globalThis.AI_SDK_DEFAULT_PROVIDER = customProvider({
  languageModels: { 'anthropic/claude-sonnet-4.5': model },
})

export { default } from './readme-agent.ts'
