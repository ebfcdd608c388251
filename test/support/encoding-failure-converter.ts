import { DefaultFailureConverter } from '@temporalio/common'

/** Puts messages and stack traces of failures into a payload, so that a codec gets them. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
