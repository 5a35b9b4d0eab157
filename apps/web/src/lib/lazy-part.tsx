import { type ComponentType, type ReactNode, use } from 'react'

/** A part of the app that is fetched when it is first shown did not come. */
export class PartMissing extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'PartMissing'
  }
}

const failed = new Set<() => void>()

/** Lets parts that did not come be fetched anew when they are shown again. */
export const retryParts = (): void => {
  for (const forget of failed) forget()
  failed.clear()
}

type Part<Props> = ((props: Props) => ReactNode) & { readonly preload: () => Promise<void> }

/**
 * A component in a file of its own, fetched when it is first shown. Unlike `React.lazy` it can be tried again after a failure, and unlike
 * the router's own it never reloads the page: the address may have no server behind it any more.
 */
export const lazyPart = <Props extends object>(load: () => Promise<ComponentType<Props>>): Part<Props> => {
  let found: ComponentType<Props> | undefined
  let failure: PartMissing | undefined
  let loading: Promise<void> | undefined
  const fetchIt = async (): Promise<void> => {
    try {
      found = await load()
    } catch (error) {
      failure = new PartMissing(error)
      failed.add(forget)
    }
  }
  const forget = (): void => {
    failure = undefined
    loading = undefined
  }
  /** Never rejects: a failure is for the moment when the part is shown. */
  const preload = (): Promise<void> => {
    if (failure !== undefined) forget()
    loading ??= fetchIt()
    return loading
  }
  const Shown = (props: Props) => {
    if (failure !== undefined) throw failure
    use(preload())
    const Found = found
    return Found === undefined ? null : <Found {...props} />
  }
  return Object.assign(Shown, { preload })
}
