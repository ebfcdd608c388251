import { generateText, isStepCount } from 'ai'
import { z } from 'zod'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { defineEngine, defineHost, durableModel, durableTools } from '../../src/index.ts'
import { matrixModel, promptFor } from './model.ts'
import { actNamed, matrixTools, SHAPES } from './tools.ts'
import type { OutsideWorld } from './world.ts'

/**
 * A model looks at something and says so on a channel, then acts, then says what became of that; what it says is the
 * outcome's, to be held against what happened outside. By two loops: kind `turn` is the AI SDK's own, over durable models
 * and tools; a `session_turn` is this package's.
 */
export const matrixHost = (address: string, world: OutsideWorld) => {
  const tools = matrixTools(world)
  const model = matrixModel(world)
  return defineHost({
    registry: parseRegistryAddress(address),
    models: { default: model },
    tools,
    engines: {
      turn: defineEngine({
        disposition: 'rerunnable',
        input: z.object({ shape: z.enum(SHAPES) }),
        async run(ctx) {
          const { text } = await generateText({
            model: durableModel(ctx, model),
            // As `act`, whatever it may suffer, so that places are named by it.
            tools: durableTools(ctx, {
              look: tools.look,
              say: tools.say,
              act: tools[actNamed(ctx.input.shape)],
            }),
            stopWhen: isStepCount(10),
            prompt: promptFor(ctx.id, 'act'),
          })
          return text
        },
      }),
    },
  })
}
