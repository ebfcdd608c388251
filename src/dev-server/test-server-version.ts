/** The one version that is downloaded, fetched and cached; it is numbered with Temporal's Java SDK, which it comes from. */
export const TEST_SERVER_VERSION = '1.38.0'

/** What its jars ask for, named in advice to people. */
export const JAVA_VERSION_NEEDED = '8'
