import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes the longest, longest first: begun last, one of these would run alone at the end while other workers have nothing to do. */
const longest = [
  'array-store/array-model',
  'migration/faults',
  'merge/faults',
  'merge/real-workspaces',
  'maintenance/maintenance-faults',
  'portable/query-sql',
  'test/exports',
  'test/looking-changes-nothing',
  'test/maintenance-cli',
  'merge/merge-stores',
  'maintenance/real-workspaces',
  'store/store-faults',
  'array-store/array-faults',
  'maintenance/undo.property',
  'test/cli',
  'merge/strategies',
  'test/merge-cli',
  'maintenance/power-loss',
].map((name) => `/${name}.test.ts`)

/** Runs the longest test files first, the others in the order that Vitest has for them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.endsWith(name))
      return index < 0 ? longest.length : index
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}
