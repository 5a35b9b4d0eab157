export { type DiskOperation, type FaultHook, setFaultHook } from '../files/fault-point.ts'
export { type Snapshot, snapshot } from '../maintenance/testing/maintenance-fixture.ts'
export { hashTree } from './hash-tree.ts'
export * from './shared-workspaces.ts'
