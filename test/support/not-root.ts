const NOBODY = 65_534

/** For a command that refuses to run as root: whom to run it as. */
export const notRoot = (): { uid?: number; gid?: number } =>
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
