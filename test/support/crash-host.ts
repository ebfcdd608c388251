import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MockLanguageModelV4 } from 'ai/test'
import { z } from 'zod'
import {
  defineEngine,
  defineHost,
  defineTool,
  isLeaseholdError,
  type ProcessContext,
  type RegistrySource,
  sqliteRegistry,
  type ToolCallOptions,
} from '../../src/index.ts'
import { mark, passDoor, readMarks } from './marks.ts'
import { withModelKey } from './scan/run-secrets.ts'

const input = z.object({ folder: z.string() })
type Folder = z.infer<typeof input>

/** Says that it began, waits at the door, and ends with who it was. */
async function waitAtDoor(ctx: ProcessContext<Folder>) {
  const { folder } = ctx.input
  const first = await ctx.step('first', () => process.pid)
  mark(folder, 'began', ctx.id)
  ctx.signal.addEventListener('abort', () => {
    const { reason } = ctx.signal
    mark(folder, 'aborted', isLeaseholdError(reason) ? reason.code : String(reason))
  })
  // Deaf to its signal, as a tool that computes: only the fence keeps it from writing.
  await passDoor(folder)
  mark(folder, 'through')
  const last = await ctx.step('last', () => process.pid)
  return { first, last, attempt: ctx.attempt }
}

async function waitPolitely(ctx: ProcessContext<Folder>) {
  const { folder } = ctx.input
  const first = await ctx.step('first', () => process.pid)
  mark(folder, 'began', ctx.id)
  await passDoor(folder, ctx.signal)
  return { first, last: process.pid, attempt: ctx.attempt }
}

/** Takes effect and is killed, at the first attempt, before or after that. */
const charge = (onUnknown: 'fail' | 'ask' | 'reconcile') =>
  defineEngine({
    disposition: 'rerunnable',
    input: input.extend({ dies: z.enum(['before', 'after']) }),
    async run(ctx) {
      const { folder, dies } = ctx.input
      return ctx.step(
        'charge',
        async ({ operationId }) => {
          if (dies === 'before' && ctx.attempt === 1) await dieNow(folder)
          mark(folder, 'charged', operationId)
          if (dies === 'after' && ctx.attempt === 1) await dieNow(folder)
          return 'charged now'
        },
        {
          effect: 'once',
          onUnknown:
            onUnknown !== 'reconcile'
              ? onUnknown
              : async operationId => {
                  mark(folder, 'asked', operationId)
                  const isCharged = readMarks(folder, 'charged').some(found => found.detail === operationId)
                  return isCharged ? { done: 'charged before' } : 'not_done'
                },
        },
      )
    },
  })

/**
 * Asks for the tool first. Told of its result, it is killed with its worker the first time, and has its answer from then
 * on. The folder is what the user says.
 */
const scriptedModel = new MockLanguageModelV4({
  doGenerate: async ({ prompt }) => {
    const [first] = prompt
    const [part] = first?.role === 'user' ? first.content : []
    const folder = part?.type === 'text' ? part.text : ''
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    }
    const isTold = prompt.some(({ role }) => role === 'tool')
    mark(folder, isTold ? 'asked with the result' : 'asked')
    if (!isTold) {
      const call = {
        type: 'tool-call',
        toolCallId: 'c1',
        toolName: 'note',
        input: JSON.stringify({ folder }),
      } as const
      return { content: [call], finishReason: { unified: 'tool-calls', raw: undefined }, usage, warnings: [] }
    }
    if (readMarks(folder, 'died').length === 0) await dieNow(folder)
    const content = [{ type: 'text', text: 'it is noted' }] as const
    return { content: [...content], finishReason: { unified: 'stop', raw: undefined }, usage, warnings: [] }
  },
})

