import { isFinalFit, isRealFold } from '../store/real-fold.ts'

const model = 'chain_id, dataset_name, model_name, metric'

/** As the summary of a chain takes it: from val before train before test, the first that has one. */
const firstOf = (score: string): string =>
  `first(${score} ORDER BY "partition" DESC, prediction_id) FILTER (${score} IS NOT NULL) AS ${score}`

/** stddev_samp would refuse what is not finite. */
const figuresOf = (name: string): string => {
  const [score, off] = [`${name}_score`, `${name}_off`]
  return `avg(${score}) FILTER (is_real) AS ${name}_mean, min(${score}) FILTER (is_real AND isfinite(${score})) AS ${name}_min,
    max(${score}) FILTER (is_real AND isfinite(${score})) AS ${name}_max,
    sqrt(sum(${off} * ${off}) FILTER (is_real) / nullif(count(${score}) FILTER (is_real) - 1, 0)) AS ${name}_std`
}

const figures = ['val', 'test'].flatMap((name) => ['mean', 'min', 'max', 'std'].map((figure) => `${name}_${figure}`)).join(', ')

/**
 * What the real folds of a chain come to, each counted once: averages over folds, the refit and the twins over repetitions are in none of
 * the figures. A chain whose predictions are of several datasets, models or metrics has a row for each; one without predictions has one, too.
 */
export const chainSummaryView = `
  WITH folds AS (
    SELECT ${model}, CASE WHEN NOT (${isFinalFit}) THEN fold_id END AS fold, ${isRealFold} AS is_real, ${firstOf('val_score')}, ${firstOf('test_score')}
    FROM catalog.main.predictions WHERE chain_id IS NOT NULL GROUP BY ALL),
  spread AS (
    SELECT *, val_score - avg(val_score) FILTER (is_real) OVER chain AS val_off, test_score - avg(test_score) FILTER (is_real) OVER chain AS test_off
    FROM folds WINDOW chain AS (PARTITION BY ${model})),
  summed AS (
    SELECT ${model}, count(*) FILTER (is_real) AS n_folds, ${figuresOf('val')}, ${figuresOf('test')},
      any_value(test_score) FILTER (fold IS NULL) AS final_test_score
    FROM spread GROUP BY ALL)
  SELECT c.chain_id, coalesce(s.dataset_name, c.dataset_name) AS dataset_name, coalesce(s.model_name, c.model_name) AS model_name,
    coalesce(s.metric, c.metric) AS metric, coalesce(n_folds, 0) AS n_folds, ${figures}, s.final_test_score
  FROM catalog.main.chains c LEFT JOIN summed s USING (chain_id)`
