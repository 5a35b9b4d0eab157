import type { ReactNode } from 'react'

interface PageProps {
  readonly title: string
  readonly aside?: ReactNode
  /** For tables that need more than a comfortable line of text. */
  readonly wide?: boolean
  readonly children: ReactNode
}

/** A page that scrolls: title, something beside it, content in a readable width. */
export const Page = ({ title, aside, wide = false, children }: PageProps) => (
  <div className={`mx-auto w-full px-4 py-5 sm:px-6 ${wide ? 'max-w-7xl' : 'max-w-6xl'}`}>
    <div className="mb-4 flex flex-wrap items-center gap-3">
      <h1 className="flex-1 text-xl font-semibold">{title}</h1>
      {aside}
    </div>
    {children}
  </div>
)

export const Card = ({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) => (
  <section className="card p-4">
    <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1">
      <h2 className="flex-1 font-semibold">{title}</h2>
      {aside}
    </div>
    {children}
  </section>
)
