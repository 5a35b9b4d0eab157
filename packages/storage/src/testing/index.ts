export { type DiskOperation, type FaultHook, setFaultHook } from '../files/fault-point.ts'
export { hashTree } from './hash-tree.ts'
export * from './shared-workspaces.ts'
