import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateText, stepCountIs } from 'ai'
import { describe, expect, onTestFinished, test } from 'vitest'
import { durableModel, durableTools, type McpServer, mcpTools, type ProcessContext } from '../../src/index.ts'
import type { Model } from '../../src/runtime/agent/model-types.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { MCP_TRANSPORTS, stdioServer } from '../support/mcp-servers.ts'
import { openStage, type Stage, supersede, work } from './stage.ts'

/** A folder that the server writes what it did into; it dies of the first call, unless there is `safe` in it. */
async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-mcp-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  return {
    folder,
    makeSafe: () => writeFile(join(folder, 'safe'), ''),
    lines: async (name: string) =>
      (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n').filter(line => line !== ''),
  }
}

function openWith(server: McpServer, run: Parameters<typeof work>[0]): Stage {
  const plugin = mcpTools({ files: server }, { idleMs: 60_000 })
  onTestFinished(() => plugin[Symbol.asyncDispose]())
  return openStage({ engines: work(run), host: { plugins: [plugin] } })
}

const callAs = (tool: string, args: object) => ({
  kind: 'tool_call',
  disposition: 'rerunnable' as const,
  input: { tool: `files_${tool}`, args },
})

describe.each(MCP_TRANSPORTS)('MCP tools over $name', ({ open }) => {
  test('are called as steps, over one connection for all processes', async () => {
    const { folder, makeSafe, lines } = await openFolder()
    await makeSafe()
    const stage = openWith(await open(folder), async ctx => {
      const tools = durableTools(ctx, ctx.runtime.tools)
      const model = durableModel(
        ctx,
        scriptedModel([{ calls: [{ tool: 'files_write', args: { what: 'a' } }] }, 'written']),
      )
      const { text, steps } = await generateText({ model, tools, prompt: 'write', stopWhen: stepCountIs(3) })
      return { text, output: steps[0]?.toolResults[0]?.output }
    })
    const ids = [await stage.start(), await stage.start()]
    for (const id of ids) {
      expect(await stage.outcome(id)).toMatchObject({
        status: 'completed',
        value: { text: 'written', output: { written: 'a' } },
      })
    }
    expect(await lines('lives')).toHaveLength(1)
    const operations = (await lines('writes')).map(line => line.split(' ')[1])
    const effects = await Promise.all(ids.map(id => stage.registry.effects(id)))
    expect(operations).toEqual(effects.flat().map(({ operationId }) => operationId))
  })

  test('a server that is killed in the middle of a call that may be repeated is asked again', async () => {
    const { folder, lines } = await openFolder()
    const server = await open(folder)
    const stage = openWith(server, async ctx => {
      const { files_read } = durableTools(ctx, ctx.runtime.tools)
      const options = { toolCallId: 'c1', messages: [], context: {} }
      return files_read?.execute?.({ what: 'a' }, options)
    })
    const outcome = await stage.outcome(await stage.start())
    expect(outcome).toMatchObject({ status: 'completed', value: 'read a' })
    expect(await lines('reads')).toEqual(['a', 'a'])
    expect(await lines('lives')).toHaveLength(2)
  })

  test('one that is killed in the middle of a call that may not leaves its outcome unknown, and is not asked again', async () => {
    const { folder, lines } = await openFolder()
    const server = await open(folder)
    const stage = openWith(server, async ctx => {
      const { files_write } = durableTools(ctx, ctx.runtime.tools)
      const options = (toolCallId: string) => ({ toolCallId, messages: [], context: {} })
      const first = await Promise.resolve(files_write?.execute?.({ what: 'a' }, options('c1'))).catch(
        error => error.code,
      )
      // Somebody else starts a server behind an address again.
      if ('url' in server) await expect.poll(() => lines('lives')).toHaveLength(2)
      return [first, await files_write?.execute?.({ what: 'b' }, options('c2'))]
    })
    const outcome = await stage.outcome(await stage.start())
    expect(outcome).toMatchObject({ value: ['step_unknown', { written: 'b' }] })
    expect((await lines('writes')).map(line => line[0])).toEqual(['a', 'b'])
  })
})

