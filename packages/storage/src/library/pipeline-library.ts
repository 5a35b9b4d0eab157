import type {
  SavedTemplate,
  Template,
  TemplateFilter,
  TemplateList,
  TemplateMatches,
  TemplateMetadata,
  TrashedTemplate,
} from '@nirs-workspace/types'
import { type CopyOptions, copyFromPipeline, type PipelineRow } from './copy-from-pipeline.ts'
import { deleteTemplate } from './delete-template.ts'
import { exportTemplate } from './export-template.ts'
import { loadTemplate, type TemplateRef, templateMetadata } from './find-template.ts'
import { type ImportOptions, importTemplate } from './import-template.ts'
import { listTemplates } from './list-templates.ts'
import { listTemplateTrash } from './list-trash.ts'
import { emptyTemplateTrash, restoreTemplate } from './restore-template.ts'
import { type SaveTemplateInput, saveTemplate } from './save-template.ts'
import { searchTemplates } from './search-templates.ts'

/** The reusable pipelines of one workspace, in `<workspace>/library`. Reading creates nothing; the first save makes the folder. */
export class PipelineLibrary {
  readonly workspace: string

  constructor(workspace: string) {
    this.workspace = workspace
  }

  save(input: SaveTemplateInput): Promise<SavedTemplate> {
    return saveTemplate(this.workspace, input)
  }

  load(ref: TemplateRef): Promise<Template> {
    return loadTemplate(this.workspace, ref)
  }

  metadata(ref: TemplateRef): Promise<TemplateMetadata> {
    return templateMetadata(this.workspace, ref)
  }

  list(filter?: TemplateFilter): Promise<TemplateList> {
    return listTemplates(this.workspace, filter)
  }

  search(query: string, filter?: TemplateFilter): Promise<TemplateMatches> {
    return searchTemplates(this.workspace, query, filter)
  }

  copyFromPipeline(row: PipelineRow, options: CopyOptions): Promise<SavedTemplate> {
    return copyFromPipeline(this.workspace, row, options)
  }

  export(ref: TemplateRef, file: string, options?: { overwrite?: boolean }): Promise<{ path: string; content_hash: string }> {
    return exportTemplate(this.workspace, ref, file, options)
  }

  import(path: string, options?: ImportOptions): Promise<SavedTemplate> {
    return importTemplate(this.workspace, path, options)
  }

  delete(ref: TemplateRef): Promise<{ trash_id: string }> {
    return deleteTemplate(this.workspace, ref)
  }

  trash(): Promise<TrashedTemplate[]> {
    return listTemplateTrash(this.workspace)
  }

  restore(trashId: string, options?: { overwrite?: boolean }): Promise<TemplateMetadata> {
    return restoreTemplate(this.workspace, trashId, options)
  }

  emptyTrash(trashIds?: readonly string[]): Promise<{ removed: number }> {
    return emptyTemplateTrash(this.workspace, trashIds)
  }
}
