/*
 * An owner to be killed: `owner find|find-test <cacheDir>` looks for a binary, `owner serve <cacheDir>` runs a dev server.
 * It prints its progress, then its result as one line of JSON. On SIGINT a server's owner drains, then stops it.
 */
import { Connection } from '@temporalio/client'
import { findTemporalServer, findTestServer, startDevServer } from '../../src/dev-server/index.ts'

const [mode, cacheDir = ''] = process.argv.slice(2)
const options = { env: process.env, cacheDir, onProgress: (line: string) => console.log(line) }

if (mode === 'find') {
  console.log(JSON.stringify(await findTemporalServer(options)))
} else if (mode === 'find-test') {
  console.log(JSON.stringify(await findTestServer(options)))
} else {
  const server = await startDevServer({ ...options, preferredPort: 0 })
  process.once('SIGINT', async () => {
    const connection = await Connection.connect({ address: server.address })
    await connection.workflowService.describeNamespace({ namespace: 'default' })
    await connection.close()
    console.log('drained')
    await server.stop()
    console.log('stopped')
  })
  console.log(JSON.stringify({ address: server.address, pid: server.pid }))
}
