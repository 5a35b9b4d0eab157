import { Link, Outlet } from '@tanstack/react-router'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'
import { Page } from '../../ui/page.tsx'

const tabs = ['storage', 'migration', 'workspaces'] as const

export const SettingsPage = () => {
  const { settings } = useText()
  return (
    <Page title={settings.title}>
      <nav aria-label={settings.title} className="mb-5 border-b border-line">
        <ul className="flex gap-1 overflow-x-auto">
          {tabs.map((tab) => (
            <li key={tab}>
              <Link
                to={paths[tab]}
                activeOptions={{ includeSearch: false }}
                activeProps={{ className: 'border-accent text-ink font-semibold' }}
                inactiveProps={{ className: 'border-transparent text-muted hover:text-ink' }}
                className="-mb-px flex min-h-10 items-center border-b-2 px-3 whitespace-nowrap"
              >
                {settings.tabs[tab]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </Page>
  )
}
