import { DatabaseSync } from 'node:sqlite'

/** Milliseconds of one durable commit of one row, with nothing around it: the floor under a step on this machine. */
export function commitCost(path: string, commits: number): number {
  const database = new DatabaseSync(path)
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full')
    database.exec('create table if not exists entries (id integer primary key, value text) strict')
    const insert = database.prepare('insert into entries (value) values (?)')
    const begun = performance.now()
    for (let index = 0; index < commits; index++) insert.run(`value ${index}`)
    return (performance.now() - begun) / commits
  } finally {
    database.close()
  }
}