test('a server that lists other tools at the next attempt changes nothing of what the first one was told and did', async () => {
  const { folder, makeSafe, lines } = await openFolder()
  await makeSafe()
  const gate = createGate()
  const told: string[][] = []
  const model = scriptedModel([
    { calls: [{ tool: 'files_write', args: { what: 'a' }, id: 'c1' }] },
    { calls: [{ tool: 'files_write', args: { what: 'b' }, id: 'c2' }] },
    prompt => JSON.stringify(prompt.at(-1)?.content),
  ])
  const asked: Model = {
    ...model,
    doGenerate: async params => {
      told.push((params.tools ?? []).map(({ name }) => name))
      if (told.length === 2) await gate.pass()
      return model.doGenerate(params)
    },
  }
  const run = async (ctx: ProcessContext) => {
    const tools = durableTools(ctx, ctx.runtime.tools)
    const { text } = await generateText({
      model: durableModel(ctx, asked),
      tools,
      prompt: 'write',
      stopWhen: stepCountIs(5),
    })
    return text
  }
  const stage = openWith(stdioServer(folder), run)
  const id = await stage.start()
  const first = stage.runner.run(id)
  await eventually(() => expect(gate.arrivals).toBe(1))
  // Another OS process, that starts the server anew.
  await writeFile(join(folder, 'later'), '')
  const plugin = mcpTools({ files: stdioServer(folder) })
  onTestFinished(() => plugin[Symbol.asyncDispose]())
  await supersede(stage, stage)
  await stage.addWorker({}, { plugins: [plugin] }).runner.run(id)
  gate.open()
  await first
  const { outcome } = await stage.record(id)
  // The call that was made is known, and the one that the server has no more tool for is its failure.
  expect(outcome).toMatchObject({ status: 'completed', value: expect.stringContaining('files_write') })
  expect(JSON.stringify(outcome)).toContain('not found')
  expect((await lines('writes')).map(line => line[0])).toEqual(['a'])
  expect(told[2]).toEqual(told[1])
  expect(told[0]).toContain('files_write')
  // A process that begins now has what the server has now.
  const later = await stage.addWorker(
    {},
    { plugins: [plugin], engines: work(ctx => Object.keys(ctx.runtime.tools)) },
  )
  const next = await stage.start()
  await later.runner.run(next)
  expect((await stage.record(next)).outcome).toMatchObject({
    value: expect.arrayContaining(['files_append']),
  })
})

test("the server's own no is the tool's failure, and no unknown outcome", async () => {
  const { folder } = await openFolder()
  const stage = openWith(stdioServer(folder), () => null)
  const id = await stage.start(callAs('refuse', {}))
  expect(await stage.outcome(id)).toMatchObject({
    status: 'failed',
    code: 'process_tool_failed',
    message: expect.stringContaining('not today'),
  })
  expect(await stage.registry.effects(id)).toMatchObject([{ state: 'not_done' }])
})

test('a server is asked how far a call is, for its word is what the time limit counts from', async () => {
  const { folder } = await openFolder()
  const stage = openWith(stdioServer(folder), () => null)
  expect(await stage.outcome(await stage.start(callAs('tell', {})))).toMatchObject({
    value: 'somebody hears how far it is',
  })
})

test('tools whose names would be one are told apart where they are long, else refused', async () => {
  const { folder } = await openFolder()
  const long = 'l'.repeat(70)
  const plugins = [
    mcpTools({ [long]: stdioServer(folder) }),
    mcpTools({ 'a.b': stdioServer(folder), a_b: stdioServer(folder) }),
  ]
  for (const plugin of plugins) onTestFinished(() => plugin[Symbol.asyncDispose]())
  const [first, second] = plugins.map(plugin =>
    openStage({
      engines: work(ctx => Object.keys(ctx.runtime.tools).length),
      host: { plugins: [plugin] },
    }),
  )
  expect(await first?.outcome(await first.start())).toMatchObject({ value: 4 })
  expect(await second?.outcome(await second.start())).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('would both be named "a_b_read"'),
  })
})

test('a server that cannot be reached ends no process: the attempt is repeated', async () => {
  const stage = openWith({ url: 'http://127.0.0.1:1/mcp' }, () => null)
  const id = await stage.start()
  expect(await stage.runner.run(id)).toMatchObject({ error: { code: 'mcp_unreachable' } })
  expect(await stage.record(id)).toMatchObject({ status: 'running' })
})

test('a cancel ends the wait for a server at once; the last one who waited for it ends the server too', async () => {
  const { folder, lines } = await openFolder()
  await writeFile(join(folder, 'deaf'), '')
  const stage = openWith(stdioServer(folder), () => 'run')
  const [first, second] = [await stage.start(), await stage.start()]
  const [firstRun, secondRun] = [stage.runner.run(first), stage.runner.run(second)]
  await eventually(async () => expect(await lines('lives')).toHaveLength(1))
  const pid = Number((await lines('lives'))[0])

  await stage.registry.requestCancel(first, 'enough')
  await firstRun
  expect((await stage.record(first)).outcome).toEqual({ status: 'cancelled', message: 'enough' })
  expect(isAlive(pid)).toBe(true)

  await stage.registry.requestCancel(second, 'enough')
  await secondRun
  expect((await stage.record(second)).outcome).toEqual({ status: 'cancelled', message: 'enough' })
  await eventually(() => expect(isAlive(pid)).toBe(false))

  await rm(join(folder, 'deaf'))
  expect(await stage.outcome(await stage.start())).toMatchObject({ value: 'run' })
  expect(await lines('lives')).toHaveLength(2)
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
