import { type Measurement, type MeasurementGroup, passes } from './measurement.ts'

const digits = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2))

const figure = ({ value, unit }: Measurement) => `${digits(value)} ${unit}`

const ratio = ({ value, baseline }: Measurement) =>
  baseline === null ? '' : `${digits(value / baseline.value)} × ${baseline.name}: ${digits(baseline.value)}`

const verdict = (measurement: Measurement) => {
  if (measurement.goal === null) return ''
  const share = `${Math.round((100 * measurement.value) / measurement.goal)} % of it`
  return `≤ ${digits(measurement.goal)} ${measurement.unit} ${passes(measurement) ? 'met' : '**missed**'}, ${share}`
}

const rowOf = (measurement: Measurement) =>
  `| ${measurement.name} | ${figure(measurement)} | ${verdict(measurement)} | ${ratio(measurement)} | ${measurement.note ?? ''} |`

export const missedGoals = (groups: readonly MeasurementGroup[]): Measurement[] =>
  groups.flatMap((group) => group.measurements.filter((measurement) => !passes(measurement)))

/** One line for the terminal. */
export const lineOf = (measurement: Measurement): string =>
  [
    measurement.name.padEnd(76),
    figure(measurement).padStart(10),
    verdict(measurement).replaceAll('**', '').padEnd(32),
    ratio(measurement),
  ].join('  ')

/** docs/benchmarks.md. */
export const reportOf = (groups: readonly MeasurementGroup[], machine: string): string => {
  const sections = groups.map((group) =>
    [`## ${group.title}`, '', '| what | figure | goal | as a ratio | |', '|---|---:|---|---|---|', ...group.measurements.map(rowOf)].join(
      '\n',
    ),
  )
  return `# Benchmarks

Written by \`npm run bench\`. Times depend on the machine; every figure therefore stands beside a baseline that was measured in the same run
and does the bare work without the product around it, and the ratio of the two is what should stay the same elsewhere.

Machine: ${machine}.

Workspaces: \`large\` is a legacy workspace of 100 000 predictions with arrays of 180 samples on average; \`huge\` holds the metadata of
1 000 000 predictions. Both are synthetic, made by \`npm run cli -- demo --size large|huge\`, and kept in the user's cache folder between runs.
Figures of the server are taken over HTTP from a second process, one request at a time; all others in processes that start with the options
of jobs and commands (\`@nirs-workspace/storage/job-process\`). "met, 40 % of it" is the margin: the figure takes up 40 % of what its goal allows.

${sections.join('\n\n')}
`
}
