import { createHash } from 'node:crypto'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../support/temporary-folder.ts'

export async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

export const manyFiles = (count: number): Promise<string> =>
  folderOf(
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`file-${index}.txt`, `${index}\n`])),
  )

const NOTE = '# Note\n\nTwice the same.\n'

/** A folder with one of each, and what its report must say, counted by hand. */
export async function folderWithReport(): Promise<{ folder: string; report: string }> {
  const folder = await folderOf({
    'src/a.ts':
      "import { join } from 'node:path'\nimport { b } from './b.ts'\n// TODO: say `more`|\nexport const a = join(b)\n",
    'src/b.ts': "export const b = 'without a newline at the end'",
    'docs/note.md': NOTE,
    'copy/note.md': NOTE,
    'logo.png': 'PNG\0\0\0\0\0\0\0',
    'empty.txt': '',
    'odd |`name.txt': 'odd\n',
    '.git/config': 'not ours\n',
    'node_modules/left-out/index.js': 'not ours\n',
    'dist/a.js': 'not ours\n',
    'data/old.txt': 'not ours\n',
  })
  await symlink('.', join(folder, 'loop'))
  await symlink('nowhere', join(folder, 'dangling'))
  const hash = createHash('sha256').update(NOTE).digest('hex').slice(0, 12)
  const report = `# Survey of \`${folder}\`

| Total |  |
| --- | --- |
| Files | 7 |
| Bytes | 215 |
| Lines of text | 12 |
| Binary files, or too large to be read as text | 1 |
| Links and special files, left out | 2 |

## Languages

| Language | Files | Lines | Bytes |
| --- | --- | --- | --- |
| Markdown | 2 | 6 | 48 |
| TypeScript | 2 | 5 | 153 |
| Other text | 2 | 1 | 4 |

## Largest files

| File | Bytes |
| --- | --- |
| \`src/a.ts\` | 106 |
| \`src/b.ts\` | 47 |
| \`copy/note.md\` | 24 |
| \`docs/note.md\` | 24 |
| \`logo.png\` | 10 |
| \`odd ··name.txt\` | 4 |
| \`empty.txt\` | 0 |

## Most imported

| Module | Files |
| --- | --- |
| \`node:path\` | 1 |

## Markers (1)

| Where | Text |
| --- | --- |
| \`src/a.ts:3\` | \`TODO: say ·more··\` |

## Duplicates (1)

| SHA-256 | Bytes | Files |
| --- | --- | --- |
| \`${hash}\` | 24 | \`copy/note.md\`<br>\`docs/note.md\` |
`
  return { folder, report }
}
