/** What stands where secrets do in a host, each to be known again wherever it turns up. */
export const PLANTED = {
  ofEnvironment: 'planted-of-environment',
  apiKey: `sk-planted-${'a1'.repeat(12)}`,
  password: 'planted-of-address',
  bearer: 'planted0of0header0',
  ofPolicy: 'planted-of-policy',
  ofOption: 'planted-of-option',
  ofInput: 'planted-of-input',
  ofEvent: 'planted-of-event',
}

/** An address at which nobody listens. */
export const PLANTED_ADDRESS = `postgres://ana:${PLANTED.password}@127.0.0.1:9/none`

/** What may be seen, so that it is known that a scan finds what is there. */
export const OPEN = 'to-be-seen-by-everybody'

/** An error as clients throw it: with what was refused. */
export const refused = (): Error =>
  new Error(`401 at ${PLANTED_ADDRESS}: key ${PLANTED.apiKey}, header "Bearer ${PLANTED.bearer}" (${OPEN})`)

/** The names of those that a text shows. */
export const plantedIn = (text: string): string[] =>
  Object.entries(PLANTED).flatMap(([name, value]) => (text.includes(value) ? [name] : []))
