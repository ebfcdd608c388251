/**
 * A turn as Temporal's own AI SDK integration has it: the loop in a workflow, each call an activity. It is copied beside
 * the packages that the bench installs, and bundled there.
 */
import { temporalProvider } from '@temporalio/ai-sdk/workflow'
import { proxyActivities } from '@temporalio/workflow'
import { generateText, isStepCount, tool } from 'ai'
import { z } from 'zod'

const { runLook } = proxyActivities({ startToCloseTimeout: '1 minute' })

export async function turn() {
  const { text } = await generateText({
    prompt: 'look',
    stopWhen: isStepCount(5),
    model: temporalProvider.languageModel('scripted'),
    tools: { look: tool({ inputSchema: z.object({ n: z.number() }), execute: ({ n }) => runLook({ n }) }) },
  })
  return text
}
