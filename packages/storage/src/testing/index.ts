export { type DiskOperation, type FaultHook, setFaultHook } from '../files/fault-point.ts'
