import { useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'

/** Tabs and history say which page of which workspace they hold. */
export const useDocumentTitle = (workspace: string | undefined): void => {
  const { frame } = useText()
  const { pathname } = useLocation()
  const page = pathname.startsWith(paths.settings)
    ? frame.settings
    : { [paths.overview]: frame.overview, [paths.predictions]: frame.predictions, [paths.runs]: frame.runs }[pathname]
  useEffect(() => {
    document.title = [page, workspace, frame.product].filter((part) => part !== undefined).join(' · ')
  }, [page, workspace, frame])
}
