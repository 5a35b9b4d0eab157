import { type RefObject, useLayoutEffect, useState } from 'react'
import { type Room, roomOf } from './fitted-columns.ts'

/** How much room an element has for the table; followed while windows and panels change. */
export const useRoom = (place: RefObject<HTMLElement | null>): Room => {
  const [room, setRoom] = useState<Room>('wide')
  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return
    const measure = (): void => setRoom(roomOf(element.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [place])
  return room
}
