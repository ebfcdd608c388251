/** What looks for planted secrets in the whole run finds those that are there. Those of servers are planted anew in each run. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { scanFiles } from '../support/scan/files.ts'
import { scannedLogger, takeFindings } from '../support/scan/logs.ts'
import { CONTROL, RUN_ENV, RUN_SECRETS, refuseFindings, secretsIn } from '../support/scan/run-secrets.ts'

const NAMES = Object.keys(RUN_SECRETS)

test('each of the planted secrets is about every test', () => {
  expect(process.env).toMatchObject(RUN_ENV)
  expect(secretsIn(JSON.stringify(process.env)).secrets).toEqual([
    'the key of a model',
    'the key of Temporal',
  ])
  expect(secretsIn(inject('postgresUrl')).secrets).toEqual(['the password of PostgreSQL'])
  expect(decodeURIComponent(new URL(inject('postgresUrl')).password)).toBe(
    RUN_SECRETS['the password of PostgreSQL'],
  )
})

test('a secret in a file is found, wherever in it, and told without being shown', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-planted-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  expect(await scanFiles(folder)).toEqual({ bytes: 0, findings: [], hasControl: false })
  await mkdir(join(folder, 'below'))
  const key = RUN_SECRETS['the key of a model']
  // Across the end of what is read at a time.
  await writeFile(
    join(folder, 'below', 'large'),
    Buffer.concat([Buffer.alloc(4 * 2 ** 20 - 5), Buffer.from(key)]),
  )
  await writeFile(join(folder, 'all'), `${Object.values(RUN_SECRETS).join('\n')} ${CONTROL}`)
  await writeFile(join(folder, 'none'), key.slice(1))
  const { findings, hasControl } = await scanFiles(folder)
  expect(findings.toSorted()).toEqual([`all: ${NAMES.join(', ')}`, 'below/large: the key of a model'])
  expect(hasControl).toBe(true)
  const told = () => refuseFindings('files', findings)
  expect(told).toThrow('below/large: the key of a model')
  expect(told).not.toThrow(key)
})

test('a secret in a log is found, in its words and in its fields', () => {
  scannedLogger.warn('connecting', { url: new URL(inject('postgresUrl')) })
  scannedLogger.debug(`with ${RUN_ENV.PLANTED_MODEL_KEY}`)
  scannedLogger.error('nothing', { of: 'the kind' })
  expect(takeFindings()).toEqual(['the password of PostgreSQL', 'the key of a model'])
})
