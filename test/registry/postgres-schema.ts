import type pg from 'pg'

/** The tables of a schema as the server has them, in a form that can be compared. */
export async function describeSchema(client: pg.Client, schema: string): Promise<string> {
  const columns = await client.query(
    `select table_name, string_agg(
       format(E'  %I %s%s%s%s', column_name, data_type,
         case when collation_name is null then '' else format(' collate %I', collation_name) end,
         case when is_nullable = 'NO' then ' not null' else '' end,
         ' default ' || column_default), E',\\n' order by ordinal_position) as columns
     from information_schema.columns where table_schema = $1 group by table_name order by table_name`,
    [schema],
  )
  const constraints = await client.query(
    `select c.relname as table_name, pg_get_constraintdef(k.oid) as definition
     from pg_constraint k join pg_class c on c.oid = k.conrelid
     where k.connamespace = to_regnamespace(quote_ident($1)) and k.contype in ('p', 'u', 'f', 'c')
     order by k.contype desc, definition`,
    [schema],
  )
  const indexes = await client.query(
    `select i.tablename as table_name, i.indexdef as definition from pg_indexes i
     where i.schemaname = $1 and not exists (
       select 1 from pg_constraint k
       where k.conname = i.indexname and k.connamespace = to_regnamespace(quote_ident($1)))
     order by i.indexname`,
    [schema],
  )
  const named = (rows: { table_name: string; definition: string }[], table: string) =>
    rows.filter(row => row.table_name === table).map(row => row.definition.replaceAll(`${schema}.`, ''))
  return columns.rows
    .map(({ table_name, columns: list }) => {
      const body = [list, ...named(constraints.rows, table_name).map(definition => `  ${definition}`)]
      const lines = [`CREATE TABLE ${table_name} (\n${body.join(',\n')}\n);`]
      return [...lines, ...named(indexes.rows, table_name).map(definition => `${definition};`)].join('\n')
    })
    .join('\n\n')
    .concat('\n')
}
