/** The pages are one whole: each is found from the README, and what they point at is there. */
import { existsSync } from 'node:fs'
import { glob, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const read = (path: string) => readFile(path, 'utf8')

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
for await (const path of glob(['docs/**/*.md', 'examples/*/README.md'])) pages.push(path)

test('the README lists each page of docs/ and each example once', async () => {
  const [, list = ''] = (await read('README.md')).split('\n## Read next\n')
  const listed = [...list.matchAll(/\]\(((?:docs|examples)[^)]*)\)/g)].map(([, path]) => path)
  const docs = (await readdir('docs')).map(name => `docs/${name}`)
  const examples = (await readdir('examples')).filter(name => name !== 'support')
  expect(listed.toSorted()).toEqual([...docs, ...examples.map(name => `examples/${name}`)].toSorted())
})

test.each(pages)('what %s points at is there', async page => {
  const text = await read(page)
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) =>
    join(dirname(page), path),
  )
  const named = [...text.matchAll(/`((?:src|test|docs|examples)\/[\w./-]+|decisions\/\d{4})`/g)]
  const paths = [...links, ...named.map(([, path = '']) => path)]
  const decisions = await readdir('docs/decisions')
  const isThere = (path: string) =>
    path.startsWith('decisions/')
      ? decisions.some(name => name.startsWith(path.slice('decisions/'.length)))
      : existsSync(path)
  expect(paths.filter(path => !isThere(path))).toEqual([])
})

test('decisions are numbered without gap, each by one number, in name and title alike', async () => {
  const names = (await readdir('docs/decisions')).toSorted()
  const titles = await Promise.all(
    names.map(async name => (await read(join('docs/decisions', name))).split('\n')[0]),
  )
  expect(names.map(name => Number(name.slice(0, 4)))).toEqual(names.map((_, at) => at + 1))
  expect(titles).toEqual(names.map((_, at) => expect.stringMatching(`^# ${at + 1}\\. `)))
})

test('the architecture knows each folder of src/, and no other', async () => {
  const folders = (await readdir('src', { withFileTypes: true })).filter(entry => entry.isDirectory())
  const [, table = ''] = /## Layers\n(.*?)\n## /s.exec(await read('docs/architecture.md')) ?? []
  const told = [...table.matchAll(/^\| \dT? \| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  expect(told.filter(name => !name.endsWith('.ts')).toSorted()).toEqual(
    folders.map(({ name }) => name).toSorted(),
  )
  expect(told.filter(name => !existsSync(join('src', name)))).toEqual([])
})

describe('for those who work on it', () => {
  test('CONTRIBUTING tells of each script of the package', async () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(await read('package.json'))
    const own = Object.keys(scripts).filter(name => !/^pre/.test(name))
    const told = await read('CONTRIBUTING.md')
    const isTold = (name: string) =>
      told.includes(`npm run ${name}`) || (name in { start: 1, test: 1 } && told.includes(`npm ${name}`))
    expect(own.filter(name => !isTold(name))).toEqual([])
  })

  test('CONTRIBUTING tells of each bench, and the README of none that is not there', async () => {
    const [, table = ''] = /const BENCHES[^{]*\{(.*?)\n\}/s.exec(await read('bench/main.ts')) ?? []
    const benches = [...table.matchAll(/^ {2}(\w+),/gm)].map(([, name = '']) => name)
    const contributing = await read('CONTRIBUTING.md')
    expect(benches.length).toBeGreaterThan(10)
    expect(benches.filter(name => !contributing.includes(`\`${name}\``))).toEqual([])
    const named = [...(await read('README.md')).matchAll(/npm run bench -- ([a-z]+)/g)]
    expect(named.map(([, name]) => name).filter(name => !benches.includes(name ?? ''))).toEqual([])
  })
})
