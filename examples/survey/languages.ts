import { extname } from 'node:path'

export interface Language {
  readonly name: string
  /** Each finds one import in its first group. They look at single lines, so that long files cost no more than their length. */
  readonly imports: readonly RegExp[]
}

const ECMASCRIPT = [
  /^(?:import|export|\})[^'"\n]*\bfrom\s*['"]([^'"\n]+)['"]/gm,
  /^import\s*['"]([^'"\n]+)['"]/gm,
  /\b(?:import|require)\(\s*['"]([^'"\n]+)['"]\s*\)/g,
]
const INCLUDE = [/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]/gm]
const DOTTED = [/^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)/gm]

const TABLE: readonly (Language & { readonly extensions: readonly string[] })[] = [
  { name: 'TypeScript', extensions: ['.ts', '.tsx', '.mts', '.cts'], imports: ECMASCRIPT },
  { name: 'JavaScript', extensions: ['.js', '.jsx', '.mjs', '.cjs'], imports: ECMASCRIPT },
  { name: 'Python', extensions: ['.py'], imports: [/^[ \t]*(?:from|import)[ \t]+([\w.]+)/gm] },
  { name: 'Go', extensions: ['.go'], imports: [/^(?:import)?[ \t]+(?:[\w.]+[ \t]+)?"([^"\n]+)"[ \t]*$/gm] },
  { name: 'Rust', extensions: ['.rs'], imports: [/^[ \t]*(?:pub[ \t]+)?use[ \t]+([\w:]+)/gm] },
  { name: 'Java', extensions: ['.java'], imports: DOTTED },
  { name: 'Kotlin', extensions: ['.kt', '.kts'], imports: DOTTED },
  { name: 'C', extensions: ['.c', '.h'], imports: INCLUDE },
  { name: 'C++', extensions: ['.cc', '.cpp', '.cxx', '.hh', '.hpp'], imports: INCLUDE },
  { name: 'Ruby', extensions: ['.rb'], imports: [/^[ \t]*require(?:_relative)?[ \t]+['"]([^'"\n]+)['"]/gm] },
  {
    name: 'CSS',
    extensions: ['.css', '.scss'],
    imports: [/^[ \t]*@(?:import|use)[ \t]+['"]([^'"\n]+)['"]/gm],
  },
  { name: 'Shell', extensions: ['.sh', '.bash'], imports: [] },
  { name: 'SQL', extensions: ['.sql'], imports: [] },
  { name: 'HTML', extensions: ['.html', '.htm'], imports: [] },
  { name: 'Markdown', extensions: ['.md'], imports: [] },
  { name: 'JSON', extensions: ['.json'], imports: [] },
  { name: 'YAML', extensions: ['.yml', '.yaml'], imports: [] },
  { name: 'TOML', extensions: ['.toml'], imports: [] },
]

const BY_EXTENSION = new Map(TABLE.flatMap(entry => entry.extensions.map(extension => [extension, entry])))
const OTHER: Language = { name: 'Other text', imports: [] }

export const languageOf = (path: string): Language => BY_EXTENSION.get(extname(path).toLowerCase()) ?? OTHER

/** Each imported module once, in order of name. */
export function importsIn(text: string, { imports }: Language): string[] {
  const found = imports.flatMap(pattern => [...text.matchAll(pattern)].map(match => match[1] ?? ''))
  return [...new Set(found)].sort()
}
