import { type LimitNode, SqliteQueryCompiler } from 'kysely'

/**
 * SQLite plans by the value of a limit that is a parameter by itself, and so prepares such a statement anew each time the
 * parameter is bound, with the same value as well: ten times what most statements here take. It does not look into a sum.
 */
export class PreparedOnceCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node)
    this.append(' + 0')
  }
}
