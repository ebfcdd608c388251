/** What an operator can type is described, what is described can be typed, and what a worker says is explained. */
import { glob, readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { createOutput } from '../../src/cli/output.ts'
import { createProgram } from '../../src/cli/program.ts'

const read = (path: string) => readFile(path, 'utf8')

const pages: string[] = []
for await (const path of glob(['README.md', 'docs/*.md', 'examples/*/README.md'])) pages.push(path)
const texts = await Promise.all(pages.map(async page => ({ page, text: await read(page) })))

const commands: ReadonlyMap<string, Command> = new Map(
  (await createProgram({ env: {}, output: createOutput(false), exitWith: () => {} })).commands.map(
    command => [command.name(), command],
  ),
)

/** Each `leasehold COMMAND …` in code, up to where the code ends or another command begins. */
const typed = texts.flatMap(({ page, text }) =>
  [...text.matchAll(/(?:leasehold|npm run leasehold --) ([a-z-]+)([^`\n#]*)/g)]
    .filter(({ index }) => isCode(text, index))
    .map(([line, name = '', rest = '']) => ({
      page,
      line,
      name,
      rest: rest.replaceAll(/\$\(.*?\)/g, '').split(/ (?:&&|\|\|?|;) /)[0] ?? '',
    })),
)

function isCode(text: string, index: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', index - 1) + 1, index)
  const isInBlock = (text.slice(0, index).match(/^```/gm) ?? []).length % 2 === 1
  return isInBlock ? /^(?:\S+=\S+ )*(?:npx )?$/.test(line) : (line.match(/`/g) ?? []).length % 2 === 1
}

test('each command is described on some page', () => {
  const described = new Set(typed.map(({ name }) => name))
  expect([...commands.keys()].filter(name => !described.has(name))).toEqual([])
})

test('each command line of the pages has a command and options that exist', () => {
  expect(typed.length).toBeGreaterThan(40)
  const wrong = typed.filter(({ name, rest }) => {
    const known = commands.get(name)?.options.map(({ long }) => long)
    const given = rest.match(/(?<= |\[)--[a-z][a-z-]*/g) ?? []
    return known === undefined || given.some(option => !known.includes(option))
  })
  expect(wrong).toEqual([])
})

test('each setting of the environment that is Leasehold’s own is listed', async () => {
  const settings = new Set<string>()
  for await (const path of glob('src/cli/**/*.ts'))
    for (const [name] of (await read(path)).matchAll(/\bLEASEHOLD_[A-Z_]+/g)) settings.add(name)
  expect(settings.size).toBeGreaterThan(4)
  const told = await read('docs/operations.md')
  expect([...settings].filter(name => !told.includes(`\`${name}\``))).toEqual([])
})

test('each warning and error of a worker is explained to its operator', async () => {
  const said: string[] = []
  for await (const path of glob('src/{activities,client,execution,maintenance,runtime,telemetry}/**/*.ts'))
    said.push(...warningsIn(await read(path)))
  said.push(
    ...warningsIn(await read('src/inline-worker.ts')),
    ...warningsIn(await read('src/cli/server-watch.ts')),
  )
  expect(said.length).toBeGreaterThan(25)
  const told = await read('docs/operations.md')
  expect(said.filter(text => !told.includes(text))).toEqual([])
})

/** Up to the first thing that only running code knows, or the punctuation after which a text goes on about it. */
const warningsIn = (source: string): string[] =>
  [...source.matchAll(/(?:log|[lL]ogger)\.(?:warn|error)\(\s*(?:'([^']+)'|`([^`$]+))/g)].map(
    ([, plain, opening]) => (plain ?? opening ?? '').split(/[;,"] ?/)[0]?.trim() ?? '',
  )
