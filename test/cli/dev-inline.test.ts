import { describe, expect, test } from 'vitest'
import { openWorkspace } from './fixtures.ts'

const MEMBERS = `
  engines: {
    greet: defineEngine({ disposition: 'rerunnable', run: () => 'hello' }),
    stubborn: defineEngine({ disposition: 'rerunnable', run: () => new Promise(() => {}) }),
  }`

/** Nobody listens there. */
const NO_SERVER = { TEMPORAL_ADDRESS: '127.0.0.1:9' }

describe('dev --inline', () => {
  test('runs what is started beside it, without a server, and ends by Ctrl-C with 0', async () => {
    const { start, cli, writeHost, registryPath, id } = await openWorkspace()
    const host = await writeHost(MEMBERS)
    const running = start(['dev', '--inline', '--host', host], { env: NO_SERVER })
    await running.line('Ready, without a server')
    expect(await running.line('registry ')).toBe(`registry   sqlite:${registryPath}`)
    expect(await running.line('worker ')).toMatch(/worker:\d+:/)
    expect(await running.line('kinds ')).toBe('kinds      greet, stubborn')
    const env = { ...NO_SERVER, LEASEHOLD_HOST: host }
    const ended = await cli(['start', 'greet', '--inline', '--id', id, '--wait'], { env })
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('hello')
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0 })
  })

  test('a cancel from another terminal reaches what runs in it', async () => {
    const { start, cli, writeHost, id } = await openWorkspace()
    const host = await writeHost(`engines: {
      endless: defineEngine({
        disposition: 'rerunnable',
        run: ctx => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
      }) }`)
    const env = { ...NO_SERVER, LEASEHOLD_HOST: host }
    const running = start(['dev', '--inline', '--host', host, '--json'], { env })
    expect(JSON.parse(await running.line('"ready"')).ready).toMatchObject({ inline: true })
    await cli(['start', 'endless', '--inline', '--id', id], { env })
    expect((await cli(['cancel', id, '--reason', 'enough'], { env })).code).toBe(0)
    expect(await cli(['await', id], { env })).toMatchObject({ code: 11 })
  })

  test.each([
    { what: 'a file for a server’s state', flags: ['--temporal-db', 'x.db'] },
    { what: 'a task queue', flags: ['--task-queue', 'x'] },
    { what: 'a namespace', flags: ['--temporal-namespace', 'x'] },
  ])('refuses $what, which it has no use for', async ({ flags }) => {
    const { cli, writeHost } = await openWorkspace()
    const { code, stderr } = await cli(['dev', '--inline', '--host', await writeHost(MEMBERS), ...flags])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^error: usage: Option '--inline' cannot be used with option '--t/),
    })
  })

  test('needs a host module, and says so', async () => {
    const { cli } = await openWorkspace()
    const { code, stderr } = await cli(['dev', '--inline'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: usage: .*--host FILE/)
  })
})
