import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { fromJson, type Json } from '../../src/model/json.ts'
import { findSchemaProblem, findUnusableSchema } from '../../src/registry/json-schema.ts'

test.each(['draft-07', 'draft-2020-12'] as const)('a schema as zod writes it for %s is read', target => {
  const schema = fromJson<Json>(z.toJSONSchema(z.object({ by: z.string() }), { target }) as Json)
  expect(findUnusableSchema(schema)).toBeUndefined()
  expect(findSchemaProblem(schema, { by: 'ana' })).toBeUndefined()
  expect(findSchemaProblem(schema, { by: 1 })).toBe('/by must be string')
})

test('what only a newer dialect knows counts where the schema names that', () => {
  const items = { prefixItems: [{ type: 'string' }] }
  const of = (dialect: string) => ({ $schema: `https://json-schema.org/draft/${dialect}/schema`, ...items })
  expect(findSchemaProblem(of('2020-12'), [1])).toBe('/0 must be string')
  expect(findSchemaProblem(of('2019-09'), [1])).toBeUndefined()
})

test('two schemas may have one $id, as those of two deploys have', () => {
  expect(findSchemaProblem({ $id: 'note', type: 'string' }, 'a')).toBeUndefined()
  expect(findSchemaProblem({ $id: 'note', type: 'number' }, 'a')).toBe('the payload must be number')
  expect(
    findSchemaProblem({ $id: 'tree', properties: { left: { $ref: 'tree' } } }, { left: {} }),
  ).toBeUndefined()
})

test.each<[string, Json, string]>([
  ['of no known type', { type: 'strng' }, 'cannot be used: /type must be equal to one of the allowed values'],
  [
    'that refers to nothing',
    { $ref: '#/$defs/none' },
    "cannot be used: can't resolve reference #/$defs/none",
  ],
  [
    'of a dialect of its own',
    { $schema: 'https://example.com/mine' },
    'is of the dialect "https://example.com/mine"',
  ],
  ['that answers later', { $async: true }, 'is asynchronous'],
  ['that is no schema', 'string', 'is neither an object nor a boolean'],
])('a schema %s is said to be unusable, and fits no payload', (_, schema, problem) => {
  expect(findUnusableSchema(schema)).toContain(problem)
  expect(findSchemaProblem(schema, {})).toContain(`the schema itself ${problem}`)
})

test('a format is an annotation, and nobody is warned of it', () => {
  const warned = vi.spyOn(console, 'warn')
  expect(findSchemaProblem({ type: 'string', format: 'email' }, 'nobody')).toBeUndefined()
  expect(warned).not.toHaveBeenCalled()
})
