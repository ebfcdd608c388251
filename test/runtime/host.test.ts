import { describe, expect, test } from 'vitest'
import { defineEngine, defineHost, definePlugin, type LeaseholdError } from '../../src/index.ts'
import { requireHost } from '../../src/runtime/host.ts'

const registry = { description: 'none', open: () => Promise.reject(new Error('not opened here')) }
const run = () => 1

const refusal = (host: object): LeaseholdError => {
  try {
    requireHost({ registry, ...host })
  } catch (error) {
    return error as LeaseholdError
  }
  return expect.fail('the host was taken')
}

describe('a host module', () => {
  test('is refused once, with everything that is wrong with it', () => {
    const { code, message } = refusal({
      registry: undefined,
      engines: {
        external: { disposition: 'rerunnable', run },
        silent: { run },
        idle: { disposition: 'owner_bound' },
        loud: { disposition: 'rerunnable', run, events: { 'process.done': true } },
        typed: { disposition: 'rerunnable', run, events: { note: { type: 'strng' } } },
      },
      tools: { empty: {} },
      models: { none: {} },
      plugins: [run, run],
    })
    expect(code).toBe('host_invalid')
    for (const problem of [
      'has no registry',
      '"external", which is reserved',
      'Engine "silent" states no disposition',
      '"idle" without a run function',
      'event type "process.done"',
      'event type "note", whose JSON Schema cannot be used: /type must be equal to one of the allowed values',
      'tool "empty" without an execute function',
      'model "none" that is no language model',
      'two plugins named "run"',
    ]) {
      expect(message).toContain(problem)
    }
  })

  test('with no more than a disposition missing has the code for that', () => {
    expect(refusal({ engines: { silent: { run } } })).toMatchObject({ code: 'disposition_required' })
  })

  test.each([
    ['plugins that are no list', { plugins: {} }, 'are no list'],
    ['a plugin that is no function', { plugins: [[{}]] }, 'is no function'],
    ['a plugin without a name', { plugins: [() => ({})] }, 'without a name'],
  ])('has %s', (_, host, says) => {
    expect(refusal(host)).toMatchObject({ code: 'host_invalid', message: expect.stringContaining(says) })
  })

  test('takes plugins and stacks of them, models by name or as objects', () => {
    const plugin = definePlugin('one', () => ({}))
    const host = defineHost({
      registry,
      engines: { work: defineEngine({ disposition: 'rerunnable', run }) },
      plugins: [plugin, [definePlugin('two', () => ({}))]],
      models: { default: 'openai/gpt-5' },
    })
    expect(host.plugins).toHaveLength(2)
    expect(plugin.name).toBe('one')
  })
})
