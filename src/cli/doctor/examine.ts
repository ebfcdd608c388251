import type { Client } from '@temporalio/client'
import { defaultTaskQueue } from '../../contract.ts'
import { isLeaseholdError } from '../../model/errors.ts'
import type { Trigger } from '../../model/trigger.ts'
import { allTriggers } from '../../registry/all-triggers.ts'
import type { RegistrySource } from '../../registry/source.ts'
import { cacheFolder } from '../cache-folder.ts'
import type { ConnectionSettings } from '../connection-settings.ts'
import type { Environment } from '../context.ts'
import { loadHost } from '../load-host.ts'
import { withRegistry } from '../open-registry.ts'
import { withTemporalClient } from '../temporal-client.ts'
import { requireTemporal } from '../temporal-server.ts'
import { type Check, failed, ok, warn } from './check.ts'
import { checkFeed } from './feed-check.ts'
import { checkNode } from './node-check.ts'
import { checkOrder } from './order-check.ts'
import { checkRegistry } from './registry-check.ts'
import { checkSchedules } from './schedules-check.ts'
import { checkNamespace, checkServer, checkWorkers } from './temporal-checks.ts'

export interface ExamineOptions {
  /** The one check that is more than looking: it has workflows of its own in the namespace. */
  readonly tryOrder: boolean
}

/** All checks; one that fails keeps no other from being made. Nothing is changed anywhere, unless the options say so. */
export async function examine(
  env: Environment,
  settings: ConnectionSettings,
  options: ExamineOptions,
): Promise<Check[]> {
  const { checks: registry, registryId, triggers } = await examineRegistry(settings)
  const host = settings.host === undefined ? [] : await examineHost(settings.host, registryId)
  const taskQueue = settings.taskQueue ?? (registryId && defaultTaskQueue(registryId))
  const schedules: Schedules = (client, queue) =>
    registryId === undefined ? [] : checkSchedules(triggers, { client, registryId, taskQueue: queue })
  return [
    checkNode(),
    ...host,
    ...registry,
    await examineBundle(env),
    ...(await examineTemporal(settings, taskQueue, schedules, options)),
  ]
}

interface RegistryExamined {
  readonly checks: Check[]
  readonly triggers: readonly Trigger[]
  readonly registryId?: string
}

async function examineRegistry(settings: ConnectionSettings): Promise<RegistryExamined> {
  try {
    return await withRegistry(settings, async (registry, { description }) => ({
      checks: [await checkRegistry(registry, description), await checkFeed(registry)],
      triggers: await allTriggers(registry),
      registryId: registry.registryId,
    }))
  } catch (error) {
    const isMissing = isLeaseholdError(error, 'registry_unavailable') && error.details.isMissing === true
    return { checks: [isMissing ? warn('registry', error.message) : failed('registry', error)], triggers: [] }
  }
}

/** A host whose processes are not in the registry that the other commands look into is a riddle to whoever looks. */
async function examineHost(file: string, registryId: string | undefined): Promise<Check[]> {
  try {
    const { engines = {}, tools = {}, registry } = await loadHost(file)
    const loads = ok('host', `${file}: engines ${names(engines)}; tools ${names(tools)}`)
    if (registryId === undefined || (await idOf(registry)) === registryId) return [loads]
    const elsewhere = warn(
      'host',
      `its registry is ${registry.description}, another one than the commands look into`,
      'Make LEASEHOLD_REGISTRY or --registry name the same, or leave it out.',
    )
    return [loads, elsewhere]
  } catch (error) {
    return [failed('host', error)]
  }
}

/** Absent where it was never made, or cannot be opened. */
async function idOf(source: RegistrySource): Promise<string | undefined> {
  try {
    const registry = await source.open({ mustExist: true })
    await registry.close()
    return registry.registryId
  } catch {
    return undefined
  }
}

async function examineBundle(env: Environment): Promise<Check> {
  try {
    const { cachedBundlePath } = await import('../../workflow-bundle.ts')
    return ok('bundle', await cachedBundlePath(cacheFolder(env)))
  } catch (error) {
    return failed('bundle', error, `Make ${cacheFolder(env)} writable, or install the dependencies again.`)
  }
}

type Schedules = (client: Client, taskQueue: string) => Promise<readonly Check[]> | readonly Check[]

async function examineTemporal(
  settings: ConnectionSettings,
  taskQueue: string | undefined,
  checkSchedulesAt: Schedules,
  { tryOrder }: ExamineOptions,
): Promise<Check[]> {
  try {
    await requireTemporal(await settings.temporal())
    return await withTemporalClient(settings, async (client, temporal) => {
      const { connection } = client
      const server = [await checkServer(connection, temporal)]
      const namespace = await checkNamespace(connection, temporal)
      if (namespace.status !== 'ok' || taskQueue === undefined) return [...server, namespace]
      return [
        ...server,
        namespace,
        ...(await checkWorkers(connection, { namespace: temporal.namespace, taskQueue })),
        ...(await checkSchedulesAt(client, taskQueue)),
        ...(tryOrder ? [await checkOrder(client)] : []),
      ]
    })
  } catch (error) {
    return [failed('temporal', error)]
  }
}

const names = (table: object): string => Object.keys(table).join(', ') || 'none'
