import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes the longest, longest first: begun last, one of these would run alone at the end while other workers have nothing to do. */
const longest = [
  'array-store/array-model.long',
  'migration/faults.long',
  'merge/faults.long',
  'merge/real-workspaces.long',
  'maintenance/maintenance-faults.long',
  'test/exports.long',
  'test/looking-changes-nothing.long',
  'test/maintenance-cli.long',
  'merge/merge-stores.long',
  'maintenance/real-workspaces.long',
  'store/store-faults.long',
  'array-store/array-faults.long',
  'maintenance/undo.property.long',
  'maintenance/maintenance.long',
  'test/cli',
  'migration/migration',
  'portable/query-sql',
  'merge/strategies.long',
  'test/merge-cli.long',
  'maintenance/power-loss.long',
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
