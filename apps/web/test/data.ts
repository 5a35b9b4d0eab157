import {
  type DatasetOverview,
  type Job,
  JobList,
  MigrateStatus,
  MigrationPlan,
  type MigrationReport,
  OverviewResponse,
  type PredictionRow,
  type StorageMode,
  StorageStatus,
  type UnreadableFile,
  type Workspace,
  WorkspaceList,
  WorkspaceStats,
} from '@nirs-workspace/types'

/** Answers of a small workspace; each is parsed with its schema, so that tests cannot drift from the contract. */
export const datasetNames = ['wheat', 'soil pH'] as const

const counts = { runs: 2, pipelines: 4, chains: 8, predictions: 1536, arrays: 1500, artifacts: 9, logs: 12, projects: 1 }

export const workspaceList = (mode: StorageMode, change: Partial<Workspace> = {}) =>
  WorkspaceList.parse({
    rows: [
      {
        id: 'w1',
        name: 'grain-lab',
        path: '/data/grain-lab',
        current: true,
        exists: true,
        storage_mode: mode,
        counts,
        catalog: { state: 'ready', built_at: '2026-11-21T03:00:00.000Z', fingerprint: 'f', detail: null },
        writer: null,
        ...change,
      },
    ],
    recents: [],
    total: 1,
  })

export const storageStatus = (mode: StorageMode, change: Partial<StorageStatus> = {}) =>
  StorageStatus.parse({
    storage_mode: mode,
    has_prediction_arrays_table: mode === 'legacy',
    has_arrays_directory: mode === 'migrated',
    migration_needed: mode === 'legacy' || mode === 'mid_migration',
    rescue_needed: mode === 'lost_arrays',
    read_only: false,
    written_by: '0.7.1',
    locked_by: null,
    wal_bytes: 0,
    interrupted_job: null,
    backups: [],
    ...change,
  })

export const report: MigrationReport = {
  job_id: 'job-1',
  total_rows: 1500,
  rows_migrated: 1500,
  datasets_migrated: [...datasetNames],
  verification_passed: true,
  verification_sample_size: 1500,
  verification_mismatches: 0,
  duckdb_size_before: 294_000_000,
  duckdb_size_after: 4_000_000,
  parquet_total_size: 197_000_000,
  duration_seconds: 8.2,
  errors: [],
  datasets: [],
  quarantined_rows: 0,
  quarantine_path: null,
  warnings: [],
  proof_path: '/data/grain-lab/migration-proof.json',
  backup_path: '/data/grain-lab/store.duckdb.bak',
  backup_wal_path: null,
}

export const migrateStatus = (mode: StorageMode) =>
  MigrateStatus.parse({
    migration_needed: mode === 'legacy',
    storage_mode: mode,
    legacy_row_count: mode === 'legacy' ? 1500 : null,
    estimated_duration_seconds: 8,
    store_bytes: 294_000_000,
    bytes_estimated: 201_000_000,
    can_roll_back: mode === 'migrated',
    backup_path: mode === 'migrated' ? report.backup_path : null,
    backup_wal_path: null,
    backup_bytes: mode === 'migrated' ? 294_000_000 : null,
    proof_path: mode === 'migrated' ? report.proof_path : null,
    last_report: mode === 'migrated' ? report : null,
    running_job_id: null,
  })

export const plan = MigrationPlan.parse({
  plan_id: 'plan-7',
  digest: 'd',
  dry_run: true,
  storage_mode: 'legacy',
  total_rows: 1500,
  total_values: 900_000,
  datasets: datasetNames.map((name) => ({
    name,
    rows: 750,
    values: 450_000,
    bytes_now: 147_000_000,
    bytes_estimated: 98_500_000,
    file: `arrays/${name.replace(' ', '_')}.parquet`,
    shares_file_with: [],
    rows_already_there: 0,
  })),
  quarantine_rows: 3,
  duckdb_size_before: 294_000_000,
  duckdb_size_estimated: 4_000_000,
  parquet_bytes_estimated: 197_000_000,
  free_bytes_needed: 410_000_000,
  free_bytes_available: 90_000_000_000,
  estimated_duration_seconds: 8,
  warnings: [
    { code: 'rows_without_metadata', detail: '3 rows of arrays have no prediction; they would go to quarantine.', count: 3, ids: [] },
  ],
})

