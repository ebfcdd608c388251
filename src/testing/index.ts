export { createMemoryStore, type MemoryStoreOptions } from '../registry/memory/memory-store.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export type { Deviation, OpenedRegistry, OpenRegistry } from './registry-suite/harness.ts'
export { type ProcessRegistrySuite, testProcessRegistry } from './registry-suite.ts'
export {
  type ModelPrompt,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedSay,
  type ScriptedStep,
  scriptedModel,
} from './scripted-model.ts'
