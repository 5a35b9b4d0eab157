import { Link } from '@tanstack/react-router'
import { LayoutDashboard, type LucideIcon, Settings, Table2, Workflow } from 'lucide-react'
import { paths } from '../../paths.ts'
import { lastColumns } from '../../stores/last-columns.ts'
import { useText } from '../../text/text.tsx'

type Page = 'overview' | 'predictions' | 'runs' | 'settings'

const pages: readonly { page: Page; icon: LucideIcon }[] = [
  { page: 'overview', icon: LayoutDashboard },
  { page: 'predictions', icon: Table2 },
  { page: 'runs', icon: Workflow },
  { page: 'settings', icon: Settings },
]

/** The pages there are; a column beside the page, a bar below it on narrow screens. */
export const Rail = () => {
  const text = useText()
  return (
    <nav aria-label={text.frame.navigation} className="shrink-0 border-line bg-surface max-sm:border-t sm:w-44 sm:border-r max-lg:sm:w-24">
      <ul className="flex gap-0.5 p-1.5 sm:flex-col">
        {pages.map(({ page, icon: Icon }) => (
          <li key={page} className="min-w-0 flex-1">
            <Link
              to={paths[page]}
              {...(page === 'predictions' ? { search: lastColumns } : {})}
              activeOptions={{ exact: page === 'overview', includeSearch: false }}
              activeProps={{ className: 'bg-accent-soft text-accent font-semibold' }}
              inactiveProps={{ className: 'text-muted hover:bg-hover hover:text-ink' }}
              className="flex min-h-10 items-center gap-2.5 rounded-md px-3 max-lg:flex-col max-lg:gap-0.5 max-lg:px-1 max-lg:py-1.5 max-lg:text-center max-lg:text-xs max-lg:leading-4"
            >
              <Icon size={18} aria-hidden className="shrink-0" />
              {text.frame[page]}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
