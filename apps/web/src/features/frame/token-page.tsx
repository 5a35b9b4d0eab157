import { KeyRound } from 'lucide-react'
import { useText } from '../../text/text.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Message } from '../../ui/states.tsx'

/** Shown when the server asks for its token: only the program's own output can give it. */
export const TokenPage = () => {
  const { errors } = useText()
  return (
    <main className="grid min-h-dvh place-items-center">
      <Message whole icon={KeyRound} title={errors.tokenTitle}>
        <p className="mb-4">{errors.token}</p>
        <Copyable value={`${location.origin}/?token=…`} label="URL" />
      </Message>
    </main>
  )
}
