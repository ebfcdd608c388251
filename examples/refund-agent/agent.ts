import { generateText, isStepCount, type LanguageModel, tool } from 'ai'
import { z } from 'zod'
// In your own project: from 'leasehold'. Here it is relative, so that the example runs on the sources, without a build.
import { defineEngine, defineTool, durableCall, durableModel, durableTools } from '../../src/index.ts'
import type { Bank } from './bank.ts'
import { findOrder } from './orders.ts'

/** Up to here the agent pays by itself. */
const FREE_HAND_EUROS = 50
const A_WEEK_MS = 7 * 24 * 60 * 60 * 1_000

const INSTRUCTIONS = `You answer the letters of a shop's customers. Look the order up. What was delivered at most 30 days
ago may be sent back for its full price: then refund it, once. Answer the customer in two sentences.`

const refundInput = z.object({
  /** The customer's words. */
  letter: z.string().min(1),
  /** How long the bank takes to answer. */
  bankMs: z.number().int().min(0).default(0),
})

/** One letter, from reading it to the answer: unchanged code of the AI SDK over a durable model and durable tools. */
export const createRefundAgent = (model: LanguageModel, bank: Bank) =>
  defineEngine({
    disposition: 'rerunnable',
    input: refundInput,
    async run(ctx) {
      const { letter, bankMs } = ctx.input
      const { text } = await generateText({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, { lookUpOrder, refund: refundBy(bank, bankMs) }),
        stopWhen: isStepCount(8),
        instructions: INSTRUCTIONS,
        prompt: letter,
      })
      return text
    },
  })

const lookUpOrder = tool({
  description: 'What the shop knows of an order.',
  inputSchema: z.object({ orderId: z.string() }),
  execute: ({ orderId }) => findOrder(orderId) ?? { problem: `there is no order ${orderId}` },
})

const refundBy = (bank: Bank, bankMs: number) =>
  defineTool(
    tool({
      description: 'Pays the price of an order back.',
      inputSchema: z.object({ orderId: z.string(), euros: z.number().positive() }),
      execute: ({ orderId, euros }, options) => {
        const { processId, operationId } = durableCall(options)
        return bank.pay({ orderId, euros, processId, operationId }, bankMs)
      },
    }),
    {
      effect: 'once',
      approval: ({ euros }: { euros: number }) =>
        euros > FREE_HAND_EUROS ? { timeout: A_WEEK_MS } : undefined,
      // A worker that died while it paid: the bank knows.
      onUnknown: async operationId => {
        const paid = await bank.find(operationId)
        return paid === undefined ? 'not_done' : { done: paid }
      },
    },
  )
