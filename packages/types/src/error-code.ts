/**
 * The closed list of everything that can go wrong, with its HTTP status and command-line exit code.
 * Adding a cause means adding a line here; nothing else may invent a code. Free of zod so that the browser can import it.
 *
 * Exit codes: 2 usage · 3 not a workspace or unreadable · 4 refused (stale, busy, locked, no space) · 5 failed, nothing changed · 70 bug.
 */
export const errorCodes = {
  invalid_json: { status: 400, exit: 2, title: 'The request body is not valid JSON' },
  body_required: { status: 400, exit: 2, title: 'This request must say what it wants in a body' },
  validation: { status: 422, exit: 2, title: 'A value is missing, of the wrong type or out of range' },
  host_not_allowed: { status: 403, exit: 4, title: 'This host name is not served here' },
  origin_not_allowed: { status: 403, exit: 4, title: 'Requests from other sites are refused' },
  path_not_allowed: { status: 403, exit: 4, title: 'This path lies outside the allowed folder' },
  read_only: { status: 403, exit: 4, title: 'The workspace is open for reading only' },
  token_required: { status: 401, exit: 4, title: 'A valid token is required' },
  route_not_found: { status: 404, exit: 2, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, exit: 2, title: 'This address does not take this method' },
  upgrade_required: { status: 426, exit: 2, title: 'This address speaks WebSocket' },
  unsupported_media_type: { status: 415, exit: 2, title: 'The request body must be JSON' },
  precondition_failed: { status: 412, exit: 4, title: 'The file is not, or no longer, the one that was asked for' },
  payload_too_large: { status: 413, exit: 2, title: 'The request is larger than allowed' },
  too_many_requests: { status: 429, exit: 4, title: 'Too many requests' },
  workspace_not_found: { status: 404, exit: 3, title: 'There is no such folder or file' },
  not_a_workspace: { status: 422, exit: 3, title: 'This folder is not a nirs4all workspace' },
  store_unreadable: { status: 422, exit: 3, title: 'The store cannot be read' },
  store_unsafe: { status: 422, exit: 3, title: 'The store holds objects that no nirs4all release writes' },
  store_too_new: { status: 422, exit: 3, title: 'The store was written by a newer release than this one knows' },
  store_locked: { status: 423, exit: 4, title: 'Another process has the store open' },
  workspace_busy: { status: 409, exit: 4, title: 'Another job is working on this workspace' },
  plan_stale: { status: 409, exit: 4, title: 'The workspace has changed since the preview' },
  not_migratable: { status: 409, exit: 4, title: 'There is nothing here to migrate' },
  not_migrated: { status: 409, exit: 4, title: 'The workspace has to be migrated first' },
  changed_since_migration: { status: 409, exit: 4, title: 'The workspace was changed after the migration' },
  backup_not_found: { status: 404, exit: 4, title: 'The backup is no longer there' },
  proof_not_found: { status: 404, exit: 4, title: 'There is no migration proof to check' },
  prediction_not_found: { status: 404, exit: 2, title: 'There is no such prediction' },
  dataset_not_found: { status: 404, exit: 2, title: 'There is no such dataset' },
  run_not_found: { status: 404, exit: 2, title: 'There is no such run' },
  pipeline_not_found: { status: 404, exit: 2, title: 'There is no such pipeline' },
  chain_not_found: { status: 404, exit: 2, title: 'There is no such chain' },
  artifact_missing: { status: 409, exit: 5, title: 'A stored model is not there' },
  artifact_corrupt: { status: 409, exit: 5, title: 'A stored model is damaged' },
  job_not_found: { status: 404, exit: 2, title: 'There is no such job' },
  plan_not_found: { status: 404, exit: 2, title: 'There is no such plan' },
  arrays_missing: { status: 404, exit: 5, title: 'This prediction has no arrays' },
  arrays_corrupt: { status: 409, exit: 5, title: 'An array file is damaged' },
  tombstones_corrupt: { status: 409, exit: 5, title: 'The list of deleted predictions is damaged' },
  metric_direction_unknown: { status: 422, exit: 2, title: 'It is unknown whether more or less of this metric is better' },
  sql_not_allowed: { status: 400, exit: 2, title: 'This statement may not be run here' },
  sql_multi: { status: 400, exit: 2, title: 'One statement at a time' },
  sql_error: { status: 400, exit: 2, title: 'The statement cannot be run as it is written' },
  sql_timeout: { status: 400, exit: 5, title: 'The query took too long' },
  sql_memory: { status: 400, exit: 5, title: 'The query needed too much memory' },
  verification_failed: { status: 409, exit: 5, title: 'The copy differs from the original' },
  interrupted: { status: 409, exit: 5, title: 'The job was interrupted' },
  cancelled: { status: 409, exit: 5, title: 'The job was cancelled' },
  no_space: { status: 507, exit: 4, title: 'There is not enough free disk space' },
  out_of_memory: { status: 409, exit: 5, title: 'The work needs more memory than it may use' },
  write_failed: { status: 409, exit: 5, title: 'A file could not be written' },
  catalog_building: { status: 503, exit: 5, title: 'The catalog is being built' },
  reader_failed: { status: 503, exit: 5, title: 'The process that reads arrays stopped' },
  internal: { status: 500, exit: 70, title: 'Something went wrong inside the program' },
} as const satisfies Record<string, { status: number; exit: number; title: string }>

export type ErrorCode = keyof typeof errorCodes

/** Narrows any text to a known code. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errorCodes, text)
