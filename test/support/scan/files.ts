import { closeSync, openSync, readSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { LONGEST_SECRET, refuseFindings, secretsIn } from './run-secrets.ts'

const PIECE = 4 * 2 ** 20
/** One for all: a database is thousands of small files. */
const buffer = Buffer.alloc(PIECE)

export interface ScannedFiles {
  readonly bytes: number
  /** `base/5/2619: the password of PostgreSQL`. */
  readonly findings: readonly string[]
  readonly hasControl: boolean
}

/** Looks for planted secrets in every file below the folder. One that is gone meanwhile is no longer of interest. */
export async function scanFiles(folder: string): Promise<ScannedFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const findings: string[] = []
  let bytes = 0
  let hasControl = false
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const secrets = new Set<string>()
    for (const { piece, isNew } of piecesOf(path)) {
      bytes += isNew
      const found = secretsIn(piece)
      for (const name of found.secrets) secrets.add(name)
      hasControl ||= found.hasControl
    }
    if (secrets.size > 0) findings.push(`${relative(folder, path)}: ${[...secrets].join(', ')}`)
  }
  return { bytes, findings, hasControl }
}

/** Throws where one of the files holds a planted secret. */
export async function refuseSecretsIn(folder: string): Promise<void> {
  refuseFindings('the files of a test', (await scanFiles(folder)).findings)
}

/** A file piece by piece; each begins with the end of the one before, and says how much of it is new. */
function* piecesOf(path: string): Generator<{ readonly piece: Buffer; readonly isNew: number }> {
  const file = openIfThere(path)
  if (file === undefined) return
  try {
    let kept = 0
    while (true) {
      const isNew = readSync(file, buffer, kept, PIECE - kept, null)
      if (isNew === 0) return
      const length = kept + isNew
      yield { piece: buffer.subarray(0, length), isNew }
      kept = Math.min(length, LONGEST_SECRET)
      buffer.copyWithin(0, length - kept, length)
    }
  } finally {
    closeSync(file)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}
