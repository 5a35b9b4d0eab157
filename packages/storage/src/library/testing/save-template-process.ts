import { isStorageError } from '../../errors.ts'
import { saveTemplate } from '../save-template.ts'

/** For tests: saves a template in a process of its own, and prints how that ended. */
const [workspace = '', template = ''] = process.argv.slice(2)
const outcome = await saveTemplate(workspace, JSON.parse(template)).then(
  ({ status }) => status,
  (error: unknown) => (isStorageError(error) ? error.code : String(error)),
)
process.stdout.write(outcome)
