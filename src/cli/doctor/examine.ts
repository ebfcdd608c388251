import { defaultTaskQueue } from '../../contract.ts'
import { borrowRegistry } from '../../runtime/open-registry.ts'
import { cacheFolder } from '../cache-folder.ts'
import type { ConnectionSettings } from '../connection-settings.ts'
import type { Environment } from '../context.ts'
import { loadHost } from '../load-host.ts'
import { findRegistry } from '../open-registry.ts'
import { requireTemporal } from '../temporal-server.ts'
import { type Check, failed, ok } from './check.ts'
import { checkNode } from './node-check.ts'
import { checkRegistry } from './registry-check.ts'
import { checkNamespace, checkServer, checkWorkers } from './temporal-checks.ts'

/** All checks, in the order in which one depends on another; one that fails keeps no other from being made. */
export async function examine(env: Environment, settings: ConnectionSettings): Promise<Check[]> {
  const host = settings.host === undefined ? [] : [await examineHost(settings.host)]
  const { check: registry, registryId } = await examineRegistry(settings)
  const taskQueue = settings.taskQueue ?? (registryId && defaultTaskQueue(registryId))
  return [
    checkNode(),
    ...host,
    registry,
    await examineBundle(env),
    ...(await examineTemporal(settings, taskQueue)),
  ]
}

async function examineHost(file: string): Promise<Check> {
  try {
    const { engines = {}, tools = {} } = await loadHost(file)
    return ok('host', `${file}: engines ${names(engines)}; tools ${names(tools)}`)
  } catch (error) {
    return failed('host', error)
  }
}

async function examineRegistry(settings: ConnectionSettings): Promise<{ check: Check; registryId?: string }> {
  try {
    const source = await findRegistry(settings)
    const { registry, release } = await borrowRegistry(source)
    try {
      return { check: await checkRegistry(registry, source.description), registryId: registry.registryId }
    } finally {
      await release()
    }
  } catch (error) {
    return { check: failed('registry', error) }
  }
}

async function examineBundle(env: Environment): Promise<Check> {
  try {
    const { loadWorkflowBundle } = await import('../../workflow-bundle.ts')
    const { codePath } = await loadWorkflowBundle(cacheFolder(env))
    return ok('bundle', codePath)
  } catch (error) {
    return failed('bundle', error, `Make ${cacheFolder(env)} writable, or install the dependencies again.`)
  }
}

async function examineTemporal(
  { temporal }: ConnectionSettings,
  taskQueue: string | undefined,
): Promise<Check[]> {
  const { Connection } = await import('@temporalio/client')
  const connection = Connection.lazy({ address: temporal.address, interceptors: [] })
  try {
    await requireTemporal(temporal)
    const server = [await checkServer(connection, temporal)]
    const namespace = await checkNamespace(connection, temporal)
    if (namespace.status !== 'ok' || taskQueue === undefined) return [...server, namespace]
    return [
      ...server,
      namespace,
      ...(await checkWorkers(connection, { namespace: temporal.namespace, taskQueue })),
    ]
  } catch (error) {
    return [failed('temporal', error)]
  } finally {
    await connection.close()
  }
}

const names = (table: object): string => Object.keys(table).join(', ') || 'none'
