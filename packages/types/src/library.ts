import * as z from 'zod'

const wireNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])

/** A saved pipeline of the workspace's library, without the pipeline itself. Times are local and without zone, as nirs4all writes them. */
export const TemplateMetadata = z.object({
  /** `<category folder>/<template folder>` below `library/`; stays the same while the template stays where it is. */
  id: z.string(),
  name: z.string(),
  category: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  /** As found; a nested value is shown as its JSON text. */
  metrics: z.record(z.string(), z.union([wireNumber, z.string(), z.boolean(), z.null()])),
  notes: z.string(),
  created_at: z.string().nullable(),
  modified_at: z.string().nullable(),
  version: z.string(),
  /** `sha256:` and 64 hex digits over the canonical JSON of the pipeline. */
  content_hash: z.string(),
  /** The pipeline was changed by hand since the metrics were written down. */
  changed_since_saved: z.boolean(),
})
export type TemplateMetadata = z.infer<typeof TemplateMetadata>

export const Template = TemplateMetadata.extend({
  /** For showing: non-finite numbers and integers beyond 2^53 are strings, `1.0` has become 1. */
  pipeline: z.unknown(),
  /** The exact text, to edit and to save again: `1` and `1.0` stay two things. */
  pipeline_json: z.string(),
})
export type Template = z.infer<typeof Template>

/** A folder of the library that holds no readable template; never shown as "no template". */
export const UnreadableTemplate = z.object({ id: z.string(), reason: z.string() })
export type UnreadableTemplate = z.infer<typeof UnreadableTemplate>

const Count = z.object({ name: z.string(), count: z.number().int() })

/** `categories` and `tags` count the whole library, whatever the filters. */
export const TemplateList = z.object({
  rows: z.array(TemplateMetadata),
  total: z.number().int(),
  categories: z.array(Count),
  tags: z.array(Count),
  unreadable: z.array(UnreadableTemplate),
})
export type TemplateList = z.infer<typeof TemplateList>

export const TemplateFilter = z.object({
  category: z.string().optional(),
  /** A template with any of these. */
  tags: z.array(z.string()).optional(),
})
export type TemplateFilter = z.infer<typeof TemplateFilter>

export const TemplateField = z.enum(['name', 'tags', 'description', 'content'])
export type TemplateField = z.infer<typeof TemplateField>

/** Best match first: in the name, then the tags, the description, the pipeline. */
export const TemplateMatches = z.object({
  rows: z.array(TemplateMetadata.extend({ matched: z.array(TemplateField) })),
  total: z.number().int(),
  unreadable: z.array(UnreadableTemplate),
})
export type TemplateMatches = z.infer<typeof TemplateMatches>

export const TemplateFields = z.object({
  name: z.string().min(1).max(1024),
  category: z.string().min(1).max(1024).default('general'),
  description: z.string().max(100_000).default(''),
  tags: z.array(z.string().min(1).max(1024)).max(1000).default([]),
  metrics: z.record(z.string(), wireNumber).default({}),
  notes: z.string().max(1_000_000).default(''),
})
export type TemplateFields = z.infer<typeof TemplateFields>

/** The pipeline as a value or, where `1` and `1.0` matter, as JSON text: one of the two. A list of steps becomes `{"pipeline": [...]}`. */
export const SaveTemplate = TemplateFields.extend({
  pipeline: z.unknown().optional(),
  pipeline_json: z.string().max(16_000_000).optional(),
  /** Replace the template of this name and category; what was there goes to the library's trash. */
  overwrite: z.boolean().default(false),
  /** Save although another template holds the same pipeline. */
  keep_duplicate: z.boolean().default(false),
})
export type SaveTemplate = z.infer<typeof SaveTemplate>

/**
 * created · replaced (another pipeline) · updated (same pipeline, other description, tags, metrics or notes) · unchanged ·
 * identical (nothing was written: `template` is another one that holds the same pipeline).
 */
export const SavedTemplate = z.object({
  status: z.enum(['created', 'replaced', 'updated', 'unchanged', 'identical']),
  template: TemplateMetadata,
  /** Where the previous version went. */
  trash_id: z.string().nullable(),
  /** What will keep nirs4all from running the template. */
  warnings: z.array(z.string()),
})
export type SavedTemplate = z.infer<typeof SavedTemplate>

export const TrashedTemplate = z.object({
  trash_id: z.string(),
  name: z.string(),
  category: z.string(),
  removed_at: z.string().nullable(),
  reason: z.enum(['deleted', 'replaced', 'unknown']),
})
export type TrashedTemplate = z.infer<typeof TrashedTemplate>
