/** The schema of nirs4all 0.8.0 to 0.8.3, as those releases create it in a new store. Tables stand in the order of their foreign keys. */
export const storeTables = {
  runs: `run_id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, config JSON, datasets JSON, status VARCHAR DEFAULT 'running',
    created_at TIMESTAMP DEFAULT current_timestamp, completed_at TIMESTAMP, summary JSON, error VARCHAR, project_id VARCHAR`,
  pipelines: `pipeline_id VARCHAR PRIMARY KEY, run_id VARCHAR NOT NULL REFERENCES runs(run_id), name VARCHAR NOT NULL, expanded_config JSON,
    generator_choices JSON, dataset_name VARCHAR NOT NULL, dataset_hash VARCHAR, status VARCHAR DEFAULT 'running',
    created_at TIMESTAMP DEFAULT current_timestamp, completed_at TIMESTAMP, best_val DOUBLE, best_test DOUBLE, metric VARCHAR,
    duration_ms INTEGER, error VARCHAR`,
  chains: `chain_id VARCHAR PRIMARY KEY, pipeline_id VARCHAR NOT NULL REFERENCES pipelines(pipeline_id), steps JSON NOT NULL,
    model_step_idx INTEGER NOT NULL, model_class VARCHAR NOT NULL, preprocessings VARCHAR DEFAULT '', fold_strategy VARCHAR DEFAULT 'per_fold',
    fold_artifacts JSON, shared_artifacts JSON, branch_path JSON, source_index INTEGER,
    model_name VARCHAR, metric VARCHAR, task_type VARCHAR, best_params JSON, dataset_name VARCHAR, cv_val_score DOUBLE, cv_test_score DOUBLE,
    cv_train_score DOUBLE, cv_fold_count INTEGER DEFAULT 0, cv_scores JSON, final_test_score DOUBLE, final_train_score DOUBLE,
    final_scores JSON, created_at TIMESTAMP DEFAULT current_timestamp`,
  predictions: `prediction_id VARCHAR PRIMARY KEY, pipeline_id VARCHAR NOT NULL REFERENCES pipelines(pipeline_id),
    chain_id VARCHAR REFERENCES chains(chain_id), dataset_name VARCHAR NOT NULL, model_name VARCHAR NOT NULL, model_class VARCHAR NOT NULL,
    fold_id VARCHAR NOT NULL, partition VARCHAR NOT NULL, val_score DOUBLE, test_score DOUBLE, train_score DOUBLE, metric VARCHAR NOT NULL,
    task_type VARCHAR NOT NULL, n_samples INTEGER, n_features INTEGER, scores JSON, best_params JSON, preprocessings VARCHAR DEFAULT '',
    branch_id INTEGER, branch_name VARCHAR, exclusion_count INTEGER DEFAULT 0, exclusion_rate DOUBLE DEFAULT 0.0,
    refit_context VARCHAR DEFAULT NULL, created_at TIMESTAMP DEFAULT current_timestamp`,
  artifacts: `artifact_id VARCHAR PRIMARY KEY, artifact_path VARCHAR NOT NULL, content_hash VARCHAR NOT NULL, operator_class VARCHAR,
    artifact_type VARCHAR, format VARCHAR DEFAULT 'joblib', size_bytes BIGINT, ref_count INTEGER DEFAULT 1, chain_path_hash VARCHAR,
    input_data_hash VARCHAR, dataset_hash VARCHAR, created_at TIMESTAMP DEFAULT current_timestamp`,
  logs: `log_id VARCHAR PRIMARY KEY, pipeline_id VARCHAR NOT NULL REFERENCES pipelines(pipeline_id), step_idx INTEGER NOT NULL,
    operator_class VARCHAR, event VARCHAR NOT NULL, duration_ms INTEGER, message VARCHAR, details JSON, level VARCHAR DEFAULT 'info',
    created_at TIMESTAMP DEFAULT current_timestamp`,
  projects: `project_id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, description VARCHAR DEFAULT '', color VARCHAR DEFAULT '#14b8a6',
    created_at TIMESTAMP DEFAULT current_timestamp, updated_at TIMESTAMP DEFAULT current_timestamp`,
} as const

export const arraysTable = 'prediction_arrays'
export const isStoreTable = (name: string): name is keyof typeof storeTables => Object.hasOwn(storeTables, name)

export const plainIndexes: readonly string[] = [
  'CREATE INDEX idx_pipelines_run_id ON pipelines(run_id)',
  'CREATE INDEX idx_pipelines_dataset ON pipelines(dataset_name)',
  'CREATE INDEX idx_chains_pipeline_id ON chains(pipeline_id)',
  'CREATE INDEX idx_predictions_pipeline_id ON predictions(pipeline_id)',
  'CREATE INDEX idx_predictions_chain_id ON predictions(chain_id)',
  'CREATE INDEX idx_predictions_dataset ON predictions(dataset_name)',
  'CREATE INDEX idx_predictions_val_score ON predictions(val_score)',
  'CREATE INDEX idx_predictions_partition ON predictions(partition)',
  'CREATE INDEX idx_logs_pipeline_id ON logs(pipeline_id)',
  'CREATE INDEX idx_artifacts_content_hash ON artifacts(content_hash)',
  'CREATE INDEX idx_artifacts_cache_key ON artifacts(chain_path_hash, input_data_hash)',
  'CREATE INDEX idx_artifacts_dataset_hash ON artifacts(dataset_hash)',
  'CREATE INDEX idx_runs_project_id ON runs(project_id)',
]

export const naturalKey = ['pipeline_id', 'chain_id', 'fold_id', 'partition', 'model_name', 'branch_id'] as const
export const naturalKeyIndex = `CREATE UNIQUE INDEX idx_predictions_natural_key_v2 ON predictions(${naturalKey.join(', ')})`

export const chainSummaryView = `CREATE VIEW v_chain_summary AS SELECT c.chain_id, c.pipeline_id, c.model_class, c.model_step_idx, c.model_name,
  c.preprocessings, c.branch_path, c.source_index, c.metric, c.task_type, c.best_params, c.dataset_name, c.cv_val_score, c.cv_test_score,
  c.cv_train_score, c.cv_fold_count, c.cv_scores, c.final_test_score, c.final_train_score, c.final_scores, pl.run_id, pl.status AS pipeline_status
  FROM chains c JOIN pipelines pl ON c.pipeline_id = pl.pipeline_id`

/** Views that the library itself drops when it opens a store. */
export const droppedViews = ['v_aggregated_predictions', 'v_aggregated_predictions_all', 'v_chain_summary']

/** Columns of a chain that are worked out from its predictions. */
export const figureColumns = [
  'cv_val_score',
  'cv_test_score',
  'cv_train_score',
  'cv_fold_count',
  'cv_scores',
  'final_test_score',
  'final_train_score',
  'final_scores',
] as const

/** Those that stores of nirs4all 0.8.10 and later have beside them: of the refit's twin over repetitions. */
export const twinColumns = ['final_agg_test_score', 'final_agg_train_score', 'final_agg_scores'] as const

export const summaryColumns = ['model_name', 'metric', 'task_type', 'best_params', 'dataset_name', ...figureColumns] as const
