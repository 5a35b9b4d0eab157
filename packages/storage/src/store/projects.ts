import { randomUUID } from 'node:crypto'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeStoredText, optionsOf, storedText } from '../options/option-schemas.ts'
import { refuseAbsent } from './refuse-absent.ts'
import { columnsFor, ProjectRecord } from './store-rows.ts'
import { seen, written } from './store-session.ts'

export interface ProjectInput {
  readonly name: string
  readonly description?: string | undefined
  readonly color?: string | undefined
}

export type ProjectChanges = Partial<ProjectInput>

const Project = optionsOf<ProjectInput>({ name: storedText, description: maybeStoredText, color: maybeStoredText })
const Changes = optionsOf<ProjectChanges>({ name: maybeStoredText, description: maybeStoredText, color: maybeStoredText })

/** Throws `validation` for a name that is taken or empty: a project is found by its name. */
export const createProject = async (engine: Engine, input: ProjectInput): Promise<string> => {
  checkGiven(Project, input, 'the project')
  const { name, description = '', color = '#14b8a6' } = input
  refuseName(name, await listProjects(engine))
  const id = randomUUID()
  await engine.run(`INSERT INTO ${written('projects')} (project_id, name, description, color) VALUES ($id, $name, $description, $color)`, {
    id,
    name,
    description,
    color,
  })
  return id
}

const refuseName = (name: string, others: readonly ProjectRecord[]): void => {
  if (name.trim() === '') {
    throw new StorageError('validation', 'A project needs a name, and this one is empty. Nothing was changed.', {
      hint: 'Give it a name by which it can be found again.',
    })
  }
  if (others.some((project) => project.name === name)) {
    throw new StorageError('validation', `There is a project ${name.slice(0, 200)} already. Nothing was changed.`, {
      hint: 'Take that one, or choose another name.',
    })
  }
}

/** What is given is changed, the rest stays. Throws `validation` for a project that is not there and for a name that is taken or empty. */
export const changeProject = async (engine: Engine, id: string, changes: ProjectChanges): Promise<void> => {
  checkGiven(Changes, changes, 'the changes')
  await refuseAbsent(engine, 'projects', id)
  const others = (await listProjects(engine)).filter(({ project_id }) => project_id !== id)
  if (changes.name !== undefined) refuseName(changes.name, others)
  const { name = null, description = null, color = null } = changes
  await engine.run(
    `UPDATE ${written('projects')} SET name = coalesce($name, name), description = coalesce($description, description),
       color = coalesce($color, color), updated_at = current_timestamp WHERE project_id = $id`,
    { id, name, description, color },
  )
}

export const listProjects = (engine: Engine): Promise<ProjectRecord[]> =>
  engine.rows(ProjectRecord, `SELECT ${columnsFor(ProjectRecord)} FROM ${seen('projects')} ORDER BY name, project_id`)

/**
 * Links a run to a project, or with null to none. DuckDB refuses to change an indexed column of a run that has pipelines, so that the index
 * goes first and comes back after; opening the store for writing puts it back after a crash.
 */
export const setRunProject = async (engine: Engine, run: string, project: string | null): Promise<void> => {
  await refuseAbsent(engine, 'runs', run)
  if (project !== null) await refuseAbsent(engine, 'projects', project)
  await withoutIndex(engine, () => engine.run(`UPDATE ${written('runs')} SET project_id = $project WHERE run_id = $run`, { project, run }))
}

/** The runs stay; they belong to no project then. */
export const deleteProject = async (engine: Engine, project: string): Promise<void> => {
  await refuseAbsent(engine, 'projects', project)
  await withoutIndex(engine, () => engine.run(`UPDATE ${written('runs')} SET project_id = NULL WHERE project_id = $project`, { project }))
  await engine.run(`DELETE FROM ${written('projects')} WHERE project_id = $project`, { project })
}

const withoutIndex = async (engine: Engine, work: () => Promise<void>): Promise<void> => {
  await engine.run(`DROP INDEX IF EXISTS ${written('idx_runs_project_id')}`)
  try {
    await work()
  } finally {
    await engine.run(`CREATE INDEX IF NOT EXISTS idx_runs_project_id ON ${written('runs')}(project_id)`)
  }
}
