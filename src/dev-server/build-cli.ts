import { join } from 'node:path'
import { findOnPath } from './executable.ts'
import { startGuarded } from './guarded-command.ts'
import { withProgress } from './progress.ts'
import {
  EXECUTABLE_SUFFIX,
  type FindTemporalServerOptions,
  GO_VERSION_NEEDED,
  TEMPORAL_CLI_VERSION,
} from './temporal-cli.ts'

const MODULE = `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_CLI_VERSION}`

/** Builds the CLI with the user's Go into `folder`, and gives its path. Throws with the reason if it cannot. */
export async function buildCli(folder: string, options: FindTemporalServerOptions): Promise<string> {
  const { env, onProgress, signal } = options
  const go = await findOnPath('go', env)
  if (go === undefined) throw new Error(`no \`go\` on PATH (Go ${GO_VERSION_NEEDED} or newer would do)`)

  let doing = 'looking for what is compiled already'
  let packages = 0
  // -v prints each package when its compilation begins: the only sign of life in a build of minutes.
  const build = startGuarded(go, ['install', '-v', MODULE], {
    env: { ...env, GOBIN: folder },
    // Away from the caller's go.mod, go.work and vendor folder.
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
      `building the Temporal CLI ${TEMPORAL_CLI_VERSION} with Go, once; cold it takes 3 to 6 minutes (${elapsed}: ${doing})`,
    () => build.exited,
  )
  signal?.throwIfAborted()
  if (exit.code !== 0)
    throw new Error(`\`go install ${MODULE}\` ended with exit code ${exit.code}:\n${exit.stderr}`)
  return join(folder, `temporal${EXECUTABLE_SUFFIX}`)
}
