export { type Demo, type DemoOptions, type DemoProgress, makeDemo } from './make-demo.ts'
export type { DemoSize } from './plan/demo-plan.ts'
