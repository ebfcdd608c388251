export type { DevServer, DevServerExit, DevServerOptions, DevServerSource } from './dev-server.ts'
export { findTemporalServer } from './find-temporal-server.ts'
export { startDevServer } from './start-dev-server.ts'
export type { FindTemporalServerOptions, TemporalBinary, TemporalBinarySource } from './temporal-cli.ts'
