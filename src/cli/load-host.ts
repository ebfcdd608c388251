import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isLeaseholdError, LeaseholdError, messageOf } from '../model/errors.ts'
import { type Host, requireHost } from '../runtime/host.ts'
import type { ConnectionSettings } from './connection-settings.ts'

/** The file of the host module, for commands that cannot do without. */
export function requireHostFile({ host }: ConnectionSettings): string {
  if (host !== undefined) return host
  throw new LeaseholdError(
    'usage',
    'No host module is named. Give --host FILE, or set LEASEHOLD_HOST: a file whose default export is defineHost({ registry, engines, tools }).',
  )
}

/** Loads a host module and checks it, or throws `host_invalid` with the file, the reason and what to do. */
export async function loadHost(file: string): Promise<Host> {
  const path = resolve(file)
  if (!existsSync(path)) throw invalid(path, 'does not exist', 'Correct --host or LEASEHOLD_HOST')
  const { default: host, ...others } = await importModule(path)
  if (host === undefined || isEmpty(host)) {
    // Node's own name for all that a CommonJS module exports.
    const { 'module.exports': _, ...named } = others
    const exports = Object.keys(named).join(', ') || 'nothing'
    const advice = 'Write: export default defineHost({ registry, engines, tools })'
    throw invalid(path, `has no default export (it exports ${exports})`, advice)
  }
  try {
    return requireHost(host as Host)
  } catch (error) {
    const reason = messageOf(error)
    const [, about] = /^The host module (.*)$/s.exec(reason) ?? []
    throw invalid(path, about ?? `cannot be used: ${reason}`, 'Correct its default export', error)
  }
}

/** An empty file is a CommonJS module to Node, which exports an empty object. */
const isEmpty = (host: unknown): boolean =>
  typeof host === 'object' && host !== null && Object.keys(host).length === 0

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    throw invalid(path, `does not load: ${reasonOf(error)}`, adviceFor(error), error)
  }
}

/** Errors of our own name what is wrong; others are shown with their kind, since "x is not defined" alone says little. */
function reasonOf(error: unknown): string {
  if (isLeaseholdError(error)) return `${error.code}: ${error.message}`
  return error instanceof Error
    ? `${error.name}: ${error.message.replaceAll('\n', ' ')}`
    : `threw ${String(error)}`
}

function adviceFor(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return 'Node loads TypeScript from 22.18 on: upgrade it, or give a .js file'
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return 'Node strips types and compiles nothing: leave out enums, namespaces and parameter properties'
    case 'ERR_MODULE_NOT_FOUND':
      return 'Install what it imports, and write imports of files with their ending'
    default:
      return 'Correct the module; --debug shows where it happened'
  }
}

const invalid = (path: string, reason: string, advice: string, cause?: unknown): LeaseholdError =>
  new LeaseholdError('host_invalid', `The host module ${path} ${reason.replace(/[.\s]*$/, '')}. ${advice}.`, {
    ...(cause === undefined ? {} : { cause }),
    details: { file: path },
  })
