/** No SQL is built from what comes in: values are bound, and the few names that are written into a statement are ours. */
import { glob, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

interface Source {
  readonly file: string
  readonly text: string
}

const sources: Source[] = []
for await (const file of glob('src/**/*.ts')) {
  if (!file.startsWith('src/testing/')) sources.push({ file, text: await readFile(file, 'utf8') })
}
const isMigration = ({ file }: Source): boolean => file.includes('/migrations/')

/** A template that is SQL by its first word, is not the query builder's own (which binds its holes), and has a hole. */
const FILLED =
  /(?<!\bsql(?:<[^`]*>)?)`\s*((?:select|insert|update|delete|create|alter|drop|truncate|set|pragma|listen|notify|lock|grant|revoke|vacuum|attach|with \w+ as)\b[^`]*?)\$\{([^}]*)\}/gi

const filled = (among: readonly Source[]): string[] =>
  among
    .flatMap(({ file, text }) =>
      [...text.matchAll(FILLED)].map(([, before = '', hole]) => `${file}: ${before.trim()} <${hole}>`),
    )
    .toSorted()

test('a statement with a hole is filled with a name of ours', () => {
  expect(filled(sources.filter(source => !isMigration(source)))).toEqual([
    // Checked as the store is opened, and quoted.
    'src/registry/sql/postgres/migrate.ts: create schema <name>',
    // One of two functions that the code names.
    'src/registry/sql/postgres/migrate.ts: select <lookup>',
    'src/registry/sql/postgres/migrate.ts: set local search_path to <name>',
    // Made of the registry's id, and quoted.
    'src/registry/sql/postgres/notifier.ts: listen <client.escapeIdentifier(channel)>',
    // A statement that the query builder has made, its values bound.
    "src/registry/sql/postgres/statements.ts: select 1 / ( <texts.join(' and ')>",
    'src/registry/sql/postgres/statements.ts: with written as ( <text>',
    'src/registry/sql/sqlite/migrate.ts: pragma application_id = <APPLICATION_ID>',
    'src/registry/sql/sqlite/open.ts: pragma cache_size = - <CACHE_KIB>',
  ])
})

test('migrations know nothing but what they say themselves', () => {
  for (const { text } of sources.filter(isMigration)) expect(text).not.toMatch(/^import (?!type )/m)
})

test('the query builder is given no text to put in as it is', () => {
  const calls = sources.flatMap(({ text }) => [...text.matchAll(/\bsql\.(?:raw|id|table|join)\(/g)])
  expect(calls).toEqual([])
})

test('what the query builder writes as a literal is one in the code', () => {
  const literals = sources.flatMap(({ text }) => text.match(/\bsql\.lit(?:<[^>]*>)?\([^)]*\)/g) ?? [])
  expect(literals.length).toBeGreaterThan(0)
  expect(literals.filter(literal => !/\((?:'[a-z_]+'|\d+)\)$/.test(literal))).toEqual([])
})
