import { type Json, jsonEquals } from '../model/json.ts'
import type { PartTable } from './part-table.ts'
import type { ListedTools, ToolTable } from './plugin.ts'

/** `remember`: returns the list that this plugin's tools were first made of, which may be the one given. */
export type PinTools = (remember: (plugin: string, list: Json) => Promise<Json>) => Promise<void>

/** The tools that stand in the table for one plugin's list. */
export interface Listing {
  readonly plugin: string
  readonly listed: ListedTools
  /** The tools of its list, by name. */
  readonly names: readonly string[]
}

export async function addListed(
  tools: PartTable<ToolTable[string]>,
  plugin: string,
  listed: ListedTools,
): Promise<Listing> {
  const table = await listed.toolsOf(listed.list)
  tools.add(`plugin "${plugin}"`, table)
  return { plugin, listed, names: Object.keys(table) }
}

/** Puts the tools of the remembered lists in the place of those that are listed now. */
export async function pinTools(
  tools: PartTable<ToolTable[string]>,
  listings: readonly Listing[],
  remember: Parameters<PinTools>[0],
): Promise<void> {
  for (const { plugin, listed, names } of listings) {
    const list = await remember(plugin, listed.list)
    if (jsonEquals(list, listed.list)) continue
    tools.remove(names)
    await addListed(tools, plugin, { ...listed, list })
  }
}
