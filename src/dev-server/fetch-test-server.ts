import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath } from './executable.ts'
import { startGuarded } from './guarded-command.ts'
import { withProgress } from './progress.ts'
import type { FindTemporalServerOptions } from './temporal-cli.ts'
import { JAVA_VERSION_NEEDED, TEST_SERVER_VERSION } from './test-server-version.ts'

/** Of one version, so that what is fetched does not depend on which Maven runs it. */
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>leasehold</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${TEST_SERVER_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`

/** Beside its jars, wherever that is; Java is the user's. */
const LAUNCHER = `#!/bin/sh
exec java -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`

/**
 * Has the user's Maven fetch the test server's jars into `folder/lib`, and gives the path of a script beside them that
 * runs it. Throws with the reason if it cannot.
 */
export async function fetchTestServer(folder: string, options: FindTemporalServerOptions): Promise<string> {
  const { env, onProgress, signal } = options
  if (process.platform === 'win32') throw new Error('what starts its jars is a script for a Unix shell')
  const maven = await findOnPath('mvn', env)
  if (maven === undefined) throw new Error('no `mvn` on PATH')
  if ((await findOnPath('java', env)) === undefined)
    throw new Error(`no \`java\` on PATH (Java ${JAVA_VERSION_NEEDED} or newer would do)`)

  const project = join(folder, 'project')
  const lib = join(folder, 'lib')
  await mkdir(project)
  await writeFile(join(project, 'pom.xml'), POM)
  let jars = 0
  const complaints: string[] = []
  const fetching = startGuarded(
    maven,
    ['-B', COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${lib}`],
    {
      env,
      // Away from the caller's own pom.xml.
      cwd: project,
      signal,
      onStdout(line) {
        if (/Downloaded from|Copying/.test(line)) jars += 1
        if (line.startsWith('[ERROR]')) complaints.push(line)
      },
    },
  )
  const exit = await withProgress(
    onProgress,
    elapsed =>
      `fetching Temporal's test server ${TEST_SERVER_VERSION} with Maven, once (${elapsed}, ${jars} files)`,
    () => fetching.exited,
  )
  signal?.throwIfAborted()
  if (exit.code !== 0) {
    const said = complaints.slice(0, 3).join('\n') || exit.stderr
    throw new Error(`\`mvn ${COPY_DEPENDENCIES}\` ended with exit code ${exit.code}:\n${said}`)
  }
  await rm(project, { recursive: true })
  const launcher = join(folder, 'launcher')
  await writeFile(launcher, LAUNCHER)
  await chmod(launcher, 0o755)
  return launcher
}
