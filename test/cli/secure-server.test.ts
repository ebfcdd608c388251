import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { SELF_SIGNED, SIGNED } from '../support/self-signed.ts'
import { openTemporalDoor } from '../support/temporal-door.ts'
import { jsonError, openWorkspace } from './fixtures.ts'

const MEMBERS = `engines: { greet: defineEngine({ disposition: 'rerunnable', run: () => 'hello' }) }`

async function withFiles() {
  const workspace = await openWorkspace()
  const LEASEHOLD_HOST = await workspace.writeHost(MEMBERS)
  const ca = await workspace.write('ca.pem', SELF_SIGNED.cert)
  const cert = await workspace.write('client.pem', SIGNED.cert)
  const key = await workspace.write('client.key', SIGNED.key)
  return { ...workspace, LEASEHOLD_HOST, ca, cert, key }
}

test('worker, start and doctor get in by a client certificate (mTLS), and without it are told what to do', async () => {
  const door = await openTemporalDoor(inject('temporalAddress'), { type: 'certificate' })
  const { start, cli, id, LEASEHOLD_HOST, ca, cert, key } = await withFiles()
  const bare = { LEASEHOLD_HOST, TEMPORAL_ADDRESS: door.address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca }
  const env = { ...bare, TEMPORAL_TLS_CLIENT_CERT_PATH: cert, TEMPORAL_TLS_CLIENT_KEY_PATH: key }
  const worker = start(['worker'], { env })
  await worker.line('ready')
  expect(await cli(['start', 'greet', '--id', id, '--wait'], { env })).toMatchObject({ code: 0 })
  expect((await cli(['doctor', '--json'], { env })).code).toBe(0)
  expect(door.calls.in).toBeGreaterThan(0)

  const ended = await cli(['worker', '--json'], { env: bare })
  expect(ended.code).toBe(5)
  expect(jsonError(ended)).toMatchObject({ code: 'temporal_unreachable', address: door.address })
  worker.child.kill('SIGTERM')
  expect((await worker.ended).code).toBe(0)
})

test('a profile of Temporal’s configuration file gets them in by an API key, which nothing shows', async () => {
  const apiKey = 'key-that-nobody-may-read'
  const door = await openTemporalDoor(inject('temporalAddress'), { type: 'api-key', apiKey })
  const { start, cli, id, write, folder, LEASEHOLD_HOST, ca } = await withFiles()
  const profile = (key: string) =>
    `[profile.team]\naddress = "${door.address}"\nnamespace = "default"\napi_key = ${key}\n[profile.team.tls]\nserver_ca_cert_path = "${ca}"\n`
  const TEMPORAL_CONFIG_FILE = await write('temporal.toml', profile(`"${apiKey}"`))
  const team = { TEMPORAL_ADDRESS: '', TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: 'team' }
  // No key but the profile's.
  const env = { LEASEHOLD_HOST, ...team, TEMPORAL_GRPC_META_AUTHORIZATION: '' }
  const worker = start(['worker', '--json'], { env })
  expect(JSON.parse(await worker.line('"ready"')).ready.temporal).toEqual({
    address: door.address,
    namespace: 'default',
  })
  const started = await cli(['start', 'greet', '--id', id, '--wait', '--json'], { env })
  expect(started.code).toBe(0)
  expect(door.calls.refused).toBe(0)
  worker.child.kill('SIGTERM')

  const wrong = { ...env, TEMPORAL_API_KEY: `wrong-${apiKey}` }
  const denied = await cli(['worker', '--json'], { env: wrong })
  const dev = await cli(['dev', '--json'], { env: { ...wrong, TEMPORAL_ADDRESS: door.address } })
  for (const ended of [denied, dev]) {
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'temporal_access_denied', address: door.address })
  }
  await write('temporal.toml', profile(apiKey))
  const broken = await cli(['start', 'greet', '--json', '--debug'], { env })
  expect(broken.code).toBe(2)
  expect(jsonError(broken)).toMatchObject({
    code: 'usage',
    message: expect.stringContaining('TEMPORAL_CONFIG_FILE'),
  })
  const missing = await cli(['doctor'], { env: { ...env, TEMPORAL_CONFIG_FILE: join(folder, 'none.toml') } })
  expect(missing.stdout).toContain("Profile 'team' not found")
  for (const { stdout, stderr } of [await worker.ended, started, denied, dev, broken, missing])
    expect(stdout + stderr).not.toContain(apiKey)
})
