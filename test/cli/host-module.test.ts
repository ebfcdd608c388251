import { describe, expect, test } from 'vitest'
import { jsonError, openWorkspace } from './fixtures.ts'

/** Each with what the sentence must say of it. */
const BROKEN = [
  { title: 'exports nothing', source: '', says: 'has no default export (it exports nothing)' },
  { title: 'has no default export', source: 'export const host = 1', says: '(it exports host)' },
  { title: 'exports no host', source: 'export default 7', says: 'is not an object' },
  { title: 'has no registry', source: 'export default { engines: {} }', says: 'has no registry' },
  { title: 'throws while loading', source: 'throw new Error("no config")', says: 'Error: no config' },
  { title: 'throws what is no error', source: 'throw "a text"', says: 'threw a text' },
  { title: 'imports what is not there', source: 'import "./nowhere.ts"', says: 'nowhere.ts' },
  { title: 'is not JavaScript', source: 'this is not JavaScript', says: 'SyntaxError' },
  {
    title: 'holds an enum',
    source: 'enum E { A }\nexport default {}',
    says: 'Node strips types and compiles nothing',
  },
  {
    title: 'defines an engine without disposition',
    source: 'export default { registry: { open() {} }, engines: { e: { run() {} } } }',
    says: 'Engine "e" states no disposition',
  },
  {
    title: 'defines an engine without run',
    source: 'export default { registry: { open() {} }, engines: { e: { disposition: "rerunnable" } } }',
    says: 'without a run function',
  },
]

describe('a host module that', () => {
  test.each(BROKEN)('$title is host_invalid, exit 2', async ({ source, says }) => {
    const { cli, write } = await openWorkspace()
    const file = await write('broken.ts', source)
    const ended = await cli(['start', 'e', '--host', file, '--json'])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(jsonError(ended)).toMatchObject({ code: 'host_invalid', file })
    expect(jsonError(ended).message).toContain(file)
    expect(jsonError(ended).message).toContain(says)
  })

  test.each(['start e', 'worker', 'dev', 'list'])('does not exist is host_invalid for %s', async command => {
    const { cli } = await openWorkspace()
    const ended = await cli([...command.split(' '), '--host', 'nowhere.ts'], {
      env: { LEASEHOLD_REGISTRY: '' },
    })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(
      /^error: host_invalid: The host module .*nowhere\.ts does not exist\. Correct --host/,
    )
  })

  test('never finishes loading is told, instead of a silent end', async () => {
    const { cli, write } = await openWorkspace()
    const file = await write('endless.ts', 'await new Promise(() => {})\nexport default {}')
    const { code, stderr } = await cli(['start', 'e', '--host', file])
    expect(code).toBe(1)
    expect(stderr).toContain('never finishes loading')
  })

  test('prints while it loads does not disturb the JSON document', async () => {
    const { cli, write, writeHost, openRegistry } = await openWorkspace()
    await openRegistry()
    const host = await writeHost('')
    const file = await write('chatty.ts', `console.log('loading')\nexport { default } from '${host}'`)
    const { stdout, stderr } = await cli(['list', '--host', file, '--json'])
    expect(JSON.parse(stdout)).toEqual({ records: [] })
    expect(stderr).toBe('loading\n')
  })

  test('keeps a timer running does not keep a command from ending', async () => {
    const { cli, write, writeHost, openRegistry } = await openWorkspace()
    await openRegistry()
    const host = await writeHost('')
    const file = await write('timer.ts', `setInterval(() => {}, 1_000)\nexport { default } from '${host}'`)
    expect((await cli(['list', '--host', file])).code).toBe(0)
  })

  test('may be JavaScript', async () => {
    const { cli, write, writeHost, openRegistry } = await openWorkspace()
    await openRegistry()
    const host = await writeHost('')
    const file = await write('host.mjs', `export { default } from '${host}'`)
    expect((await cli(['list', '--host', file])).code).toBe(0)
  })
})
