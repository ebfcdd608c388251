import { isStepCount, type LanguageModel, ToolLoopAgent, tool } from 'ai'
import { z } from 'zod'
// In your own project: from 'leasehold'. Here it is relative, so that the example runs on the sources, without a build.
import { defineEngine, durableModel, durableTools } from '../../src/index.ts'
import { runTests } from './run-tests.ts'
import { createWorkspace, type Workspace } from './workspace.ts'

const INSTRUCTIONS = `You mend code in a folder. Find the cause, make the smallest change that removes it, and run the tests.
Say in one sentence what was wrong.`

const codingInput = z.object({
  /** The folder, absolute. */
  dir: z.string().min(1),
  task: z.string().min(1),
})

/** An agent of the AI SDK as it always is; only its model and its tools are durable. */
export const createCodingAgent = (model: LanguageModel) =>
  defineEngine({
    disposition: 'rerunnable',
    input: codingInput,
    async run(ctx) {
      const { dir, task } = ctx.input
      const agent = new ToolLoopAgent({
        model: durableModel(ctx, model),
        tools: durableTools(ctx, codingTools(createWorkspace(dir))),
        stopWhen: isStepCount(20),
        instructions: INSTRUCTIONS,
      })
      const { text } = await agent.generate({ prompt: task })
      return text
    },
  })

/** All of them may be called again after a crash: they read, or they change what is not changed yet. */
const codingTools = (workspace: Workspace) => ({
  search: tool({
    description: 'Lines of all files that hold a text.',
    inputSchema: z.object({ text: z.string().min(1) }),
    execute: ({ text }) => workspace.search(text),
  }),
  readFile: tool({
    description: 'A file, by its path in the folder.',
    inputSchema: z.object({ path: z.string().min(1) }),
    execute: ({ path }) => workspace.read(path),
  }),
  editFile: tool({
    description: 'Puts one text in the place of another, once, in a file.',
    inputSchema: z.object({ path: z.string().min(1), find: z.string().min(1), replace: z.string() }),
    execute: ({ path, find, replace }) => workspace.edit(path, find, replace),
  }),
  runTests: tool({
    description: 'Runs the tests of the folder.',
    inputSchema: z.object({}),
    execute: (_, { abortSignal }) => runTests(workspace.dir, abortSignal),
  }),
})
