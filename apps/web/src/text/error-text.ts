import { isApiError } from '../api/client.ts'
import { useText } from './text.tsx'

/** What went wrong, in words of the server or of ours; what a browser says of a cut connection ("Failed to fetch") helps nobody. */
export const useErrorText = (): ((error: unknown) => string) => {
  const { errors } = useText()
  return (error) => {
    if (isApiError(error, 'unreachable')) return errors.unreachable
    return error instanceof Error ? error.message : String(error)
  }
}