function dieNow(folder: string): Promise<never> {
  mark(folder, 'died')
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

/** The engines of the crash tests, over one registry file. */
export const crashHost = (registryPath: string) => crashHostOn(sqliteRegistry({ path: registryPath }))

/** The same over any registry. */
export const crashHostOn = (registry: RegistrySource) =>
  defineHost({
    registry,
    models: { default: withModelKey(scriptedModel) },
    tools: {
      /** Takes effect once for each call that the model makes. */
      note: {
        inputSchema: input,
        execute: async ({ folder }: Folder, { operationId }: ToolCallOptions) => {
          mark(folder, 'noted', operationId)
          return 'noted'
        },
      },
      /** Opens its call and, if told so, is killed before anybody could note that it did; then waits for the answer. */
      ask: defineTool(
        {
          inputSchema: input.extend({ dies: z.boolean() }),
          async execute({ folder, dies }: Folder & { dies: boolean }, { pending }) {
            const answer = await pending()
            mark(folder, 'asked', answer.key)
            if (dies && readMarks(folder, 'died').length === 0) await dieNow(folder)
            return answer
          },
        },
        { disposition: 'rerunnable' },
      ),
    },
    engines: {
      door: defineEngine({ disposition: 'rerunnable', input, run: waitAtDoor }),
      ownDoor: defineEngine({ disposition: 'owner_bound', input, run: waitAtDoor }),
      /** Well-behaved ones: they stop when they are told to, one without an outcome and one with what it has. */
      politeDoor: defineEngine({ disposition: 'rerunnable', input, run: ctx => waitPolitely(ctx) }),
      ownPoliteDoor: defineEngine({
        disposition: 'owner_bound',
        input,
        run: ctx => waitPolitely(ctx).catch(() => 'saved what I had'),
      }),
      charge: charge('fail'),
      reconcile: charge('reconcile'),
      ask: charge('ask'),
      nap: defineEngine({
        disposition: 'rerunnable',
        input: input.extend({ ms: z.number() }),
        async run(ctx) {
          const before = await ctx.step('before', () => process.pid)
          await ctx.sleep(ctx.input.ms)
          return { before, after: process.pid, attempt: ctx.attempt }
        },
      }),
      /** Says as a chat does: one step that is over, then one in which it waits at the door. */
      chat: defineEngine({
        disposition: 'rerunnable',
        input,
        async run(ctx) {
          const ui = ctx.stream('ui')
          const say = async (text: string) => {
            for (const delta of text) await ui.write({ type: 'text-delta', id: 't', delta })
          }
          const chatStep = (name: string, text: string, then: () => Promise<void>) =>
            ctx.step(name, async () => {
              await ui.write({ type: 'start-step' })
              await ui.write({ type: 'text-start', id: 't' })
              await say(text)
              await then()
              await ui.write({ type: 'text-end', id: 't' })
              await ui.write({ type: 'finish-step' })
            })
          await ui.write({ type: 'start', messageId: 'm' })
          await chatStep('first', 'Hello. ', async () => {})
          await chatStep('second', `This is attempt ${ctx.attempt}`, async () => {
            await ui.flush()
            mark(ctx.input.folder, 'began', ctx.id)
            await passDoor(ctx.input.folder, ctx.signal)
            await say('.')
          })
          await ui.write({ type: 'finish' })
          return { attempt: ctx.attempt }
        },
      }),
      /** Waits for a child that waits at the door. */
      parent: defineEngine({
        disposition: 'rerunnable',
        input: input.extend({ child: z.enum(['door', 'ownDoor']).default('door') }),
        async run(ctx) {
          const { child: kind, folder } = ctx.input
          const child = await ctx.start({ kind, input: { folder } }, { key: 'only' })
          mark(ctx.input.folder, 'awaiting', ctx.id)
          const outcome = await child.outcome()
          return { attempt: ctx.attempt, started: child.started, outcome }
        },
      }),
      /** Dies with its worker whenever it runs, until the door is open. */
      deadly: defineEngine({
        disposition: 'rerunnable',
        input,
        run: async ctx => {
          if (!existsSync(join(ctx.input.folder, 'door'))) await dieNow(ctx.input.folder)
          return ctx.attempt
        },
      }),
    },
  })
