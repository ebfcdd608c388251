/** A client in an OS process of its own, which starts one process: `node client-main.ts OPTIONS`. */
import { Client, Connection } from '@temporalio/client'
import { createProcessClient } from '../../src/index.ts'
import { crashHost } from './crash-host.ts'
import { TEMPORAL_METADATA } from './scan/run-secrets.ts'

interface ClientMainOptions {
  readonly registryPath: string
  readonly address: string
  readonly folder: string
  readonly id: string
}

const { registryPath, address, folder, id }: ClientMainOptions = JSON.parse(process.argv[2] ?? '{}')
const temporal = new Client({ connection: Connection.lazy({ address, metadata: TEMPORAL_METADATA }) })
const processes = createProcessClient({ host: crashHost(registryPath), temporal })
await processes.start({ kind: 'door', id, input: { folder } })
