import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { Message } from '../../ui/states.tsx'

export const NotFound = () => {
  const { errors } = useText()
  return (
    <Message
      whole
      icon={Compass}
      title={errors.notFoundTitle}
      action={
        <Link to={paths.overview} className={buttonClass('primary')}>
          {errors.goHome}
        </Link>
      }
    >
      <p>{errors.notFound}</p>
    </Message>
  )
}
