import type { ReactNode } from 'react'
import { useText } from '../text/text.tsx'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'

interface ConfirmProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly onConfirm: () => void
  readonly title: string
  readonly action: string
  readonly children: ReactNode
}

/** Asks before something that is hard or impossible to take back; says what will happen in its own words. */
export const Confirm = ({ open, onClose, onConfirm, title, action, children }: ConfirmProps) => {
  const text = useText()
  const confirm = (): void => {
    onClose()
    onConfirm()
  }
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{text.common.cancel}</Button>
          <Button tone="danger" onClick={confirm}>
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  )
}