export const stats = WorkspaceStats.parse({
  storage_mode: 'migrated',
  total_bytes: 507_000_000,
  duckdb_size_bytes: 4_000_000,
  parquet_arrays_size_bytes: 197_000_000,
  artifacts_size_bytes: 12_000_000,
  backups_size_bytes: 294_000_000,
  trash_size_bytes: 0,
  reclaimable_bytes: 0,
  space_usage: [
    { category: 'Store', bytes: 4_000_000, files: 1 },
    { category: 'Prediction arrays', bytes: 197_000_000, files: 2 },
    { category: 'Artifacts', bytes: 12_000_000, files: 9 },
    { category: 'Backups', bytes: 294_000_000, files: 1 },
  ],
  tables: { predictions: 1536 },
  datasets: datasetNames.map((name) => ({ name, predictions: 768, arrays: 750, parquet_bytes: 98_500_000 })),
  unreadable_files: [],
})

/** One file that was cut short and one that was moved away. */
export const unreadableFiles: UnreadableFile[] = [
  { path: 'arrays/wheat.parquet', reason: 'damaged', detail: 'The file ends in the middle.', datasets: ['wheat'], predictions: 768 },
  { path: 'arrays/soil_pH.parquet', reason: 'missing', detail: 'It is not there.', datasets: ['soil pH'], predictions: 1 },
]

export const overview = OverviewResponse.parse({ datasets: [], recent_runs: [], unreadable_files: [] })

/** The overview of one dataset. */
export const overviewOf = (change: Partial<DatasetOverview>) =>
  OverviewResponse.parse({
    datasets: [
      {
        dataset_name: 'wheat',
        task_type: 'regression',
        predictions: 768,
        models: 3,
        arrays: 750,
        metrics: ['rmse'],
        best_cv: [
          {
            metric: 'rmse',
            direction: 'lower',
            val_score: 0.21,
            prediction_id: 'p7',
            model_name: 'PLS',
            preprocessings: 'SNV',
          },
        ],
        best_refit: [],
        scores: [0.21, 0.3451, 0.4],
        ...change,
      },
    ],
    recent_runs: [],
    unreadable_files: [],
  })

export const prediction = (index: number): PredictionRow => ({
  prediction_id: `p${index}`,
  dataset_name: datasetNames[index % 2] ?? 'wheat',
  model_name: `PLS-${index}`,
  model_class: 'PLSRegression',
  preprocessings: 'SNV',
  fold_id: String(index % 5),
  fold_kind: 'fold',
  aggregated: false,
  partition: 'val',
  metric: 'rmse',
  val_score: index === 1 ? 'NaN' : 0.3 + index / 10_000,
  test_score: index === 2 ? null : 0.4,
  train_score: 0.2,
  task_type: 'regression',
  n_samples: 120,
  n_features: 700,
  best_params: null,
  branch_id: null,
  branch_name: null,
  refit_context: null,
  exclusion_count: 0,
  exclusion_rate: 0,
  run_id: 'r1',
  run_name: 'Screening',
  pipeline_id: 'pl1',
  pipeline_name: '0001',
  chain_id: 'c1',
  created_at: '2026-11-20T10:00:00.000Z',
  has_arrays: true,
  arrays_state: 'stored',
})

export const noJobs = JobList.parse({ rows: [], total: 0 })

export const migrationJob = (change: Partial<Job>): Job => ({
  job_id: 'job-1',
  kind: 'migrate',
  workspace_id: 'w1',
  workspace_path: '/data/grain-lab',
  state: 'running',
  cancellable: true,
  progress: {
    phase: 'stage',
    message: 'wheat: row group 3',
    fraction: 0.42,
    done_rows: 630,
    total_rows: 1500,
    done_bytes: 1,
    total_bytes: 2,
    rows_per_second: 210,
    eta_seconds: 4,
    dataset_name: 'wheat',
    datasets: [{ name: 'wheat', rows: 750, done_rows: 630, state: 'staging' }],
  },
  created_at: '2026-11-21T03:00:00.000Z',
  started_at: '2026-11-21T03:00:00.000Z',
  ended_at: null,
  error: null,
  report: null,
  ...change,
})
