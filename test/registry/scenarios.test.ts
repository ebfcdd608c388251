/** Every numbered scenario and every hazard stands in the title of a test that holds somebody to it. */
import { glob, readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { SUBJECTS } from '../../src/testing/registry-suite.ts'

/** The numbers have gaps. */
const SCENARIOS: Readonly<Record<string, readonly number[]>> = {
  'registration, rows, references': [...range(1, 10), ...range(12, 17), ...range(19, 24)],
  'events, semantics, replay': [...range(26, 32), ...range(34, 38), 40, ...range(42, 45)],
  wakes: [...range(47, 51), ...range(53, 58), 60, 61],
  'waits, signals': [...range(62, 67), ...range(69, 72)],
  'terminal writes and authority': [...range(74, 80), ...range(82, 87), 89],
  leases: [...range(90, 94), ...range(96, 99), ...range(101, 105)],
  'grants, session deletion': [...range(107, 109), ...range(111, 113), 115],
  'listing, change feed, retention': [...range(116, 120), ...range(122, 124), ...range(126, 130)],
  'awaiting, hub, sink, driver': [...range(132, 138), ...range(140, 142), ...range(144, 150)],
  'recovery, lease loss, abandon, drain, cancel': [
    ...range(171, 175),
    ...range(177, 179),
    ...range(181, 191),
    ...range(193, 198),
  ],
  'concurrency, segments': [...range(200, 203), ...range(205, 209)],
  Temporal: [...range(214, 221), ...range(223, 225), ...range(227, 232), ...range(234, 236)],
  triggers: [210, 211, 213],
  'worker: guards, facets, runtime': [...range(151, 161), ...range(163, 165), ...range(167, 170)],
}

const SCENARIO = /§6 ([^)]*)\)/g

function scenariosIn(text: string): number[] {
  return [...text.matchAll(SCENARIO)].flatMap(([, numbers = '']) =>
    [...numbers.matchAll(/#(\d+)(?:–#(\d+))?/g)].flatMap(([, from, to]) =>
      range(Number(from), Number(to ?? from)),
    ),
  )
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function suiteTitles(): string[] {
  const titles: string[] = []
  for (const define of Object.values(SUBJECTS)) define(title => titles.push(title))
  return titles
}

describe('the scenarios of', () => {
  test.each(Object.entries(SCENARIOS))('%s are all tested', async (_, numbers) => {
    const tested = new Set(suiteTitles().flatMap(scenariosIn))
    // Those of what is not the registry's alone: rules, waiting, the operating system.
    for await (const path of glob('test/**/*.test.ts')) {
      for (const number of scenariosIn(await readFile(path, 'utf8'))) tested.add(number)
    }
    expect(numbers.filter(number => !tested.has(number))).toEqual([])
  })
})

test('every hazard is met in a test', async () => {
  const met = new Set<string>()
  for await (const path of glob('test/{temporal,crash}/*.test.ts')) {
    for (const [hazard] of (await readFile(path, 'utf8')).matchAll(/(?<=\((?:H\d+, )*)H\d+(?=[^()]*\)['`])/g))
      met.add(hazard)
  }
  expect(range(1, 27).filter(number => !met.has(`H${number}`))).toEqual([])
})

test('no two cases of the suite have the same title', () => {
  const titles = suiteTitles()
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
})
