/*
 * A process of its own: `sdk-download dev-server|time-skipping <folder> <version>`. The SDK's download cannot be aborted from JavaScript,
 * and it offers none without a start: so it is done where it can be killed, and the server is stopped at once.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing'

const [server, downloadDir = '', version = ''] = process.argv.slice(2)
try {
  const options = { server: { executable: { type: 'cached-download', downloadDir, version } } } as const
  const environment = await (server === 'time-skipping'
    ? TestWorkflowEnvironment.createTimeSkipping(options)
    : TestWorkflowEnvironment.createLocal(options))
  await environment.teardown()
} catch (error) {
  // One line, the last: the owner shows it as the reason.
  console.error(String((error as Error).message).replaceAll('\n', ' '))
  process.exit(1)
}
