import { z } from 'zod'

const path = z.string()
const bytes = z.number()
const hash = z.string()

/** What one `survey-file` step finds out about a file, and what the journal keeps of it. */
export const fileSurvey = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('text'),
    path,
    bytes,
    hash,
    language: z.string(),
    lines: z.number(),
    imports: z.array(z.string()),
    todos: z.array(z.object({ line: z.number(), text: z.string() })),
  }),
  /** Binary, or too large to be read as text. */
  z.object({ kind: z.literal('binary'), path, bytes, hash }),
  z.object({ kind: z.literal('unreadable'), path, reason: z.string() }),
])

export type FileSurvey = z.infer<typeof fileSurvey>
