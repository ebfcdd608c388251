import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath } from './executable.ts'
import { startGuarded } from './guarded-command.ts'
import { withProgress } from './progress.ts'
import {
  BUILT_CLI_VERSION,
  EXECUTABLE_SUFFIX,
  type FindTemporalServerOptions,
  GO_VERSION_NEEDED,
  SQLITE_DRIVER_VERSION,
} from './temporal-cli.ts'

const PACKAGE = 'github.com/temporalio/cli/cmd/temporal'

/**
 * A module of ours around the CLI's package, because `go install PACKAGE@VERSION` takes no other version of what the
 * CLI is made of. All else follows from these two, and Go's checksum database vouches for each.
 */
const GO_MOD = `module leasehold/temporal-cli

go ${GO_VERSION_NEEDED}.0

require (
	github.com/temporalio/cli ${BUILT_CLI_VERSION}
	modernc.org/sqlite ${SQLITE_DRIVER_VERSION}
)
`

/**
 * Builds the CLI with the user's Go into `folder`, and gives its path; beside it stay go.mod and go.sum, which say of
 * what it is made. Throws with the reason if it cannot.
 */
export async function buildCli(folder: string, options: FindTemporalServerOptions): Promise<string> {
  const { env, onProgress, signal } = options
  const go = await findOnPath('go', env)
  if (go === undefined) throw new Error(`no \`go\` on PATH (Go ${GO_VERSION_NEEDED} or newer would do)`)

  let doing = 'looking for what is compiled already'
  let packages = 0
  await writeFile(join(folder, 'go.mod'), GO_MOD)
  // -v prints each package when its compilation begins: the only sign of life in a build of minutes.
  const build = startGuarded(go, ['install', '-mod=mod', '-v', PACKAGE], {
    // None of the caller's go.work, vendor folder, or old mode without modules.
    env: { ...env, GOBIN: folder, GOWORK: 'off', GO111MODULE: 'on' },
    cwd: folder,
    signal,
    onStderr(line) {
      if (!line.startsWith('go: ')) packages += 1
      doing = line.startsWith('go: ') ? line.slice('go: '.length) : `${packages} packages, now ${line}`
    },
  })
  const exit = await withProgress(
    onProgress,
    elapsed =>
      `building the Temporal CLI ${BUILT_CLI_VERSION} with Go, once; cold it takes 3 to 6 minutes (${elapsed}: ${doing})`,
    () => build.exited,
  )
  signal?.throwIfAborted()
  if (exit.code !== 0)
    throw new Error(`\`go install ${PACKAGE}\` ended with exit code ${exit.code}:\n${exit.stderr}`)
  return join(folder, `temporal${EXECUTABLE_SUFFIX}`)
}
