import { paletteKey } from '../../lib/command-key.ts'
import { useText } from '../../text/text.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Keys } from '../../ui/keys.tsx'

export const HelpDialog = ({ open, onClose }: { open: boolean; onClose: () => void }) => {
  const { help, frame } = useText()
  const { keys, groups } = help
  return (
    <Dialog open={open} onClose={onClose} title={frame.help} wide>
      <div className="grid grid-cols-1 gap-6 sm:grid-cols-2">
        <Group
          title={groups.anywhere}
          rows={[
            ['?', keys.help],
            [paletteKey(), keys.palette],
            ['/', keys.search],
            ['j', keys.jobs],
            ['g o', keys.goOverview],
            ['g p', keys.goPredictions],
            ['g r', keys.goRuns],
            ['g s', keys.goSettings],
          ]}
        />
        <Group
          title={groups.grid}
          rows={[
            ['↑ ↓ ← →', keys.move],
            ['PageUp PageDown', keys.page],
            ['Home End', keys.rowEnds],
            ['Ctrl+Home Ctrl+End', keys.gridEnds],
            ['Shift+↑ ↓', keys.range],
            ['Ctrl+C', keys.copy],
            ['Enter', keys.open],
            ['Esc', keys.close],
            ['Enter', keys.sort],
            ['Alt+← →', keys.resize],
            ['Alt+Shift+← →', keys.moveColumn],
          ]}
        />
        <Group
          title={groups.chart}
          rows={[
            ['← →', keys.point],
            ['Enter', keys.pin],
          ]}
        />
      </div>
    </Dialog>
  )
}

const Group = ({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) => (
  <section>
    <h3 className="mb-2 font-semibold">{title}</h3>
    <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-1.5">
      {rows.map(([key, meaning]) => (
        <div key={key + meaning} className="contents">
          <dt className="flex gap-1">
            <Keys keys={key} />
          </dt>
          <dd className="text-muted">{meaning}</dd>
        </div>
      ))}
    </dl>
  </section>
)
