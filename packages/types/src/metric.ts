/**
 * The one table of metrics: who is better, for which task, how it is called and computed. Free of zod so that the browser can import it.
 * Names and conventions are nirs4all's (SEP and RPD with divisor n); `formula` uses e = y_pred − y_true, n samples.
 */
export type MetricDirection = 'higher' | 'lower' | 'zero' | 'unknown'
export type MetricTask = 'regression' | 'classification'

export interface Metric {
  readonly name: string
  readonly aliases: readonly string[]
  readonly label: string
  readonly direction: MetricDirection
  readonly task: MetricTask
  /** 'target' = same unit as the measured value, 'target²' = its square, '' = no unit. */
  readonly unit: 'target' | 'target²' | ''
  readonly formula: string
}

const metric = (
  name: string,
  label: string,
  direction: MetricDirection,
  task: MetricTask,
  unit: Metric['unit'],
  formula: string,
  aliases: readonly string[] = [],
): Metric => ({ name, label, direction, task, unit, formula, aliases })

const R = 'regression'
const C = 'classification'

export const metrics: readonly Metric[] = [
  metric('rmse', 'RMSE', 'lower', R, 'target', '√(Σe²/n)', ['root_mean_squared_error', 'rmsecv', 'rmsep', 'rmsec']),
  metric('mse', 'MSE', 'lower', R, 'target²', 'Σe²/n', ['mean_squared_error']),
  metric('mae', 'MAE', 'lower', R, 'target', 'Σ|e|/n', ['mean_absolute_error']),
  metric('mape', 'MAPE', 'lower', R, '', 'Σ|e/y|/n', ['mean_absolute_percentage_error']),
  metric('sep', 'SEP', 'lower', R, 'target', '√(Σ(e−bias)²/n)', ['secv']),
  metric('bias', 'Bias', 'zero', R, 'target', 'Σe/n (predicted − measured)'),
  metric('r2', 'R²', 'higher', R, '', '1 − Σe²/Σ(y−ȳ)²', ['r2_score']),
  metric('rpd', 'RPD', 'higher', R, '', 'SD(y)/SEP, both with divisor n'),
  metric('rpiq', 'RPIQ', 'higher', R, '', 'IQR(y)/RMSE'),
  metric('consistency', 'Consistency', 'higher', R, '', 'as computed by nirs4all'),
  metric('nrmse', 'NRMSE', 'lower', R, '', 'RMSE/(max y − min y)'),
  metric('nmse', 'NMSE', 'lower', R, '', 'MSE/Var(y)'),
  metric('nmae', 'NMAE', 'lower', R, '', 'MAE/(max y − min y)'),
  metric('pearson_r', 'Pearson r', 'higher', R, '', 'cov(y, ŷ)/(SD(y)·SD(ŷ))'),
  metric('spearman_r', 'Spearman ρ', 'higher', R, '', 'Pearson r of the ranks'),
  metric('explained_variance', 'Explained variance', 'higher', R, '', '1 − Var(e)/Var(y)', ['explained_variance_score']),
  metric('max_error', 'Max error', 'lower', R, 'target', 'max |e|'),
  metric('median_ae', 'Median AE', 'lower', R, 'target', 'median |e|', ['median_absolute_error']),
  metric('accuracy', 'Accuracy', 'higher', C, '', 'share of samples in their own class'),
  metric('balanced_accuracy', 'Balanced accuracy', 'higher', C, '', 'mean recall over the classes present'),
  metric('precision', 'Precision', 'higher', C, '', 'TP/(TP+FP), averaged over classes', ['precision_micro', 'precision_macro']),
  metric('balanced_precision', 'Balanced precision', 'higher', C, '', 'mean precision over classes'),
  metric('recall', 'Recall', 'higher', C, '', 'TP/(TP+FN), averaged over classes', ['recall_micro', 'recall_macro']),
  metric('balanced_recall', 'Balanced recall', 'higher', C, '', 'mean recall over classes'),
  metric('f1', 'F1', 'higher', C, '', '2PR/(P+R) of each class, averaged over classes', ['f1_score', 'f1_micro', 'f1_macro']),
  metric('specificity', 'Specificity', 'higher', C, '', 'TN/(TN+FP)'),
  metric('roc_auc', 'ROC AUC', 'higher', C, '', 'area under the ROC curve', ['auc']),
  metric('matthews_corrcoef', 'MCC', 'higher', C, '', 'Matthews correlation', ['mcc']),
  metric('cohen_kappa', "Cohen's κ", 'higher', C, '', '(pₒ−pₑ)/(1−pₑ)', ['kappa']),
  metric('jaccard', 'Jaccard', 'higher', C, '', 'TP/(TP+FP+FN)', ['jaccard_score']),
  metric('log_loss', 'Log loss', 'lower', C, '', '−Σ log p(true class)/n'),
  metric('hamming_loss', 'Hamming loss', 'lower', C, '', 'share of wrong labels'),
]

const byName = new Map(metrics.flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [name, entry] as const)))

/** The metric of this name or alias, in any case; undefined when the table does not know it. */
export const findMetric = (name: string): Metric | undefined => byName.get(name.trim().toLowerCase())

/** Names under which the table has one metric in several averages over the classes: figures of one are not to be held against another's. */
const averaged = /_(micro|macro)$/

/**
 * The same text for every spelling of one metric, whose scores can be compared: case, blanks around it and aliases make no other metric,
 * another average over classes does. A name that the table does not know stays as it is.
 */
export const metricKey = (name: string): string => {
  const entry = findMetric(name)
  if (entry === undefined) return name
  const spelling = name.trim().toLowerCase()
  return averaged.test(spelling) ? spelling : entry.name
}

/** Whether two names are spellings of one metric. */
export const isSameMetric = (one: string, other: string): boolean => metricKey(one) === metricKey(other)

/** The spellings of each metric among these names, in their order. */
export const spellingsByMetric = (names: readonly string[]): string[][] => {
  const spellings = new Map<string, string[]>()
  for (const name of names) spellings.set(metricKey(name), [...(spellings.get(metricKey(name)) ?? []), name])
  return [...spellings.values()]
}

/** Direction of a metric; 'unknown' is never ranked by guess. */
export const metricDirection = (name: string): MetricDirection => findMetric(name)?.direction ?? 'unknown'

/**
 * The field's name for a root mean squared error by where it comes from: RMSEC on training samples, RMSECV on
 * cross-validation, RMSEP on test samples. Other metrics keep their label.
 */
export const metricLabel = (name: string, partition?: string, refit = false): string => {
  const entry = findMetric(name)
  if (entry === undefined) return name
  if (entry.name !== 'rmse' || partition === undefined) return entry.label
  if (partition === 'train') return 'RMSEC'
  if (partition === 'test') return 'RMSEP'
  return refit ? 'RMSE' : 'RMSECV'
}
