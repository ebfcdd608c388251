import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { importsIn, languageOf } from '../../examples/survey/languages.ts'
import { surveyFile } from '../../examples/survey/survey-file.ts'
import { walk } from '../../examples/survey/walk.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { folderOf } from './survey-folder.ts'

test('a walk lists regular files in one order, and neither follows links nor waits for pipes', async () => {
  const folder = await folderOf({
    'b.txt': '',
    'a/z.txt': '',
    'a/B.txt': '',
    'dist/x.js': '',
    'a/.git/HEAD': '',
  })
  await symlink('..', join(folder, 'a', 'loop'))
  await promisify(execFile)('mkfifo', [join(folder, 'pipe')])
  expect(await walk(folder)).toEqual({
    files: ['a/B.txt', 'a/z.txt', 'b.txt'],
    unreadableFolders: [],
    leftOut: 2,
  })
})

test('a folder that cannot be read at all is an error, not an empty walk', async () => {
  await expect(walk(join(await temporaryFolder(), 'nowhere'))).rejects.toThrow('ENOENT')
})

test('a file that is gone by now is a finding', async () => {
  const survey = await surveyFile(await temporaryFolder(), 'gone.ts')
  expect(survey).toEqual({ kind: 'unreadable', path: 'gone.ts', reason: 'ENOENT' })
})

test('a text that is too large to be held is measured and hashed like a binary', async () => {
  const folder = await temporaryFolder()
  const content = 'x'.repeat(5 * 1024 * 1024)
  await writeFile(join(folder, 'large.txt'), content)
  const hash = createHash('sha256').update(content).digest('hex')
  const survey = await surveyFile(folder, 'large.txt')
  expect(survey).toEqual({ kind: 'binary', path: 'large.txt', bytes: content.length, hash })
})

test('a marker is cut between characters, and thousands of them to a hundred', async () => {
  const folder = await folderOf({ 'a.txt': `// TODO: ${'😀'.repeat(200)}\n${'FIXME: x\n'.repeat(5_000)}` })
  const survey = await surveyFile(folder, 'a.txt')
  if (survey.kind !== 'text') throw new Error(`expected text, found ${survey.kind}`)
  expect(survey.todos).toHaveLength(100)
  expect(survey.todos[0]).toEqual({ line: 1, text: `TODO: ${'😀'.repeat(114)}…` })
})

const IMPORTS: readonly { path: string; text: string; finds: readonly string[] }[] = [
  {
    path: 'a.ts',
    text: "import type { A } from 'a'\nexport * from './b'\nimport 'c'\n",
    finds: ['./b', 'a', 'c'],
  },
  { path: 'a.ts', text: "import {\n  A,\n} from 'a'\nconst b = await import('b')\n", finds: ['a', 'b'] },
  { path: 'a.cjs', text: "const a = require('a'), again = require('a')\n", finds: ['a'] },
  { path: 'a.js', text: "const text = 'import nothing from here'\n", finds: [] },
  { path: 'a.py', text: 'import os\nfrom a.b import c\n', finds: ['a.b', 'os'] },
  { path: 'a.go', text: 'import (\n\t"fmt"\n\tlog "x/log"\n)\nimport "os"\n', finds: ['fmt', 'os', 'x/log'] },
  { path: 'a.rs', text: 'use std::fs;\npub use crate::a;\n', finds: ['crate::a', 'std::fs'] },
  {
    path: 'a.java',
    text: 'import java.util.List;\nimport static a.B.c;\n',
    finds: ['a.B.c', 'java.util.List'],
  },
  { path: 'a.h', text: '#include <stdio.h>\n# include "b.h"\n', finds: ['b.h', 'stdio.h'] },
  { path: 'Makefile', text: 'include a.mk\n', finds: [] },
]

for (const { path, text, finds } of IMPORTS) {
  test(`in ${path}, ${JSON.stringify(text)} imports ${finds.join(', ') || 'nothing'}`, () => {
    expect(importsIn(text, languageOf(path))).toEqual(finds)
  })
}
