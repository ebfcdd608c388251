export { createMemoryStore, type MemoryStoreOptions } from '../registry/memory/memory-store.ts'
export { type CassetteOptions, cassetteModel } from './cassette.ts'
export { type CrashAt, crashAt } from './crash-at.ts'
export { FAULT_POINTS, type FaultPlace, type FaultPoint, withFaultPoints } from './fault-points.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { leaseholdMatchers } from './matchers.ts'
export type { Deviation, OpenedRegistry, OpenRegistry } from './registry-suite/harness.ts'
export { type ProcessRegistrySuite, testProcessRegistry } from './registry-suite.ts'
export { type CrashRun, type CrashRunRequest, runWithCrash } from './run-with-crash.ts'
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
