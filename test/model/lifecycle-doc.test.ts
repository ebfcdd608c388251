/** What docs/lifecycle.md says of states is held to the code, and the tests that it names are there. */
import { glob, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const lifecycle = () => readFile('docs/lifecycle.md', 'utf8')

/** What stands in backquotes and is a sentence rather than a word of ours or a command. */
const sentencesIn = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)]
    .map(([, quoted = '']) => quoted)
    .filter(quoted => quoted.split(' ').length >= 5 && !quoted.startsWith('leasehold '))

test('every test that the lifecycle names exists', async () => {
  // Code blocks would throw the pairs of backquotes out of step.
  const titles = sentencesIn((await lifecycle()).replaceAll(/^```.*?^```/gms, ''))
  expect(titles.length).toBeGreaterThan(20)
  const texts: string[] = []
  for await (const path of glob(['test/**/*.ts', 'src/testing/**/*.ts']))
    texts.push(await readFile(path, 'utf8'))
  expect(titles.filter(title => !texts.some(text => text.includes(title)))).toEqual([])
})

test('every state that explain tells of is in the lifecycle, and no other', async () => {
  const source = await readFile('src/model/explain.ts', 'utf8')
  const [, union = ''] = /type ExplainedState =\n(.*?)\n\n/s.exec(source) ?? []
  const states = [...union.matchAll(/'(\w+)'/g)].map(([, state = '']) => state.replaceAll('_', ' '))
  const [, table = ''] = /## Where it stands\n(.*?)## Who may end it/s.exec(await lifecycle()) ?? []
  const told = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, state]) => state)
  expect(told.toSorted()).toEqual(states.toSorted())
})
